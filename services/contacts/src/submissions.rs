mod batch;
mod counts;
mod export;
mod filter;
mod import;
mod list;
mod new;
mod partitions;
mod stats;
mod status;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use selvedge_kit::mask::Mask;
use selvedge_kit::page::PageTokens;
use selvedge_kit::{Code, Db, Error, Kit, ResultExt as _, convert, etag, idempotency};
use selvedge_proto::contacts::v1::submission_service_server::SubmissionService;
use selvedge_proto::contacts::v1::{
    BatchCreateSubmissionsRequest, BatchCreateSubmissionsResponse, CreateSubmissionRequest,
    DeleteSubmissionRequest, ExportSubmissionsRequest, GetSubmissionRequest, GetSubmissionStatsRequest,
    ImportSubmissionsRequest, ImportSubmissionsResponse, ListSubmissionsRequest, ListSubmissionsResponse,
    Submission, SubmissionStats, UpdateSubmissionRequest,
};
use serde_json::Value as Json;
use sqlx::PgExecutor;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use new::New;

pub(crate) use new::{check_insights, mint_id};
pub(crate) use partitions::Partitions;

/// Imports at once: each has some ten megabytes in memory.
const MAX_IMPORTS: usize = 16;

/// When to try again an import or export for which there was no place.
const BULK_RETRY: Duration = Duration::from_secs(5);

/// The reason that programs read.
const EXTERNAL_ID_TAKEN: &str = "EXTERNAL_ID_TAKEN";

const CHANGEABLE: [&str; 5] = ["name", "email", "message", "status", "document_insights"];

/// What an update may name only with the value that is there.
const FIXED: [&str; 2] = ["external_id", "submitted_at"];

pub(crate) struct Submissions {
    db: Db,
    page_tokens: PageTokens,
    partitions: Partitions,
    exports: Arc<Semaphore>,
    imports: Arc<Semaphore>,
    stall: Duration,
}

impl Submissions {
    pub(crate) fn new(kit: &mut Kit) -> Self {
        partitions::tend(kit);
        counts::tend(kit);
        Self {
            db: kit.db.clone(),
            page_tokens: kit.page_tokens.clone(),
            partitions: Partitions::new(kit.db.clone()),
            // Each holds a connection for a long time; half of them are left for everything else.
            exports: Arc::new(Semaphore::new((kit.db.pool_size() / 2).max(1))),
            imports: Arc::new(Semaphore::new(MAX_IMPORTS)),
            stall: kit.limits.stream_idle,
        }
    }
}

#[derive(sqlx::FromRow)]
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
        if request.request_id.is_empty() {
            return Ok(Response::new(insert(&self.db, submission).await?));
        }
        let stored = idempotency::once(&self.db, &request.request_id, &request, async |transaction| {
            insert(&mut **transaction, submission).await
        });
        Ok(Response::new(stored.await?))
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
        let _place = place(&self.imports)?;
        Ok(Response::new(import::import(&self.db, &self.partitions, request.into_inner()).await?))
    }

    type ExportSubmissionsStream = BoxStream<'static, Result<Submission, Status>>;

    async fn export_submissions(
        &self,
        request: Request<ExportSubmissionsRequest>,
    ) -> Result<Response<Self::ExportSubmissionsStream>, Status> {
        let place = place(&self.exports)?;
        Ok(Response::new(export::export(&self.db, request.into_inner(), place, self.stall).await?))
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
        let request = request.into_inner();
        let new = request.submission.unwrap_or_default();
        let mask = Mask::new(request.update_mask.as_ref(), &CHANGEABLE, &FIXED)?;
        let id = convert::id("submission.id", &new.id)?;
        let expected = etag::parse(&new.etag)?;
        check_insights("document_insights", new.document_insights.as_ref())
            .map_err(|wrong| wrong.at("submission."))?;
        let status = match status::to_column(new.status()) {
            None if mask.has("status") => Err(Error::invalid("submission.status", "must be a status"))?,
            status => status.filter(|_| mask.has("status")),
        };
        let may_become = status::may_become(new.status());
        let fixed = Fixed::new(&mask, &new)?;
        let row = sqlx::query_as!(
            Row,
            "update submissions set
                 name = case when $3 then $4 else name end,
                 email = case when $5 then $6 else email end,
                 message = case when $7 then $8 else message end,
                 document_insights = case when $9 then $10 else document_insights end,
                 status = coalesce($11, status)
             where id = $1
                 and ($2::timestamptz is null or updated_at = $2)
                 and ($11::text is null or status = any($12))
                 and ($13::timestamptz is null or submitted_at = $13)
                 and (not $14 or external_id is not distinct from $15)
             returning id, external_id, name, email, message, status, submitted_at, document_insights, created_at,
                 updated_at",
            id,
            expected,
            mask.has("name"),
            new.name,
            mask.has("email"),
            new.email,
            mask.has("message"),
            new.message,
            mask.has("document_insights"),
            convert::json(new.document_insights.unwrap_or_default()),
            status,
            &may_become as &[&str],
            fixed.submitted_at,
            fixed.names_external_id,
            fixed.external_id,
        )
        .fetch_optional(&self.db)
        .await
        .map_err(Error::from)?;
        match row {
            Some(row) => Ok(Response::new(row.into())),
            None => {
                Err(self.why_not(id, expected, status.map(|_| may_become.as_slice()), &fixed).await?.into())
            }
        }
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
        let row = sqlx::query_as!(
            Row,
            "select id, external_id, name, email, message, status, submitted_at, document_insights, created_at,
                 updated_at
             from submissions where id = $1",
            id
        );
        Ok(row.fetch_optional(&self.db).await?)
    }

    /// Why there was no row that may be changed so. It is read after the fact: what stood in the way may be gone by now,
    /// and then the caller may try again.
    async fn why_not(
        &self,
        id: Uuid,
        expected: Option<DateTime<Utc>>,
        statuses: Option<&[&str]>,
        fixed: &Fixed,
    ) -> Result<Error, Error> {
        Ok(match self.find(id).await? {
            None => submission_not_found(),
            Some(row) if expected.is_some_and(|expected| expected != row.updated_at) => etag::mismatch(),
            Some(row) if statuses.is_some_and(|statuses| !statuses.contains(&row.status.as_str())) => {
                Error::new(
                    Code::FailedPrecondition,
                    "STATUS_MOVE_NOT_ALLOWED",
                    format!("a submission that is {} cannot be given this status", row.status),
                )
            }
            Some(row) if fixed.submitted_at.is_some_and(|time| time != row.submitted_at) => {
                Error::invalid("submission.submitted_at", IS_FIXED)
            }
            Some(row) if fixed.names_external_id && fixed.external_id != row.external_id => {
                Error::invalid("submission.external_id", IS_FIXED)
            }
            Some(_) => Error::new(Code::Aborted, "CONFLICT", "the submission was being changed; try again"),
        })
    }
}

const IS_FIXED: &str = "is fixed once set";

/// What an update says of fields that are fixed once set, as far as its mask names them.
#[derive(Default)]
struct Fixed {
    submitted_at: Option<DateTime<Utc>>,
    names_external_id: bool,
    external_id: Option<String>,
}

impl Fixed {
    fn new(mask: &Mask<'_>, submission: &Submission) -> Result<Self, Error> {
        let submitted_at = match &submission.submitted_at {
            _ if !mask.has("submitted_at") => None,
            Some(time) => Some(convert::time("submission.submitted_at", time)?),
            None => return Err(Error::invalid("submission.submitted_at", IS_FIXED)),
        };
        let external_id = submission.external_id.clone();
        Ok(Self { submitted_at, names_external_id: mask.has("external_id"), external_id })
    }
}

/// A place for an import or export, until it is dropped.
fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
    places.clone().try_acquire_owned().map_err(|_| {
        let message = "too many others are under way; try again later";
        Error::new(Code::Unavailable, "TOO_MANY_BULK_CALLS", message).retry_after(BULK_RETRY)
    })
}

async fn insert(executor: impl PgExecutor<'_>, new: New) -> Result<Submission, Error> {
    let row = sqlx::query_as!(
        Row,
        "insert into submissions
             (id, external_id, name, email, message, status, submitted_at, document_insights)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         returning id, external_id, name, email, message, status, submitted_at, document_insights, created_at,
             updated_at",
        new.id,
        new.external_id,
        new.name,
        new.email,
        new.message,
        new.status,
        new.submitted_at,
        new.document_insights,
    )
    .fetch_one(executor)
    .await
    .on_constraint("submission_external_ids_pkey", || {
        Error::new(Code::AlreadyExists, EXTERNAL_ID_TAKEN, "there is a submission with this external_id")
    })?;
    Ok(row.into())
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
