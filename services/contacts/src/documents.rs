use chrono::{DateTime, Utc};
use selvedge_kit::page::{self, Page, PageTokens};
use selvedge_kit::{Code, Db, Error, Kit, ResultExt as _, convert, idempotency};
use selvedge_proto::contacts::v1::document_service_server::DocumentService;
use selvedge_proto::contacts::v1::{
    CreateDocumentRequest, DeleteDocumentRequest, Document, GetDocumentRequest, ListDocumentsRequest,
    ListDocumentsResponse,
};
use serde_json::Value as Json;
use sqlx::{PgExecutor, QueryBuilder};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::submissions::{check_insights, mint_id, submission_not_found};

pub(crate) struct Documents {
    db: Db,
    page_tokens: PageTokens,
}

impl Documents {
    pub(crate) fn new(kit: &Kit) -> Self {
        Self { db: kit.db.clone(), page_tokens: kit.page_tokens.clone() }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    submission_id: Uuid,
    file_name: String,
    media_type: String,
    size: i64,
    sha256: String,
    tags: Vec<String>,
    insights: Json,
    created_at: DateTime<Utc>,
}

#[tonic::async_trait]
impl DocumentService for Documents {
    async fn create_document(
        &self,
        request: Request<CreateDocumentRequest>,
    ) -> Result<Response<Document>, Status> {
        let request = request.into_inner();
        let document = request.document.clone().unwrap_or_default();
        check_insights("insights", document.insights.as_ref()).map_err(|wrong| wrong.at("document."))?;
        if request.request_id.is_empty() {
            return Ok(Response::new(insert(&self.db, document).await?));
        }
        let stored = idempotency::once(&self.db, &request.request_id, &request, async |transaction| {
            insert(&mut **transaction, document).await
        });
        Ok(Response::new(stored.await?))
    }

    async fn get_document(&self, request: Request<GetDocumentRequest>) -> Result<Response<Document>, Status> {
        let id = convert::id("id", &request.into_inner().id)?;
        let row = sqlx::query_as!(
            Row,
            r#"select id, submission_id, file_name, media_type, size, encode(sha256, 'hex') as "sha256!", tags, insights,
                   created_at
               from documents where id = $1"#,
            id
        )
        .fetch_optional(&self.db)
        .await
        .map_err(Error::from)?;
        Ok(Response::new(row.ok_or_else(not_found)?.into()))
    }

    async fn list_documents(
        &self,
        request: Request<ListDocumentsRequest>,
    ) -> Result<Response<ListDocumentsResponse>, Status> {
        let mut request = request.into_inner();
        let size = std::mem::take(&mut request.page_size);
        let token = std::mem::take(&mut request.page_token);
        let page = Page::new(&self.page_tokens, &request, size, &token)?;
        let rows = self.list(&request, &page).await?;
        let (documents, next_page_token) =
            page.cut(rows.into_iter().map(|row| (row.id, row.into())).collect());
        Ok(Response::new(ListDocumentsResponse { documents, next_page_token }))
    }

    async fn delete_document(&self, request: Request<DeleteDocumentRequest>) -> Result<Response<()>, Status> {
        let id = convert::id("id", &request.into_inner().id)?;
        let owner = sqlx::query_scalar!("select submission_id from documents where id = $1", id)
            .fetch_optional(&self.db)
            .await
            .map_err(Error::from)?
            .ok_or_else(not_found)?;
        // The submission is locked first, as it is by whoever deletes that one with all its documents.
        let deleted = sqlx::query!(
            "with owner as materialized (select id from submissions where id = $2 for no key update)
             delete from documents where id = $1 and submission_id in (select id from owner)",
            id,
            owner
        )
        .execute(&self.db)
        .await
        .map_err(Error::from)?;
        match deleted.rows_affected() {
            0 => Err(not_found().into()),
            _ => Ok(Response::new(())),
        }
    }
}

impl Documents {
    async fn list(
        &self,
        request: &ListDocumentsRequest,
        page: &Page<'_, ListDocumentsRequest>,
    ) -> Result<Vec<Row>, Error> {
        let mut query = QueryBuilder::new(
            "select id, submission_id, file_name, media_type, size, encode(sha256, 'hex') as sha256, tags, insights,
                 created_at
             from documents where true",
        );
        if let Some(cursor) = page.after() {
            query.push(" and id < ").push_bind(Uuid::from_slice(cursor).map_err(|_| page::not_ours())?);
        }
        if !request.submission_id.is_empty() {
            query
                .push(" and submission_id = ")
                .push_bind(convert::id("submission_id", &request.submission_id)?);
        }
        if !request.tags.is_empty() {
            query.push(" and tags @> ").push_bind(request.tags.clone());
        }
        if !request.media_type.is_empty() {
            query.push(" and media_type = ").push_bind(request.media_type.clone());
        }
        query.push(" order by id desc limit ").push_bind(i64::try_from(page.wanted()).unwrap_or(i64::MAX));
        // Which index is the best depends on the values.
        Ok(query.build_query_as().persistent(false).fetch_all(&self.db).await?)
    }
}

async fn insert(executor: impl PgExecutor<'_>, document: Document) -> Result<Document, Error> {
    let submission_id = convert::id("document.submission_id", &document.submission_id)?;
    let row = sqlx::query_as!(
        Row,
        r#"insert into documents (id, submission_id, file_name, media_type, size, sha256, tags, insights)
           values ($1, $2, $3, $4, $5, decode($6, 'hex'), $7, $8)
           returning id, submission_id, file_name, media_type, size, encode(sha256, 'hex') as "sha256!", tags, insights,
               created_at"#,
        mint_id(Utc::now()),
        submission_id,
        document.file_name,
        document.media_type,
        document.size,
        document.sha256,
        &document.tags,
        convert::json(document.insights.unwrap_or_default()),
    )
    .fetch_one(executor)
    .await
    .on_constraint("documents_submission_id_fkey", submission_not_found)
    .on_constraint("documents_at_most_1000", || {
        Error::new(Code::FailedPrecondition, "TOO_MANY_DOCUMENTS", "the submission has 1000 documents already")
    })?;
    Ok(row.into())
}

impl From<Row> for Document {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.to_string(),
            submission_id: row.submission_id.to_string(),
            file_name: row.file_name,
            media_type: row.media_type,
            size: row.size,
            sha256: row.sha256,
            tags: row.tags,
            insights: Some(convert::object(row.insights)),
            created_at: Some(convert::timestamp(row.created_at)),
        }
    }
}

fn not_found() -> Error {
    Error::new(Code::NotFound, "DOCUMENT_NOT_FOUND", "there is no document with this id")
}
