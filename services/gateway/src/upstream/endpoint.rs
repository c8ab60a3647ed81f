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
/// How long a call must have waited in vain before its end says something about the upstream, and not about the caller.
const SILENCE: Duration = Duration::from_secs(1);
/// Calls on one connection before another one is opened beside it, if the upstream does not allow less.
const BUSY: usize = 100;
const MAX_CONNECTIONS: usize = 4;

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
    /// Attempts to connect that failed in a row, when the next may be made, and what was wrong.
    failures: u32,
    retry_at: Option<Instant>,
    error: String,
    avoid_until: Option<Instant>,
    /// What was wrong with what it said instead of HTTP/2, if that is all it says.
    rubbish: Option<String>,
}

/// Whether there is a connection.
pub(super) enum State {
    Connected,
    Connecting,
    Down(String),
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
        self.lock().connections.iter().any(|connection| connection.is_open())
    }

    /// Whether it is connected, and answers as far as we know.
    pub(super) fn is_good(&self) -> bool {
        let inner = self.lock();
        inner.connections.iter().any(|connection| connection.is_open())
            && inner.avoid_until.is_none_or(|until| until <= Instant::now())
    }

    /// The connection with the fewest calls. Where all have many, another one is opened for those to come.
    pub(super) fn connection(self: &Arc<Self>) -> Option<Arc<Connection>> {
        let mut inner = self.lock();
        if let Some(until) = &mut inner.avoid_until {
            // This call finds out; the others keep away until it has its answer.
            *until = Instant::now() + PROBATION;
        }
        let open = inner.connections.iter().filter(|connection| connection.is_open());
        let chosen = open.min_by_key(|connection| connection.in_flight()).cloned()?;
        let calls = chosen.in_flight();
        let is_busy = calls > 0 && (calls >= BUSY || calls >= chosen.most_calls());
        if is_busy && inner.connections.len() < MAX_CONNECTIONS && !inner.connecting {
            inner.connecting = true;
            drop(inner);
            tokio::spawn(connect(self.clone()));
        }
        Some(chosen)
    }

    /// Begins to connect, unless there is a connection, or one is being made, or the last failure is too recent.
    pub(super) fn connect_when_due(self: &Arc<Self>) -> State {
        let mut inner = self.lock();
        if inner.connections.iter().any(|connection| connection.is_open()) {
            return State::Connected;
        }
        if inner.connecting {
            return State::Connecting;
        }
        if inner.retry_at.is_some_and(|at| Instant::now() < at) {
            return State::Down(inner.error.clone());
        }
        inner.connecting = true;
        drop(inner);
        tokio::spawn(connect(self.clone()));
        State::Connecting
    }

    /// Notes an answer, whatever it says.
    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.lock();
        // Set only while the address is avoided, so that good calls need not look at the clock.
        inner.avoid_until = None;
        inner.rubbish = None;
    }

    /// Notes that a call had no answer in all the time since `began`, when there had been `answers`.
    pub(super) fn left_waiting(&self, began: Instant, answers: u64) {
        if began.elapsed() >= SILENCE && self.answers.load(Ordering::Relaxed) == answers {
            debug!(address = %self.address, "an upstream does not answer");
            self.avoid();
        }
    }

    /// Lets go of its connections: the name does not stand for it any more. Calls on them go on.
    pub(super) fn leave(&self) {
        self.lock().connections.clear();
    }

    /// What a call is told that found its connection closed: perhaps there is more to say.
    pub(super) fn explain(&self, error: CallError) -> CallError {
        match (error, &self.lock().rubbish) {
            (CallError::Refused(_), Some(rubbish)) => CallError::Garbage(rubbish.clone()),
            (error, _) => error,
        }
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
    let connected = match timeout(CONNECT_TIMEOUT, connection::open(endpoint.address)).await {
        Ok(connected) => connected.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no connection within {CONNECT_TIMEOUT:?}")),
    };
    let (connection, answered, driver) = {
        let mut inner = endpoint.lock();
        inner.connecting = false;
        match connected {
            Ok((connection, driver)) => {
                inner.failures = 0;
                inner.retry_at = None;
                let answered = connection.answered.clone();
                let weak = Arc::downgrade(&connection);
                // The endpoint alone keeps it, so that it ends with its last call when the endpoint lets go of it.
                inner.connections.push(connection);
                (weak, answered, driver)
            }
            Err(error) => {
                if inner.failures == 0 {
                    info!(address = %endpoint.address, error, "an upstream cannot be reached");
                }
                inner.failures = inner.failures.saturating_add(1);
                inner.retry_at = Some(Instant::now() + pause(inner.failures));
                inner.error = error;
                drop(inner);
                endpoint.changed.notify_waiters();
                return;
            }
        }
    };
    endpoint.changed.notify_waiters();
    if let Err(error) = driver.await {
        debug!(address = %endpoint.address, %error, "a connection to an upstream broke");
        if let CallError::Garbage(cause) = CallError::of_http(&error) {
            endpoint.lock().rubbish = Some(cause);
        }
        if !answered.load(Ordering::Relaxed) {
            // It takes connections and does nothing with them.
            endpoint.avoid();
        }
    }
    endpoint.lock().connections.retain(|it| Arc::as_ptr(it) != connection.as_ptr());
}

/// Somewhere between half of it and all of it, so that not all workers knock at once.
fn pause(failures: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failures.min(16)).min(LONGEST_PAUSE);
    longest.mul_f64(rand::random_range(0.5..=1.0))
}
