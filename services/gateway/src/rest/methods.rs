//! What the methods of HTTP mean here: those that read, those that a path does not have, and the question which it has.

use http::header::ALLOW;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use tonic::Code;

use super::problem::Problem;
use crate::body::Body;

/// Those of the gateway's own pages.
pub(super) const OF_PAGES: &str = "GET, HEAD, OPTIONS";

/// Says what a PATCH may be written in (RFC 5789).
pub(super) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Whether a method asks for something and changes nothing.
pub(super) fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The answer to a method that is not among those that are allowed.
pub(super) fn other(method: &Method, allow: &str) -> Result<Response<Body>, Problem> {
    let allowed = HeaderValue::from_str(allow).expect("the rules were checked to have methods of HTTP");
    if method == Method::OPTIONS {
        let mut response = no_content();
        if allow.split(", ").any(|method| method == "PATCH") {
            response.headers_mut().insert(ACCEPT_PATCH, JSON);
        }
        response.headers_mut().insert(ALLOW, allowed);
        return Ok(response);
    }
    let detail = format!("this path takes {allow}");
    Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, Code::Unimplemented, detail).with(ALLOW, allowed))
}

/// The answer to `OPTIONS *`, which asks about nothing in particular.
pub(super) fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
