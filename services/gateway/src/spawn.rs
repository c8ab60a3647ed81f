//! How what HTTP/2 does beside its connections is run: each request on a stream of its own.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tracing::debug;

/// Runs each future as a task of its own, from a box: they are as large as all that a call may need, and a runtime moves
/// what it is given several times.
///
/// A stream whose client takes nothing of its answer is ended. hyper waits for such a client as long as the connection
/// lasts, and does not ask the body for anything meanwhile, so that this is the only place where it can be noticed.
#[derive(Clone, Copy)]
pub(crate) struct Spawn {
    /// How long a client may take nothing.
    pub(crate) patience: Duration,
}

/// How long a client may take to make room for what an answer has for it.
#[derive(Clone, Copy)]
pub(crate) enum Room {
    /// As long as it likes: a stream, or there is nothing at the moment.
    Anytime,
    Soon,
    /// After this moment, soon: then its caller is told that it was late, if it takes even that.
    From(Instant),
}

thread_local! {
    /// What the answer has said last in the stream that is being polled.
    static LAST: Cell<Option<Room>> = const { Cell::new(None) };
}

/// Notes how long what is sent from now on may take.
pub(crate) fn note(room: Room) {
    LAST.set(Some(room));
}

impl<F> Executor<F> for Spawn
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        let patience = self.patience;
        let mut stream = Box::pin(future);
        let mut limit: Option<Pin<Box<Sleep>>> = None;
        tokio::spawn(poll_fn(move |cx| {
            LAST.set(None);
            if stream.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            // It is not done, so that its client may have to make room. Most answers need none, and no timer.
            match LAST.get() {
                Some(Room::Anytime) => limit = None,
                Some(Room::Soon) => limit = Some(Box::pin(sleep(patience))),
                Some(Room::From(end)) => limit = Some(Box::pin(sleep_until(end + patience))),
                None => {}
            }
            let limit = limit.as_mut().map_or(Poll::Pending, |limit| limit.as_mut().poll(cx));
            if limit.is_ready() {
                debug!("a client takes nothing of what it is sent");
            }
            limit
        }));
    }
}
