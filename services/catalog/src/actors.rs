use chrono::{DateTime, Utc};
use selvedge_kit::mask::Mask;
use selvedge_kit::page::{Page, PageTokens};
use selvedge_kit::{Code, Db, Error, Kit, ResultExt as _, convert, etag, idempotency, like};
use selvedge_proto::catalog::v1::actor_service_server::ActorService;
use selvedge_proto::catalog::v1::{
    Actor, CreateActorRequest, DeleteActorRequest, GetActorRequest, ListActorsRequest, ListActorsResponse,
    UpdateActorRequest,
};
use sqlx::{PgExecutor, QueryBuilder};
use tonic::{Request, Response, Status};

use crate::names;

pub(crate) struct Actors {
    db: Db,
    page_tokens: PageTokens,
}

impl Actors {
    pub(crate) fn new(kit: &Kit) -> Self {
        Self { db: kit.db.clone(), page_tokens: kit.page_tokens.clone() }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i32,
    first_name: String,
    last_name: String,
    last_update: DateTime<Utc>,
    film_count: i64,
}

#[tonic::async_trait]
impl ActorService for Actors {
    async fn get_actor(&self, request: Request<GetActorRequest>) -> Result<Response<Actor>, Status> {
        let row = self.find(request.into_inner().id).await?;
        Ok(Response::new(row.ok_or_else(not_found)?.into()))
    }

    async fn list_actors(
        &self,
        request: Request<ListActorsRequest>,
    ) -> Result<Response<ListActorsResponse>, Status> {
        let mut request = request.into_inner();
        let size = std::mem::take(&mut request.page_size);
        let token = std::mem::take(&mut request.page_token);
        let page = Page::new(&self.page_tokens, &request, size, &token)?;
        let rows = self.list(&request, &page).await?;
        let cursor = |row: &Row| names::cursor(&row.last_name, &row.first_name, row.id);
        let (actors, next_page_token) =
            page.cut(rows.into_iter().map(|row| (cursor(&row), row.into())).collect());
        Ok(Response::new(ListActorsResponse { actors, next_page_token }))
    }

    async fn create_actor(&self, request: Request<CreateActorRequest>) -> Result<Response<Actor>, Status> {
        let request = request.into_inner();
        let actor = request.actor.clone().unwrap_or_default();
        if request.request_id.is_empty() {
            return Ok(Response::new(insert(&self.db, actor).await?));
        }
        let stored = idempotency::once(&self.db, &request.request_id, &request, async |transaction| {
            insert(&mut **transaction, actor).await
        });
        Ok(Response::new(stored.await?))
    }

    async fn update_actor(&self, request: Request<UpdateActorRequest>) -> Result<Response<Actor>, Status> {
        let request = request.into_inner();
        let new = request.actor.unwrap_or_default();
        let mask = Mask::new(request.update_mask.as_ref(), &["first_name", "last_name"], &[])?;
        let row = sqlx::query_as!(
            Row,
            r#"update actors set
                   first_name = case when $3 then $4 else first_name end,
                   last_name = case when $5 then $6 else last_name end
               where id = $1 and ($2::timestamptz is null or last_update = $2)
               returning id, first_name, last_name, last_update,
                   (select count(*) from film_actors where actor_id = actors.id) as "film_count!""#,
            new.id,
            etag::parse(&new.etag)?,
            mask.has("first_name"),
            new.first_name,
            mask.has("last_name"),
            new.last_name,
        )
        .fetch_optional(&self.db)
        .await
        .map_err(Error::from)?;
        match row {
            Some(row) => Ok(Response::new(row.into())),
            None => Err(self.why_not(new.id).await?.into()),
        }
    }

    async fn delete_actor(&self, request: Request<DeleteActorRequest>) -> Result<Response<()>, Status> {
        let request = request.into_inner();
        let deleted = sqlx::query!(
            "delete from actors where id = $1 and ($2::timestamptz is null or last_update = $2)",
            request.id,
            etag::parse(&request.etag)?
        )
        .execute(&self.db)
        .await
        .on_constraint("film_actors_actor_id_fkey", || {
            Error::new(Code::FailedPrecondition, "ACTOR_HAS_FILMS", "there are films with this actor")
        })?;
        match deleted.rows_affected() {
            0 => Err(self.why_not(request.id).await?.into()),
            _ => Ok(Response::new(())),
        }
    }
}

impl Actors {
    async fn find(&self, id: i32) -> Result<Option<Row>, Error> {
        let row = sqlx::query_as!(
            Row,
            r#"select id, first_name, last_name, last_update,
                   (select count(*) from film_actors where actor_id = actors.id) as "film_count!"
               from actors where id = $1"#,
            id
        );
        Ok(row.fetch_optional(&self.db).await?)
    }

    async fn list(
        &self,
        request: &ListActorsRequest,
        page: &Page<'_, ListActorsRequest>,
    ) -> Result<Vec<Row>, Error> {
        let mut query = QueryBuilder::new(
            "select id, first_name, last_name, last_update,
                 (select count(*) from film_actors where actor_id = actors.id) as film_count
             from actors where true",
        );
        if !request.name_contains.is_empty() {
            let pattern = like::containing(&request.name_contains);
            query.push(" and first_name || ' ' || last_name ilike ").push_bind(pattern);
        }
        names::push_page(&mut query, "actors", page.after(), page.wanted())?;
        // Which index is the best depends on the values.
        Ok(query.build_query_as().persistent(false).fetch_all(&self.db).await?)
    }

    /// Why there was no row that may be changed: it is not there, or not in the state that the caller knows.
    async fn why_not(&self, id: i32) -> Result<Error, Error> {
        Ok(match self.find(id).await? {
            None => not_found(),
            Some(_) => etag::mismatch(),
        })
    }
}

async fn insert(executor: impl PgExecutor<'_>, actor: Actor) -> Result<Actor, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"insert into actors (first_name, last_name) values ($1, $2)
           returning id, first_name, last_name, last_update, 0::bigint as "film_count!""#,
        actor.first_name,
        actor.last_name
    );
    Ok(row.fetch_one(executor).await?.into())
}

impl From<Row> for Actor {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            first_name: row.first_name,
            last_name: row.last_name,
            last_update: Some(convert::timestamp(row.last_update)),
            etag: etag::of(row.last_update),
            film_count: i32::try_from(row.film_count).unwrap_or(i32::MAX),
        }
    }
}

fn not_found() -> Error {
    Error::new(Code::NotFound, "ACTOR_NOT_FOUND", "there is no actor with this id")
}
