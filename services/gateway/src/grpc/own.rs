//! Calls that the gateway answers itself, seen in logs and figures like all others.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tonic::codegen::Service;
use tonic::{Code, Status};
use tracing::Instrument as _;

use super::relay;
use crate::body::{Body, BodyError};
use crate::observe::{End, Label, Observed};
use crate::panics::{self, caught};
use crate::upstream;
use crate::worker::Worker;

/// What the calls of the gateway's own services are counted under.
const RPCS: [&str; 5] = [
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/List",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// The label of a call, by its path.
pub(super) fn label(path: &str) -> Option<Label> {
    let rpc = RPCS.iter().find(|rpc| path.strip_prefix('/') == Some(rpc))?;
    Some(Label::Own(rpc))
}

/// Answers with a service of the gateway itself.
pub(super) async fn answer<S>(
    worker: &Arc<Worker>,
    label: Label,
    mut service: S,
    request: Request<Incoming>,
) -> Response<Body>
where
    S: Service<Request<Incoming>, Response = Response<tonic::body::Body>, Error = Infallible>,
{
    let mut observed = Observed::begin(worker, label, End::Grpc(Code::Cancelled), &request);
    let span = observed.span.clone();
    let answered = caught(async { service.call(request).await }.instrument(span)).await;
    let mut response = match answered {
        Ok(Ok(response)) => response,
        Err(panic) => {
            observed.explain(&panic);
            Status::internal(panics::FAILED).into_http()
        }
    };
    observed.name(response.headers_mut());
    if let Some(code) = upstream::code(response.headers()) {
        observed.end(End::Grpc(code));
    }
    response.map(|body| Body::own(Own { body, observed: Box::new(observed) }))
}

/// The body of such an answer.
pub(crate) struct Own {
    body: tonic::body::Body,
    /// The request that this answers; dropped before its end, it was left by its caller.
    observed: Box<Observed>,
}

impl Own {
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
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
