//! Films by what they are about.

mod html;

use selvedge_kit::page::{self, Cursor, Page, PageTokens};
use selvedge_kit::{Db, Error};
use selvedge_proto::catalog::v1::{FilmMatch, SearchFilmsRequest, SearchFilmsResponse};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, QueryBuilder, Row as _};

use super::row::{COLUMNS, Row};

/// `$1` is the query, `$2` and `$3` are rank and id after which the page begins, `$4` is its size.
const EXACT: [&str; 2] = [
    "select page.rank,
        ts_headline(
            'pg_catalog.english', translate(title, chr(1) || chr(2), ''), words,
            'HighlightAll=true, StartSel=\"' || chr(1) || '\", StopSel=\"' || chr(2) || '\"') as title_marked,
        ts_headline(
            'pg_catalog.english', translate(description, chr(1) || chr(2), ''), words,
            'MaxFragments=1, MinWords=10, MaxWords=30, StartSel=\"' || chr(1) || '\", StopSel=\"' || chr(2) || '\"')
            as snippet_marked,",
    " from films_with_words($1, $2, $3, $4) as page
    join films on films.id = page.id
    cross join websearch_to_tsquery('pg_catalog.english', $1) as words
    order by -page.rank, page.id",
];

/// The same for titles that look like the query.
const ALIKE: [&str; 2] = [
    "select page.rank, translate(title, chr(1) || chr(2), '') as title_marked, '' as snippet_marked,",
    " from films_titled_like($1, $2, $3, $4) as page
    join films on films.id = page.id
    order by -page.rank, page.id",
];

struct Found {
    rank: f32,
    title_marked: String,
    snippet_marked: String,
    film: Row,
}

impl FromRow<'_, PgRow> for Found {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            rank: row.try_get(0)?,
            title_marked: row.try_get(1)?,
            snippet_marked: row.try_get(2)?,
            film: Row::listed(row, 3)?,
        })
    }
}

/// Where a page begins: the search that it belongs to, and the last film of the page before.
struct Place {
    approximate: bool,
    rank: f32,
    id: i32,
}

/// Answers with a page of what has the words. Only if nothing has, it looks for what is like them, and the pages that
/// follow do the same, whatever is stored meanwhile.
pub(super) async fn search(
    db: &Db,
    tokens: &PageTokens,
    mut request: SearchFilmsRequest,
) -> Result<SearchFilmsResponse, Error> {
    let size = std::mem::take(&mut request.page_size);
    let token = std::mem::take(&mut request.page_token);
    let page = Page::new(tokens, &request, size, &token)?;
    let wanted = i64::try_from(page.wanted()).unwrap_or(i64::MAX);
    let after = page.after().map(Place::read).transpose()?;
    let mut approximate = after.as_ref().is_some_and(|after| after.approximate);
    let mut found = vec![];
    if !approximate {
        found = find(db, EXACT, &request.query, after.as_ref(), wanted).await?;
        approximate = found.is_empty() && after.is_none();
    }
    if approximate {
        found = find(db, ALIKE, &request.query, after.as_ref(), wanted).await?;
    }
    let rows = found.into_iter().map(|found| (Place::of(&found, approximate), found.into())).collect();
    let (matches, next_page_token) = page.cut(rows);
    Ok(SearchFilmsResponse { matches, next_page_token, approximate })
}

async fn find(
    db: &Db,
    [columns, from]: [&str; 2],
    query: &str,
    after: Option<&Place>,
    wanted: i64,
) -> Result<Vec<Found>, Error> {
    let mut statement = QueryBuilder::new(columns);
    statement.push(COLUMNS).push(from);
    let statement = statement.build_query_as().bind(query).bind(after.map(|it| it.rank));
    Ok(statement.bind(after.map(|it| it.id)).bind(wanted).fetch_all(db).await?)
}

impl Place {
    fn of(found: &Found, approximate: bool) -> Cursor {
        let kind = if approximate { "alike" } else { "exact" };
        Cursor::new(&format!("{kind} {}", found.rank), found.film.id)
    }

    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let cursor = Cursor::read(bytes)?;
        let (kind, rank) = cursor.key().split_once(' ').ok_or_else(page::not_ours)?;
        let rank = rank.parse().map_err(|_| page::not_ours())?;
        let id = i32::try_from(cursor.id()).map_err(|_| page::not_ours())?;
        Ok(Self { approximate: kind == "alike", rank, id })
    }
}

impl From<Found> for FilmMatch {
    fn from(found: Found) -> Self {
        Self {
            film: Some(found.film.into()),
            rank: found.rank,
            title_html: html::marked(&found.title_marked),
            snippet_html: html::marked(&found.snippet_marked),
        }
    }
}
