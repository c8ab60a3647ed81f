//! The categories and the actors of a film.

use chrono::{DateTime, Utc};
use selvedge_kit::db::Transaction;
use selvedge_kit::{Code, Db, Error, ResultExt as _, etag};
use selvedge_proto::catalog::v1::{Film, SetFilmActorsRequest, SetFilmCategoriesRequest};

use super::{find, not_found};

pub(super) async fn set_categories(db: &Db, request: SetFilmCategoriesRequest) -> Result<Film, Error> {
    let mut transaction = db.begin().await?;
    lock(&mut transaction, request.film_id, etag::parse(&request.etag)?).await?;
    let removed = sqlx::query!(
        "delete from film_categories where film_id = $1 and category_id <> all($2)",
        request.film_id,
        &request.category_ids
    )
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    let added = add_categories(&mut transaction, request.film_id, &request.category_ids).await?;
    answer(transaction, request.film_id, removed + added > 0).await
}

pub(super) async fn set_actors(db: &Db, request: SetFilmActorsRequest) -> Result<Film, Error> {
    let mut transaction = db.begin().await?;
    lock(&mut transaction, request.film_id, etag::parse(&request.etag)?).await?;
    let removed = sqlx::query!(
        "delete from film_actors where film_id = $1 and actor_id <> all($2)",
        request.film_id,
        &request.actor_ids
    )
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    let added = add_actors(&mut transaction, request.film_id, &request.actor_ids).await?;
    answer(transaction, request.film_id, removed + added > 0).await
}

/// Answers with how many were not there before. In the order of the ids, so that two who add the same do not wait for
/// each other.
pub(super) async fn add_categories(
    transaction: &mut Transaction,
    film: i32,
    categories: &[i32],
) -> Result<u64, Error> {
    let added = sqlx::query!(
        "insert into film_categories (film_id, category_id)
         select $1, category_id from unnest($2::integer[]) as category_id order by category_id
         on conflict on constraint film_categories_pkey do nothing",
        film,
        categories
    )
    .execute(&mut **transaction)
    .await
    .on_constraint("film_categories_category_id_fkey", || {
        Error::new(Code::FailedPrecondition, "CATEGORY_NOT_FOUND", "one of the categories is not there")
    })?;
    Ok(added.rows_affected())
}

/// The same for actors.
pub(super) async fn add_actors(
    transaction: &mut Transaction,
    film: i32,
    actors: &[i32],
) -> Result<u64, Error> {
    let added = sqlx::query!(
        "insert into film_actors (film_id, actor_id)
         select $1, actor_id from unnest($2::integer[]) as actor_id order by actor_id
         on conflict on constraint film_actors_pkey do nothing",
        film,
        actors
    )
    .execute(&mut **transaction)
    .await
    .on_constraint("film_actors_actor_id_fkey", || {
        Error::new(Code::FailedPrecondition, "ACTOR_NOT_FOUND", "one of the actors is not there")
    })?;
    Ok(added.rows_affected())
}

/// Keeps everybody else from changing the film, or what belongs to it, until the end of the transaction.
async fn lock(
    transaction: &mut Transaction,
    film: i32,
    expected: Option<DateTime<Utc>>,
) -> Result<(), Error> {
    let last_update =
        sqlx::query_scalar!("select last_update from films where id = $1 for no key update", film)
            .fetch_optional(&mut **transaction)
            .await?
            .ok_or_else(not_found)?;
    match expected {
        Some(expected) if expected != last_update => Err(etag::mismatch()),
        _ => Ok(()),
    }
}

/// A film whose categories or actors changed has changed: its etag is a new one.
async fn answer(mut transaction: Transaction, id: i32, changed: bool) -> Result<Film, Error> {
    if changed {
        sqlx::query!("update films set last_update = clock_timestamp() where id = $1", id)
            .execute(&mut *transaction)
            .await?;
    }
    let film = find::one(&mut *transaction, id).await?.ok_or_else(not_found)?.into();
    transaction.commit().await?;
    Ok(film)
}
