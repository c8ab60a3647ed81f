//! How services call each other: a channel that carries on the trace, the deadline and the id of the call at hand.

mod discovery;

use std::task;
use std::time::Instant;

use http::{HeaderValue, Request, Response};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::Service;
use tracing::Span;

use crate::telemetry::propagation::{self, REQUEST_ID};
use crate::{Context, Error, Result, timeout};

/// A channel to a service, for a generated client: `FilmServiceClient::new(peer)`.
#[derive(Clone, Debug)]
pub struct Peer(Channel);

impl Peer {
    /// A channel to the service behind these addresses: `http://host:port`, several separated by commas. A host name
    /// stands for all its addresses and is looked up again now and then. Connections are made when they are needed.
    ///
    /// Must be called inside a runtime.
    pub fn new(addresses: &str) -> Result<Self> {
        let endpoints = addresses
            .split(',')
            .map(|address| Endpoint::from_shared(address.trim().to_owned()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                Error::internal(format!("not the address of a service: {addresses}: {error}"))
            })?;
        discovery::channel(endpoints).map(Self)
    }
}

impl Service<Request<Body>> for Peer {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future = <Channel as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> task::Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        carry_on(&mut request);
        self.0.call(request)
    }
}

/// Writes what the current call knows into the headers of a call that it makes. A deadline that was set on the request
/// itself stays.
fn carry_on(request: &mut Request<Body>) {
    let call = Context::current();
    let headers = request.headers_mut();
    let span = Span::current();
    match call.place {
        Some(place) if span.is_none() => place.inject(headers),
        _ => propagation::inject(&span, headers),
    }
    if let Some(id) = call.request_id.and_then(|id| HeaderValue::from_str(&id).ok()) {
        headers.insert(REQUEST_ID, id);
    }
    if let (Some(deadline), false) = (call.deadline, headers.contains_key(timeout::HEADER)) {
        let left = deadline.saturating_duration_since(Instant::now());
        headers.insert(timeout::HEADER, timeout::header(left));
    }
}
