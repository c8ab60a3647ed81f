//! Checks the frames around a client's messages.
//!
//! tonic calls everything that is wrong with them INTERNAL; but it is the caller who got them wrong.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, Request};
use http_body::{Frame, SizeHint};
use selvedge_proto::codec::MALFORMED_MESSAGE;
use tonic::Status;
use tonic::body::Body;

use super::Method;
use crate::{Code, Error};

type Data = <Body as http_body::Body>::Data;

/// A flag that says whether the message is compressed, and four bytes of its length.
const HEADER_BYTES: usize = 5;

/// Has the frames of a request checked while they arrive, and its messages held to a size.
pub(super) fn check(request: Request<Body>, max_message_bytes: usize) -> Request<Body> {
    let one_message = !Method::of(request.uri().path()).takes_stream;
    let compressed = names_a_compression(request.headers());
    request.map(|body| {
        Body::new(Frames {
            body,
            max: max_message_bytes,
            compressed,
            one_message,
            header: [0; HEADER_BYTES],
            header_read: 0,
            left: 0,
            messages: 0,
            over: false,
        })
    })
}

fn names_a_compression(headers: &HeaderMap) -> bool {
    headers.get("grpc-encoding").is_some_and(|encoding| encoding != "identity")
}

struct Frames {
    body: Body,
    max: usize,
    /// Whether a message may be compressed.
    compressed: bool,
    /// Whether there must be one.
    one_message: bool,
    header: [u8; HEADER_BYTES],
    header_read: usize,
    /// Bytes of the current message that have not come yet.
    left: usize,
    messages: usize,
    over: bool,
}

impl Frames {
    fn read(&mut self, mut data: &[u8]) -> Result<(), Error> {
        while !data.is_empty() {
            if self.left > 0 {
                let (_, rest) = data.split_at(self.left.min(data.len()));
                self.left -= data.len() - rest.len();
                data = rest;
                continue;
            }
            let (head, rest) = data.split_at((HEADER_BYTES - self.header_read).min(data.len()));
            self.header[self.header_read..][..head.len()].copy_from_slice(head);
            self.header_read += head.len();
            data = rest;
            if self.header_read == HEADER_BYTES {
                self.header_read = 0;
                self.begin_message()?;
            }
        }
        Ok(())
    }

    fn begin_message(&mut self) -> Result<(), Error> {
        let [flag, length @ ..] = self.header;
        match flag {
            0 => {}
            1 if self.compressed => {}
            1 => return Err(malformed("a message is compressed, but grpc-encoding does not say how")),
            _ => return Err(malformed("these are not gRPC frames")),
        }
        self.left = usize::try_from(u32::from_be_bytes(length)).expect("32 bits fit");
        if self.left > self.max {
            let message =
                format!("a message may have {} bytes at most, this one has {}", self.max, self.left);
            return Err(Error::new(Code::ResourceExhausted, "MESSAGE_TOO_LARGE", message));
        }
        self.messages += 1;
        Ok(())
    }

    fn end(&self) -> Result<(), Error> {
        if self.left > 0 || self.header_read > 0 {
            Err(malformed("the request ends in the middle of a message"))
        } else if self.one_message && self.messages == 0 {
            Err(malformed("the request has no message"))
        } else {
            Ok(())
        }
    }
}

impl http_body::Body for Frames {
    type Data = Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Data>, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let checked = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(Ok(()), |data| self.read(data)),
            Some(Err(_)) => Ok(()),
            None => self.end(),
        };
        Poll::Ready(match checked {
            Ok(()) => frame,
            Err(error) => {
                self.over = true;
                Some(Err(error.into()))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        // Only the end itself tells whether anything is missing.
        false
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn malformed(message: &'static str) -> Error {
    Error::new(Code::InvalidArgument, MALFORMED_MESSAGE, message)
}
