//! Threads that take connections and serve HTTP/1.1 and HTTP/2 on them.

mod admin;
mod answer;
mod connections;
mod guarded;
mod host;
mod line;
mod listen;
mod refuse;
mod threads;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use futures::future::join_all;
use humantime::format_duration;
use prometheus::{IntGauge, Registry};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use selvedge_kit::{ADMIN_PORT_OFFSET, StartError};
use selvedge_transcode::Schema;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::config::{Config, PORT};
use crate::pages::Pages;
use crate::rest::Rest;
use crate::worker::Shared;
use crate::{cors, observe};
pub(crate) use refuse::check;
use threads::Thread;

/// A gateway that is serving. Dropped, it stops in the background.
pub struct Running {
    /// Where it answers REST and gRPC.
    pub address: SocketAddr,
    /// Where it answers `/livez`, `/readyz` and `/metrics`.
    pub admin_address: SocketAddr,
    drain: DropGuard,
    threads: Vec<Thread>,
    admin: AbortOnDropHandle<()>,
}

impl Running {
    /// Takes no more connections, finishes the requests in flight (within the limit for that) and returns when all is
    /// closed.
    pub async fn stop(self) {
        drop(self.drain);
        let finished = join_all(self.threads.into_iter().map(Thread::ended)).await;
        if finished.contains(&false) {
            warn!(service = "gateway", "some requests did not end in time and were cut off");
        }
        info!(service = "gateway", "stopped");
        // Last, so that probes see "not ready" rather than "gone" while requests are still being finished.
        drop(self.admin);
    }
}

/// Starts to serve and returns at once. Must be called inside a runtime, which answers the admin port.
pub async fn start(config: &Config) -> Result<Running, StartError> {
    let (deadline, longest) = (config.limits.deadline, config.limits.deadline_cap);
    if deadline > longest {
        let (deadline, longest) = (format_duration(deadline), format_duration(longest));
        return Err(format!("--http-deadline ({deadline}) is above --http-max-deadline ({longest})").into());
    }
    let schema = Arc::new(schema(config)?);
    let packages = schema.services().iter().filter_map(|it| Some(it.name.rsplit_once('.')?.0));
    let upstreams = config.upstreams.of_packages(&packages.collect::<Vec<_>>());
    for service in schema.services() {
        if !upstreams.iter().any(|upstream| upstream.serves(&service.name)) {
            warn!(service = &*service.name, "nobody is said to serve it; see --upstream");
        }
    }
    let tls = tls::acceptor(&config.tls)?;
    let address = SocketAddr::new(config.listen.host, config.listen.port.unwrap_or(PORT));
    let listeners = listen::bind(address, config.workers.count())
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let address = listeners[0].local_addr()?;
    let admin_listener = bind_admin(config, address).await?;
    let admin_address = admin_listener.local_addr()?;

    let metrics = Registry::new();
    let connections = IntGauge::new("gateway_connections", "Connections of clients.")?;
    metrics.register(Box::new(connections.clone()))?;
    let drain = CancellationToken::new();
    let rest = Rest::new(&schema, &config.json)?;
    let pages = Pages::new(config, rest.transcoder());
    for (page, rpc) in pages.hidden(rest.transcoder()) {
        warn!(page, rpc, "a page of the gateway cannot be seen, as a route has its path");
    }
    let shared = Arc::new(Shared {
        config: config.clone(),
        pages,
        rest,
        schema,
        cors: cors::layer(&config.web),
        upstreams,
        requests: observe::Metrics::new(&metrics)?,
        metrics,
        drain: drain.clone(),
    });
    let start =
        |(index, listener)| threads::start(index, listener, &shared, tls.clone(), connections.clone());
    let threads = listeners.into_iter().enumerate().map(start).collect::<std::io::Result<_>>()?;
    let admin = AbortOnDropHandle::new(tokio::spawn(admin::serve(admin_listener, shared)));
    Ok(Running { address, admin_address, drain: drain.drop_guard(), threads, admin })
}

/// What is served here: what the files say or, without files, our own services.
fn schema(config: &Config) -> Result<Schema, StartError> {
    let files = &config.upstreams.descriptor_sets;
    if files.is_empty() {
        return Ok(Schema::decode(&[selvedge_proto::FILE_DESCRIPTOR_SET])?);
    }
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path)
            .map_err(|error| format!("--descriptor-set: {} cannot be read: {error}", path.display()))
    };
    let sets = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Schema::decode(&sets.iter().map(Vec::as_slice).collect::<Vec<_>>()).map_err(|error| {
        // Of several, it is said which one is none; what else may be wrong has the name of a proto.
        match files.iter().zip(&sets).find(|(_, set)| FileDescriptorSet::decode(&***set).is_err()) {
            Some((path, _)) => format!("--descriptor-set {}: {error}", path.display()).into(),
            None => error.into(),
        }
    })
}

async fn bind_admin(config: &Config, address: SocketAddr) -> Result<TcpListener, StartError> {
    let port = config.listen.admin_port.unwrap_or_else(|| match config.listen.port {
        Some(0) => 0,
        _ => address.port().saturating_add(ADMIN_PORT_OFFSET),
    });
    let address = SocketAddr::new(config.listen.host, port);
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on {address}: {error}").into())
}
