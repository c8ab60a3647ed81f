//! What an upstream answers to a unary call.

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use tonic::Code;

use super::stream::Received;
use super::{CallError, status};

/// A flag that says whether the message is compressed, and four bytes of its length.
const PREFIX_BYTES: usize = 5;

/// A good answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) headers: HeaderMap,
    pub(crate) trailers: HeaderMap,
    pub(crate) message: Bytes,
}

/// What a proxy before the upstream answers where that is not there, or takes no more; gRPC calls these unavailable.
const NOT_NOW: [StatusCode; 4] = [
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// Whether the head of an answer is one of gRPC.
pub(crate) fn check_head<B>(response: &Response<B>) -> Result<(), CallError> {
    let status = response.status();
    if NOT_NOW.contains(&status) {
        return Err(CallError::Broken(Code::Unavailable, format!("HTTP status {status}")));
    }
    if status != StatusCode::OK {
        return Err(CallError::Garbage(format!("HTTP status {status}")));
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc")) {
        Ok(())
    } else {
        Err(CallError::Garbage(format!("content-type {kind:?}")))
    }
}

/// Takes in an answer of one message.
pub(super) async fn read(response: Response<Received>, limit: usize) -> Result<Reply, CallError> {
    check_head(&response)?;
    let (head, mut body) = response.into_parts();
    let mut trailers = None;
    let mut message = Message { whole: None, parts: BytesMut::new(), limit };
    while let Some(frame) = body.frame().await {
        match frame.map_err(|error| CallError::of_http(&error))?.into_data() {
            Ok(data) => message.add(data)?,
            // The frame is data or trailers.
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    let missing = || CallError::Garbage("there is no grpc-status".to_owned());
    // An answer without a message has its status in the headers.
    let code = status::code(trailers.as_ref().unwrap_or(&head.headers)).ok_or_else(missing)?;
    if code != Code::Ok {
        return Err(CallError::Failed(Box::new(status::read(code, head.headers, trailers.as_ref()))));
    }
    let message = message.whole.ok_or_else(|| CallError::Garbage("there is no whole message".to_owned()))?;
    Ok(Reply { headers: head.headers, trailers: trailers.unwrap_or_default(), message })
}

/// A message that arrives in pieces; mostly there is one, which is not copied.
struct Message {
    whole: Option<Bytes>,
    parts: BytesMut,
    limit: usize,
}

impl Message {
    fn add(&mut self, data: Bytes) -> Result<(), CallError> {
        if data.is_empty() {
            return Ok(());
        }
        if self.whole.is_some() {
            return Err(CallError::Garbage("there is more than one message".to_owned()));
        }
        let mut all = if self.parts.is_empty() && self.is_whole(&data)? {
            data
        } else {
            self.parts.extend_from_slice(&data);
            if !self.is_whole(&self.parts)? {
                return Ok(());
            }
            self.parts.split().freeze()
        };
        let length = announced(&all)?.unwrap_or_default();
        all.advance(PREFIX_BYTES);
        if all.len() > length {
            return Err(CallError::Garbage("there is more than one message".to_owned()));
        }
        self.whole = Some(all);
        Ok(())
    }

    /// Whether all of a message is there; an error as soon as it is known to be too large.
    fn is_whole(&self, bytes: &[u8]) -> Result<bool, CallError> {
        match announced(bytes)? {
            Some(length) if length > self.limit => Err(CallError::TooLarge(self.limit)),
            Some(length) => Ok(bytes.len() >= PREFIX_BYTES + length),
            None => Ok(false),
        }
    }
}

/// The length that the prefix announces, if all of the prefix is there.
fn announced(bytes: &[u8]) -> Result<Option<usize>, CallError> {
    match *bytes {
        [0, a, b, c, d, ..] => Ok(Some(u32::from_be_bytes([a, b, c, d]) as usize)),
        [] | [0, ..] => Ok(None),
        _ => Err(CallError::Garbage("the message is compressed, which nobody asked for".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Option<Bytes>, CallError> {
        let mut message = Message { whole: None, parts: BytesMut::new(), limit: 10 };
        for piece in pieces {
            message.add(Bytes::copy_from_slice(piece))?;
        }
        Ok(message.whole)
    }

    #[test]
    fn a_message_may_come_in_any_pieces() {
        let whole = b"\0\0\0\0\x03abc";
        for first in 0..=whole.len() {
            for second in first..=whole.len() {
                let pieces = [&whole[..first], &whole[first..second], &whole[second..]];
                assert_eq!(read(&pieces).unwrap().unwrap(), &b"abc"[..], "{pieces:?}");
            }
        }
        assert_eq!(read(&[b"\0\0\0\0\0"]).unwrap().unwrap(), Bytes::new());
        assert!(read(&[b"\0\0\0\0\x03ab"]).unwrap().is_none());
    }

    #[test]
    fn what_is_not_one_message_is_garbage() {
        let wrong: [&[&[u8]]; 4] =
            [&[b"\x01\0\0\0\0"], &[b"rubbish"], &[b"\0\0\0\0\x01ab"], &[b"\0\0\0\0\x01a", b"\0"]];
        for pieces in wrong {
            assert!(matches!(read(pieces), Err(CallError::Garbage(_))), "{pieces:?}");
        }
        assert!(matches!(read(&[b"\0\0\0\0\x0b"]), Err(CallError::TooLarge(10))));
        assert!(matches!(read(&[b"\0\0", b"\0\x01\0a"]), Err(CallError::TooLarge(10))));
    }
}
