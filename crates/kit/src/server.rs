//! The server that every service runs: the stack of layers, health, reflection, the admin port and the drain.

mod admin;
mod connections;
mod deadline;
mod frames;
mod health;
mod limit;
mod methods;
mod panics;
mod stream;
mod trace;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tower::{Service, ServiceBuilder};
use tracing::{info, warn};

pub(crate) use methods::Method;

use crate::Db;
use crate::config::Limits;
use crate::service::Rpcs;
use crate::telemetry::metrics::Metrics;
use crate::workers::Workers;

/// What a server is made of.
pub(crate) struct Parts {
    pub(crate) name: &'static str,
    pub(crate) rpcs: Rpcs,
    pub(crate) db: Db,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Limits,
    pub(crate) workers: Workers,
    pub(crate) listener: TcpListener,
    pub(crate) admin_listener: TcpListener,
    /// Work that goes on beside the calls and ends with the server.
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

/// A service that is being served.
pub struct Running {
    /// Where it answers gRPC.
    pub address: SocketAddr,
    /// Where it answers `/livez`, `/readyz`, `/health/db` and `/metrics`.
    pub admin_address: SocketAddr,
    db: Db,
    drain: CancellationToken,
    server: JoinHandle<()>,
}

impl Running {
    /// Stops taking calls, finishes those in flight (within the limit for that) and returns when all is closed.
    pub async fn stop(self) {
        self.drain.cancel();
        if let Err(error) = self.server.await {
            warn!(%error, "the server ended abnormally");
        }
    }

    /// Returns when the database answers.
    pub async fn wait_until_ready(&self) {
        // The sender lives as long as the pool, so waiting cannot fail.
        drop(self.db.health_changes().wait_for(|health| health.up).await);
    }

    /// The database that it serves from.
    pub fn db(&self) -> &Db {
        &self.db
    }
}

/// Starts to serve in the background.
pub(crate) fn start(parts: Parts) -> std::io::Result<Running> {
    let address = parts.listener.local_addr()?;
    let admin_address = parts.admin_listener.local_addr()?;
    let drain = CancellationToken::new();
    let db = parts.db.clone();
    let server = tokio::spawn(serve(parts, drain.clone()));
    Ok(Running { address, admin_address, db, drain, server })
}

async fn serve(parts: Parts, drain: CancellationToken) {
    let Parts { name, rpcs, db, metrics, limits, mut workers, listener, admin_listener, tasks } = parts;
    let readiness = health::follow(&db, rpcs.names.clone(), drain.clone());
    let routes = rpcs.routes.add_service(readiness.service);
    let routes = methods::add_reflection(routes, &rpcs.names);
    let admin = tokio::spawn(admin::serve(admin_listener, db.clone(), metrics.clone(), drain.clone()));
    let watch = tokio::spawn(db.clone().watch());

    let stack = stack(routes, metrics, &limits, drain.clone());
    if connections::serve(listener, stack, &limits, &mut workers, drain).await {
        warn!(service = name, "some calls did not end in time and were cut off");
    }
    workers.stop().await;
    info!(service = name, "stopped");
    // After the last call, so that probes see "not ready" rather than "gone" while calls are still being finished.
    for task in tasks.into_iter().chain([admin, watch, readiness.task]) {
        task.abort();
    }
}

/// The stack that every call passes, outermost first.
fn stack(
    routes: Routes,
    metrics: Arc<Metrics>,
    limits: &Limits,
    drain: CancellationToken,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
+ Clone
+ Send
+ 'static {
    let max_message_bytes = limits.max_message_bytes;
    ServiceBuilder::new()
        // Continues the caller's trace, gives the call its span and its id, counts it.
        .layer(trace::TraceLayer::new(metrics))
        // A panic is one caller's INTERNAL, not everybody's outage.
        .layer(panics::layer())
        // Refuses what is too much, at once; never a health check.
        .layer(limit::LimitLayer::new(limits))
        // Ends unary calls at their deadline, streams that idle or grow old, and every stream at drain.
        .layer(deadline::DeadlineLayer::new(limits, drain))
        // Calls bad framing the caller's error, and bounds the size of messages.
        .map_request(move |request| frames::check(request, max_message_bytes))
        // Then the codec of `selvedge-proto` decodes and validates, and the handler runs.
        .service(routes.prepare())
}
