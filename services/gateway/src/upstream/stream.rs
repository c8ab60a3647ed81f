//! A request on its way out, and the body of its answer on its way back.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures::future::Either;
use h2::client::SendRequest;
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use http_body::{Body as _, Frame};
use tokio_util::task::AbortOnDropHandle;

use crate::body::Body;

/// Sends a request, and waits for the head of its answer. Dropped, it cancels the call.
pub(super) async fn exchange(
    sender: &mut SendRequest<Piece>,
    request: Request<Body>,
) -> Result<Response<Received>, h2::Error> {
    let (head, mut body) = request.into_parts();
    let whole = body.take_whole();
    let is_empty = whole.as_ref().is_some_and(Bytes::is_empty);
    let (answer, stream) = sender.send_request(Request::from_parts(head, ()), is_empty)?;
    let mut to = Outgoing { stream, unsent: Arc::default() };
    let sending = match whole {
        Some(_) if is_empty => Either::Left(to),
        Some(whole) => {
            to.send(whole, true)?;
            Either::Left(to)
        }
        None => Either::Right(AbortOnDropHandle::new(tokio::spawn(send(body, to)))),
    };
    Ok(answer.await?.map(|stream| Received { stream, _sending: sending }))
}

/// The way of a request's body. Dropped, it is cut off where not all has left: an upstream that has answered need not take in
/// the rest, which would keep its place on the connection.
struct Outgoing {
    stream: SendStream<Piece>,
    /// Held by each piece that has not left as well.
    unsent: Arc<()>,
}

impl Outgoing {
    fn send(&mut self, data: Bytes, is_last: bool) -> Result<(), h2::Error> {
        self.stream.send_data(Piece { data, _unsent: self.unsent.clone() }, is_last)
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if Arc::strong_count(&self.unsent) > 1 {
            self.stream.send_reset(Reason::CANCEL);
        }
    }
}

/// A piece of a request's body, which h2 drops when it was written.
pub(super) struct Piece {
    data: Bytes,
    _unsent: Arc<()>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.data.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.data.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.data.advance(count);
    }
}

/// Sends a body as it comes, until it ends or the upstream wants no more of it. What is wrong with the call is seen by who
/// waits for the answer.
async fn send(mut body: Body, mut to: Outgoing) {
    let mut goes_on = true;
    while goes_on {
        let next = poll_fn(|cx| match to.stream.poll_reset(cx) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => Pin::new(&mut body).poll_frame(cx).map(Some),
        });
        goes_on = match next.await {
            None => false,
            Some(None) => {
                to.send(Bytes::new(), true).ok();
                false
            }
            Some(Some(Err(_))) => {
                to.stream.send_reset(Reason::CANCEL);
                false
            }
            Some(Some(Ok(frame))) => pass_on(frame, body.is_end_stream(), &mut to).await,
        };
    }
    // Until the answer ends, and this with it: not all need have left.
    pending::<()>().await;
}

/// Sends a part of a body; answers with whether another may follow. Only the last one does not wait for room.
async fn pass_on(frame: Frame<Bytes>, is_last: bool, to: &mut Outgoing) -> bool {
    match frame.into_data() {
        Ok(data) => {
            let may_go = is_last || data.is_empty() || has_room(&mut to.stream).await;
            may_go && to.send(data, is_last).is_ok() && !is_last
        }
        Err(frame) => {
            // The frame is data or trailers.
            to.stream.send_trailers(frame.into_trailers().unwrap_or_default()).ok();
            false
        }
    }
}

/// Waits until the upstream takes more; `false` if it never will.
async fn has_room(to: &mut SendStream<Piece>) -> bool {
    to.reserve_capacity(1);
    while to.capacity() == 0 {
        if !matches!(poll_fn(|cx| to.poll_capacity(cx)).await, Some(Ok(_))) {
            return false;
        }
    }
    true
}

/// The body of an answer. Dropped before its end, it ends the call.
pub(crate) struct Received {
    stream: RecvStream,
    /// The request, for as long as it may have to be sent.
    _sending: Either<Outgoing, AbortOnDropHandle<()>>,
}

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if let Some(data) = ready!(self.stream.poll_data(cx)) {
            return Poll::Ready(Some(data.and_then(|data| {
                self.stream.flow_control().release_capacity(data.len())?;
                Ok(Frame::data(data))
            })));
        }
        let trailers = ready!(self.stream.poll_trailers(cx));
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }
}
