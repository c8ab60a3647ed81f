//! Requests whose head is too large, or is not HTTP, are answered before anybody looks at them.

use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use serde_json::json;
use tonic::Code;

use crate::body::Body;
use crate::config::Limits;

/// Why a request is not looked at.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: Code,
    pub(crate) detail: String,
}

/// What is wrong with the head of a request, if something is.
pub(crate) fn check<B>(request: &Request<B>, limits: &Limits) -> Option<Refusal> {
    let headers = request.headers();
    let uri_bytes = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let header_bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
    let (status, detail) = if uri_bytes > limits.uri_bytes {
        (StatusCode::URI_TOO_LONG, format!("path and query may have {} bytes", limits.uri_bytes))
    } else if headers.len() > limits.header_count {
        (TOO_LARGE, format!("a request may have {} headers", limits.header_count))
    } else if header_bytes > limits.header_bytes {
        (TOO_LARGE, format!("the headers of a request may have {} bytes", limits.header_bytes))
    } else if names_host(request) {
        return None;
    } else {
        (StatusCode::BAD_REQUEST, "a request of HTTP/1.1 names its host, and once".to_owned())
    };
    let is_bad = status == StatusCode::BAD_REQUEST;
    let code = if is_bad { Code::InvalidArgument } else { Code::ResourceExhausted };
    Some(Refusal { status, code, detail })
}

/// As HTTP demands it, so that everybody on the way agrees on whom a request is for.
fn names_host<B>(request: &Request<B>) -> bool {
    let least = usize::from(request.version() == Version::HTTP_11);
    (least..=1).contains(&request.headers().get_all(header::HOST).iter().count())
}

const TOO_LARGE: StatusCode = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;

/// An answer that says in words what is wrong with the request.
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response<Body> {
    let title = status.canonical_reason();
    let body = json!({"type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail})
        .to_string();
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}
