//! A panic is the end of the request that met it, and not of the connection with all the others.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt as _, TryFutureExt as _};

/// What callers are told of it.
pub(crate) const FAILED: &str = "the gateway failed; its log says why";

/// What a future answers or, if it panics, a cause for the log. (An `async fn` would have room for the future twice.)
pub(crate) fn caught<T>(future: impl Future<Output = T>) -> impl Future<Output = Result<T, String>> {
    // What it was working on goes with it; what workers share is fit for use at any point.
    AssertUnwindSafe(future).catch_unwind().map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let said = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("the gateway panicked: {}", said.unwrap_or("something that is not text"))
    })
}
