//! What is about to be stored.

use chrono::{DateTime, TimeDelta, Utc};
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use selvedge_kit::{Error, convert};
use selvedge_proto::contacts::v1::Submission;
use serde_json::Value as Json;
use uuid::Uuid;

use super::status;

/// How far a sender's clock may be ahead of ours.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// The most bytes of insights that a submission or a document may have, so that a page of them stays readable.
const MAX_INSIGHTS_BYTES: usize = 64 * 1024;
/// And the most values, each of which may take some hundred bytes of memory.
const MAX_INSIGHTS_VALUES: usize = 2_000;

/// A row of `submissions` before the database has seen it.
#[derive(Clone)]
pub(super) struct New {
    pub(super) id: Uuid,
    pub(super) external_id: Option<String>,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) message: String,
    pub(super) status: &'static str,
    pub(super) submitted_at: DateTime<Utc>,
    pub(super) document_insights: Json,
}

/// What is wrong with a field, beyond what its constraints in the proto can say.
pub(crate) struct Wrong {
    field: &'static str,
    description: String,
}

impl Wrong {
    fn new(field: &'static str, description: impl Into<String>) -> Self {
        Self { field, description: description.into() }
    }

    /// The error, for a request that has the field under this path.
    pub(crate) fn at(self, path: &str) -> Error {
        Error::invalid(format!("{path}{}", self.field), self.description)
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.field, self.description)
    }
}

impl New {
    /// Takes what a caller may decide; the rest is ours.
    pub(super) fn of(submission: Submission, now: DateTime<Utc>) -> Result<Self, Wrong> {
        check_insights("document_insights", submission.document_insights.as_ref())?;
        let submitted_at = submitted_at(&submission, now)?;
        Ok(Self {
            id: mint_id(submitted_at),
            status: status::to_column(submission.status()).unwrap_or("NEW"),
            submitted_at,
            document_insights: convert::json(submission.document_insights.unwrap_or_default()),
            external_id: submission.external_id,
            name: submission.name,
            email: submission.email,
            message: submission.message,
        })
    }
}

fn submitted_at(submission: &Submission, now: DateTime<Utc>) -> Result<DateTime<Utc>, Wrong> {
    let Some(time) = &submission.submitted_at else { return Ok(now) };
    let time =
        convert::time("submitted_at", time).map_err(|_| Wrong::new("submitted_at", "must be a time"))?;
    if time > now + CLOCK_SKEW {
        return Err(Wrong::new("submitted_at", "must not be in the future"));
    }
    Ok(time)
}

pub(crate) fn check_insights(field: &'static str, insights: Option<&Struct>) -> Result<(), Wrong> {
    let Some(insights) = insights else { return Ok(()) };
    let bytes = insights.encoded_len();
    if bytes > MAX_INSIGHTS_BYTES {
        let limit = format!("must be at most {MAX_INSIGHTS_BYTES} bytes long, is {bytes}");
        return Err(Wrong::new(field, limit));
    }
    let values: usize = insights.fields.values().map(count).sum();
    if values > MAX_INSIGHTS_VALUES {
        let limit = format!("must have at most {MAX_INSIGHTS_VALUES} values, has {values}");
        return Err(Wrong::new(field, limit));
    }
    Ok(())
}

/// A value and all values in it.
fn count(value: &Value) -> usize {
    1 + match &value.kind {
        Some(Kind::StructValue(object)) => object.fields.values().map(count).sum(),
        Some(Kind::ListValue(list)) => list.values.iter().map(count).sum(),
        _ => 0,
    }
}

/// A `UUIDv7` of this time; the rest of it is random.
pub(crate) fn mint_id(submitted_at: DateTime<Utc>) -> Uuid {
    let millis =
        u64::try_from(submitted_at.timestamp_millis()).expect("submissions are from the year 2000 or later");
    uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid()
}
