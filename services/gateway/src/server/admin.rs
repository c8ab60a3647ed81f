//! What an operator asks, on a port of its own.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus::TextEncoder;
use tokio::net::TcpListener;
use tracing::error;

use crate::worker::Shared;

/// Answers until it is aborted, so that probes see the drain.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let routes = Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(shared);
    if let Err(error) = axum::serve(listener, routes).await {
        error!(%error, "the admin port failed");
    }
}

/// Ready, whatever the upstreams are: another gateway would not reach them either.
async fn readyz(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    if shared.drain.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    match TextEncoder::new().encode_to_string(&shared.metrics.gather()) {
        Ok(text) => (StatusCode::OK, [("content-type", "text/plain; version=0.0.4")], text),
        Err(error) => {
            error!(%error, "the metrics cannot be written");
            (StatusCode::INTERNAL_SERVER_ERROR, [("content-type", "text/plain")], String::new())
        }
    }
}
