use std::sync::atomic::Ordering;
use std::time::Instant;

use sqlx::SqlStr;
use tracing::field::Empty;
use tracing::{Span, info_span, warn};

use super::Db;

/// One statement under observation: a span with its text, never with the values of its parameters.
pub(super) struct Statement<'a> {
    db: &'a Db,
    sql: SqlStr,
    span: Span,
    started: Instant,
    ended: bool,
    pub(super) rows: i64,
    pub(super) affected: i64,
}

impl<'a> Statement<'a> {
    pub(super) fn new(db: &'a Db, sql: SqlStr) -> Self {
        let span = info_span!(
            target: "selvedge::sql",
            "sql",
            otel.name = sql.as_str().split_whitespace().next().unwrap_or("sql"),
            otel.kind = "client",
            otel.status_code = Empty,
            db.system.name = "postgresql",
            db.query.text = sql.as_str(),
            db.response.returned_rows = Empty,
            db.response.affected_rows = Empty,
            db.response.status_code = Empty,
            error.r#type = Empty,
        );
        Self { db, sql, span, started: Instant::now(), ended: false, rows: 0, affected: 0 }
    }

    /// Records how the statement ended.
    pub(super) fn end(&mut self, error: Option<&sqlx::Error>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.span.record("db.response.returned_rows", self.rows);
        self.span.record("db.response.affected_rows", self.affected);
        if let Some(error) = error {
            self.span.record("otel.status_code", "ERROR");
            match error.as_database_error().and_then(sqlx::error::DatabaseError::code) {
                Some(state) => self.span.record("db.response.status_code", &*state),
                None => self.span.record("error.type", "connection"),
            };
        }
        self.note_if_slow();
    }

    fn note_if_slow(&self) {
        let took = self.started.elapsed();
        if took >= self.db.0.slow_statement {
            self.db.0.slow_statements.fetch_add(1, Ordering::Relaxed);
            self.span.in_scope(|| {
                warn!(
                    statement = self.sql.as_str(),
                    rows = self.rows,
                    took_ms = took.as_secs_f64() * 1e3,
                    "slow statement"
                );
            });
        }
    }
}

impl Drop for Statement<'_> {
    /// A statement whose end nobody read was abandoned by its caller.
    fn drop(&mut self) {
        if !self.ended {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", "abandoned");
            self.note_if_slow();
        }
    }
}
