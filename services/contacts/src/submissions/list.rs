//! Lists of submissions.

use chrono::{DateTime, Months};
use selvedge_kit::page::{self, Page, PageTokens};
use selvedge_kit::{Db, Error};
use selvedge_proto::contacts::v1::{ListSubmissionsRequest, ListSubmissionsResponse};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::Row;
use super::filter::{Filter, floor};

/// How far back the first look goes.
const FIRST_LOOK: Months = Months::new(1);

/// Answers with a page.
///
/// The first look is at a month below where the page begins. PostgreSQL sees that only the partitions of those months
/// can matter, reads them one after the other from the newest and stops when the page is full; without a lower bound
/// it would have to merge all partitions, because the default one may hold anything. Only a page that a month does not
/// fill takes the second look, at everything older.
pub(super) async fn list(
    db: &Db,
    tokens: &PageTokens,
    mut request: ListSubmissionsRequest,
) -> Result<ListSubmissionsResponse, Error> {
    let size = std::mem::take(&mut request.page_size);
    let token = std::mem::take(&mut request.page_token);
    let page = Page::new(tokens, &request, size, &token)?;
    let filter = Filter::new(request.clone())?;
    let below = match page.after() {
        Some(cursor) => Uuid::from_slice(cursor).map_err(|_| page::not_ours())?.min(filter.below),
        None => filter.below,
    };

    let mut rows: Vec<Row> = vec![];
    for (from, to) in looks(below, filter.from) {
        let mut query = QueryBuilder::new(
            "select id, external_id, name, email, message, status, submitted_at, document_insights, created_at,
                 updated_at
             from submissions where",
        );
        filter.push(&mut query, from, to);
        let missing = page.wanted() - rows.len();
        query.push(" order by id desc limit ").push_bind(i64::try_from(missing).unwrap_or(i64::MAX));
        rows.extend(query.build_query_as::<Row>().persistent(false).fetch_all(db).await?);
        if rows.len() == page.wanted() {
            break;
        }
    }
    let (submissions, next_page_token) = page.cut(rows.into_iter().map(|row| (row.id, row.into())).collect());
    Ok(ListSubmissionsResponse { submissions, next_page_token })
}

/// The ranges of ids to look at, one after the other.
fn looks(below: Uuid, from: Option<Uuid>) -> impl Iterator<Item = (Option<Uuid>, Uuid)> {
    let month = DateTime::from_timestamp_millis(millis(below))
        .and_then(|at| at.checked_sub_months(FIRST_LOOK))
        .map(floor);
    match month.filter(|month| from.is_none_or(|from| from < *month)) {
        Some(month) => vec![(Some(month), below), (from, month)],
        None => vec![(from, below)],
    }
    .into_iter()
}

fn millis(id: Uuid) -> i64 {
    i64::try_from(id.as_u128() >> 80).expect("48 bits fit")
}
