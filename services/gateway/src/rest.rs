//! REST: a request becomes a call by the rules of the descriptors, and what the service answers a response.

mod accept;
mod answer;
mod deadline;
mod details;
mod intake;
mod metadata;
mod methods;
mod problem;
mod refuse;
mod single;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, IF_MATCH};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use selvedge_kit::StartError;
use selvedge_transcode::{Body as InBody, Found, Match, Route, Schema, Service, Transcoder};
use tokio::time::{Instant, timeout_at};
use tonic::Code;
use tracing::Instrument as _;

use crate::body::Body;
use crate::client_address::client_address;
use crate::config::Json;
use crate::observe::{End, Label, Observed, end_call};
use crate::pages::Pages;
use crate::panics::{self, caught};
use crate::upstream::{CallError, Reply, in_time};
use crate::worker::{Peer, Worker};
pub(crate) use answer::Wanted;
use details::Details;
pub(crate) use intake::CLOSE;
use metadata::{Carried, IDEMPOTENCY_KEY};
pub(crate) use problem::Problem;
pub(crate) use refuse::{leaves_body, refuse};
use single::single;

/// What REST is made from; the same for all workers.
pub(crate) struct Rest {
    transcoder: Transcoder,
    details: Details,
    /// The path of each RPC on the wire, by service and method.
    rpcs: Vec<Vec<PathAndQuery>>,
    /// The other way round.
    labels: HashMap<Box<str>, Label>,
}

impl Rest {
    /// Compiles what the descriptors say.
    pub(crate) fn new(schema: &Arc<Schema>, json: &Json) -> Result<Self, StartError> {
        let options = json.options();
        let transcoder = Transcoder::new(schema.clone(), options)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
        let path = |method: &selvedge_transcode::Method| method.path.parse();
        let paths = |service: &Service| service.methods.iter().map(path).collect::<Result<_, _>>();
        let rpcs = schema.services().iter().map(paths).collect::<Result<_, _>>()?;
        let details = Details::new(schema, transcoder.options())?;
        Ok(Self { details, transcoder, rpcs, labels: labels(schema) })
    }

    /// What the calls of an RPC are counted under, by its path on the wire.
    pub(crate) fn label(&self, rpc: &str) -> Label {
        self.labels.get(rpc).copied().unwrap_or(Label::Unknown)
    }

    pub(crate) fn transcoder(&self) -> &Transcoder {
        &self.transcoder
    }
}

fn labels(schema: &Schema) -> HashMap<Box<str>, Label> {
    let services = schema.services().iter().enumerate();
    let methods = services.flat_map(|(service, it)| {
        it.methods.iter().enumerate().map(move |(method, it)| (service, method, it))
    });
    methods.map(|(service, method, it)| (it.path.clone(), Label::Rpc(service, method))).collect()
}

/// Answers a request that is not gRPC.
pub(crate) async fn respond(worker: &Arc<Worker>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
    let shared = &*worker.shared;
    let path = request.uri().clone();
    let found = shared.rest.transcoder.find(request.method().as_str(), path.path());
    let label = match &found {
        Found::Route(matched) => Label::Route(matched.route.index),
        _ => Pages::name(path.path()).map_or(Label::Unknown, Label::Page),
    };
    let mut observed = Observed::begin(worker, label, End::Http(problem::client_closed_request()), &request);
    let span = observed.span.clone();
    let (head, mut body) = request.into_parts();
    let answer = async {
        match found {
            Found::Route(matched) => call(worker, peer, &head, &mut body, &matched, &mut observed).await,
            Found::MethodNotAllowed(allow) => methods::other(&head.method, &allow),
            _ if path.path() == "*" && head.method == Method::OPTIONS => Ok(methods::no_content()),
            Found::NotFound if Pages::name(path.path()).is_some() && !methods::reads(&head.method) => {
                methods::other(&head.method, methods::OF_PAGES)
            }
            Found::NotFound => shared.pages.respond(worker, &head).await.unwrap_or_else(|| Err(not_found())),
            Found::Bad(error) => Err(Problem::invalid(&error.place, error.problem)),
        }
    };
    let answer = caught(answer.instrument(span)).await.unwrap_or_else(|panic| {
        let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, panics::FAILED);
        Err(problem.because(panic))
    });
    let web = &shared.config.web;
    let mut response = answer.unwrap_or_else(|problem| {
        if let Some(cause) = &problem.cause {
            observed.explain(cause);
        }
        problem.response(&head.headers, web, observed.trace_id())
    });
    if head.version == Version::HTTP_2 {
        // There, the end of a request is no end of the connection.
        response.headers_mut().remove(CONNECTION);
    } else if !response.headers().contains_key(CONNECTION) && !intake::is_over(&head, &mut body).await {
        response.headers_mut().insert(CONNECTION, CLOSE);
    }
    finish(&mut response, &head.method, &mut observed);
    response
}

/// The last things before a response leaves.
pub(crate) fn finish(response: &mut Response<Body>, method: &Method, observed: &mut Observed) {
    observed.name(response.headers_mut());
    let length = response.body().len();
    if *method == Method::HEAD && length > 0 {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        *response.body_mut() = Body::empty();
    }
    observed.response_bytes = response.body().len();
    observed.end(End::Http(response.status()));
}

/// Calls the service for a request that has a route, within its deadline.
async fn call(
    worker: &Worker,
    peer: Peer,
    head: &Parts,
    body: &mut Incoming,
    matched: &Match<'_>,
    observed: &mut Observed,
) -> Result<Response<Body>, Problem> {
    let shared = &*worker.shared;
    let limits = &shared.config.limits;
    let route = matched.route;
    if route.client_streaming || route.server_streaming {
        let detail = "this method streams; call it over gRPC";
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, Code::Unimplemented, detail));
    }
    let limit = deadline::limit(&head.headers, limits.deadline, limits.deadline_cap)?;
    let deadline = Instant::now() + limit;
    let transcoder = &shared.rest.transcoder;
    let is_passed_over = route.body == InBody::None && transcoder.options().ignore_unexpected_body;
    // A body that is still on its way by then is the caller's delay and not the service's.
    let body = timeout_at(deadline, intake::take_in(head, body, is_passed_over, limits)).await;
    let body = body.unwrap_or_else(|_| Err(intake::too_slow()))?;
    observed.request_bytes = body.len();
    let wanted = Wanted::read(&head.headers)?;
    let framed = frame(transcoder, matched, head, &wanted, &body)?;
    let reply = unary(worker, peer, head, route, framed, deadline, observed).await?;
    let mut response =
        answer::answer(transcoder, route, &head.method, &head.headers, &wanted, &reply.message).await?;
    for metadata in [&reply.headers, &reply.trailers] {
        metadata::to_caller(metadata, response.headers_mut());
    }
    Ok(response)
}

/// The request of an RPC, with the five bytes before it that gRPC wants.
fn frame(
    transcoder: &Transcoder,
    matched: &Match<'_>,
    head: &Parts,
    wanted: &Wanted<'_>,
    body: &[u8],
) -> Result<Bytes, Problem> {
    let if_match = if methods::reads(&head.method) { None } else { wanted.for_service(matched.route)? };
    let request_id = match single(&head.headers, &IDEMPOTENCY_KEY)? {
        Some(key) if matched.route.takes_request_id => {
            let key =
                key.to_str().map_err(|_| Problem::invalid("Idempotency-Key", "must be visible ASCII"))?;
            // The header is specified as a string in quotes, and mostly sent without.
            Some(key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key))
        }
        _ => None,
    };
    let request = selvedge_transcode::Request { query: head.uri.query(), body, if_match, request_id };
    let mut framed = Vec::with_capacity(PREFIX_BYTES + body.len() + 128);
    framed.extend([0; PREFIX_BYTES]);
    transcoder.request(matched, &request, &mut framed).map_err(refused)?;
    let length = u32::try_from(framed.len() - PREFIX_BYTES).expect("the options of the transcoder bound it");
    framed[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    Ok(framed.into())
}

const PREFIX_BYTES: usize = 5;

fn refused(error: selvedge_transcode::Error) -> Problem {
    if error.too_large {
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::OutOfRange, error.to_string());
    }
    Problem::invalid(&error.place, error.problem)
}

/// Makes the call, as a span of its own.
async fn unary(
    worker: &Worker,
    peer: Peer,
    head: &Parts,
    route: &Route,
    framed: Bytes,
    deadline: Instant,
    observed: &mut Observed,
) -> Result<Reply, Problem> {
    let shared = &*worker.shared;
    let web = &shared.config.web;
    let rpc = &shared.rest.rpcs[route.service][route.method];
    let Some(upstream) = worker.upstreams.owner(&shared.schema.services()[route.service].name) else {
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, Code::Unimplemented, "nobody serves this"));
    };
    let name = rpc.path().trim_start_matches('/');
    let span = observed.call_span(name);
    let began = Instant::now();
    let carried = Carried {
        headers: &head.headers,
        rpc: rpc.path(),
        request_id: &observed.id,
        client: client_address(peer.address.ip(), &head.headers, &web.trusted_proxies),
        left: deadline.saturating_duration_since(began),
        most: shared.config.limits.header_count,
    };
    let mut metadata = metadata::of_call(&carried, web)?;
    observed.inject(&span, &mut metadata);
    let reply = upstream.unary(rpc, metadata, framed, shared.config.limits.body_bytes);
    let reply = in_time(deadline, reply.instrument(span.clone())).await;
    observed.upstream = Some(began.elapsed());
    let Some(reply) = reply else {
        end_call(&span, Code::DeadlineExceeded, true);
        let detail = "the service did not answer in time";
        let problem = Problem::new(StatusCode::GATEWAY_TIMEOUT, Code::DeadlineExceeded, detail);
        return Err(problem.because(format!("{} took too long", upstream.name())));
    };
    let reply = reply.inspect(|_| end_call(&span, Code::Ok, false));
    reply.map_err(|error| {
        end_call(&span, error.status().code(), !matches!(error, CallError::Failed(_)));
        let if_match = head.headers.contains_key(IF_MATCH);
        let problem = Problem::of_call(&error, &shared.rest.details, if_match, web);
        // That nobody is there is said once by the endpoint, and by every call it would fill the log.
        if matches!(error, CallError::Failed(_) | CallError::Unreachable(_)) {
            return problem;
        }
        problem.because(format!("{}: {}", upstream.name(), error.cause()))
    })
}

fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, Code::NotFound, "there is nothing at this path")
}
