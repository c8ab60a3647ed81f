//! Requests whose head is too large, is not HTTP or does not come, are answered before anybody looks at them.

use http::{HeaderMap, Request, StatusCode, Version, header};
use selvedge_kit::telemetry::propagation::REQUEST_ID;
use tonic::Code;

use super::host;
use crate::config::Limits;
use crate::rest::Problem;

/// What is wrong with the head of a request, if something is.
pub(crate) fn check<B>(request: &Request<B>, limits: &Limits) -> Option<Problem> {
    let headers = request.headers();
    let uri_bytes = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let header_bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
    let (status, detail) = if uri_bytes > limits.uri_bytes {
        (StatusCode::URI_TOO_LONG, format!("path and query may have {} bytes", limits.uri_bytes))
    } else if headers.len() > limits.header_count {
        (TOO_LARGE, format!("a request may have {} headers", limits.header_count))
    } else if header_bytes > limits.header_bytes {
        (TOO_LARGE, format!("the headers of a request may have {} bytes", limits.header_bytes))
    } else if !names_host(request) {
        (StatusCode::BAD_REQUEST, "a request names its host, once and as a host is written".to_owned())
    } else if !is_plainly_sent(headers) {
        (StatusCode::NOT_IMPLEMENTED, "a body may be sent `chunked`, and in no other encoding".to_owned())
    } else {
        return None;
    };
    let code = match status {
        StatusCode::BAD_REQUEST => Code::InvalidArgument,
        StatusCode::NOT_IMPLEMENTED => Code::Unimplemented,
        _ => Code::ResourceExhausted,
    };
    Some(Problem::new(status, code, detail))
}

/// Whether a body comes as it is once its chunks are put together, which hyper does; what else was done to it, nobody undoes.
fn is_plainly_sent(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = lines.next().is_none_or(|line| line.as_bytes().eq_ignore_ascii_case(b"chunked"));
    is_chunked && lines.next().is_none()
}

/// As HTTP demands it, so that everybody on the way agrees on whom a request is for.
fn names_host<B>(request: &Request<B>) -> bool {
    let uri = request.uri();
    let authority = uri.authority().map(|authority| authority.as_str().as_bytes());
    // A URI has to name somebody; only the header may be empty.
    if authority.is_some_and(|authority| authority.starts_with(b":") || !host::is_valid(authority)) {
        return false;
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (None, _) => return request.version() != Version::HTTP_11,
        (Some(host), None) => host.as_bytes(),
        (Some(_), Some(_)) => return false,
    };
    // Of HTTP/1.1, the URI is right where they differ.
    let of_both = authority.filter(|_| request.version() == Version::HTTP_2);
    host::is_valid(host) && of_both.is_none_or(|authority| host::are_same(authority, host, uri.scheme()))
}

const TOO_LARGE: StatusCode = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;

/// The answer to a request whose head does not come in time.
pub(super) fn late() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded, "the request came too slowly")
}

/// What hyper says by this answer, if it is one that hyper gives itself: to what it cannot read as a request. They have no
/// body, and no name as ours do.
pub(super) fn in_words(answer: &[u8]) -> Option<Problem> {
    if answer.len() > LONGEST_BARE || !answer.starts_with(b"HTTP/1.1 4") {
        return None;
    }
    let answer = std::str::from_utf8(answer).ok()?.strip_suffix("\r\n\r\n")?;
    if answer.contains(REQUEST_ID) || !answer.contains("\r\ncontent-length: 0") {
        return None;
    }
    let (status, code, detail) = match answer.get(9..12)? {
        "400" => (StatusCode::BAD_REQUEST, Code::InvalidArgument, "this is not a request of HTTP"),
        "414" => (StatusCode::URI_TOO_LONG, Code::ResourceExhausted, "the path is far too long"),
        // hyper says so of a path as well, where the head does not fit, and of the last lengths below 2^64.
        "431" => (TOO_LARGE, Code::ResourceExhausted, FAR_TOO_LARGE),
        _ => return None,
    };
    Some(Problem::new(status, code, detail))
}

const FAR_TOO_LARGE: &str = "the headers are far too many or too large, or the path or `content-length` is";

/// Status, length, date and `connection: close`.
const LONGEST_BARE: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_no_words_and_no_name_is_put_into_words() {
        let bare = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
        assert_eq!(in_words(bare.as_bytes()).unwrap().status, StatusCode::BAD_REQUEST);
        for other in [
            bare.replace("400", "404"),
            bare.replace("date: now", "x-request-id: 1"),
            bare.replace("length: 0", "length: 1"),
            format!("{bare}a"),
            format!("a{bare}"),
        ] {
            assert!(in_words(other.as_bytes()).is_none(), "{other}");
        }
    }
}
