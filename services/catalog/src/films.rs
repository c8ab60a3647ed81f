mod facets;
mod filter;
mod find;
mod links;
mod list;
mod row;
mod search;
mod write;

use futures::stream::BoxStream;
use prost::Message as _;
use selvedge_kit::batch::{Batch, Limits};
use selvedge_kit::bulk::{self, Exports};
use selvedge_kit::page::{self, PageTokens};
use selvedge_kit::{Code, Db, Error, Kit, ResultExt as _, etag};
use selvedge_proto::catalog::v1::film_service_server::FilmService;
use selvedge_proto::catalog::v1::{
    BatchGetFilmsRequest, BatchGetFilmsResponse, CreateFilmRequest, DeleteFilmRequest, ExportFilmsRequest,
    Film, FilmFacets, GetFilmFacetsRequest, GetFilmRequest, ListFilmsRequest, ListFilmsResponse,
    SearchFilmsRequest, SearchFilmsResponse, SetFilmActorsRequest, SetFilmCategoriesRequest,
    UpdateFilmRequest,
};
use tonic::{Request, Response, Status};

use filter::Filter;
use list::{Listed, Part};
use row::{COLUMNS, DETAILS, Row};

/// The most pages that a statement reads, each of up to a hundred films.
const MAX_PARTS: usize = 32;

pub(crate) struct Films {
    db: Db,
    by_id: Batch<i32, Option<Row>>,
    by_part: Batch<Part, Vec<Listed>>,
    page_tokens: PageTokens,
    exports: Exports,
}

impl Films {
    pub(crate) fn new(kit: &Kit) -> Self {
        let (db, list_db) = (kit.db.clone(), kit.db.clone());
        let limits = Limits { calls: MAX_PARTS, ..Limits::of_reads() };
        Self {
            db: kit.db.clone(),
            by_id: Batch::new("films by id", Limits::of_reads(), move |ids| find::each(db.clone(), ids)),
            by_part: Batch::new("films by part", limits, move |parts| list::each(list_db.clone(), parts)),
            page_tokens: kit.page_tokens.clone(),
            exports: Exports::new(kit),
        }
    }
}

#[tonic::async_trait]
impl FilmService for Films {
    async fn get_film(&self, request: Request<GetFilmRequest>) -> Result<Response<Film>, Status> {
        let row = self.by_id.call("", request.into_inner().id).await?;
        Ok(Response::new(row.ok_or_else(not_found)?.into()))
    }

    async fn batch_get_films(
        &self,
        request: Request<BatchGetFilmsRequest>,
    ) -> Result<Response<BatchGetFilmsResponse>, Status> {
        let ids = request.into_inner().ids;
        let found = find::each(self.db.clone(), ids.clone()).await?;
        let film = |(row, id): (Option<Row>, i32)| {
            let missing =
                || Error::new(Code::NotFound, "FILM_NOT_FOUND", format!("there is no film with the id {id}"));
            row.map(Film::from).ok_or_else(missing)
        };
        let films = found.into_iter().zip(ids).map(film).collect::<Result<_, Error>>()?;
        let answer = BatchGetFilmsResponse { films };
        if answer.encoded_len() > page::MAX_BYTES {
            let message = "these films are too long for one answer; get fewer at a time";
            return Err(Error::new(Code::FailedPrecondition, "FILMS_TOO_LARGE", message).into());
        }
        Ok(Response::new(answer))
    }

    async fn list_films(
        &self,
        request: Request<ListFilmsRequest>,
    ) -> Result<Response<ListFilmsResponse>, Status> {
        Ok(Response::new(list::list(self, request.into_inner()).await?))
    }

    async fn search_films(
        &self,
        request: Request<SearchFilmsRequest>,
    ) -> Result<Response<SearchFilmsResponse>, Status> {
        Ok(Response::new(search::search(&self.db, &self.page_tokens, request.into_inner()).await?))
    }

    async fn get_film_facets(
        &self,
        request: Request<GetFilmFacetsRequest>,
    ) -> Result<Response<FilmFacets>, Status> {
        Ok(Response::new(facets::facets(&self.db, request.get_ref()).await?))
    }

    async fn create_film(&self, request: Request<CreateFilmRequest>) -> Result<Response<Film>, Status> {
        Ok(Response::new(write::create(&self.db, request.get_ref()).await?))
    }

    async fn update_film(&self, request: Request<UpdateFilmRequest>) -> Result<Response<Film>, Status> {
        Ok(Response::new(write::update(&self.db, request.get_ref()).await?))
    }

    async fn delete_film(&self, request: Request<DeleteFilmRequest>) -> Result<Response<()>, Status> {
        let request = request.into_inner();
        let expected = etag::parse(&request.etag)?;
        let deleted = sqlx::query!(
            "delete from films where id = $1 and ($2::timestamptz is null or last_update = $2)",
            request.id,
            expected
        )
        .execute(&self.db)
        .await
        .on_constraint("inventory_film_id_fkey", || {
            let message = "there are, or were, copies of this film in stores";
            Error::new(Code::FailedPrecondition, "FILM_HAS_INVENTORY", message)
        })?;
        match deleted.rows_affected() {
            0 => Err(why_not(&self.db, request.id).await?.into()),
            _ => Ok(Response::new(())),
        }
    }

    async fn set_film_categories(
        &self,
        request: Request<SetFilmCategoriesRequest>,
    ) -> Result<Response<Film>, Status> {
        Ok(Response::new(links::set_categories(&self.db, request.into_inner()).await?))
    }

    async fn set_film_actors(
        &self,
        request: Request<SetFilmActorsRequest>,
    ) -> Result<Response<Film>, Status> {
        Ok(Response::new(links::set_actors(&self.db, request.into_inner()).await?))
    }

    type ExportFilmsStream = BoxStream<'static, Result<Film, Status>>;

    async fn export_films(
        &self,
        request: Request<ExportFilmsRequest>,
    ) -> Result<Response<Self::ExportFilmsStream>, Status> {
        let mut query = bulk::cursor("select");
        // What belongs to a film is looked up when it is fetched, and not for all of them before they are sorted.
        query.push(COLUMNS).push(DETAILS).push(" from (select * from films where true");
        Filter::from(request.get_ref()).push(&mut query);
        query.push(" order by id) as films order by films.id");
        Ok(Response::new(self.exports.stream::<Row, _>(query).await?))
    }
}

/// Why there was no row that may be changed: it is not there, or not in the state that the caller knows.
async fn why_not(db: &Db, id: i32) -> Result<Error, Error> {
    let known = sqlx::query_scalar!(r#"select exists (select from films where id = $1) as "known!""#, id);
    Ok(if known.fetch_one(db).await? { etag::mismatch() } else { not_found() })
}

fn not_found() -> Error {
    Error::new(Code::NotFound, "FILM_NOT_FOUND", "there is no film with this id")
}
