//! The services behind the gateway, as one worker sees them: every worker has connections of its own.

mod balance;
mod connection;
mod endpoint;
mod error;
mod names;
mod reply;
mod status;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version, header, uri};
use selvedge_kit::telemetry::propagation::{REQUEST_ID, TRACEPARENT};
use selvedge_kit::timeout;
use tokio::time::{Instant, timeout_at};

use crate::body::Body;
use crate::config;
pub(crate) use balance::Upstream;
use connection::Failed;
pub(crate) use connection::Lease;
use endpoint::MAX_CONNECTIONS;
pub(crate) use error::CallError;
pub(crate) use reply::{Reply, check_head};
pub(crate) use status::{BASE64, code};
pub(crate) use stream::Received;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// Everybody behind the gateway, in the order of [`Shared::upstreams`](crate::worker::Shared).
pub(crate) struct Upstreams(Box<[Arc<Upstream>]>);

impl Upstreams {
    pub(crate) fn new(upstreams: &[config::Upstream]) -> Self {
        Self(upstreams.iter().cloned().map(Upstream::new).collect())
    }

    /// Who serves a service, by its full name. The longest package that fits wins, and those come first.
    pub(crate) fn owner(&self, service: &str) -> Option<&Arc<Upstream>> {
        self.0.iter().find(|upstream| upstream.serves(service))
    }

    pub(crate) fn all(&self) -> &[Arc<Upstream>] {
        &self.0
    }
}

impl Upstream {
    /// Makes a unary call: one message out, `framed` with the five bytes before it, and one of at most `limit` bytes back.
    /// Dropping the future cancels the call upstream.
    pub(crate) async fn unary(
        self: &Arc<Self>,
        path: &PathAndQuery,
        headers: HeaderMap,
        framed: Bytes,
        limit: usize,
    ) -> Result<Reply, CallError> {
        let (lease, response) = self.call(request(path, headers, Body::message(framed))).await?;
        let reply = reply::read(response, limit).await;
        drop(lease);
        reply
    }

    /// Sends a request whose bodies may be streams; answers as soon as the upstream does. It is in flight for as long as
    /// the lease is held.
    ///
    /// Where the upstream provably did nothing with it, it is sent once more, elsewhere if there is an elsewhere, unless its
    /// body came as a stream.
    pub(crate) async fn call(
        self: &Arc<Self>,
        request: Request<Body>,
    ) -> Result<(Lease, Response<Received>), CallError> {
        let (head, body) = request.into_parts();
        let again = body.again().map(|body| Request::from_parts(head.clone(), body));
        let answered = match (self.send(Request::from_parts(head, body), None).await, again) {
            (Err((error, Some(refused))), Some(again)) if !error.may_have_run() => {
                self.send(again, Some(refused)).await
            }
            (answered, _) => answered,
        };
        answered.map_err(|(error, _)| error)
    }

    /// Sends a request, elsewhere than where it was `refused` if there is an elsewhere. That a connection takes no more calls
    /// is found out by who tries; nothing of the request was sent there, so it goes to another one, until one is new.
    async fn send(
        self: &Arc<Self>,
        mut request: Request<Body>,
        mut refused: Option<Lease>,
    ) -> Result<(Lease, Response<Received>), (CallError, Option<Lease>)> {
        let mut tries = 0;
        loop {
            let lease = self.lease(refused).await.map_err(|error| (error, None))?;
            match lease.send(request).await {
                Ok(response) => return Ok((lease, response)),
                Err(Failed { unsent: Some(again), .. }) if tries < MAX_CONNECTIONS => request = again,
                Err(failed) => return Err((failed.error, Some(lease))),
            }
            tries += 1;
            refused = Some(lease);
        }
    }
}

/// What a call answers before its time is up. An upstream is told when that is, and may say in words of its own, in the very
/// moment, that it is over. (An `async fn` would have room for the call twice: as it was given, and as it is awaited.)
pub(crate) fn in_time<A>(ends: Instant, call: impl Future<Output = A>) -> impl Future<Output = Option<A>> {
    timeout_at(ends, call).map(move |answer| answer.ok().filter(|_| Instant::now() < ends))
}

/// Headers whose values differ from call to call. To remember them would push out of HPACK's tables, at both ends, what
/// does come again.
static NEVER_AGAIN: [HeaderName; 3] =
    [HeaderName::from_static(REQUEST_ID), HeaderName::from_static(TRACEPARENT), timeout::HEADER];

/// A gRPC request; who it goes to is filled in by the lease that sends it.
pub(crate) fn request(path: &PathAndQuery, headers: HeaderMap, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = Uri::from(path.clone());
    *request.headers_mut() = headers;
    request.headers_mut().entry(header::CONTENT_TYPE).or_insert(GRPC);
    request.headers_mut().insert(header::TE, TRAILERS);
    for name in &NEVER_AGAIN {
        if let Some(value) = request.headers_mut().get_mut(name) {
            value.set_sensitive(true);
        }
    }
    request
}

/// The URI of a path at an upstream.
fn uri_at(authority: &uri::Authority, path: Option<PathAndQuery>) -> Uri {
    let mut parts = uri::Parts::default();
    parts.scheme = Some(uri::Scheme::HTTP);
    parts.authority = Some(authority.clone());
    parts.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    Uri::from_parts(parts).expect("scheme, authority and path make a URI")
}
