use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::Method;
use super::stream::Held;
use crate::config::Limits;
use crate::{Code, Error};

/// How long a caller that was turned away should wait.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Serves a fixed number of calls at once and turns the others away, as waiting in line helps nobody.
#[derive(Clone)]
pub(super) struct LimitLayer {
    places: Arc<Semaphore>,
    stream_age: Duration,
}

impl LimitLayer {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { places: Arc::new(Semaphore::new(limits.max_in_flight)), stream_age: limits.stream_age }
    }
}

impl<S> Layer<S> for LimitLayer {
    type Service = Limit<S>;

    fn layer(&self, inner: S) -> Limit<S> {
        Limit { inner, places: self.places.clone(), stream_age: self.stream_age }
    }
}

#[derive(Clone)]
pub(super) struct Limit<S> {
    inner: S,
    places: Arc<Semaphore>,
    stream_age: Duration,
}

impl<S> Service<Request<Body>> for Limit<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = Method::of(request.uri().path());
        if method.is_health() {
            return Box::pin(self.inner.call(request));
        }
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            return Box::pin(async { Ok(overloaded().into_http()) });
        };
        let answer = self.inner.call(request);
        let stream_age = self.stream_age;
        Box::pin(async move {
            let response = answer.await?;
            // A stream keeps its place until it ends; a unary answer is complete here.
            Ok(if method.streaming {
                response.map(|body| Body::new(Held::new(body, lease(place, stream_age))))
            } else {
                response
            })
        })
    }
}

/// Frees the place when the stream ends, and at the latest when it should have: a client that takes nothing keeps the
/// server from noticing.
fn lease(place: OwnedSemaphorePermit, longest: Duration) -> DropGuard {
    let ended = CancellationToken::new();
    let watched = ended.clone();
    tokio::spawn(async move {
        // Both ways it is over.
        let _ = timeout(longest, watched.cancelled()).await;
        drop(place);
    });
    ended.drop_guard()
}

fn overloaded() -> Status {
    Error::new(Code::Unavailable, "OVERLOADED", "the service is at its limit of concurrent calls")
        .retry_after(RETRY_AFTER)
        .into()
}
