//! Bodies of streams with something attached: a guard, a clock.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::future::BoxFuture;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;

use crate::{Code, Error};

type Data = <Body as http_body::Body>::Data;

/// A body that keeps something until it ends or is dropped.
pub(super) struct Held<G> {
    body: Body,
    _guard: G,
}

impl<G> Held<G> {
    pub(super) fn new(body: Body, guard: G) -> Self {
        Self { body, _guard: guard }
    }
}

impl<G: Unpin> http_body::Body for Held<G> {
    type Data = Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Data>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Why a stream was ended by the server.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Idle,
    Age,
    Drain,
}

impl From<End> for Status {
    /// After each of these the client may go on where it was.
    fn from(end: End) -> Self {
        let (reason, message) = match end {
            End::Idle => ("STREAM_IDLE", "nothing was sent for too long; open the stream again"),
            End::Age => ("STREAM_AGE", "the stream has reached its longest duration; open it again"),
            End::Drain => ("DRAINING", "this server is going away; open the stream again"),
        };
        Error::new(Code::Unavailable, reason, message).into()
    }
}

/// How long a stream may go on.
#[derive(Clone)]
pub(super) struct Bounds {
    /// Longest silence.
    pub(super) idle: Duration,
    /// When it ends at the latest.
    pub(super) until: Instant,
    /// When the server goes away.
    pub(super) drain: CancellationToken,
}

/// A body that does not last for ever: it ends when nothing has moved for a while, at a certain age, and at drain.
pub(super) struct Bounded {
    body: Body,
    idle: Duration,
    quiet_until: Pin<Box<Sleep>>,
    age: Pin<Box<Sleep>>,
    drained: BoxFuture<'static, ()>,
    /// How a stream tells its reader: the server's answer by trailers, a request's body by an error for the handler.
    by_trailers: bool,
    over: bool,
}

impl Bounded {
    /// Bounds what the server sends; the end reaches the client as a status.
    pub(super) fn answer(body: Body, bounds: Bounds) -> Self {
        Self {
            body,
            idle: bounds.idle,
            quiet_until: Box::pin(sleep(bounds.idle)),
            age: Box::pin(sleep_until(bounds.until)),
            drained: Box::pin(bounds.drain.cancelled_owned()),
            by_trailers: true,
            over: false,
        }
    }

    /// Bounds what the client sends; the end reaches the handler as an error of its stream.
    pub(super) fn request(body: Body, bounds: Bounds) -> Self {
        Self { by_trailers: false, ..Self::answer(body, bounds) }
    }

    fn must_end(&mut self, cx: &mut Context<'_>) -> Option<End> {
        if self.drained.as_mut().poll(cx).is_ready() {
            Some(End::Drain)
        } else if self.age.as_mut().poll(cx).is_ready() {
            Some(End::Age)
        } else if self.quiet_until.as_mut().poll(cx).is_ready() {
            Some(End::Idle)
        } else {
            None
        }
    }
}

impl http_body::Body for Bounded {
    type Data = Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Data>, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let Some(end) = self.must_end(cx) else {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
            let quiet_until = Instant::now() + self.idle;
            self.quiet_until.as_mut().reset(quiet_until);
            return Poll::Ready(frame);
        };
        self.over = true;
        // Dropping the inner body tells the handler that nobody listens any more.
        self.body = Body::empty();
        let status = Status::from(end);
        if !self.by_trailers {
            return Poll::Ready(Some(Err(status)));
        }
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(match status.add_header(&mut trailers) {
            Ok(()) => Ok(Frame::trailers(trailers)),
            Err(status) => Err(status),
        }))
    }
}
