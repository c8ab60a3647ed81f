//! A request on its way out, and the body of its answer on its way back.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use http_body::{Body as _, Frame};
use tokio_util::task::AbortOnDropHandle;

use crate::body::Body;

/// Sends a request, and waits for the head of its answer. Dropped, it cancels the call.
pub(super) async fn exchange(
    sender: &mut SendRequest<Bytes>,
    request: Request<Body>,
) -> Result<Response<Received>, h2::Error> {
    let (head, mut body) = request.into_parts();
    let whole = body.take_whole();
    let is_empty = whole.as_ref().is_some_and(Bytes::is_empty);
    let (answer, mut to) = sender.send_request(Request::from_parts(head, ()), is_empty)?;
    let sending = match whole {
        Some(_) if is_empty => None,
        Some(whole) => {
            to.send_data(whole, true)?;
            None
        }
        None => Some(AbortOnDropHandle::new(tokio::spawn(send(body, to)))),
    };
    Ok(answer.await?.map(|stream| Received { stream, _sending: sending }))
}

/// Sends a body as it comes, until it ends or the upstream wants no more of it. What is wrong with the call is seen by who
/// waits for the answer.
async fn send(mut body: Body, mut to: SendStream<Bytes>) {
    let mut goes_on = true;
    while goes_on {
        let next = poll_fn(|cx| match to.poll_reset(cx) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => Pin::new(&mut body).poll_frame(cx).map(Some),
        });
        goes_on = match next.await {
            None => false,
            Some(None) => {
                to.send_data(Bytes::new(), true).ok();
                false
            }
            Some(Some(Err(_))) => {
                to.send_reset(Reason::CANCEL);
                false
            }
            Some(Some(Ok(frame))) => pass_on(frame, body.is_end_stream(), &mut to).await,
        };
    }
}

/// Sends a part of a body; answers with whether another may follow. Only the last one does not wait for room.
async fn pass_on(frame: Frame<Bytes>, is_last: bool, to: &mut SendStream<Bytes>) -> bool {
    match frame.into_data() {
        Ok(data) => {
            let may_go = is_last || data.is_empty() || has_room(to).await;
            may_go && to.send_data(data, is_last).is_ok() && !is_last
        }
        Err(frame) => {
            // The frame is data or trailers.
            to.send_trailers(frame.into_trailers().unwrap_or_default()).ok();
            false
        }
    }
}

/// Waits until the upstream takes more; `false` if it never will.
async fn has_room(to: &mut SendStream<Bytes>) -> bool {
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
    _sending: Option<AbortOnDropHandle<()>>,
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
