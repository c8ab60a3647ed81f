//! How what HTTP/2 does beside its connections is run.

use hyper::rt::Executor;

/// Runs each future as a task of its own, from a box: they are as large as all that a call may need, and a runtime moves
/// what it is given several times.
#[derive(Clone, Copy)]
pub(crate) struct Spawn;

impl<F> Executor<F> for Spawn
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        tokio::spawn(Box::pin(future));
    }
}
