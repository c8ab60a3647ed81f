//! Bodies of streams with something attached: a guard, a clock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{self, Poll, ready};
use std::time::Duration;

use futures::future::BoxFuture;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;

use super::panics;
use crate::{Code, Context, Error};

type Data = <Body as http_body::Body>::Data;
type Next = Option<Result<Frame<Data>, Status>>;

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
        cx: &mut task::Context<'_>,
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
    /// The time that the caller itself gave is up.
    Deadline,
}

impl From<End> for Status {
    /// After all but the last of these the client may go on where it was.
    fn from(end: End) -> Self {
        let (code, reason, message) = match end {
            End::Idle => {
                (Code::Unavailable, "STREAM_IDLE", "nothing was sent for too long; open the stream again")
            }
            End::Age => (
                Code::Unavailable,
                "STREAM_AGE",
                "the stream has reached its longest duration; open it again",
            ),
            End::Drain => (Code::Unavailable, "DRAINING", "this server is going away; open the stream again"),
            End::Deadline => {
                (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the call took longer than its deadline allows")
            }
        };
        Error::new(code, reason, message).into()
    }
}

/// How long a stream may go on.
#[derive(Clone)]
pub(super) struct Bounds {
    /// Longest silence.
    pub(super) idle: Duration,
    /// When it ends at the latest, and why then.
    pub(super) until: Instant,
    pub(super) last: End,
    /// The call, for the SQL that a handler runs while its answer streams.
    pub(super) call: Context,
    /// When the server goes away.
    pub(super) drain: CancellationToken,
    /// Set when either side was ended. A handler may take the end of its request for the client's own, and end the answer
    /// as if all were well; the answer then says what it was.
    pub(super) ended: Arc<OnceLock<End>>,
}

/// What keeps a body from going on.
enum Stop {
    End(End),
    Panic(Status),
}

/// Whether nothing comes after this frame.
fn is_last(frame: Option<&Result<Frame<Data>, Status>>) -> bool {
    !matches!(frame, Some(Ok(frame)) if frame.is_data())
}

/// A body that does not last for ever: it ends when nothing has moved for a while, at a certain age, and at drain.
pub(super) struct Bounded {
    body: Body,
    idle: Duration,
    quiet_until: Pin<Box<Sleep>>,
    age: Pin<Box<Sleep>>,
    last: End,
    call: Context,
    drained: BoxFuture<'static, ()>,
    ended: Arc<OnceLock<End>>,
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
            last: bounds.last,
            call: bounds.call,
            drained: Box::pin(bounds.drain.cancelled_owned()),
            ended: bounds.ended,
            by_trailers: true,
            over: false,
        }
    }

    /// Bounds what the client sends; the end reaches the handler as an error of its stream.
    pub(super) fn request(body: Body, bounds: Bounds) -> Self {
        Self { by_trailers: false, ..Self::answer(body, bounds) }
    }

    /// Whether it must end however busy it is.
    fn must_end(&mut self, cx: &mut task::Context<'_>) -> Option<End> {
        if self.drained.as_mut().poll(cx).is_ready() {
            Some(End::Drain)
        } else {
            self.age.as_mut().poll(cx).is_ready().then_some(self.last)
        }
    }

    /// The next frame; or why there is none, when there has not been one for long, or when the handler panics.
    fn poll_body(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Next, Stop>> {
        let Self { body, call, .. } = self;
        match catch_unwind(AssertUnwindSafe(|| call.enter(|| Pin::new(body).poll_frame(cx)))) {
            Ok(Poll::Ready(frame)) => {
                let quiet_until = Instant::now() + self.idle;
                self.quiet_until.as_mut().reset(quiet_until);
                Poll::Ready(Ok(frame))
            }
            Ok(Poll::Pending) => self.quiet_until.as_mut().poll(cx).map(|()| Err(Stop::End(End::Idle))),
            Err(panic) => Poll::Ready(Err(Stop::Panic(panics::status(panic)))),
        }
    }
}

impl http_body::Body for Bounded {
    type Data = Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Data>, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let stop = match self.must_end(cx) {
            Some(end) => Stop::End(end),
            None => match ready!(self.poll_body(cx)) {
                Ok(frame) => match self.ended.get() {
                    Some(end) if self.by_trailers && is_last(frame.as_ref()) => Stop::End(*end),
                    _ => return Poll::Ready(frame),
                },
                Err(stop) => stop,
            },
        };
        let status = match stop {
            Stop::End(end) => {
                // The first reason is the one that counts.
                let _ = self.ended.set(end);
                end.into()
            }
            Stop::Panic(status) => status,
        };
        self.over = true;
        // Dropping the inner body tells the handler that nobody listens any more.
        self.body = Body::empty();
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
