//! Lists of films.

use selvedge_kit::page::{self, Cursor, Page, PageTokens};
use selvedge_kit::{Db, Error};
use selvedge_proto::catalog::v1::{ListFilmsRequest, ListFilmsResponse};
use sqlx::QueryBuilder;

use super::filter::Filter;
use super::row::{COLUMNS, Row};

#[derive(sqlx::FromRow)]
struct Listed {
    #[sqlx(flatten)]
    film: Row,
    /// What it is ordered by, as text.
    key: String,
}

/// Answers with a page. It goes on where the page before ended, in the index that has the order: the last page costs
/// what the first one does.
pub(super) async fn list(
    db: &Db,
    tokens: &PageTokens,
    mut request: ListFilmsRequest,
) -> Result<ListFilmsResponse, Error> {
    let size = std::mem::take(&mut request.page_size);
    let token = std::mem::take(&mut request.page_token);
    let page = Page::new(tokens, &request, size, &token)?;
    let Order { key, kind, descending } = Order::new(&request.order_by);
    let (direction, beyond) = if descending { (" desc", "<") } else { ("", ">") };

    let filter = Filter::from(&request);
    let mut query = QueryBuilder::new("select");
    query.push(COLUMNS).push(format_args!(", ({key})::text as key from films where true"));
    filter.push(&mut query);
    if let Some(cursor) = page.after().map(Cursor::read).transpose()? {
        let id = i32::try_from(cursor.id()).map_err(|_| page::not_ours())?;
        query.push(format_args!(" and ({key}, films.id) {beyond} (")).push_bind(cursor.key());
        query.push(format_args!("::{kind}, ")).push_bind(id).push(")");
    }
    query.push(format_args!(" order by {key}{direction}, films.id{direction} limit {}", page.wanted()));
    // Of a filter, the best index depends on the values. Where there is none, one plan is as good for all pages.
    let rows: Vec<Listed> = query.build_query_as().persistent(filter.is_empty()).fetch_all(db).await?;
    let rows = rows.into_iter().map(|row| (Cursor::new(&row.key, row.film.id), row.film.into())).collect();
    let (films, next_page_token) = page.cut(rows);
    Ok(ListFilmsResponse { films, next_page_token })
}

/// By what a list is ordered: the expression of an index, and its type.
struct Order {
    key: &'static str,
    kind: &'static str,
    descending: bool,
}

impl Order {
    /// That the text is one of those in the proto is checked by the request's constraints.
    fn new(order_by: &str) -> Self {
        let (field, descending) = match order_by.strip_suffix(" desc") {
            Some(field) => (field, true),
            None => (order_by, false),
        };
        let (key, kind) = match field {
            "release_year" => ("coalesce(films.release_year, 2147483647)", "integer"),
            "length" => ("coalesce(films.length, 2147483647)", "integer"),
            "rental_rate" => ("films.rental_rate", "numeric"),
            "last_update" => ("films.last_update", "timestamptz"),
            _ => ("lower(films.title) collate \"C\"", "text"),
        };
        Self { key, kind, descending }
    }
}
