mod batch;
mod counts;
mod create;
mod export;
mod filter;
mod import;
mod list;
mod new;
mod stats;
mod status;
mod update;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use selvedge_kit::batch::{Batch, Limits};
use selvedge_kit::bulk::{Exports, Places};
use selvedge_kit::idempotency::Repeatable;
use selvedge_kit::page::PageTokens;
use selvedge_kit::partitions::{self, Partitions};
use selvedge_kit::{Code, Db, Error, Kit, convert, etag};
use selvedge_proto::contacts::v1::submission_service_server::SubmissionService;
use selvedge_proto::contacts::v1::{
    BatchCreateSubmissionsRequest, BatchCreateSubmissionsResponse, CreateSubmissionRequest,
    DeleteSubmissionRequest, ExportSubmissionsRequest, GetSubmissionRequest, GetSubmissionStatsRequest,
    ImportSubmissionsRequest, ImportSubmissionsResponse, ListSubmissionsRequest, ListSubmissionsResponse,
    Submission, SubmissionStats, UpdateSubmissionRequest,
};
use serde_json::Value as Json;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use create::Create;
use new::New;
use update::Fixed;

pub(crate) use new::{check_insights, mint_id};

/// Submissions, by the month that their id carries.
pub(crate) const TABLE: partitions::Table = partitions::Table {
    name: "submissions",
    time: "submitted_at",
    key: "id",
    floor: "uuid_v7_floor",
    metric: "contacts.submissions.in_default_partition",
};

/// Imports at once: each has some ten megabytes in memory.
const MAX_IMPORTS: usize = 16;

/// Creates that become a statement together: each may have some seventy kilobytes.
const CREATES: Limits = Limits { in_flight: 4, calls: 100 };

/// The reason that programs read.
const EXTERNAL_ID_TAKEN: &str = "EXTERNAL_ID_TAKEN";

pub(crate) struct Submissions {
    db: Db,
    by_id: Batch<Uuid, Option<Row>>,
    creates: Batch<Create, Result<Submission, Error>>,
    page_tokens: PageTokens,
    partitions: Partitions,
    exports: Exports,
    imports: Places,
}

impl Submissions {
    pub(crate) fn new(kit: &mut Kit) -> Self {
        partitions::tend(kit, TABLE);
        counts::tend(kit);
        let (db, creates) = (kit.db.clone(), kit.db.clone());
        Self {
            db: kit.db.clone(),
            by_id: Batch::new("submissions by id", Limits::of_reads(), move |ids| find(db.clone(), ids)),
            creates: Batch::new("create submissions", CREATES, move |new| {
                create::create(creates.clone(), new)
            }),
            page_tokens: kit.page_tokens.clone(),
            partitions: Partitions::new(kit.db.clone(), TABLE),
            exports: Exports::new(kit),
            imports: Places::new(MAX_IMPORTS),
        }
    }
}

#[derive(Clone, sqlx::FromRow)]
struct Row {
    id: Uuid,
    external_id: Option<String>,
    name: String,
    email: String,
    message: String,
    status: String,
    submitted_at: DateTime<Utc>,
    document_insights: Json,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[tonic::async_trait]
impl SubmissionService for Submissions {
    async fn create_submission(
        &self,
        request: Request<CreateSubmissionRequest>,
    ) -> Result<Response<Submission>, Status> {
        let request = request.into_inner();
        let submission = New::of(request.submission.clone().unwrap_or_default(), Utc::now())
            .map_err(|wrong| wrong.at("submission."))?;
        self.partitions.ensure(submission.submitted_at).await?;
        let create = Create { new: submission, request: Repeatable::new(&request.request_id, &request) };
        Ok(Response::new(self.creates.call("", create).await??))
    }

    async fn batch_create_submissions(
        &self,
        request: Request<BatchCreateSubmissionsRequest>,
    ) -> Result<Response<BatchCreateSubmissionsResponse>, Status> {
        Ok(Response::new(batch::create(&self.db, &self.partitions, request.into_inner()).await?))
    }

    async fn import_submissions(
        &self,
        request: Request<Streaming<ImportSubmissionsRequest>>,
    ) -> Result<Response<ImportSubmissionsResponse>, Status> {
        let _place = self.imports.take()?;
        Ok(Response::new(import::import(&self.db, &self.partitions, request.into_inner()).await?))
    }

    type ExportSubmissionsStream = BoxStream<'static, Result<Submission, Status>>;

    async fn export_submissions(
        &self,
        request: Request<ExportSubmissionsRequest>,
    ) -> Result<Response<Self::ExportSubmissionsStream>, Status> {
        Ok(Response::new(export::export(&self.exports, request.into_inner()).await?))
    }

    async fn get_submission_stats(
        &self,
        request: Request<GetSubmissionStatsRequest>,
    ) -> Result<Response<SubmissionStats>, Status> {
        Ok(Response::new(stats::stats(&self.db, request.into_inner()).await?))
    }

    async fn get_submission(
        &self,
        request: Request<GetSubmissionRequest>,
    ) -> Result<Response<Submission>, Status> {
        let id = convert::id("id", &request.into_inner().id)?;
        let row = match self.find(id).await? {
            // It may just have been moved to its month's partition, of which the first look did not know yet.
            None => self.find(id).await?,
            found => found,
        };
        Ok(Response::new(row.ok_or_else(submission_not_found)?.into()))
    }

    async fn list_submissions(
        &self,
        request: Request<ListSubmissionsRequest>,
    ) -> Result<Response<ListSubmissionsResponse>, Status> {
        Ok(Response::new(list::list(&self.db, &self.page_tokens, request.into_inner()).await?))
    }

    async fn update_submission(
        &self,
        request: Request<UpdateSubmissionRequest>,
    ) -> Result<Response<Submission>, Status> {
        Ok(Response::new(self.update(request.into_inner()).await?))
    }

    async fn delete_submission(
        &self,
        request: Request<DeleteSubmissionRequest>,
    ) -> Result<Response<()>, Status> {
        let request = request.into_inner();
        let id = convert::id("id", &request.id)?;
        let expected = etag::parse(&request.etag)?;
        let deleted = sqlx::query!(
            "delete from submissions where id = $1 and ($2::timestamptz is null or updated_at = $2)",
            id,
            expected
        )
        .execute(&self.db)
        .await
        .map_err(Error::from)?;
        match deleted.rows_affected() {
            0 => Err(self.why_not(id, expected, None, &Fixed::default()).await?.into()),
            _ => Ok(Response::new(())),
        }
    }
}

impl Submissions {
    async fn find(&self, id: Uuid) -> Result<Option<Row>, Error> {
        self.by_id.call("", id).await
    }
}

/// The submissions with these ids. Looked up one by one, each id leads to its partition under whatever plan; `= any($1)`
/// would visit every partition. And PostgreSQL does not see how many ids there are, or it would plan anew for each number.
async fn find(db: Db, ids: Vec<Uuid>) -> Result<Vec<Option<Row>>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id!", external_id, name as "name!", email as "email!", message as "message!", status as "status!",
             submitted_at as "submitted_at!", document_insights as "document_insights!", created_at as "created_at!",
             updated_at
         from unnest((select $1::uuid[])) as wanted (wanted_id),
             lateral (select * from submissions where submissions.id = wanted_id limit 1) as submission"#,
        &ids
    );
    let found: HashMap<Uuid, Row> = rows.fetch_all(&db).await?.into_iter().map(|row| (row.id, row)).collect();
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}

impl From<Row> for Submission {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.to_string(),
            external_id: row.external_id,
            name: row.name,
            email: row.email,
            message: row.message,
            status: status::from_column(&row.status).into(),
            submitted_at: Some(convert::timestamp(row.submitted_at)),
            document_insights: Some(convert::object(row.document_insights)),
            created_at: Some(convert::timestamp(row.created_at)),
            updated_at: Some(convert::timestamp(row.updated_at)),
            etag: etag::of(row.updated_at),
        }
    }
}

/// What to answer to an id that no submission has.
pub(crate) fn submission_not_found() -> Error {
    Error::new(Code::NotFound, "SUBMISSION_NOT_FOUND", "there is no submission with this id")
}
