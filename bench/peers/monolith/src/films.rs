//! One film, a page of them, and those that are found.

mod film;

use axum::Json;
use axum::extract::{Path, Query, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::answer::{Answer, Problem};
use film::{Film, NEXT_PAGE, ONE, PAGE, SEARCH};

#[derive(Deserialize)]
pub(crate) struct Page {
    #[serde(default)]
    page_size: i64,
    #[serde(default)]
    page_token: String,
}

#[derive(Deserialize)]
pub(crate) struct Search {
    query: String,
    #[serde(default)]
    page_size: i64,
    #[serde(default)]
    page_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Films {
    films: Vec<Film>,
    next_page_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Matches {
    matches: Vec<Match>,
    next_page_token: String,
    approximate: bool,
}

#[derive(Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Match {
    #[sqlx(flatten)]
    film: Film,
    rank: f32,
    title_html: String,
    snippet_html: String,
}

pub(crate) async fn find(State(database): State<PgPool>, Path(id): Path<i32>) -> Answer<Film> {
    let film = sqlx::query_as(ONE.as_str()).bind(id).fetch_optional(&database).await?;
    Ok(Json(film.ok_or_else(|| Problem::not_found("there is no film with this id"))?))
}

pub(crate) async fn list(State(database): State<PgPool>, Query(page): Query<Page>) -> Answer<Films> {
    let size = size(page.page_size)?;
    // One more than is shown tells whether there is a next page.
    let mut films: Vec<Film> = if page.page_token.is_empty() {
        sqlx::query_as(PAGE.as_str()).bind(size + 1).fetch_all(&database).await?
    } else {
        let (title, id): (String, i32) = from_token(&page.page_token)?;
        sqlx::query_as(NEXT_PAGE.as_str()).bind(size + 1).bind(title).bind(id).fetch_all(&database).await?
    };
    let next_page_token = cut(&mut films, size, |film| (film.title.clone(), film.id));
    Ok(Json(Films { films, next_page_token }))
}

pub(crate) async fn search(State(database): State<PgPool>, Query(search): Query<Search>) -> Answer<Matches> {
    if !(1..=200).contains(&search.query.chars().count()) {
        return Err(Problem::invalid("query must have 1 to 200 characters"));
    }
    let size = size(search.page_size)?;
    let (rank, id): (Option<f32>, Option<i32>) =
        if search.page_token.is_empty() { (None, None) } else { from_token(&search.page_token)? };
    let found = sqlx::query_as(SEARCH.as_str()).bind(search.query).bind(rank).bind(id).bind(size + 1);
    let mut matches: Vec<Match> = found.fetch_all(&database).await?;
    let next_page_token = cut(&mut matches, size, |found| (found.rank, found.film.id));
    for found in &mut matches {
        found.title_html = marked(&found.title_html);
        found.snippet_html = marked(&found.snippet_html);
    }
    Ok(Json(Matches { matches, next_page_token, approximate: false }))
}

fn size(wanted: i64) -> Result<i64, Problem> {
    match wanted {
        ..0 => Err(Problem::invalid("page_size must not be negative")),
        0 => Ok(20),
        _ => Ok(wanted.min(100)),
    }
}

/// Leaves as many as fit on the page, and answers with the token of the next one: where this one ended.
fn cut<T, P: Serialize>(rows: &mut Vec<T>, size: i64, place: impl Fn(&T) -> P) -> String {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if rows.len() <= size {
        return String::new();
    }
    rows.truncate(size);
    let place = rows.last().map(place);
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&place).expect("it is a pair of plain values"))
}

fn from_token<P: DeserializeOwned>(token: &str) -> Result<P, Problem> {
    let place = URL_SAFE_NO_PAD.decode(token).ok().and_then(|place| serde_json::from_slice(&place).ok());
    place.ok_or_else(|| Problem::invalid("page_token must be a next_page_token"))
}

/// As HTML; the database puts these two signs around what was found.
fn marked(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\u{1}' => html.push_str("<mark>"),
            '\u{2}' => html.push_str("</mark>"),
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}
