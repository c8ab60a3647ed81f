//! One address of an upstream, and the connections to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::uri::Authority;
use tokio::sync::Notify;
use tokio::time::timeout;
use tracing::{debug, info};

use super::CallError;
use super::connection::{self, Connection};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to leave an address alone after it could not be reached: at first, and at last. In between it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long an address that left a call without any answer is avoided. Then one call tries it.
const PROBATION: Duration = Duration::from_secs(5);
/// How long calls must have waited in vain before it says something about the upstream, and not about its callers.
const SILENCE: Duration = Duration::from_secs(1);
/// Calls on one connection before another one is opened beside it, if the upstream does not allow less.
const BUSY: usize = 100;
pub(super) const MAX_CONNECTIONS: usize = 4;

/// One address.
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    /// What it is called, which may be a name.
    pub(super) authority: Authority,
    pub(super) in_flight: AtomicUsize,
    /// Answers so far, so that whoever waits can tell a slow upstream from a silent one.
    pub(super) answers: AtomicU64,
    /// Told of every connection that was made or could not be; the upstream's.
    changed: Arc<Notify>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    connections: Vec<Arc<Connection>>,
    connecting: bool,
    /// Why the last attempt to connect failed, if it did.
    failure: Option<Failure>,
    avoid_until: Option<Instant>,
    silence: Silence,
}

/// How long calls have waited since the last answer, those that waited at once counted once; and until when they did.
#[derive(Default)]
struct Silence {
    waited: Duration,
    until: Option<Instant>,
}

impl Silence {
    /// Adds what was waited for in vain, and says how much that is now.
    fn lasts(&mut self, began: Instant, now: Instant) -> Duration {
        let from = self.until.map_or(began, |until| until.max(began));
        self.waited += now.saturating_duration_since(from);
        self.until = Some(now);
        self.waited
    }
}

struct Failure {
    error: CallError,
    /// Attempts in a row that failed.
    attempts: u32,
    /// When the next may be made.
    retry_at: Instant,
}

/// Whether there is a connection.
pub(super) enum State {
    Connected,
    Connecting,
    Down(CallError),
}

impl Inner {
    fn open(&self) -> impl Iterator<Item = &Arc<Connection>> {
        self.connections.iter().filter(|connection| connection.is_open())
    }

    /// What the last attempt to connect failed for, if it is too early for the next.
    fn too_early(&self) -> Option<&CallError> {
        self.failure
            .as_ref()
            .filter(|failure| Instant::now() < failure.retry_at)
            .map(|failure| &failure.error)
    }
}

impl Endpoint {
    pub(super) fn new(address: SocketAddr, authority: Authority, changed: &Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            address,
            authority,
            in_flight: AtomicUsize::new(0),
            answers: AtomicU64::new(0),
            changed: changed.clone(),
            inner: Mutex::default(),
        })
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.lock().open().next().is_some()
    }

    /// Whether it is connected, and answers as far as we know.
    pub(super) fn is_good(&self) -> bool {
        let inner = self.lock();
        inner.open().next().is_some() && inner.avoid_until.is_none_or(|until| until <= Instant::now())
    }

    /// The connection with the fewest calls. Where all have many, another one is opened; where they have all that they may,
    /// there is none until that is made, as calls on them may be streams that do not end.
    pub(super) fn connection(self: &Arc<Self>) -> Option<Arc<Connection>> {
        let mut inner = self.lock();
        if let Some(until) = &mut inner.avoid_until {
            // This call finds out; the others keep away until it has its answer.
            *until = Instant::now() + PROBATION;
        }
        let chosen = inner.open().min_by_key(|connection| connection.in_flight()).cloned()?;
        let (calls, is_full) = (chosen.in_flight(), chosen.is_full());
        let is_busy = calls > 0 && (calls >= BUSY || is_full);
        if is_busy
            && !inner.connecting
            && inner.open().count() < MAX_CONNECTIONS
            && inner.too_early().is_none()
        {
            inner.connecting = true;
            tokio::spawn(connect(self.clone()));
        }
        (!is_full || !inner.connecting).then_some(chosen)
    }

    /// Begins to connect, unless there is a connection, or one is being made, or the last failure is too recent.
    pub(super) fn connect_when_due(self: &Arc<Self>) -> State {
        let mut inner = self.lock();
        if inner.open().any(|connection| !inner.connecting || !connection.is_full()) {
            return State::Connected;
        }
        if inner.connecting {
            return State::Connecting;
        }
        if let Some(error) = inner.too_early() {
            return State::Down(error.clone());
        }
        inner.connecting = true;
        tokio::spawn(connect(self.clone()));
        State::Connecting
    }

    /// Notes an answer, whatever it says.
    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.lock();
        // Set only while the address is avoided, so that good calls need not look at the clock.
        inner.avoid_until = None;
        inner.silence = Silence::default();
    }

    /// Notes that a call had no answer in all the time since `began`, when there had been `answers`. Callers who wait for
    /// less than would be telling, tell it together.
    pub(super) fn left_waiting(&self, began: Instant, answers: u64) {
        if self.answers.load(Ordering::Relaxed) != answers {
            return;
        }
        let now = Instant::now();
        let mut inner = self.lock();
        if inner.silence.lasts(began, now) >= SILENCE {
            debug!(address = %self.address, "an upstream does not answer");
            inner.avoid_until = Some(now + PROBATION);
        }
    }

    /// Lets go of its connections: the name does not stand for it any more. Calls on them go on.
    pub(super) fn leave(&self) {
        self.lock().connections.clear();
    }

    /// Tells those who wait for a connection, or for a place on one.
    pub(super) fn has_changed(&self) {
        self.changed.notify_waiters();
    }

    fn avoid(&self) {
        self.lock().avoid_until = Some(Instant::now() + PROBATION);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a connection and serves it until it ends.
async fn connect(endpoint: Arc<Endpoint>) {
    let opened = timeout(CONNECT_TIMEOUT, async {
        match connection::open(endpoint.address).await {
            // Whoever is about to end may be asked last; then somebody else takes the next connection.
            Err(CallError::Refused(_)) => connection::open(endpoint.address).await,
            opened => opened,
        }
    });
    let connected = opened
        .await
        .unwrap_or_else(|_| Err(CallError::Unreachable(format!("no connection within {CONNECT_TIMEOUT:?}"))));
    let (connection, answered, driver) = {
        let mut inner = endpoint.lock();
        inner.connecting = false;
        match connected {
            Ok((connection, driver)) => {
                inner.failure = None;
                let answered = connection.answered.clone();
                let weak = Arc::downgrade(&connection);
                // The endpoint alone keeps it, so that it ends with its last call when the endpoint lets go of it.
                inner.connections.push(connection);
                (weak, answered, driver)
            }
            Err(error) => {
                let attempts = inner.failure.as_ref().map_or(1, |failure| failure.attempts.saturating_add(1));
                if attempts == 1 {
                    info!(address = %endpoint.address, error = error.cause(), "an upstream cannot be reached");
                }
                inner.failure = Some(Failure { error, attempts, retry_at: Instant::now() + pause(attempts) });
                drop(inner);
                endpoint.has_changed();
                return;
            }
        }
    };
    endpoint.has_changed();
    if let Err(error) = driver.await {
        debug!(address = %endpoint.address, %error, "a connection to an upstream broke");
        if !answered.load(Ordering::Relaxed) {
            // It takes connections and does nothing with them.
            endpoint.avoid();
        }
    }
    endpoint.lock().connections.retain(|it| Arc::as_ptr(it) != connection.as_ptr());
}

/// Somewhere between half of it and all of it, so that not all workers knock at once.
fn pause(attempts: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << attempts.min(16)).min(LONGEST_PAUSE);
    longest.mul_f64(rand::random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_waited_at_once_are_counted_once() {
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        let mut silence = Silence::default();
        let waited = [(0, 100), (20, 110), (10, 110), (500, 600), (50, 650)];
        let waited = waited.map(|(began, left)| silence.lasts(at(began), at(left)).as_millis());
        assert_eq!(waited, [100, 110, 110, 210, 260]);
    }
}
