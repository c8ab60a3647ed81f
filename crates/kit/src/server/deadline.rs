use std::convert::Infallible;
use std::sync::Arc;
use std::task;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::Method;
use super::stream::{Bounded, Bounds, End};
use crate::config::Limits;
use crate::{Code, Context, Error, timeout};

/// Whoever watches the health hears nothing for as long as all is well, and would take an end for bad news.
const UNBOUNDED: Duration = Duration::from_hours(24 * 365);

/// Gives every call an end, and its handler a [`Context`] that says so.
///
/// The future of a call whose time is up is dropped, and with it whatever it was waiting for: a statement of its is
/// cancelled by [`crate::Db`].
#[derive(Clone)]
pub(super) struct DeadlineLayer(Arc<Times>);

struct Times {
    default: Duration,
    longest: Duration,
    stream_idle: Duration,
    stream_age: Duration,
    drain: CancellationToken,
}

impl DeadlineLayer {
    pub(super) fn new(limits: &Limits, drain: CancellationToken) -> Self {
        Self(Arc::new(Times {
            default: limits.default_deadline,
            longest: limits.max_deadline,
            stream_idle: limits.stream_idle,
            stream_age: limits.stream_age,
            drain,
        }))
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner, times: self.0.clone() }
    }
}

#[derive(Clone)]
pub(super) struct Deadline<S> {
    inner: S,
    times: Arc<Times>,
}

impl<S> Service<Request<Body>> for Deadline<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> task::Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = Method::of(request.uri().path());
        let asked = match request.headers().get(timeout::HEADER).map(timeout::parse) {
            None => None,
            Some(Some(timeout)) => Some(timeout),
            Some(None) => return Box::pin(async { Ok(malformed().into_http()) }),
        };
        let times = self.times.clone();
        let (limit, last) = times.limit(method, asked);
        let ends = Instant::now() + limit;
        let context = Context {
            deadline: Some(ends.into_std()),
            caller: Some(caller(request.headers())),
            ..Context::current()
        };
        let bounds = method.streaming.then(|| times.bounds(method, ends, last, context.clone()));
        let request = match bounds.clone() {
            Some(bounds) => request.map(|body| Body::new(Bounded::request(body, bounds))),
            None => request,
        };
        let answer = context.scope(self.inner.call(request));
        Box::pin(async move {
            let Ok(response) = timeout_at(ends, answer).await else {
                return Ok(Status::from(last).into_http());
            };
            let response = response?;
            Ok(match bounds {
                Some(bounds) => response.map(|body| Body::new(Bounded::answer(body, bounds))),
                None => response,
            })
        })
    }
}

impl Times {
    /// Streams live as long as streams may, unless the caller wants less; unary calls have a default.
    fn limit(&self, method: &Method, asked: Option<Duration>) -> (Duration, End) {
        let age = if method.is_health() { UNBOUNDED } else { self.stream_age };
        match asked {
            Some(asked) if method.streaming && asked < age => (asked, End::Deadline),
            _ if method.streaming => (age, End::Age),
            _ => (asked.unwrap_or(self.default).min(self.longest), End::Deadline),
        }
    }

    fn bounds(&self, method: &Method, until: Instant, last: End, call: Context) -> Bounds {
        let idle = if method.is_health() { UNBOUNDED } else { self.stream_idle };
        Bounds { idle, until, last, call, drain: self.drain.clone(), ended: Arc::default() }
    }
}

/// Callers are told apart by the credentials that they send. Only a digest is kept: it goes into the database.
fn caller(headers: &HeaderMap) -> Arc<str> {
    match headers.get(http::header::AUTHORIZATION) {
        Some(credentials) => BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(credentials.as_bytes())).into(),
        None => "anonymous".into(),
    }
}

fn malformed() -> Status {
    Error::new(Code::InvalidArgument, "MALFORMED_TIMEOUT", "grpc-timeout is not a number with a unit").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_told_apart_without_keeping_their_credentials() {
        let with = |value: &'static str| {
            HeaderMap::from_iter([(http::header::AUTHORIZATION, http::HeaderValue::from_static(value))])
        };
        assert_eq!(caller(&HeaderMap::new()).as_ref(), "anonymous");
        assert_eq!(caller(&with("Bearer a")), caller(&with("Bearer a")));
        assert_ne!(caller(&with("Bearer a")), caller(&with("Bearer b")));
        assert!(!caller(&with("Bearer secret")).contains("secret"));
    }
}
