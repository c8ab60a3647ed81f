mod list;
mod rent;
mod take_back;

use chrono::{DateTime, Utc};
use selvedge_kit::page::PageTokens;
use selvedge_kit::partitions::Partitions;
use selvedge_kit::{Code, Db, Error, Kit, convert};
use selvedge_proto::catalog::v1::rental_service_server::RentalService;
use selvedge_proto::catalog::v1::{
    GetRentalRequest, ListRentalsRequest, ListRentalsResponse, RentFilmRequest, Rental, ReturnFilmRequest,
    ReturnFilmResponse,
};
use tonic::{Request, Response, Status};

use crate::payments;

pub(crate) struct Rentals {
    db: Db,
    page_tokens: PageTokens,
    /// Who takes a film back records a payment.
    payments: Partitions,
}

impl Rentals {
    pub(crate) fn new(kit: &Kit) -> Self {
        Self {
            db: kit.db.clone(),
            page_tokens: kit.page_tokens.clone(),
            payments: Partitions::new(kit.db.clone(), payments::TABLE),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    inventory_id: i32,
    film_id: i32,
    film_title: String,
    store_id: i32,
    customer_id: i32,
    staff_id: i32,
    rental_date: DateTime<Utc>,
    due_date: DateTime<Utc>,
    return_date: Option<DateTime<Utc>>,
    rental_rate: String,
    late_fee: Option<String>,
    last_update: DateTime<Utc>,
}

#[tonic::async_trait]
impl RentalService for Rentals {
    async fn rent_film(&self, request: Request<RentFilmRequest>) -> Result<Response<Rental>, Status> {
        Ok(Response::new(rent::rent(&self.db, &request.into_inner()).await?))
    }

    async fn return_film(
        &self,
        request: Request<ReturnFilmRequest>,
    ) -> Result<Response<ReturnFilmResponse>, Status> {
        self.payments.ensure(Utc::now()).await?;
        Ok(Response::new(take_back::take_back(&self.db, &request.into_inner()).await?))
    }

    async fn get_rental(&self, request: Request<GetRentalRequest>) -> Result<Response<Rental>, Status> {
        let row = sqlx::query_as!(
            Row,
            r#"select rentals.id, rentals.inventory_id, rentals.film_id, films.title as film_title, rentals.store_id,
                   rentals.customer_id, rentals.staff_id, rentals.rental_date, rentals.due_date, rentals.return_date,
                   rentals.rental_rate::text as "rental_rate!", rentals.late_fee::text as late_fee,
                   rentals.last_update
               from rentals join films on films.id = rentals.film_id
               where rentals.id = $1"#,
            request.into_inner().id
        );
        let row = row.fetch_optional(&self.db).await.map_err(Error::from)?;
        Ok(Response::new(row.ok_or_else(not_found)?.into()))
    }

    async fn list_rentals(
        &self,
        request: Request<ListRentalsRequest>,
    ) -> Result<Response<ListRentalsResponse>, Status> {
        Ok(Response::new(list::list(&self.db, &self.page_tokens, request.into_inner()).await?))
    }
}

impl From<Row> for Rental {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            inventory_id: row.inventory_id,
            film_id: row.film_id,
            film_title: row.film_title,
            store_id: row.store_id,
            customer_id: row.customer_id,
            staff_id: row.staff_id,
            rental_date: Some(convert::timestamp(row.rental_date)),
            due_date: Some(convert::timestamp(row.due_date)),
            return_date: row.return_date.map(convert::timestamp),
            rental_rate: row.rental_rate,
            late_fee: row.late_fee,
            last_update: Some(convert::timestamp(row.last_update)),
        }
    }
}

fn not_found() -> Error {
    Error::new(Code::NotFound, "RENTAL_NOT_FOUND", "there is no rental with this id")
}

fn staff_not_found() -> Error {
    Error::new(Code::FailedPrecondition, "STAFF_NOT_FOUND", "there is no member of staff with this id")
}

fn staff_not_active() -> Error {
    Error::new(
        Code::FailedPrecondition,
        "STAFF_NOT_ACTIVE",
        "this member of staff does not work here any more",
    )
}
