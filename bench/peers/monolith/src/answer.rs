//! What answers have in common: etags, and what went wrong.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use sqlx::error::DatabaseError;

pub(crate) type Answer<T> = Result<Json<T>, Problem>;

/// Names a state of a row.
#[derive(Serialize)]
pub(crate) struct Etag(String);

impl From<DateTime<Utc>> for Etag {
    fn from(changed: DateTime<Utc>) -> Self {
        Self(format!("{:x}", changed.timestamp_micros()))
    }
}

pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub(crate) fn not_found(detail: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, detail: detail.to_owned() }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail: detail.into() }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        let database = error.as_database_error();
        if database.is_some_and(DatabaseError::is_unique_violation) {
            return Self { status: StatusCode::CONFLICT, detail: "it is there already".into() };
        }
        // A data exception: what came in fits the types, and still no column, such as text with U+0000.
        if database.and_then(DatabaseError::code).is_some_and(|code| code.starts_with("22")) {
            return Self::invalid("the database cannot store this");
        }
        eprintln!("{error}");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, detail: "it is not your fault".into() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason();
        let body = json!({"title": title, "status": self.status.as_u16(), "detail": self.detail});
        (self.status, [("content-type", "application/problem+json")], body.to_string()).into_response()
    }
}
