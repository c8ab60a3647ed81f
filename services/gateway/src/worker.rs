//! What requests are served with.

use std::net::SocketAddr;
use std::sync::Arc;

use prometheus::Registry;
use selvedge_transcode::Schema;
use tokio_util::sync::CancellationToken;
use tower_http::cors::CorsLayer;

use crate::config::{Config, Upstream};
use crate::grpc::{Health, Reflection};
use crate::observe;
use crate::pages::Pages;
use crate::rest::Rest;
use crate::upstream::Upstreams;

/// What all workers of a gateway have in common.
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// All that is served here, by descriptors.
    pub(crate) schema: Arc<Schema>,
    /// What REST is made from.
    pub(crate) rest: Rest,
    /// What is there for people.
    pub(crate) pages: Pages,
    /// Which pages of other origins may call, if any.
    pub(crate) cors: Option<CorsLayer>,
    /// Who serves what; those with the longest package first.
    pub(crate) upstreams: Vec<Upstream>,
    /// The figures that the admin port shows.
    pub(crate) metrics: Registry,
    /// Those of the requests.
    pub(crate) requests: observe::Metrics,
    /// Cancelled when the gateway is to stop.
    pub(crate) drain: CancellationToken,
}

/// One thread's share of the gateway. Nothing in it is waited for by another thread.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) health: Health,
    pub(crate) reflection: Reflection,
}

/// Who sent a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        let upstreams = Arc::new(Upstreams::new(&shared.upstreams));
        let health = Health::new(shared.clone(), upstreams.clone());
        let reflection = Reflection::new(shared.clone());
        Arc::new(Self { shared, upstreams, health, reflection })
    }
}
