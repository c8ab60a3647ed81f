//! A film as the database has it.

use chrono::{DateTime, Utc};
use selvedge_kit::{convert, etag};
use selvedge_proto::catalog::v1::{Film, FilmActor, FilmCategory, FilmRating};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row as _};

macro_rules! fields {
    () => {
        "
    films.id, title, description, release_year, language_id, original_language_id, rental_duration,
    rental_rate::text as rental_rate, length, replacement_cost::text as replacement_cost, rating, special_features,
    streaming_available, films.last_update,"
    };
}

/// The first of the columns, which are the film's own.
pub(super) const FIELDS: &str = fields!();

/// What a list shows of a film, for `select` or `returning`, in the order that `Row` reads it in. The languages are looked
/// up for the rows that are answered, and so never stand in the way of an index that has the order of a list.
pub(super) const COLUMNS: &str = concat!(
    fields!(),
    "
    (select name from languages where languages.id = films.language_id) as language,
    (select name from languages where languages.id = films.original_language_id) as original_language"
);

/// What comes after that where one film is looked at.
pub(super) const DETAILS: &str = ",
    coalesce((
        select json_agg(json_build_array(categories.id, name) order by name)
        from film_categories
        join categories on categories.id = category_id
        where film_id = films.id
    ), '[]') as categories,
    coalesce((
        select json_agg(
            json_build_array(actors.id, first_name, last_name)
            order by lower(last_name) collate \"C\", lower(first_name) collate \"C\", actors.id)
        from film_actors
        join actors on actors.id = actor_id
        where film_id = films.id
    ), '[]') as actors";

/// How many columns that is.
pub(super) const COUNT: usize = 16;

#[derive(Clone)]
pub(super) struct Row {
    pub(super) id: i32,
    title: String,
    description: String,
    release_year: Option<i32>,
    language_id: i32,
    original_language_id: Option<i32>,
    rental_duration: i32,
    rental_rate: String,
    length: Option<i32>,
    replacement_cost: String,
    rating: String,
    special_features: Vec<String>,
    streaming_available: bool,
    last_update: DateTime<Utc>,
    language: String,
    original_language: Option<String>,
    categories: Vec<(i32, String)>,
    actors: Vec<(i32, String, String)>,
}

impl Row {
    /// Reads what a list shows, where it begins with this column. By their places: to look columns up by their names takes
    /// as long as all the rest.
    pub(super) fn listed(row: &PgRow, first: usize) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get(first)?,
            title: row.try_get(first + 1)?,
            description: row.try_get(first + 2)?,
            release_year: row.try_get(first + 3)?,
            language_id: row.try_get(first + 4)?,
            original_language_id: row.try_get(first + 5)?,
            rental_duration: row.try_get(first + 6)?,
            rental_rate: row.try_get(first + 7)?,
            length: row.try_get(first + 8)?,
            replacement_cost: row.try_get(first + 9)?,
            rating: row.try_get(first + 10)?,
            special_features: row.try_get(first + 11)?,
            streaming_available: row.try_get(first + 12)?,
            last_update: row.try_get(first + 13)?,
            language: row.try_get(first + 14)?,
            original_language: row.try_get(first + 15)?,
            categories: vec![],
            actors: vec![],
        })
    }
}

/// A film with its details, which is all that the row has.
impl FromRow<'_, PgRow> for Row {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let Json(categories) = row.try_get(COUNT)?;
        let Json(actors) = row.try_get(COUNT + 1)?;
        Ok(Self { categories, actors, ..Self::listed(row, 0)? })
    }
}

impl From<Row> for Film {
    fn from(row: Row) -> Self {
        let categories = row.categories.into_iter().map(|(id, name)| FilmCategory { id, name });
        let actors = row.actors.into_iter();
        let actors = actors.map(|(id, first_name, last_name)| FilmActor { id, first_name, last_name });
        Self {
            id: row.id,
            title: row.title,
            description: row.description,
            release_year: row.release_year,
            language_id: row.language_id,
            original_language_id: row.original_language_id,
            rental_duration: Some(row.rental_duration),
            rental_rate: Some(row.rental_rate),
            length: row.length,
            replacement_cost: Some(row.replacement_cost),
            rating: rating_from(&row.rating).into(),
            special_features: row.special_features,
            streaming_available: row.streaming_available,
            last_update: Some(convert::timestamp(row.last_update)),
            etag: etag::of(row.last_update),
            language: row.language,
            original_language: row.original_language,
            categories: categories.collect(),
            actors: actors.collect(),
        }
    }
}

const RATINGS: [(FilmRating, &str); 5] = [
    (FilmRating::G, "G"),
    (FilmRating::Pg, "PG"),
    (FilmRating::Pg13, "PG-13"),
    (FilmRating::R, "R"),
    (FilmRating::Nc17, "NC-17"),
];

/// As the column has it; nothing for no rating.
pub(super) fn rating_to(rating: FilmRating) -> Option<&'static str> {
    RATINGS.iter().find(|(known, _)| *known == rating).map(|(_, text)| *text)
}

/// What the column has. It has no others, by its constraint.
pub(super) fn rating_from(text: &str) -> FilmRating {
    RATINGS.iter().find(|(_, known)| *known == text).map_or(FilmRating::Unspecified, |(rating, _)| *rating)
}
