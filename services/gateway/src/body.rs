//! Bodies: what is answered, and what upstreams are sent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::grpc::{Own, Relay};
use crate::spawn::Room;

/// How much of a body is given at once: what is given counts as sent, though its client may not take it.
const PIECE: usize = 16 << 10;
/// Up to here a body is kept whole.
const SHORT: usize = 64 << 10;

pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A body of any of the kinds that occur here. An enum, as boxing each would cost every request an allocation.
pub(crate) struct Body(Kind);

enum Kind {
    Empty,
    Full(Bytes),
    /// The one message of a unary call. Its length goes unsaid: a header more for what the frame says.
    Message(Bytes),
    Incoming(Incoming),
    /// What came already, and what is still to come.
    Begun(Bytes, Incoming),
    Relay(Relay),
    Own(Own),
}

impl Body {
    pub(crate) const fn empty() -> Self {
        Self(Kind::Empty)
    }

    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Full(bytes.into()))
    }

    /// How many bytes it has, as far as that is known.
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Kind::Full(bytes) | Kind::Message(bytes) => bytes.len(),
            Kind::Empty | Kind::Incoming(_) | Kind::Begun(..) | Kind::Relay(_) | Kind::Own(_) => 0,
        }
    }

    /// How long a client may take for the rest.
    pub(crate) fn room(&self) -> Room {
        match &self.0 {
            Kind::Empty | Kind::Full(_) | Kind::Message(_) => Room::Soon,
            Kind::Relay(relay) => relay.ends().map_or(Room::Anytime, Room::From),
            Kind::Incoming(_) | Kind::Begun(..) | Kind::Own(_) => Room::Anytime,
        }
    }

    /// The same once more, if all of it is there already.
    pub(crate) fn again(&self) -> Option<Self> {
        match &self.0 {
            Kind::Empty => Some(Self::empty()),
            Kind::Full(bytes) => Some(Self::full(bytes.clone())),
            Kind::Message(bytes) => Some(Self::message(bytes.clone())),
            Kind::Incoming(_) | Kind::Begun(..) | Kind::Relay(_) | Kind::Own(_) => None,
        }
    }

    /// All of it, if all of it is there already.
    pub(crate) fn take_whole(&mut self) -> Option<Bytes> {
        match &mut self.0 {
            Kind::Full(bytes) | Kind::Message(bytes) => Some(std::mem::take(bytes)),
            Kind::Empty => Some(Bytes::new()),
            Kind::Incoming(_) | Kind::Begun(..) | Kind::Relay(_) | Kind::Own(_) => None,
        }
    }

    pub(crate) const fn message(framed: Bytes) -> Self {
        Self(Kind::Message(framed))
    }

    pub(crate) const fn incoming(body: Incoming) -> Self {
        Self(Kind::Incoming(body))
    }

    pub(crate) const fn relay(relay: Relay) -> Self {
        Self(Kind::Relay(relay))
    }

    pub(crate) const fn own(own: Own) -> Self {
        Self(Kind::Own(own))
    }
}

/// What the answer to a browser's question about CORS has.
impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) | Kind::Message(bytes) => {
                let piece = bytes.split_to(bytes.len().min(PIECE));
                Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
            }
            Kind::Begun(bytes, _) if !bytes.is_empty() => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes)))))
            }
            Kind::Incoming(body) | Kind::Begun(_, body) => {
                let frame = ready!(Pin::new(body).poll_frame(cx));
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Kind::Relay(relay) => Poll::Ready(ready!(relay.poll_frame(cx)).map(Ok)),
            Kind::Own(own) => own.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(bytes) | Kind::Message(bytes) => bytes.is_empty(),
            Kind::Incoming(body) => body.is_end_stream(),
            Kind::Begun(bytes, body) => bytes.is_empty() && body.is_end_stream(),
            Kind::Relay(relay) => relay.is_end_stream(),
            Kind::Own(own) => own.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Incoming(body) => body.size_hint(),
            Kind::Own(own) => own.size_hint(),
            Kind::Message(_) | Kind::Begun(..) | Kind::Relay(_) => SizeHint::default(),
        }
    }
}

/// Why a request's body was not taken in.
#[derive(Debug)]
pub(crate) enum CollectError {
    /// It is larger than allowed.
    TooLarge,
    /// It makes no progress.
    Stalled,
    /// The client broke off, or is not speaking HTTP.
    Broken(hyper::Error),
}

/// Takes in a whole body of at most `limit` bytes, of which some must arrive every `idle`. One that comes in one piece is
/// not copied.
pub(crate) async fn collect(
    body: &mut Incoming,
    limit: usize,
    idle: Duration,
) -> Result<Bytes, CollectError> {
    use http_body::Body as _;
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > limit as u64 {
        return Err(CollectError::TooLarge);
    }
    let mut joined = Joined::default();
    while let Some(frame) = timeout(idle, body.frame()).await.map_err(|_| CollectError::Stalled)? {
        let Ok(data) = frame.map_err(CollectError::Broken)?.into_data() else { continue };
        if data.len() > limit - joined.len() {
            return Err(CollectError::TooLarge);
        }
        joined.add(data);
    }
    Ok(joined.into_bytes())
}

/// The body of a call that has one message: whole if it is short, so that it could be sent again; else as it comes.
pub(crate) async fn short(mut body: Incoming) -> Result<Body, hyper::Error> {
    let mut joined = Joined::default();
    while joined.len() <= SHORT {
        let Some(frame) = body.frame().await else { return Ok(Body::message(joined.into_bytes())) };
        // Calls have no trailers.
        if let Ok(data) = frame?.into_data() {
            joined.add(data);
        }
    }
    Ok(Body(Kind::Begun(joined.into_bytes(), body)))
}

/// Pieces, of which one alone is not copied.
#[derive(Default)]
struct Joined {
    first: Bytes,
    all: BytesMut,
}

impl Joined {
    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn add(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
        } else {
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
            self.all.extend_from_slice(&data);
        }
    }

    fn into_bytes(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}
