//! Submissions and visitors.

use std::sync::LazyLock;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::PgPool;
use sqlx::types::Json as Column;
use uuid::{NoContext, Timestamp, Uuid};

use crate::answer::{Answer, Etag, Problem};

/// As the HTML standard has it for `<input type=email>`.
static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    let label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
    let local = "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+";
    Regex::new(&format!(r"^{local}@{label}(?:\.{label})*$")).expect("it is a valid expression")
});

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct New {
    external_id: Option<String>,
    name: String,
    email: String,
    message: String,
    #[serde(default)]
    document_insights: Map<String, Value>,
}

#[derive(Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Submission {
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    name: String,
    email: String,
    message: String,
    status: String,
    submitted_at: DateTime<Utc>,
    document_insights: Column<Map<String, Value>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[sqlx(rename = "updated_at", try_from = "DateTime<Utc>")]
    etag: Etag,
}

pub(crate) async fn create(
    State(database): State<PgPool>,
    Json(new): Json<New>,
) -> Result<(StatusCode, Json<Submission>), Problem> {
    check(&new).map_err(Problem::invalid)?;
    let now = Utc::now();
    let seconds = u64::try_from(now.timestamp()).expect("it is later than 1970");
    let stored = sqlx::query_as(
        "insert into contacts.submissions
             (id, external_id, name, email, message, status, submitted_at, document_insights)
         values ($1, $2, $3, $4, $5, 'NEW', $6, $7)
         returning id, external_id, name, email, message, 'SUBMISSION_STATUS_' || status as status, submitted_at,
             document_insights, created_at, updated_at",
    )
    // The key of the table carries the time.
    .bind(Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos())))
    .bind(&new.external_id)
    .bind(&new.name)
    .bind(&new.email)
    .bind(&new.message)
    .bind(now)
    .bind(Column(&new.document_insights))
    .fetch_one(&database)
    .await?;
    Ok((StatusCode::CREATED, Json(stored)))
}

fn check(new: &New) -> Result<(), String> {
    let within = |field: &str, text: &str, most: usize| match text.chars().count() {
        0 => Err(format!("{field} must not be empty")),
        length if length > most => Err(format!("{field} must have at most {most} characters")),
        _ => Ok(()),
    };
    within("name", &new.name, 200)?;
    within("email", &new.email, 254)?;
    within("message", &new.message, 10_000)?;
    new.external_id.as_ref().map_or(Ok(()), |id| within("externalId", id, 255))?;
    if EMAIL.is_match(&new.email) { Ok(()) } else { Err("email must be an e-mail address".into()) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VisitorCount {
    counter: String,
    /// As text, because it may be more than a number of JavaScript holds.
    count: String,
    last_updated: Option<DateTime<Utc>>,
}

/// The router takes whole segments, so `:increment` is still there.
pub(crate) async fn visit(
    State(database): State<PgPool>,
    Path(counter): Path<String>,
    Json(Nothing {}): Json<Nothing>,
) -> Answer<VisitorCount> {
    let unknown = || Problem::not_found("there is no counter of this name");
    let counter = counter.strip_suffix(":increment").ok_or_else(unknown)?;
    let counted = sqlx::query_as(
        "select counter, count::text as count, last_updated from contacts.increment_visitors($1, 1)",
    );
    Ok(Json(counted.bind(counter).fetch_optional(&database).await?.ok_or_else(unknown)?))
}
