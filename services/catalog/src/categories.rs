use chrono::{DateTime, Utc};
use selvedge_kit::mask::Mask;
use selvedge_kit::page::{Cursor, Page, PageTokens};
use selvedge_kit::{Code, Db, Error, Kit, ResultExt as _, convert, etag, idempotency, like};
use selvedge_proto::catalog::v1::category_service_server::CategoryService;
use selvedge_proto::catalog::v1::{
    Category, CreateCategoryRequest, DeleteCategoryRequest, GetCategoryRequest, ListCategoriesRequest,
    ListCategoriesResponse, UpdateCategoryRequest,
};
use sqlx::PgExecutor;
use tonic::{Request, Response, Status};

pub(crate) struct Categories {
    db: Db,
    page_tokens: PageTokens,
}

impl Categories {
    pub(crate) fn new(kit: &Kit) -> Self {
        Self { db: kit.db.clone(), page_tokens: kit.page_tokens.clone() }
    }
}

struct Row {
    id: i32,
    name: String,
    last_update: DateTime<Utc>,
    film_count: i64,
}

#[tonic::async_trait]
impl CategoryService for Categories {
    async fn get_category(&self, request: Request<GetCategoryRequest>) -> Result<Response<Category>, Status> {
        let row = self.find(request.into_inner().id).await?;
        Ok(Response::new(row.ok_or_else(not_found)?.into()))
    }

    async fn list_categories(
        &self,
        request: Request<ListCategoriesRequest>,
    ) -> Result<Response<ListCategoriesResponse>, Status> {
        let mut request = request.into_inner();
        let size = std::mem::take(&mut request.page_size);
        let token = std::mem::take(&mut request.page_token);
        let page = Page::new(&self.page_tokens, &request, size, &token)?;
        let after = page.after().map(Cursor::read).transpose()?;
        let rows = sqlx::query_as!(
            Row,
            r#"select id, name, last_update,
                   (select count(*) from film_categories where category_id = categories.id) as "film_count!"
               from categories
               where ($1::text is null or name > $1) and name ilike $2
               order by name limit $3"#,
            after.as_ref().map(Cursor::key),
            like::containing(&request.name_contains),
            i64::try_from(page.wanted()).unwrap_or(i64::MAX),
        )
        .fetch_all(&self.db)
        .await
        .map_err(Error::from)?;
        let rows = rows.into_iter().map(|row| (Cursor::new(&row.name, row.id), row.into())).collect();
        let (categories, next_page_token) = page.cut(rows);
        Ok(Response::new(ListCategoriesResponse { categories, next_page_token }))
    }

    async fn create_category(
        &self,
        request: Request<CreateCategoryRequest>,
    ) -> Result<Response<Category>, Status> {
        let request = request.into_inner();
        let name = request.category.as_ref().map_or("", |category| &category.name);
        if request.request_id.is_empty() {
            return Ok(Response::new(insert(&self.db, name).await?));
        }
        let stored = idempotency::once(&self.db, &request.request_id, &request, async |transaction| {
            insert(&mut **transaction, name).await
        });
        Ok(Response::new(stored.await?))
    }

    async fn update_category(
        &self,
        request: Request<UpdateCategoryRequest>,
    ) -> Result<Response<Category>, Status> {
        let request = request.into_inner();
        let new = request.category.unwrap_or_default();
        Mask::new(request.update_mask.as_ref(), &["name"], &[])?;
        let expected = etag::parse(&new.etag)?;
        let row = sqlx::query_as!(
            Row,
            r#"update categories set name = $3
               where id = $1 and ($2::timestamptz is null or last_update = $2)
               returning id, name, last_update,
                   (select count(*) from film_categories where category_id = categories.id) as "film_count!""#,
            new.id,
            expected,
            new.name,
        )
        .fetch_optional(&self.db)
        .await
        .on_constraint("categories_name_key", name_taken)?;
        match row {
            Some(row) => Ok(Response::new(row.into())),
            None => Err(self.why_not(new.id).await?.into()),
        }
    }

    async fn delete_category(&self, request: Request<DeleteCategoryRequest>) -> Result<Response<()>, Status> {
        let request = request.into_inner();
        let expected = etag::parse(&request.etag)?;
        let deleted = sqlx::query!(
            "delete from categories where id = $1 and ($2::timestamptz is null or last_update = $2)",
            request.id,
            expected
        )
        .execute(&self.db)
        .await
        .on_constraint("film_categories_category_id_fkey", || {
            Error::new(Code::FailedPrecondition, "CATEGORY_HAS_FILMS", "there are films in this category")
        })?;
        match deleted.rows_affected() {
            0 => Err(self.why_not(request.id).await?.into()),
            _ => Ok(Response::new(())),
        }
    }
}

impl Categories {
    async fn find(&self, id: i32) -> Result<Option<Row>, Error> {
        let row = sqlx::query_as!(
            Row,
            r#"select id, name, last_update,
                   (select count(*) from film_categories where category_id = categories.id) as "film_count!"
               from categories where id = $1"#,
            id
        );
        Ok(row.fetch_optional(&self.db).await?)
    }

    /// Why there was no row that may be changed: it is not there, or not in the state that the caller knows.
    async fn why_not(&self, id: i32) -> Result<Error, Error> {
        Ok(match self.find(id).await? {
            None => not_found(),
            Some(_) => etag::mismatch(),
        })
    }
}

async fn insert(executor: impl PgExecutor<'_>, name: &str) -> Result<Category, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"insert into categories (name) values ($1)
           returning id, name, last_update, 0::bigint as "film_count!""#,
        name
    )
    .fetch_one(executor)
    .await
    .on_constraint("categories_name_key", name_taken)?;
    Ok(row.into())
}

impl From<Row> for Category {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            last_update: Some(convert::timestamp(row.last_update)),
            etag: etag::of(row.last_update),
            film_count: i32::try_from(row.film_count).unwrap_or(i32::MAX),
        }
    }
}

fn not_found() -> Error {
    Error::new(Code::NotFound, "CATEGORY_NOT_FOUND", "there is no category with this id")
}

fn name_taken() -> Error {
    Error::new(Code::AlreadyExists, "CATEGORY_NAME_TAKEN", "there is a category of this name")
}
