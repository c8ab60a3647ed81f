//! What a call carries besides its request.

use std::sync::Arc;
use std::time::Instant;

use crate::telemetry::Place;

tokio::task_local! {
    static CURRENT: Context;
}

/// The circumstances of the call that is being served; the server stack sets them, clients pass them on.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The call itself, as `package.Service/Method`.
    pub rpc: Option<Arc<str>>,
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
    /// Names the call in the logs of every process that it passes through.
    pub request_id: Option<Arc<str>>,
    /// Who calls, as far as requests that may be repeated are concerned: a digest of the caller's credentials, or
    /// `anonymous`.
    pub caller: Option<Arc<str>>,
    /// Where in a trace the call is.
    pub place: Option<Place>,
}

impl Context {
    /// The context of the call that this task serves; an empty one outside of a call.
    pub fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Whether what happens now is worth a span: everything, except in a call that nobody records.
    pub(crate) fn is_recorded() -> bool {
        let place_says = |call: &Self| call.place.as_ref().is_none_or(Place::is_recorded);
        CURRENT.try_with(place_says).unwrap_or(true)
    }

    /// Runs something that does not wait in this context.
    pub(crate) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), work)
    }

    /// Runs a future in this context.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }
}
