//! How a film is rented.

use selvedge_kit::{Code, Db, Error, idempotency};
use selvedge_proto::catalog::v1::{RentFilmRequest, Rental};
use sqlx::PgExecutor;

use super::{Row, staff_not_active, staff_not_found};

/// How often to try. Each further time, somebody else has just rented a copy or given up.
const TRIES: usize = 10;

/// The reason that programs read.
const NOT_RENTED: &str = "CONFLICT";

/// One statement tries. Where it finds nothing, another one looks why; copies that somebody is renting at this moment look
/// free to that one, as nobody knows yet how it ends. Then it is tried again, and waited for them.
pub(super) async fn rent(db: &Db, request: &RentFilmRequest) -> Result<Rental, Error> {
    for attempt in 0..TRIES {
        let rented = if attempt == 0 && request.request_id.is_empty() {
            insert(db, request).await
        } else {
            let work = idempotency::once(db, &request.request_id, request, async |transaction| {
                if attempt > 0 {
                    wait_for_a_copy(&mut **transaction, request).await?;
                }
                insert(&mut **transaction, request).await
            });
            work.await
        };
        match rented {
            Err(error) if error.reason() == NOT_RENTED => why_not(db, request).await?,
            answer => return answer,
        }
    }
    Err(not_rented())
}

/// Locks the customer and the member of staff, so that they are still active when this is committed, and the copy, so that
/// it is not retired. Copies that somebody else has locked are passed over.
async fn insert(executor: impl PgExecutor<'_>, request: &RentFilmRequest) -> Result<Rental, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"with customer as (
               select id from customers where id = $3 and active for share
           ), worker as (
               select id from staff where id = $4 and store_id = $2 and active for share
           ), copy as (
               select id from inventory
               where film_id = $1 and store_id = $2 and retired_at is null
                   and not exists (select from rentals where inventory_id = inventory.id and return_date is null)
               order by id limit 1
               for no key update skip locked
           ), rented as (
               insert into rentals (inventory_id, film_id, store_id, customer_id, staff_id, rental_date, due_date,
                   rental_rate, replacement_cost)
               select copy.id, $1, $2, customer.id, worker.id, statement_timestamp(),
                   statement_timestamp() + make_interval(hours => 24 * films.rental_duration), films.rental_rate,
                   films.replacement_cost
               from films, customer, worker, copy
               where films.id = $1
               on conflict (inventory_id) where return_date is null do nothing
               returning id, inventory_id, film_id, store_id, customer_id, staff_id, rental_date, due_date,
                   return_date, rental_rate, late_fee, last_update
           )
           select rented.id, rented.inventory_id, rented.film_id, films.title as film_title, rented.store_id,
               rented.customer_id, rented.staff_id, rented.rental_date, rented.due_date, rented.return_date,
               rented.rental_rate::text as "rental_rate!", rented.late_fee::text as late_fee, rented.last_update
           from rented join films on films.id = rented.film_id"#,
        request.film_id,
        request.store_id,
        request.customer_id,
        request.staff_id,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.ok_or_else(not_rented)?.into())
}

/// Waits until whoever is at a copy that looks free is done with it, and keeps it from all others.
async fn wait_for_a_copy(executor: impl PgExecutor<'_>, request: &RentFilmRequest) -> Result<(), Error> {
    sqlx::query!(
        "select id from inventory
         where film_id = $1 and store_id = $2 and retired_at is null
             and not exists (select from rentals where inventory_id = inventory.id and return_date is null)
         order by id limit 1
         for no key update",
        request.film_id,
        request.store_id,
    )
    .fetch_optional(executor)
    .await?;
    Ok(())
}

/// Why nothing could be rented. It is read after the fact: without a reason it may be tried again.
async fn why_not(db: &Db, request: &RentFilmRequest) -> Result<(), Error> {
    let found = sqlx::query!(
        r#"select
               exists (select from films where id = $1) as "film!",
               exists (select from stores where id = $2) as "store!",
               (select active from customers where id = $3) as customer_active,
               (select active from staff where id = $4) as staff_active,
               (select store_id from staff where id = $4) as staff_store,
               exists (
                   select from inventory
                   where film_id = $1 and store_id = $2 and retired_at is null
                       and not exists (select from rentals where inventory_id = inventory.id and return_date is null)
               ) as "copy!""#,
        request.film_id,
        request.store_id,
        request.customer_id,
        request.staff_id,
    )
    .fetch_one(db)
    .await?;
    let failed = |reason, message| Err(Error::new(Code::FailedPrecondition, reason, message));
    match (found.customer_active, found.staff_active) {
        _ if !found.film => failed("FILM_NOT_FOUND", "there is no film with this id"),
        _ if !found.store => failed("STORE_NOT_FOUND", "there is no store with this id"),
        (None, _) => failed("CUSTOMER_NOT_FOUND", "there is no customer with this id"),
        (Some(false), _) => failed("CUSTOMER_NOT_ACTIVE", "this customer may not rent any more"),
        (_, None) => Err(staff_not_found()),
        (_, Some(false)) => Err(staff_not_active()),
        _ if found.staff_store != Some(request.store_id) => {
            failed("NOT_STAFF_OF_STORE", "this member of staff works in another store")
        }
        _ if !found.copy => failed("NO_COPY_AVAILABLE", "the store has no copy of this film that is free"),
        _ => Ok(()),
    }
}

fn not_rented() -> Error {
    Error::new(Code::Aborted, NOT_RENTED, "others were renting the same film; try again")
}
