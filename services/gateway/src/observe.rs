//! What is seen of a request from outside: its span, its line in the access log, its figures.

mod label;
mod metrics;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use selvedge_kit::code_name;
use selvedge_kit::telemetry::Place;
use selvedge_kit::telemetry::propagation::{self, REQUEST_ID, TRACEPARENT};
use tonic::Code;
use tracing::field::Empty;
use tracing::{Span, info, info_span, warn};

use crate::config::AccessLog;
use crate::worker::Worker;
pub(crate) use label::Label;
pub(crate) use metrics::Metrics;

/// Where a trace id stands in a `traceparent`.
const TRACE_ID: std::ops::Range<usize> = 3..35;

/// A request in progress; one that is dropped before its end was left by its caller.
pub(crate) struct Observed {
    pub(crate) span: Span,
    /// Names the request in all logs.
    pub(crate) id: HeaderValue,
    /// How large the request's body was, as far as that is known.
    pub(crate) request_bytes: usize,
    /// How large the answer's body was.
    pub(crate) response_bytes: usize,
    /// How long the service took.
    pub(crate) upstream: Option<Duration>,
    worker: Arc<Worker>,
    method: &'static str,
    label: Label,
    /// Where the trace is not recorded, this is all there is of it, and the span is none.
    place: Option<Place>,
    traceparent: Option<HeaderValue>,
    began: Instant,
    /// How it ended if nobody says so; gone once somebody has.
    otherwise: Option<End>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// With a status of HTTP.
    Http(StatusCode),
    /// With a status of gRPC.
    Grpc(Code),
}

impl Observed {
    /// Opens the span, as a part of the caller's trace or as the root of a new one. Unless it is told how the request ended, that is `otherwise`.
    pub(crate) fn begin<B>(worker: &Arc<Worker>, label: Label, otherwise: End, request: &Request<B>) -> Self {
        let id = propagation::request_id(request.headers());
        let method = known(request.method());
        let route = label.text(&worker.shared);
        let telemetry = &worker.shared.config.telemetry;
        let place = Place::of(request.headers(), telemetry.trace_ratio);
        let (span, place, traceparent) = if telemetry.otlp_endpoint.is_some() && place.is_recorded() {
            // Spans of RPCs are named for them alone, as everywhere in the mesh.
            let verb = if matches!(label, Label::Rpc(..) | Label::Own(_)) { "" } else { method };
            let span = info_span!(
                "http",
                otel.name = format!("{verb} {route}").trim_start(),
                otel.kind = "server",
                otel.status_code = Empty,
                http.request.method = method,
                http.route = route,
                http.response.status_code = Empty,
                rpc.response.status_code = Empty,
                url.path = request.uri().path(),
                request_id = &*id,
            );
            propagation::continue_trace(&span, request.headers());
            let traceparent = propagation::traceparent(&span);
            (span, None, traceparent)
        } else {
            let traceparent = place.step();
            (Span::none(), Some(place), Some(traceparent))
        };
        worker.shared.requests.began();
        Self {
            place,
            traceparent,
            id: HeaderValue::from_str(&id).expect("it came from a header, or is a UUID"),
            span,
            request_bytes: 0,
            response_bytes: 0,
            upstream: None,
            worker: worker.clone(),
            method,
            label,
            began: Instant::now(),
            otherwise: Some(otherwise),
        }
    }

    /// The trace that the request is a part of.
    pub(crate) fn trace_id(&self) -> Option<&str> {
        self.traceparent.as_ref()?.to_str().ok()?.get(TRACE_ID)
    }

    /// The span of a call to a service, by the name of the RPC.
    pub(crate) fn call_span(&self, rpc: &str) -> Span {
        if self.place.is_some() {
            return Span::none();
        }
        info_span!(
            "call",
            otel.name = rpc,
            otel.kind = "client",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = rpc,
            rpc.response.status_code = Empty,
        )
    }

    /// Writes the place of that span in the trace into the headers of the call.
    pub(crate) fn inject(&self, span: &Span, headers: &mut HeaderMap) {
        match &self.place {
            Some(place) => place.inject(headers),
            None => propagation::inject(span, headers),
        }
    }

    /// Tells the caller the names of the request and of its trace.
    pub(crate) fn name(&self, headers: &mut HeaderMap) {
        headers.insert(REQUEST_ID, self.id.clone());
        if let Some(traceparent) = self.traceparent.clone() {
            headers.insert(TRACEPARENT, traceparent);
        }
    }

    /// Says in the log what the caller is not told.
    pub(crate) fn explain(&self, cause: &str) {
        let route = self.label.text(&self.worker.shared);
        let request_id = self.id.to_str().unwrap_or_default();
        warn!(route, cause, request_id, trace_id = self.trace_id(), "a request failed");
    }

    /// Says how it ended, once.
    pub(crate) fn end(&mut self, end: End) {
        if self.otherwise.take().is_none() {
            return;
        }
        let took = self.began.elapsed();
        let shared = &*self.worker.shared;
        let route = self.label.text(shared);
        shared.requests.ended(self.method, route, end.name(), took);
        match end {
            End::Http(status) => self.span.record("http.response.status_code", status.as_u16()),
            End::Grpc(code) => self.span.record("rpc.response.status_code", code_name(code)),
        };
        if end.is_fault() {
            self.span.record("otel.status_code", "ERROR");
        }
        let wanted = match shared.config.web.access_log {
            AccessLog::All => true,
            AccessLog::Errors => end.is_fault(),
            AccessLog::Off => false,
        };
        if wanted {
            info!(
                target: "selvedge::access",
                method = self.method,
                route,
                status = end.http().as_u16(),
                grpc_status = end.grpc(),
                request_bytes = self.request_bytes,
                response_bytes = self.response_bytes,
                took_ms = millis(took),
                upstream_ms = self.upstream.map(millis),
                request_id = self.id.to_str().unwrap_or_default(),
                trace_id = self.trace_id(),
                "request"
            );
        }
    }
}

/// Says in the span of a call how that ended; as the service said, or because there was no more to be had of it.
pub(crate) fn end_call(span: &Span, code: Code, broke_off: bool) {
    span.record("rpc.response.status_code", code_name(code));
    if broke_off {
        span.record("otel.status_code", "ERROR");
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        if let Some(otherwise) = self.otherwise {
            self.end(otherwise);
        }
    }
}

impl End {
    /// The status of HTTP, which says nothing of how a call over gRPC ended.
    fn http(self) -> StatusCode {
        match self {
            Self::Http(status) => status,
            Self::Grpc(_) => StatusCode::OK,
        }
    }

    fn grpc(self) -> Option<&'static str> {
        match self {
            Self::Http(_) => None,
            Self::Grpc(code) => Some(code_name(code)),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Http(status) => status.as_str(),
            Self::Grpc(code) => code_name(*code),
        }
    }

    /// Whether it was not the caller's doing.
    fn is_fault(self) -> bool {
        match self {
            Self::Http(status) => status.is_server_error(),
            Self::Grpc(code) => matches!(
                code,
                Code::Unknown | Code::DeadlineExceeded | Code::Internal | Code::Unavailable | Code::DataLoss
            ),
        }
    }
}

/// Anybody can make up methods; whoever reads spans and figures should not have to see them all.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
