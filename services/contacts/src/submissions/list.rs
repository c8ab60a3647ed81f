//! Lists of submissions.

use chrono::{DateTime, Months, TimeDelta, Utc};
use prost::Message as _;
use selvedge_kit::page::{self, PageTokens};
use selvedge_kit::{Db, Error, convert};
use selvedge_proto::contacts::v1::{ListSubmissionsRequest, ListSubmissionsResponse, Submission};
use serde_json::Value as Json;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Row, status};

/// The most bytes of a page: clients take four megabytes by default.
const MAX_PAGE_BYTES: usize = 3 << 20;

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
    let size = page::size(std::mem::take(&mut request.page_size));
    let token = std::mem::take(&mut request.page_token);
    let question = request.clone();
    let filter = Filter::new(request)?;
    let mut below = filter.below.unwrap_or_else(|| floor(Utc::now() + TimeDelta::days(1)));
    if !token.is_empty() {
        let cursor = tokens.open(&question, &token)?;
        below = Uuid::from_slice(&cursor).map_err(|_| page::not_ours())?.min(below);
    }

    let wanted = size + 1;
    let mut rows = vec![];
    for (from, to) in looks(below, filter.from) {
        rows.extend(
            filter
                .query(from, to, wanted - rows.len())
                .build_query_as::<Row>()
                .persistent(false)
                .fetch_all(db)
                .await?,
        );
        if rows.len() == wanted {
            break;
        }
    }
    let (ids, mut submissions): (Vec<Uuid>, Vec<Submission>) =
        rows.into_iter().map(|row| (row.id, row.into())).unzip();
    let kept = fitting(&submissions).min(size);
    let more = kept < submissions.len();
    submissions.truncate(kept);
    let next_page_token = if more { tokens.seal(&question, ids[kept - 1].as_bytes()) } else { String::new() };
    Ok(ListSubmissionsResponse { submissions, next_page_token })
}

/// How many of them are not too much for one page: the first always is not.
fn fitting(submissions: &[Submission]) -> usize {
    let mut bytes = 0;
    let fits = |submission: &&Submission| {
        bytes += submission.encoded_len();
        bytes <= MAX_PAGE_BYTES
    };
    submissions.iter().take_while(fits).count().max(1)
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

/// What a request asks for, ready for SQL.
struct Filter {
    from: Option<Uuid>,
    below: Option<Uuid>,
    submitted_from: Option<DateTime<Utc>>,
    submitted_before: Option<DateTime<Utc>>,
    status: Option<&'static str>,
    email: Option<String>,
    insights: Option<Json>,
    text: Option<String>,
}

impl Filter {
    fn new(request: ListSubmissionsRequest) -> Result<Self, Error> {
        let time = |field, time: Option<_>| time.map(|time| convert::time(field, &time)).transpose();
        let status = status::to_column(request.status());
        let submitted_from = time("submitted_from", request.submitted_from)?;
        let submitted_before = time("submitted_before", request.submitted_before)?;
        Ok(Self {
            // Ids know milliseconds; the rest of a bound is left to the column.
            from: submitted_from.map(floor),
            below: submitted_before.map(|before| floor(before + TimeDelta::milliseconds(1))),
            submitted_from,
            submitted_before,
            status,
            email: Some(request.email).filter(|email| !email.is_empty()),
            insights: request.insights_contains.map(convert::json),
            text: Some(request.text).filter(|text| !text.is_empty()).map(|text| pattern(&text)),
        })
    }

    fn query(&self, from: Option<Uuid>, below: Uuid, limit: usize) -> QueryBuilder<Postgres> {
        let mut query = QueryBuilder::new(
            "select id, external_id, name, email, message, status, submitted_at, document_insights, created_at,
                 updated_at
             from submissions where id < ",
        );
        query.push_bind(below);
        if let Some(from) = from {
            query.push(" and id >= ").push_bind(from);
        }
        if let Some(time) = self.submitted_from {
            query.push(" and submitted_at >= ").push_bind(time);
        }
        if let Some(time) = self.submitted_before {
            query.push(" and submitted_at < ").push_bind(time);
        }
        if let Some(status) = self.status {
            query.push(" and status = ").push_bind(status);
        }
        if let Some(email) = &self.email {
            query.push(" and lower(email) = lower(").push_bind(email.clone()).push(")");
        }
        if let Some(insights) = &self.insights {
            query.push(" and document_insights @> ").push_bind(insights.clone());
        }
        if let Some(text) = &self.text {
            query.push(" and (name ilike ").push_bind(text.clone());
            query.push(" or email ilike ").push_bind(text.clone());
            query.push(" or message ilike ").push_bind(text.clone()).push(")");
        }
        query.push(" order by id desc limit ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        query
    }
}

/// A pattern for `ilike` in which every character of the text stands for itself.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Below every id of this time or later, above all earlier ones: as `uuid_v7_floor` in SQL.
fn floor(at: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(millis << 80)
}

fn millis(id: Uuid) -> i64 {
    i64::try_from(id.as_u128() >> 80).expect("48 bits fit")
}
