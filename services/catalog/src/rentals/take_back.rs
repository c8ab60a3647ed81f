//! How a film is returned.

use chrono::{DateTime, Utc};
use selvedge_kit::db::Transaction;
use selvedge_kit::{Code, Db, Error, convert, idempotency};
use selvedge_proto::catalog::v1::{Payment, Rental, ReturnFilmRequest, ReturnFilmResponse};
use sqlx::PgExecutor;

use super::{not_found, staff_not_active, staff_not_found};

/// The reason that programs read.
const NOT_RETURNED: &str = "CONFLICT";

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
    return_date: DateTime<Utc>,
    rental_rate: String,
    late_fee: String,
    last_update: DateTime<Utc>,
    payment_id: i64,
    taken_by: i32,
    amount: String,
}

pub(super) async fn take_back(db: &Db, request: &ReturnFilmRequest) -> Result<ReturnFilmResponse, Error> {
    let returned = if request.request_id.is_empty() {
        update(db, request).await
    } else {
        let work = async |transaction: &mut Transaction| update(&mut **transaction, request).await;
        idempotency::once(db, &request.request_id, request, work).await
    };
    match returned {
        Err(error) if error.reason() == NOT_RETURNED => Err(why_not(db, request).await?),
        answer => answer,
    }
}

/// Return and payment are one statement: neither is there without the other. Who waited here for another return of the
/// same rental finds it ended.
async fn update(
    executor: impl PgExecutor<'_>,
    request: &ReturnFilmRequest,
) -> Result<ReturnFilmResponse, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"with worker as (
               select id from staff where id = $2 and active for share
           ), returned as (
               update rentals set
                   return_date = greatest(statement_timestamp(), rental_date),
                   late_fee = least(
                       ceil(greatest(extract(epoch from statement_timestamp() - due_date), 0) / (24 * 60 * 60)),
                       replacement_cost)
               from worker
               where rentals.id = $1 and return_date is null
               returning rentals.id, inventory_id, film_id, store_id, customer_id, staff_id, rental_date, due_date,
                   return_date, rental_rate, late_fee, last_update
           ), paid as (
               insert into payments (customer_id, staff_id, rental_id, amount, payment_date)
               select customer_id, $2, id, rental_rate + late_fee, return_date from returned
               returning id, staff_id, amount
           )
           select returned.id, returned.inventory_id, returned.film_id, films.title as film_title, returned.store_id,
               returned.customer_id, returned.staff_id, returned.rental_date, returned.due_date,
               returned.return_date as "return_date!", returned.rental_rate::text as "rental_rate!",
               returned.late_fee::text as "late_fee!", returned.last_update, paid.id as payment_id,
               paid.staff_id as taken_by, paid.amount::text as "amount!"
           from returned join films on films.id = returned.film_id, paid"#,
        request.rental_id,
        request.staff_id,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.ok_or_else(not_returned)?.into())
}

/// Why nothing was returned. It is read after the fact: what stood in the way may be gone by now.
async fn why_not(db: &Db, request: &ReturnFilmRequest) -> Result<Error, Error> {
    let found = sqlx::query!(
        r#"select
               (select return_date is not null from rentals where id = $1) as returned,
               (select active from staff where id = $2) as staff_active"#,
        request.rental_id,
        request.staff_id,
    )
    .fetch_one(db)
    .await?;
    Ok(match (found.returned, found.staff_active) {
        (None, _) => not_found(),
        (Some(true), _) => {
            Error::new(Code::FailedPrecondition, "ALREADY_RETURNED", "this rental has ended before")
        }
        (_, None) => staff_not_found(),
        (_, Some(false)) => staff_not_active(),
        _ => not_returned(),
    })
}

fn not_returned() -> Error {
    Error::new(Code::Aborted, NOT_RETURNED, "the rental was being changed; try again")
}

impl From<Row> for ReturnFilmResponse {
    fn from(row: Row) -> Self {
        let return_date = Some(convert::timestamp(row.return_date));
        let payment = Payment {
            id: row.payment_id,
            customer_id: row.customer_id,
            staff_id: row.taken_by,
            rental_id: row.id,
            amount: row.amount,
            payment_date: return_date,
        };
        let rental = Rental {
            id: row.id,
            inventory_id: row.inventory_id,
            film_id: row.film_id,
            film_title: row.film_title,
            store_id: row.store_id,
            customer_id: row.customer_id,
            staff_id: row.staff_id,
            rental_date: Some(convert::timestamp(row.rental_date)),
            due_date: Some(convert::timestamp(row.due_date)),
            return_date,
            rental_rate: row.rental_rate,
            late_fee: Some(row.late_fee),
            last_update: Some(convert::timestamp(row.last_update)),
        };
        Self { rental: Some(rental), payment: Some(payment) }
    }
}
