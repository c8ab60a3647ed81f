//! What an operator asks a service, on a port of its own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::telemetry::metrics::Metrics;
use crate::{Db, Error};

#[derive(Clone)]
struct Admin {
    db: Db,
    metrics: Arc<Metrics>,
    drain: CancellationToken,
}

/// Answers until it is aborted, so that probes see the drain.
pub(super) async fn serve(listener: TcpListener, db: Db, metrics: Arc<Metrics>, drain: CancellationToken) {
    let routes = Router::new()
        // The process runs; whether the database does is none of its business, as a restart would not help.
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/health/db", get(health_db))
        .route("/metrics", get(metrics_text))
        .with_state(Admin { db, metrics, drain });
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!(%error, "the admin port failed");
    }
}

async fn readyz(State(admin): State<Admin>) -> impl IntoResponse {
    if admin.drain.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if !admin.db.health().up {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}

async fn health_db(State(admin): State<Admin>) -> impl IntoResponse {
    let health = admin.db.health();
    let (code, status) =
        if health.up { (StatusCode::OK, "up") } else { (StatusCode::SERVICE_UNAVAILABLE, "down") };
    let time = DateTime::<Utc>::from(health.checked_at).to_rfc3339_opts(SecondsFormat::Millis, true);
    (code, Json(json!({"status": status, "latencyMs": health.latency.as_secs_f64() * 1000.0, "time": time})))
}

async fn metrics_text(State(admin): State<Admin>) -> impl IntoResponse {
    match admin.metrics.text() {
        Ok(text) => (StatusCode::OK, [("content-type", "text/plain; version=0.0.4")], text),
        Err(error) => {
            let error = Error::internal(error);
            tracing::error!(%error, "the metrics cannot be written");
            (StatusCode::INTERNAL_SERVER_ERROR, [("content-type", "text/plain")], String::new())
        }
    }
}
