//! Lists of films.

use selvedge_kit::page::{self, Cursor, Page};
use selvedge_kit::{Db, Error};
use selvedge_proto::catalog::v1::{Film, ListFilmsRequest, ListFilmsResponse};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, QueryBuilder, Row as _};

use super::Films;
use super::filter::Filter;
use super::row::{COLUMNS, COUNT, FIELDS, Row};

/// A part of a list.
#[derive(Clone)]
pub(super) struct Part {
    order: Order,
    /// The key and the id of the film before it.
    after: Option<(String, i32)>,
    rows: usize,
}

/// By what a list is ordered: the expression of an index, and its type.
#[derive(Clone, Copy)]
struct Order {
    key: &'static str,
    kind: &'static str,
    direction: &'static str,
    /// How those that follow compare.
    beyond: &'static str,
}

/// A film, and its place in the list.
#[derive(Clone)]
pub(super) struct Listed {
    place: Cursor,
    film: Film,
}

/// Answers with a page. It goes on where the page before ended, in the index that has the order: the last page costs
/// what the first one does.
pub(super) async fn list(films: &Films, mut request: ListFilmsRequest) -> Result<ListFilmsResponse, Error> {
    let size = std::mem::take(&mut request.page_size);
    let token = std::mem::take(&mut request.page_token);
    let page = Page::new(&films.page_tokens, &request, size, &token)?;
    let after = page.after().map(place).transpose()?;
    let part = Part { order: Order::new(&request.order_by), after, rows: page.wanted() };
    let filter = Filter::from(&request);
    let rows = if filter.is_empty() {
        films.by_part.call(&part.kind(), part).await?
    } else {
        // How long that takes depends on the filter, for which nobody else should wait.
        filtered(&films.db, &part, &filter).await?
    };
    let (films, next_page_token) = page.cut(rows.into_iter().map(|row| (row.place, row.film)).collect());
    Ok(ListFilmsResponse { films, next_page_token })
}

/// Parts of the list of all films, which are all of one kind.
pub(super) async fn each(db: Db, parts: Vec<Part>) -> Result<Vec<Vec<Listed>>, Error> {
    let (keys, ids): (Vec<&str>, Vec<i32>) =
        parts.iter().filter_map(|part| part.after.as_ref()).map(|(key, id)| (key.as_str(), *id)).unzip();
    let (part, count) = (&parts[0], parts.len());
    if ids.len() < 2 {
        // They all begin where the list does, or there is only one.
        let rows = filtered(&db, part, &Filter::default()).await?;
        return Ok(vec![rows; count]);
    }
    let Part { order: Order { key, kind, direction, beyond }, rows, .. } = part;
    let mut query = QueryBuilder::new("select");
    // Each part begins by itself in the index that has the order. `with ordinality` tells PostgreSQL that they come one after
    // the other, so that it sorts only what is within one. And of so many films all languages are found at once.
    query.push(FIELDS).push(format_args!(
        " languages.name as language, originals.name as original_language, ({key})::text as key, wanted.number
        from unnest((select $1::text[]), (select $2::integer[])) with ordinality as wanted (key, id, number),
        lateral (
            select * from films where ({key}, films.id) {beyond} (wanted.key::{kind}, wanted.id)
            order by {key}{direction}, films.id{direction} limit {rows}
        ) as films
        join languages on languages.id = films.language_id
        left join languages as originals on originals.id = films.original_language_id
        order by wanted.number, {key}{direction}, films.id{direction}"
    ));
    let rows = query.build().bind(keys).bind(ids).fetch_all(&db).await?;
    let mut all = vec![vec![]; count];
    for row in rows {
        let number: i64 = row.try_get("number")?;
        let part = usize::try_from(number - 1).ok().and_then(|number| all.get_mut(number));
        part.ok_or_else(|| Error::internal("a film belongs to no part"))?.push(Listed::from_row(&row)?);
    }
    Ok(all)
}

/// A part of the list of those films that a filter lets through.
async fn filtered(db: &Db, part: &Part, filter: &Filter) -> Result<Vec<Listed>, Error> {
    let Order { key, kind, direction, beyond } = part.order;
    let mut query = QueryBuilder::new("select");
    query.push(COLUMNS).push(format_args!(", ({key})::text as key from films where true"));
    filter.push(&mut query);
    if let Some((after, id)) = &part.after {
        query.push(format_args!(" and ({key}, films.id) {beyond} (")).push_bind(after);
        query.push(format_args!("::{kind}, ")).push_bind(*id).push(")");
    }
    query.push(format_args!(" order by {key}{direction}, films.id{direction} limit {}", part.rows));
    // Of a filter, the best index depends on the values. Where there is none, one plan is as good for all pages.
    Ok(query.build_query_as().persistent(filter.is_empty()).fetch_all(db).await?)
}

fn place(bytes: &[u8]) -> Result<(String, i32), Error> {
    let cursor = Cursor::read(bytes)?;
    let id = i32::try_from(cursor.id()).map_err(|_| page::not_ours())?;
    Ok((cursor.key().to_owned(), id))
}

impl Part {
    /// Those of one kind can be read by one statement.
    fn kind(&self) -> String {
        let Self { order: Order { key, direction, .. }, after, rows } = self;
        format!("{key}{direction} {rows} {}", after.is_some())
    }
}

impl FromRow<'_, PgRow> for Listed {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let film = Row::listed(row, 0)?;
        Ok(Self { place: Cursor::new(row.try_get(COUNT)?, film.id), film: film.into() })
    }
}

impl Order {
    /// That the text is one of those in the proto is checked by the request's constraints.
    fn new(order_by: &str) -> Self {
        let (field, direction, beyond) = match order_by.strip_suffix(" desc") {
            Some(field) => (field, " desc", "<"),
            None => (order_by, "", ">"),
        };
        let (key, kind) = match field {
            "release_year" => ("coalesce(films.release_year, 2147483647)", "integer"),
            "length" => ("coalesce(films.length, 2147483647)", "integer"),
            "rental_rate" => ("films.rental_rate", "numeric"),
            "last_update" => ("films.last_update", "timestamptz"),
            _ => ("lower(films.title) collate \"C\"", "text"),
        };
        Self { key, kind, direction, beyond }
    }
}
