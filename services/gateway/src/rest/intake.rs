//! The body of a request, taken in and unpacked within its limits.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use hyper::body::{Body as _, Incoming};
use tonic::Code;

use super::methods::{ACCEPT_PATCH, JSON};
use super::problem::Problem;
use super::single::single;
use crate::body::{self, CollectError};
use crate::config::Limits;
use crate::encoding::{self, Unpacked};

/// The whole body as JSON text. One that is passed over comes within the same limits, and nobody looks at it.
pub(super) async fn take_in(
    head: &Parts,
    body: &mut Incoming,
    is_passed_over: bool,
    limits: &Limits,
) -> Result<Bytes, Problem> {
    let body = body::collect(body, limits.body_bytes, limits.body_idle)
        .await
        .map_err(|error| refusal(error, limits))?;
    if body.is_empty() || is_passed_over {
        return Ok(Bytes::new());
    }
    let headers = &head.headers;
    if !single(headers, &CONTENT_TYPE)?.is_none_or(is_json) {
        let detail = "the body must be JSON; say so with `content-type: application/json`";
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, detail);
        return Err(if head.method == Method::PATCH { problem.with(ACCEPT_PATCH, JSON) } else { problem });
    }
    if !headers.contains_key(CONTENT_ENCODING) {
        return Ok(body);
    }
    encoding::unpack(headers, body, limits.body_bytes).await.map_err(|error| match error {
        Unpacked::Unknown => {
            let detail = "the body is packed in a way that is not known here";
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, detail)
                .with(ACCEPT_ENCODING, encoding::ACCEPTED)
        }
        Unpacked::TooLarge => too_large(limits),
        Unpacked::Broken(error) => Problem::invalid("", format!("the body cannot be unpacked: {error}")),
    })
}

/// Ways to write a change whose rules are others than those of a PATCH here: a merge patch goes on inside of maps.
const OTHER_PATCHES: [&str; 2] = ["application/merge-patch+json", "application/json-patch+json"];

/// JSON, or something that is written as JSON; without a word about it, a body is taken for JSON.
fn is_json(content_type: &HeaderValue) -> bool {
    let content_type = content_type.to_str().unwrap_or("?").to_ascii_lowercase();
    let (media_type, parameters) = content_type.split_once(';').unwrap_or((&content_type, ""));
    let media_type = media_type.trim();
    let is_utf8 = parameters.split(';').all(|parameter| {
        parameter.trim().strip_prefix("charset=").is_none_or(|charset| charset.trim_matches('"') == "utf-8")
    });
    let is_json = media_type == "application/json" || media_type.ends_with("+json");
    is_utf8 && is_json && !OTHER_PATCHES.contains(&media_type)
}

/// The rest of the body will not be read, which over HTTP/1.1 is the end of the connection.
fn refusal(error: CollectError, limits: &Limits) -> Problem {
    match error {
        CollectError::TooLarge => too_large(limits).with(CONNECTION, CLOSE),
        CollectError::Stalled => too_slow(),
        CollectError::Broken(error) => {
            let problem = Problem::invalid("", format!("the body broke off: {error}"));
            problem.with(CONNECTION, CLOSE)
        }
    }
}

/// After a request was answered: whether its connection can go on, as all of its body has come. A short one is waited for,
/// as it is most often there already. Who waits to be told whether to send one is not told to.
pub(super) async fn is_over(head: &Parts, body: &mut Incoming) -> bool {
    body.is_end_stream()
        || !head.headers.contains_key(EXPECT) && body::collect(body, SHORT, SOON).await.is_ok()
}

/// How much of a body that nobody wants is waited for, and how long.
const SHORT: usize = 64 << 10;
const SOON: Duration = Duration::from_millis(100);

pub(super) fn too_slow() -> Problem {
    let detail = "the body came too slowly";
    Problem::new(StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded, detail).with(CONNECTION, CLOSE)
}

pub(crate) const CLOSE: HeaderValue = HeaderValue::from_static("close");

fn too_large(limits: &Limits) -> Problem {
    let detail = format!("a body may have {} bytes", limits.body_bytes);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::OutOfRange, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_what_says_so() {
        let is = |value: &str| is_json(&value.parse().unwrap());
        for json in ["application/json", "Application/JSON; charset=UTF-8", "application/vnd.film+json"] {
            assert!(is(json), "{json}");
        }
        for other in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
            "application/merge-patch+json; charset=utf-8",
            "application/json-patch+json",
            "",
        ] {
            assert!(!is(other), "{other}");
        }
    }
}
