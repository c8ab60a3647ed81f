//! Errors as callers of HTTP know them: `application/problem+json`, or `google.rpc.Status` for those who ask for it.

use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use selvedge_kit::code_name;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::accept::{PROBLEM_JSON, error_format};
use super::details::Details;
use super::metadata;
use crate::body::Body;
use crate::config::{ErrorFormat, Web};
use crate::upstream::CallError;

/// What a caller is told instead of an answer.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: Code,
    pub(crate) detail: String,
    details: Vec<Value>,
    headers: Box<HeaderMap>,
    /// What the log is told, and the caller is not.
    pub(crate) cause: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), details: vec![], headers: Box::default(), cause: None }
    }

    /// Something of the request itself is wrong: a header, a parameter, a place in the body.
    pub(crate) fn invalid(place: &str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        let detail = if place.is_empty() { problem.clone() } else { format!("{place}: {problem}") };
        let violation = json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": place, "description": problem}],
        });
        Self { details: vec![violation], ..Self::new(StatusCode::BAD_REQUEST, Code::InvalidArgument, detail) }
    }

    /// With a header that belongs to it.
    #[must_use]
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// With what only the log is told.
    #[must_use]
    pub(crate) fn because(self, cause: String) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// What a service refused with. Callers who sent `If-Match` learn in HTTP's own way that the resource has changed.
    pub(super) fn of(status: &Status, details: &Details, if_match: bool, web: &Web) -> Self {
        let known = status.get_error_details();
        let changed = known.error_info().is_some_and(|info| info.reason == "ETAG_MISMATCH");
        let http = match status.code() {
            Code::Aborted if changed && if_match => StatusCode::PRECONDITION_FAILED,
            code => http_status(code),
        };
        let mut problem = Self::new(http, status.code(), status.message());
        if is_internal(status.code()) {
            problem.cause = Some(status.message().to_owned());
            "the service failed; its log says why".clone_into(&mut problem.detail);
        } else {
            problem.details = details.of(status);
            metadata::to_caller(status.metadata().as_ref(), &mut problem.headers);
        }
        if let Some(delay) = known.retry_info().and_then(|info| info.retry_delay) {
            problem.headers.insert(RETRY_AFTER, retry_after(delay));
        }
        if problem.status == StatusCode::UNAUTHORIZED {
            problem.headers.insert(WWW_AUTHENTICATE, web.auth_challenge.clone());
        }
        problem
    }

    /// What there is instead of an answer of the service.
    pub(super) fn of_call(error: &CallError, details: &Details, if_match: bool, web: &Web) -> Self {
        let bad_gateway = |code| Self::new(StatusCode::BAD_GATEWAY, code, error.status().message());
        match error {
            CallError::Failed(status) => Self::of(status, details, if_match, web),
            CallError::Unreachable(_) | CallError::Refused(_) => {
                let problem =
                    Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, error.status().message());
                problem.with(RETRY_AFTER, retry_after(Duration::ZERO))
            }
            CallError::Broken(Code::Unavailable, _) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, error.status().message())
            }
            CallError::Broken(code, _) => bad_gateway(*code),
            CallError::Garbage(_) => bad_gateway(Code::Internal),
            CallError::TooLarge(_) => bad_gateway(Code::ResourceExhausted),
        }
    }

    /// The response, in the form that the caller takes.
    pub(crate) fn response(self, headers: &HeaderMap, web: &Web, trace_id: Option<&str>) -> Response<Body> {
        let (content_type, body) = match error_format(headers, web.error_format) {
            ErrorFormat::Problem => (PROBLEM_JSON, self.problem_json(trace_id)),
            ErrorFormat::Status => (
                "application/json",
                json!({"code": self.code as i32, "message": self.detail, "details": self.details}),
            ),
        };
        let mut response = Response::new(Body::full(body.to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        // An error of now says nothing about later.
        response.headers_mut().insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().extend(*self.headers);
        response
    }

    /// The bytes of a response where there is no request to speak of, after which the connection ends.
    pub(crate) fn last_words(&self) -> Vec<u8> {
        let body = self.problem_json(None).to_string();
        let (status, length) = (self.status, body.len());
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }

    fn problem_json(&self, trace_id: Option<&str>) -> Value {
        let mut problem = json!({
            "type": "about:blank",
            "title": title(self.status),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": code_name(self.code),
            "details": self.details,
        });
        if let Some(trace_id) = trace_id {
            problem["traceId"] = trace_id.into();
        }
        problem
    }
}

/// As RFC 9110 names it; 413 had another name before that.
fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        status => status.canonical_reason().unwrap_or("Client Closed Request"),
    }
}

/// What servers log of those who do not wait for an answer.
pub(super) fn client_closed_request() -> StatusCode {
    StatusCode::from_u16(499).expect("three digits are a status")
}

/// As `google.rpc.Code` documents it.
fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::Cancelled => client_closed_request(),
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Of these, a service's own words may say more than a caller should know.
fn is_internal(code: Code) -> bool {
    matches!(code, Code::Unknown | Code::Internal | Code::DataLoss)
}

/// Whole seconds, and at least one: earlier would be too early.
fn retry_after(delay: Duration) -> HeaderValue {
    let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    HeaderValue::from(seconds.max(1))
}
