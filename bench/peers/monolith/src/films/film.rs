//! A film, and the statements that find some. They are those of a service that reads a film at a time.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use crate::answer::Etag;

#[derive(Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Film {
    pub(crate) id: i32,
    pub(crate) title: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    release_year: Option<i32>,
    language_id: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_language_id: Option<i32>,
    rental_duration: i32,
    rental_rate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<i32>,
    replacement_cost: String,
    #[sqlx(try_from = "String")]
    rating: Rating,
    special_features: Vec<String>,
    streaming_available: bool,
    last_update: DateTime<Utc>,
    #[sqlx(rename = "last_update", try_from = "DateTime<Utc>")]
    etag: Etag,
    language: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_language: Option<String>,
    #[sqlx(default)]
    categories: Json<Vec<Category>>,
    #[sqlx(default)]
    actors: Json<Vec<Actor>>,
}

/// The database has them as lists: `[1, "Comedy"]`.
#[derive(Deserialize, Serialize)]
struct Category {
    id: i32,
    name: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Actor {
    id: i32,
    first_name: String,
    last_name: String,
}

/// As the API writes it.
#[derive(Serialize)]
struct Rating(&'static str);

impl From<String> for Rating {
    fn from(column: String) -> Self {
        Self(match column.as_str() {
            "G" => "FILM_RATING_G",
            "PG" => "FILM_RATING_PG",
            "PG-13" => "FILM_RATING_PG_13",
            "R" => "FILM_RATING_R",
            "NC-17" => "FILM_RATING_NC_17",
            _ => "FILM_RATING_UNSPECIFIED",
        })
    }
}

const COLUMNS: &str = "
    films.id, title, description, release_year, language_id, original_language_id, rental_duration,
    rental_rate::text as rental_rate, length, replacement_cost::text as replacement_cost, rating, special_features,
    streaming_available, films.last_update,
    (select name from catalog.languages where languages.id = films.language_id) as language,
    (select name from catalog.languages where languages.id = films.original_language_id) as original_language";

/// `$1` is the id.
pub(crate) static ONE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {COLUMNS},
             coalesce((
                 select json_agg(json_build_array(categories.id, name) order by name)
                 from catalog.film_categories
                 join catalog.categories on categories.id = category_id
                 where film_id = films.id
             ), '[]') as categories,
             coalesce((
                 select json_agg(
                     json_build_array(actors.id, first_name, last_name)
                     order by lower(last_name) collate \"C\", lower(first_name) collate \"C\", actors.id)
                 from catalog.film_actors
                 join catalog.actors on actors.id = actor_id
                 where film_id = films.id
             ), '[]') as actors
         from catalog.films where films.id = $1"
    )
});

/// `$1` is how many.
pub(crate) static PAGE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {COLUMNS} from catalog.films
         order by lower(films.title) collate \"C\", films.id limit $1"
    )
});

/// `$1` is how many, `$2` and `$3` are title and id of the last film of the page before.
pub(crate) static NEXT_PAGE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {COLUMNS} from catalog.films
         where (lower(films.title) collate \"C\", films.id) > (lower($2) collate \"C\", $3)
         order by lower(films.title) collate \"C\", films.id limit $1"
    )
});

/// `$1` is the query, `$2` and `$3` are rank and id of the last film of the page before, `$4` is how many.
pub(crate) static SEARCH: LazyLock<String> = LazyLock::new(|| {
    format!(
        "with ranked as materialized (
             select id, ts_rank_cd(fulltext, websearch_to_tsquery('pg_catalog.english', $1)) as rank
             from (
                 select id, fulltext from catalog.films
                 where fulltext @@ websearch_to_tsquery('pg_catalog.english', $1)
                 order by id desc limit 10000
             ) as newest
         ), page as materialized (
             select id, rank from ranked where $2::real is null or (-rank, id) > (-$2, $3::integer)
             order by -rank, id limit $4::bigint
         )
         select rank,
             ts_headline(
                 'pg_catalog.english', translate(title, chr(1) || chr(2), ''),
                 websearch_to_tsquery('pg_catalog.english', $1),
                 'HighlightAll=true, StartSel=\"' || chr(1) || '\", StopSel=\"' || chr(2) || '\"') as title_html,
             ts_headline(
                 'pg_catalog.english', translate(description, chr(1) || chr(2), ''),
                 websearch_to_tsquery('pg_catalog.english', $1),
                 'MaxFragments=1, MinWords=10, MaxWords=30, StartSel=\"' || chr(1) || '\", StopSel=\"' || chr(2) || '\"')
                 as snippet_html,
             {COLUMNS}
         from page join catalog.films on films.id = page.id order by -rank, page.id"
    )
});
