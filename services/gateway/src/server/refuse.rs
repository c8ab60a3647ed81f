//! Requests that are too large in the head are answered before anybody looks at them.

use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::json;
use tonic::Status;

use crate::body::Body;
use crate::config::Limits;
use crate::grpc;

/// What to answer to a request whose head is over a limit.
pub(super) fn check<B>(request: &Request<B>, limits: &Limits) -> Option<Response<Body>> {
    let headers = request.headers();
    let uri_bytes = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let (status, detail) = if uri_bytes > limits.uri_bytes {
        (StatusCode::URI_TOO_LONG, format!("path and query may have {} bytes", limits.uri_bytes))
    } else if headers.len() > limits.header_count {
        (TOO_LARGE, format!("a request may have {} headers", limits.header_count))
    } else if headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
        > limits.header_bytes
    {
        (TOO_LARGE, format!("the headers of a request may have {} bytes", limits.header_bytes))
    } else {
        return None;
    };
    if grpc::is_grpc(headers) {
        return Some(Status::resource_exhausted(detail).into_http());
    }
    Some(problem(status, &detail))
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
