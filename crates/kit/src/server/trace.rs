use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};
use std::time::Instant;

use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response};
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};

use super::Method;
use crate::Context;
use crate::telemetry::metrics::{Metrics, code_name};
use crate::telemetry::propagation::{self, REQUEST_ID};
use crate::telemetry::{Place, Traces};

/// Makes every call that is recorded a span of its caller's trace, and each a number in the metrics; says in its
/// [`Context`] what names it.
#[derive(Clone)]
pub(super) struct TraceLayer(Arc<Metrics>);

impl TraceLayer {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self(metrics)
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace { inner, metrics: self.0.clone() }
    }
}

#[derive(Clone)]
pub(super) struct Trace<S> {
    inner: S,
    metrics: Arc<Metrics>,
}

impl<S, B> Service<Request<Body>> for Trace<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: http_body::Body<Data = <Body as http_body::Body>::Data> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = Method::of(request.uri().path());
        let request_id = propagation::request_id(request.headers());
        let traces = Traces::current();
        let place = Place::of(request.headers(), traces.ratio);
        let span = if traces.exported && place.is_recorded() && !method.is_health() {
            let span = span(method, &request_id);
            propagation::continue_trace(&span, request.headers());
            span
        } else {
            Span::none()
        };
        let mut call = Call::begin(self.metrics.clone(), method, span.clone());
        let header = HeaderValue::from_str(&request_id).ok();
        let context = Context {
            rpc: Some(method.name.clone()),
            request_id: Some(request_id),
            place: Some(place),
            ..Context::default()
        };
        let answer = context.enter(|| span.in_scope(|| self.inner.call(request)));
        let answer = async move {
            let mut response = context.scope(answer).await?.map(Body::new);
            if let Some(mut header) = header {
                // It never comes again: to remember it would push out of HPACK's tables what does.
                header.set_sensitive(true);
                response.headers_mut().insert(REQUEST_ID, header);
            }
            // A failed call says so in its headers. A unary call that does not is complete and well; of a stream only
            // the trailers know.
            match Status::from_header_map(response.headers()) {
                Some(status) => call.end(status.code()),
                None if !method.streaming => call.end(Code::Ok),
                None => response = response.map(|body| Body::new(Observed { body, call })),
            }
            Ok(response)
        };
        Box::pin(answer.instrument(span))
    }
}

fn span(method: &Method, request_id: &str) -> Span {
    info_span!(
        "rpc",
        otel.name = &*method.name,
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = &*method.name,
        rpc.response.status_code = Empty,
        request_id,
    )
}

/// A call in progress; one that is dropped before its end was cancelled by its caller.
struct Call {
    metrics: Arc<Metrics>,
    method: &'static Method,
    span: Span,
    began: Instant,
    ended: bool,
}

impl Call {
    fn begin(metrics: Arc<Metrics>, method: &'static Method, span: Span) -> Self {
        metrics.call_began(method);
        Self { metrics, method, span, began: Instant::now(), ended: false }
    }

    fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.metrics.call_ended(self.method, code, self.began.elapsed());
        self.span.record("rpc.response.status_code", code_name(code));
        // Of the caller's own errors the trace is not to blame.
        if matches!(
            code,
            Code::Unknown | Code::DeadlineExceeded | Code::Internal | Code::Unavailable | Code::DataLoss
        ) {
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

/// The body of a stream, watched for how it ends.
struct Observed {
    body: Body,
    call: Call,
}

impl http_body::Body for Observed {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        // What the handler does while its answer streams belongs to the call as well.
        let Self { body, call } = &mut *self;
        let frame = ready!(call.span.in_scope(|| Pin::new(body).poll_frame(cx)));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(status) = frame.trailers_ref().and_then(Status::from_header_map) {
                    self.call.end(status.code());
                }
            }
            Some(Err(status)) => self.call.end(status.code()),
            None => self.call.end(Code::Ok),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
