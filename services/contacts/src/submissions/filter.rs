//! Which submissions a list or an export is about.

use chrono::{DateTime, TimeDelta, Utc};
use selvedge_kit::{Error, convert, like};
use selvedge_proto::contacts::v1::ListSubmissionsRequest;
use serde_json::Value as Json;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::status;

/// What a request asks for, ready for SQL.
pub(super) struct Filter {
    pub(super) from: Option<Uuid>,
    pub(super) below: Uuid,
    submitted_from: Option<DateTime<Utc>>,
    submitted_before: Option<DateTime<Utc>>,
    status: Option<&'static str>,
    email: Option<String>,
    insights: Option<Json>,
    text: Option<String>,
}

impl Filter {
    pub(super) fn new(request: ListSubmissionsRequest) -> Result<Self, Error> {
        let time = |field, time: Option<_>| time.map(|time| convert::time(field, &time)).transpose();
        let status = status::to_column(request.status());
        let submitted_from = time("submitted_from", request.submitted_from)?;
        let submitted_before = time("submitted_before", request.submitted_before)?;
        Ok(Self {
            // Ids know milliseconds; the rest of a bound is left to the column.
            from: submitted_from.map(floor),
            below: match submitted_before {
                Some(before) => floor(before + TimeDelta::milliseconds(1)),
                None => floor(Utc::now() + TimeDelta::days(1)),
            },
            submitted_from,
            submitted_before,
            status,
            email: Some(request.email).filter(|email| !email.is_empty()),
            insights: request.insights_contains.map(convert::json),
            text: Some(request.text).filter(|text| !text.is_empty()).map(|text| like::containing(&text)),
        })
    }

    /// Writes the conditions, for the part of it between these ids.
    pub(super) fn push(&self, query: &mut QueryBuilder<Postgres>, from: Option<Uuid>, below: Uuid) {
        query.push(" id < ").push_bind(below);
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
    }
}

/// Below every id of this time or later, above all earlier ones: as `uuid_v7_floor` in SQL.
pub(super) fn floor(at: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(millis << 80)
}
