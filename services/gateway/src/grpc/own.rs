//! Calls that the gateway answers itself, seen in logs and figures like all others.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::codegen::Service;
use tonic::{Code, Status};
use tracing::Instrument as _;

use super::{ends, late, relay};
use crate::body::{Body, BodyError};
use crate::observe::{End, Label, Observed};
use crate::panics::{self, caught};
use crate::upstream::{self, in_time};
use crate::worker::{Shared, Worker};

/// What the calls of the gateway's own services are counted under.
const UNARY: [&str; 2] = ["grpc.health.v1.Health/Check", "grpc.health.v1.Health/List"];
const STREAMS: [&str; 3] = [
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// The label of a call, by its path.
pub(super) fn label(path: &str) -> Option<Label> {
    let rpc = UNARY.iter().chain(&STREAMS).find(|rpc| path.strip_prefix('/') == Some(rpc))?;
    Some(Label::Own(rpc))
}

/// Answers with a service of the gateway itself.
pub(super) async fn answer<S>(
    worker: &Arc<Worker>,
    label: Label,
    service: S,
    request: Request<Incoming>,
) -> Response<Body>
where
    S: Service<Request<Incoming>, Response = Response<tonic::body::Body>, Error = Infallible>,
{
    let mut observed = Observed::begin(worker, label, End::Grpc(Code::Cancelled), &request);
    let span = observed.span.clone();
    let answer = call(&worker.shared, label, service, request).instrument(span);
    let answered = caught(answer).await.unwrap_or_else(|panic| {
        observed.explain(&panic);
        Err(Status::internal(panics::FAILED))
    });
    let (mut response, ends) = answered.unwrap_or_else(|status| (status.into_http(), None));
    observed.name(response.headers_mut());
    if let Some(code) = upstream::code(response.headers()) {
        observed.end(End::Grpc(code));
    }
    let ends = ends.map(|ends| Box::pin(sleep_until(ends)));
    response.map(|body| Body::own(Own { body, ends, observed: Box::new(observed) }))
}

/// The answer of a service, and when the call is to end.
async fn call<S>(
    shared: &Shared,
    label: Label,
    mut service: S,
    mut request: Request<Incoming>,
) -> Result<(Response<tonic::body::Body>, Option<Instant>), Status>
where
    S: Service<Request<Incoming>, Response = Response<tonic::body::Body>, Error = Infallible>,
{
    let is_unary = matches!(label, Label::Own(rpc) if UNARY.contains(&rpc));
    let ends = ends(shared, is_unary, request.headers_mut())?;
    // The service waits for the message, which may never be whole.
    let answer = service.call(request);
    let Ok(response) = match ends {
        None => answer.await,
        Some(ends) => in_time(ends, answer).await.ok_or_else(late)?,
    };
    Ok((response, ends))
}

/// The body of such an answer.
pub(crate) struct Own {
    body: tonic::body::Body,
    /// When the caller stops waiting.
    ends: Option<Pin<Box<Sleep>>>,
    /// The request that this answers; dropped before its end, it was left by its caller.
    observed: Box<Observed>,
}

impl Own {
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let Some(ends) = &mut self.ends else { return Poll::Pending };
                ready!(ends.as_mut().poll(cx));
                // With its body, the service is told to stop.
                self.body = tonic::body::Body::empty();
                let mut trailers = HeaderMap::new();
                late().add_header(&mut trailers).expect("its words are plain");
                Some(Ok(Frame::trailers(trailers)))
            }
        };
        if let Some(Ok(frame)) = &frame {
            relay::observe(&mut self.observed, frame);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
