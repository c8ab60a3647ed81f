use std::any::Any;

use http::Response;
use tonic::Status;
use tonic::body::Body;
use tower_http::catch_panic::CatchPanicLayer;

use crate::Error;

type Answer = fn(Box<dyn Any + Send>) -> Response<Body>;

/// Answers INTERNAL where a handler panics, and logs what it said.
pub(super) fn layer() -> CatchPanicLayer<Answer> {
    CatchPanicLayer::custom(answer as Answer)
}

fn answer(panic: Box<dyn Any + Send>) -> Response<Body> {
    status(panic).into_http()
}

/// What to answer where a handler panicked.
#[expect(clippy::needless_pass_by_value, reason = "whoever catches one gives it away")]
pub(super) fn status(panic: Box<dyn Any + Send>) -> Status {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("something that is not text");
    Error::internal(format!("a handler panicked: {said}")).into()
}
