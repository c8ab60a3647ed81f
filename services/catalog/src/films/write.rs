//! Films that are new, and films that change.

use selvedge_kit::mask::Mask;
use selvedge_kit::{Code, Db, Error, ResultExt as _, etag, idempotency};
use selvedge_proto::catalog::v1::{CreateFilmRequest, Film, UpdateFilmRequest};
use sqlx::{PgExecutor, Postgres, QueryBuilder};

use super::links;
use super::row::{COLUMNS, DETAILS, Row, rating_to};
use super::{find, why_not};

/// The fields that a caller decides about. The columns are called the same.
const FIELDS: [&str; 12] = [
    "title",
    "description",
    "release_year",
    "language_id",
    "original_language_id",
    "rental_duration",
    "rental_rate",
    "length",
    "replacement_cost",
    "rating",
    "special_features",
    "streaming_available",
];

pub(super) async fn create(db: &Db, request: &CreateFilmRequest) -> Result<Film, Error> {
    let film = request.film.clone().unwrap_or_default();
    idempotency::once(db, &request.request_id, request, async |transaction| {
        let id = insert(&mut **transaction, &film).await?;
        links::add_categories(transaction, id, &request.category_ids).await?;
        links::add_actors(transaction, id, &request.actor_ids).await?;
        let stored = find::one(&mut **transaction, id).await?;
        stored.map(Film::from).ok_or_else(|| Error::internal("a film was gone before it was committed"))
    })
    .await
}

async fn insert(executor: impl PgExecutor<'_>, film: &Film) -> Result<i32, Error> {
    let mut query = QueryBuilder::new("insert into films (");
    query.push(FIELDS.join(", ")).push(") values (");
    for (index, field) in FIELDS.iter().enumerate() {
        query.push(if index == 0 { "" } else { ", " });
        push_value(&mut query, field, film);
    }
    query.push(") returning id");
    language_known(query.build_query_scalar().fetch_one(executor).await)
}

pub(super) async fn update(db: &Db, request: &UpdateFilmRequest) -> Result<Film, Error> {
    let film = request.film.clone().unwrap_or_default();
    let mask = Mask::new(request.update_mask.as_ref(), &FIELDS, &[])?;
    let expected = etag::parse(&film.etag)?;
    let mut query = QueryBuilder::new("update films set ");
    for (index, field) in FIELDS.iter().filter(|field| mask.has(field)).enumerate() {
        query.push(if index == 0 { "" } else { ", " }).push(field).push(" = ");
        push_value(&mut query, field, &film);
    }
    query.push(" where id = ").push_bind(film.id);
    if let Some(expected) = expected {
        query.push(" and last_update = ").push_bind(expected);
    }
    query.push(" returning ").push(COLUMNS).push(DETAILS);
    // There are as many texts of it as there are masks.
    let row: Option<Row> = language_known(query.build_query_as().persistent(false).fetch_optional(db).await)?;
    match row {
        Some(row) => Ok(row.into()),
        None => Err(why_not(db, film.id).await?),
    }
}

/// Writes a field's value. What is left out becomes the column's default, which only the database knows.
fn push_value(query: &mut QueryBuilder<Postgres>, field: &str, film: &Film) {
    match field {
        "title" => query.push_bind(&film.title),
        "description" => query.push_bind(&film.description),
        "release_year" => query.push_bind(film.release_year),
        "language_id" => query.push_bind(film.language_id),
        "original_language_id" => query.push_bind(film.original_language_id),
        "rental_duration" => match film.rental_duration {
            Some(days) => query.push_bind(days),
            None => query.push("default"),
        },
        "rental_rate" => push_amount(query, film.rental_rate.as_ref()),
        "length" => query.push_bind(film.length),
        "replacement_cost" => push_amount(query, film.replacement_cost.as_ref()),
        "rating" => match rating_to(film.rating()) {
            Some(rating) => query.push_bind(rating),
            None => query.push("default"),
        },
        "special_features" => query.push_bind(&film.special_features),
        "streaming_available" => query.push_bind(film.streaming_available),
        other => unreachable!("{other} is none of the fields"),
    };
}

fn push_amount<'q>(
    query: &'q mut QueryBuilder<Postgres>,
    amount: Option<&String>,
) -> &'q mut QueryBuilder<Postgres> {
    match amount {
        Some(amount) => query.push_bind(amount).push("::numeric"),
        None => query.push("default"),
    }
}

fn language_known<T>(result: Result<T, sqlx::Error>) -> Result<T, Error> {
    let unknown =
        || Error::new(Code::FailedPrecondition, "LANGUAGE_NOT_FOUND", "there is no language with this id");
    result
        .on_constraint("films_language_id_fkey", unknown)
        .on_constraint("films_original_language_id_fkey", unknown)
}
