use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::{Code, Status};

use super::late;
use crate::observe::{End, Observed};
use crate::upstream::{self, CallError, Lease};

/// The body of an upstream's answer on its way to the caller. However it ends, the caller gets a `grpc-status`.
pub(crate) struct Relay {
    /// The body while it lasts, and the call's place; dropped, both end the call upstream.
    flowing: Option<(Incoming, Lease)>,
    /// When the caller stops waiting.
    ends: Option<Pin<Box<Sleep>>>,
    /// Whether the caller has a status, or will have nothing else.
    has_status: bool,
    /// The request that this answers; dropped before its end, it was left by its caller.
    observed: Box<Observed>,
}

impl Relay {
    pub(super) fn new(
        body: Incoming,
        lease: Lease,
        ends: Option<Instant>,
        has_status: bool,
        observed: Observed,
    ) -> Self {
        // What is over already cannot be late.
        let ends = ends.filter(|_| !body.is_end_stream()).map(|ends| Box::pin(sleep_until(ends)));
        Self { flowing: Some((body, lease)), ends, has_status, observed: Box::new(observed) }
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        let Some((body, _)) = &mut self.flowing else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            return Poll::Ready(match frame {
                Some(Ok(frame)) => {
                    self.observe(&frame);
                    Some(frame)
                }
                Some(Err(error)) => self.end(&CallError::of_http(&error).status()),
                None if self.has_status => self.flowing.take().and(None),
                None => {
                    self.end(&Status::new(Code::Internal, "the service ended its answer without a status"))
                }
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

    fn observe(&mut self, frame: &Frame<Bytes>) {
        self.observed.response_bytes += frame.data_ref().map_or(0, Bytes::len);
        if let Some(trailers) = frame.trailers_ref() {
            self.has_status = true;
            let code = upstream::code(trailers).unwrap_or(Code::Unknown);
            self.observed.end(End::Grpc(code));
        }
    }

    /// Ends the call upstream, and tells the caller how it ended.
    fn end(&mut self, status: &Status) -> Option<Frame<Bytes>> {
        self.flowing = None;
        self.observed.end(End::Grpc(status.code()));
        let mut trailers = HeaderMap::new();
        if status.add_header(&mut trailers).is_err() {
            trailers.insert(Status::GRPC_STATUS, http::HeaderValue::from(Code::Internal as i32));
        }
        Some(Frame::trailers(trailers))
    }
}
