//! Native gRPC: passed through to whoever serves the package, except for health and reflection, which speak for all.

mod health;
mod own;
mod reflection;
mod relay;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use selvedge_kit::telemetry::propagation::REQUEST_ID;
use selvedge_kit::timeout;
use tokio::time::Instant;
use tonic::{Code, Status};
use tracing::{Instrument as _, Span};

use crate::body::{self, Body};
use crate::client_address::{self, CLIENT_ADDRESS, client_address};
use crate::observe::{End, Label, Observed, end_call};
use crate::panics::{self, caught};
use crate::rest::{self, Problem};
use crate::upstream::{self, CallError, Lease, Received, Upstream, check_head, in_time, request};
use crate::worker::{Peer, Shared, Worker};
pub(crate) use health::pb::health_check_response::ServingStatus;
pub(crate) use health::{Health, check};
pub(crate) use own::Own;
pub(crate) use reflection::Reflection;
pub(crate) use relay::Relay;

/// Whether a request is native gRPC; gRPC-Web is not.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.as_bytes().strip_prefix(b"application/grpc"))
        .is_some_and(|rest| matches!(rest, [] | [b'+' | b';', ..]))
}

/// Answers a call. Whatever goes wrong is said in gRPC's own way: HTTP status 200, and the truth in `grpc-status`. Only what
/// cannot be a call is a problem of HTTP.
pub(crate) async fn respond(worker: &Arc<Worker>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    let label = own::label(path).unwrap_or_else(|| worker.shared.rest.label(path));
    let no_call = |status, detail| Problem::new(status, Code::Unimplemented, detail);
    if request.version() != Version::HTTP_2 {
        let problem = no_call(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "gRPC needs HTTP/2");
        return rest::refuse(worker, label, &request, problem);
    }
    if request.method() != Method::POST {
        let problem = no_call(StatusCode::METHOD_NOT_ALLOWED, "gRPC calls are POST requests");
        let problem = problem.with(header::ALLOW, HeaderValue::from_static("POST"));
        return rest::refuse(worker, label, &request, problem);
    }
    let service =
        path.strip_prefix('/').and_then(|path| path.split_once('/')).map_or("", |(service, _)| service);
    match service {
        "grpc.health.v1.Health" => own::answer(worker, label, worker.health.service(), request).await,
        "grpc.reflection.v1.ServerReflection" => {
            own::answer(worker, label, worker.reflection.v1(), request).await
        }
        "grpc.reflection.v1alpha.ServerReflection" => {
            own::answer(worker, label, worker.reflection.v1alpha(), request).await
        }
        _ => {
            let upstream = worker.upstreams.owner(service).cloned();
            pass(worker, peer, upstream, label, request).await
        }
    }
}

/// Answers a call whose head nobody looks at.
pub(crate) fn refuse<B>(worker: &Arc<Worker>, request: &Request<B>, problem: &Problem) -> Response<Body> {
    let mut observed = Observed::begin(worker, Label::Unknown, End::Grpc(problem.code), request);
    let mut response = Status::new(problem.code, &*problem.detail).into_http();
    observed.name(response.headers_mut());
    observed.end(End::Grpc(problem.code));
    response
}

/// Passes a call on to its upstream, and sees how it ends.
async fn pass(
    worker: &Arc<Worker>,
    peer: Peer,
    upstream: Option<Arc<Upstream>>,
    label: Label,
    incoming: Request<Incoming>,
) -> Response<Body> {
    let mut observed = Observed::begin(worker, label, End::Grpc(Code::Cancelled), &incoming);
    let span = observed.span.clone();
    let answer = async {
        match upstream {
            Some(upstream) => call(&upstream, peer, &worker.shared, incoming, label, &observed).await,
            None => Err(Status::unimplemented("nobody serves this here")),
        }
    };
    let answered = caught(answer.instrument(span)).await.unwrap_or_else(|panic| {
        observed.explain(&panic);
        Err(Status::internal(panics::FAILED))
    });
    let mut response = match answered {
        Ok((answered, response)) => {
            let code = upstream::code(response.headers());
            let (head, body) = response.into_parts();
            let mut response = Response::from_parts(head, Body::empty());
            observed.name(response.headers_mut());
            *response.body_mut() = Body::relay(Relay::new(body, answered, code, observed));
            return response;
        }
        Err(status) => {
            observed.end(End::Grpc(status.code()));
            status.into_http()
        }
    };
    observed.name(response.headers_mut());
    response
}

/// What the body of an upstream's answer needs.
struct Answered {
    lease: Lease,
    ends: Option<Instant>,
    /// The span of the call, which lasts as long as the body.
    span: Span,
}

async fn call(
    upstream: &Arc<Upstream>,
    peer: Peer,
    shared: &Shared,
    incoming: Request<Incoming>,
    label: Label,
    observed: &Observed,
) -> Result<(Answered, Response<Received>), Status> {
    let (mut head, body) = incoming.into_parts();
    let is_unary = is_unary(shared, label);
    let ends = ends(shared, is_unary, &mut head.headers)?;
    let Some(path) = head.uri.path_and_query() else {
        return Err(Status::unimplemented("the path names no method"));
    };
    let span = observed.call_span(&path.path()[1..]);
    let client = client_address(peer.address.ip(), &head.headers, &shared.config.web.trusted_proxies);
    // HTTP/2 knows one more hop-by-hop header, `te`, which the request to the upstream has of its own.
    head.headers.remove(header::HOST);
    head.headers.insert(CLIENT_ADDRESS, client_address::header(client));
    head.headers.insert(REQUEST_ID, observed.id.clone());
    observed.inject(&span, &mut head.headers);
    let answer = async {
        let broken = |error: hyper::Error| CallError::Broken(Code::Cancelled, error.to_string());
        let body = if is_unary { body::short(body).await.map_err(broken)? } else { Body::incoming(body) };
        upstream.call(request(path, head.headers, body)).await
    };
    let answer = answer.instrument(span.clone());
    let answered = match ends {
        None => answer.await,
        Some(ends) => {
            let Some(answered) = in_time(ends, answer).await else {
                end_call(&span, Code::DeadlineExceeded, true);
                return Err(late());
            };
            answered
        }
    };
    match answered.and_then(|(lease, response)| check_head(&response).map(|()| (lease, response))) {
        Ok((lease, response)) => Ok((Answered { lease, ends, span }, response)),
        Err(error) => {
            let status = error.status();
            end_call(&span, status.code(), true);
            // That nobody is there is said once by the endpoint, and by every call it would fill the log.
            if !matches!(error, CallError::Unreachable(_) | CallError::Failed(_)) {
                observed.explain(&format!("{}: {}", upstream.name(), error.cause()));
            }
            Err(status)
        }
    }
}

/// Whether an RPC is known to have one message in each direction.
fn is_unary(shared: &Shared, label: Label) -> bool {
    let Label::Rpc(service, method) = label else { return false };
    let method = &shared.schema.services()[service].methods[method];
    !method.client_streaming && !method.server_streaming
}

/// When a call is to end, of which the upstream is told. A stream may last, but an RPC that is known to be unary has the
/// same limits as over REST.
fn ends(shared: &Shared, is_unary: bool, headers: &mut HeaderMap) -> Result<Option<Instant>, Status> {
    let asked = match headers.get(timeout::HEADER).map(timeout::parse) {
        None => None,
        Some(Some(time)) => Some(time),
        Some(None) => return Err(Status::invalid_argument("grpc-timeout is not a number with a unit")),
    };
    let limits = &shared.config.limits;
    let limit = is_unary.then(|| asked.unwrap_or(limits.deadline).min(limits.deadline_cap)).or(asked);
    if let Some(limit) = limit.filter(|_| limit != asked) {
        headers.insert(timeout::HEADER, timeout::header(limit));
    }
    // A time too far away to be told is none.
    Ok(limit.and_then(|limit| Instant::now().checked_add(limit)))
}

/// The answer to a call whose time is up.
fn late() -> Status {
    Status::new(Code::DeadlineExceeded, "the time for the call is up")
}
