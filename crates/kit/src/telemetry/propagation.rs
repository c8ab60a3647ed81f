//! What a call carries from process to process: the W3C trace context, and the id of the call.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use uuid::Uuid;

/// The header that names a call, taken from the caller or made here, and sent back.
pub const REQUEST_ID: &str = "x-request-id";

/// The header that names the caller's place in a trace.
pub const TRACEPARENT: &str = "traceparent";

/// The caller's own id if it is fit for headers and logs; else a new one.
pub fn request_id(headers: &HeaderMap) -> Arc<str> {
    headers
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()))
        .map_or_else(|| Uuid::now_v7().to_string().into(), Into::into)
}

/// The caller's place in a trace, as the header says it; who says two has none.
pub(super) fn given(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut places = headers.get_all(TRACEPARENT).iter();
    places.next().filter(|_| places.next().is_none())
}

/// Makes the span part of the trace that the headers name, if they name one.
pub fn continue_trace(span: &Span, headers: &HeaderMap) {
    if given(headers).is_some() {
        let parent = TraceContextPropagator::new().extract(&Incoming(headers));
        // It fails only where no tracer is installed, and then there is no trace to continue.
        drop(span.set_parent(parent));
    }
}

/// Writes the span's place in its trace into the headers of a request to another service.
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    inject_context(&span.context(), headers);
}

/// The span's place in its trace, as the header says it; `None` where nothing traces.
pub fn traceparent(span: &Span) -> Option<HeaderValue> {
    let mut headers = HeaderMap::new();
    inject(span, &mut headers);
    headers.remove(TRACEPARENT)
}

fn inject_context(context: &Context, headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(context, &mut Outgoing(headers));
}

struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Outgoing<'a>(&'a mut HeaderMap);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
