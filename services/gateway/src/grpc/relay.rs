use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::{Code, Status};
use tracing::Span;

use super::{Answered, late};
use crate::observe::{End, Observed, end_call};
use crate::upstream::{self, CallError, Lease, Received};

/// The body of an upstream's answer on its way to the caller. However it ends, the caller gets a `grpc-status`.
pub(crate) struct Relay {
    /// The body while it lasts, and the call's place; dropped, both end the call upstream.
    flowing: Option<(Received, Lease)>,
    /// When the caller stops waiting.
    ends: Option<Pin<Box<Sleep>>>,
    /// Whether the caller has a status, or will have nothing else.
    has_status: bool,
    /// The span of the call.
    span: Span,
    /// The request that this answers; dropped before its end, it was left by its caller.
    observed: Box<Observed>,
}

impl Relay {
    /// The body of an answer whose head is gone already, with the status if that was in it.
    pub(super) fn new(
        body: Received,
        answered: Answered,
        code: Option<Code>,
        mut observed: Observed,
    ) -> Self {
        let Answered { lease, ends, span } = answered;
        // What is over already cannot be late.
        let ends = ends.filter(|_| !body.is_end_stream()).map(|ends| Box::pin(sleep_until(ends)));
        if let Some(code) = code {
            observed.end(End::Grpc(code));
            end_call(&span, code, false);
        }
        let flowing = Some((body, lease));
        Self { flowing, ends, has_status: code.is_some(), span, observed: Box::new(observed) }
    }

    /// When the caller stops waiting.
    pub(crate) fn ends(&self) -> Option<Instant> {
        self.ends.as_ref().map(|ends| ends.deadline())
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        let Some((body, _)) = &mut self.flowing else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            return Poll::Ready(match frame {
                Some(Ok(frame)) if self.is_without_status(&frame) => self.end(&without_status()),
                Some(Ok(frame)) => {
                    if let Some(code) = observe(&mut self.observed, &frame) {
                        self.has_status = true;
                        end_call(&self.span, code, false);
                    }
                    Some(frame)
                }
                Some(Err(error)) => self.end(&CallError::of_http(&error).status()),
                None if self.has_status => self.flowing.take().and(None),
                None => self.end(&without_status()),
            });
        }
        let Some(ends) = &mut self.ends else { return Poll::Pending };
        ready!(ends.as_mut().poll(cx));
        Poll::Ready(self.end(&late()))
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        match &self.flowing {
            Some((body, _)) => body.is_end_stream() && self.has_status,
            None => true,
        }
    }

    /// Whether it is the last of the answer, and does not say how that ended.
    fn is_without_status(&self, frame: &Frame<Bytes>) -> bool {
        !self.has_status && frame.trailers_ref().is_some_and(|trailers| upstream::code(trailers).is_none())
    }

    /// Ends the call upstream, and tells the caller how it ended.
    fn end(&mut self, status: &Status) -> Option<Frame<Bytes>> {
        self.flowing = None;
        self.observed.end(End::Grpc(status.code()));
        end_call(&self.span, status.code(), true);
        let mut trailers = HeaderMap::new();
        if status.add_header(&mut trailers).is_err() {
            trailers.insert(Status::GRPC_STATUS, http::HeaderValue::from(Code::Internal as i32));
        }
        Some(Frame::trailers(trailers))
    }
}

fn without_status() -> Status {
    Status::internal("the service ended its answer without a status")
}

/// Sees a part of an answer pass by; the last one has the status.
pub(super) fn observe(observed: &mut Observed, frame: &Frame<Bytes>) -> Option<Code> {
    observed.response_bytes += frame.data_ref().map_or(0, Bytes::len);
    let code = upstream::code(frame.trailers_ref()?).unwrap_or(Code::Unknown);
    observed.end(End::Grpc(code));
    Some(code)
}
