//! What a worker knows of its connections, and how it ends those that are no use to anybody.
//!
//! Connections only note what happens to them. One task per worker looks at all of them now and then: that spares every
//! request the setting and clearing of timers.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use futures::task::AtomicWaker;

use crate::config::Limits;

/// What HTTP/2 begins with. Whoever has sent less of it may as well have begun with a head of HTTP/1.1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Instead of a count of its bytes, where something else came.
const NO_PREFACE: usize = usize::MAX;

/// What a connection is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Order {
    /// Nothing.
    Stay,
    /// To finish what it has begun, and to take nothing new.
    Leave,
    /// To end, as the head of a request did not arrive in time.
    GiveUp,
    /// To end.
    Drop,
}

/// All connections of a worker.
pub(super) struct Lines {
    lines: Mutex<HashMap<u64, Arc<Line>>>,
    next: AtomicU64,
    began: Instant,
    /// Milliseconds since `began`, as of the last look; precise enough for timeouts of seconds, and free to read.
    now: AtomicU64,
    header_timeout: u64,
    idle: u64,
}

impl Lines {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            lines: Mutex::default(),
            next: AtomicU64::new(0),
            began: Instant::now(),
            now: AtomicU64::new(0),
            header_timeout: millis(limits.header_timeout),
            idle: millis(limits.connection_idle),
        })
    }

    /// A line for a new connection; it is one of these lines for as long as the connection holds it.
    pub(super) fn open(self: &Arc<Self>) -> Held {
        let now = self.now.load(Relaxed);
        let line = Arc::new(Line {
            lines: self.clone(),
            in_flight: AtomicU32::new(0),
            quiet_since: AtomicU64::new(now),
            in_head: AtomicBool::new(true),
            head_since: AtomicU64::new(now),
            preface: AtomicUsize::new(0),
            lingers: AtomicBool::new(false),
            order: AtomicU8::new(Order::Stay as u8),
            waker: AtomicWaker::new(),
        });
        let id = self.next.fetch_add(1, Relaxed);
        self.lock().insert(id, line.clone());
        Held { id, line }
    }

    /// Looks at all connections now and then, until dropped.
    pub(super) async fn watch(&self) {
        let period = Duration::from_millis((self.header_timeout.min(self.idle) / 4).clamp(10, 500));
        let mut turns = tokio::time::interval(period);
        loop {
            turns.tick().await;
            let now = millis(self.began.elapsed());
            self.now.store(now, Relaxed);
            for line in self.lock().values() {
                line.order(line.judge(now));
            }
        }
    }

    /// Gives all connections an order.
    pub(super) fn order(&self, order: Order) {
        for line in self.lock().values() {
            line.order(order);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection.
pub(super) struct Line {
    lines: Arc<Lines>,
    /// Requests that are being answered.
    in_flight: AtomicU32,
    /// When the last of them ended.
    quiet_since: AtomicU64,
    /// Whether the head of a request is being waited for that has begun, or that ought to have.
    in_head: AtomicBool,
    head_since: AtomicU64,
    /// How much of the preface of HTTP/2 the client has sent.
    preface: AtomicUsize,
    /// Whether the last answer was given before its request had arrived.
    lingers: AtomicBool,
    order: AtomicU8,
    waker: AtomicWaker,
}

impl Line {
    /// Notes that the client has sent something.
    pub(super) fn heard(&self, bytes: &[u8]) {
        self.compare(bytes);
        let may_begin_a_head = !self.is_http2() && self.in_flight.load(Relaxed) == 0;
        if may_begin_a_head && !self.in_head.swap(true, Relaxed) {
            self.head_since.store(self.lines.now.load(Relaxed), Relaxed);
        }
    }

    /// Finds out which version of HTTP the client speaks, by the first bytes that it sends.
    fn compare(&self, bytes: &[u8]) {
        let before = self.preface.load(Relaxed);
        let Some(rest @ [_, ..]) = PREFACE.get(before..) else { return };
        let compared = bytes.len().min(rest.len());
        if bytes[..compared] != rest[..compared] {
            return self.preface.store(NO_PREFACE, Relaxed);
        }
        self.preface.store(before + compared, Relaxed);
        if self.is_http2() {
            // Its frames say nothing about heads; a client that sends half of one is merely idle.
            self.in_head.store(false, Relaxed);
            self.quiet_since.store(self.lines.now.load(Relaxed), Relaxed);
        }
    }

    fn is_http2(&self) -> bool {
        self.preface.load(Relaxed) == PREFACE.len()
    }

    /// Notes that a request is being answered, until what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_head.store(false, Relaxed);
        self.in_flight.fetch_add(1, Relaxed);
        InFlight(self.clone())
    }

    /// The strictest order so far. The waker is woken by the next.
    pub(super) fn ordered(&self, waker: &Waker) -> Order {
        self.waker.register(waker);
        self.last_order()
    }

    pub(super) fn last_order(&self) -> Order {
        match self.order.load(Relaxed) {
            0 => Order::Stay,
            1 => Order::Leave,
            2 => Order::GiveUp,
            _ => Order::Drop,
        }
    }

    /// Notes that the connection is to end while the client may still be sending.
    pub(super) fn linger(&self) {
        self.lingers.store(true, Relaxed);
    }

    pub(super) fn lingers(&self) -> bool {
        self.lingers.load(Relaxed)
    }

    /// Whether the client has begun to say something; who has not does not expect an answer.
    pub(super) fn has_spoken(&self) -> bool {
        self.preface.load(Relaxed) != 0
    }

    /// Whether nothing of HTTP/1 is being answered, so that what is said is not an answer of ours.
    pub(super) fn is_between_requests(&self) -> bool {
        !self.is_http2() && self.in_flight.load(Relaxed) == 0
    }

    fn judge(&self, now: u64) -> Order {
        if self.in_flight.load(Relaxed) > 0 {
            return Order::Stay;
        }
        if self.in_head.load(Relaxed) {
            let late = now.saturating_sub(self.head_since.load(Relaxed)) >= self.lines.header_timeout;
            return if late { Order::GiveUp } else { Order::Stay };
        }
        // A client that was told to leave, and neither does nor takes the rest of its answer, is cut off.
        match now.saturating_sub(self.quiet_since.load(Relaxed)) / self.lines.idle {
            0 => Order::Stay,
            1 => Order::Leave,
            _ => Order::Drop,
        }
    }

    fn order(&self, order: Order) {
        if self.order.fetch_max(order as u8, Relaxed) < order as u8 {
            self.waker.wake();
        }
    }
}

/// A connection's hold on its line.
pub(super) struct Held {
    id: u64,
    pub(super) line: Arc<Line>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.line.lines.lock().remove(&self.id);
    }
}

/// A request that is being answered.
pub(super) struct InFlight(Arc<Line>);

impl Drop for InFlight {
    fn drop(&mut self) {
        let Self(line) = self;
        if line.in_flight.fetch_sub(1, Relaxed) == 1 {
            line.quiet_since.store(line.lines.now.load(Relaxed), Relaxed);
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn held() -> (Held, u64) {
        let limits = Config::default().limits;
        (Lines::new(&limits).open(), millis(limits.header_timeout))
    }

    #[test]
    fn http_2_is_known_by_the_whole_of_its_preface_in_any_pieces() {
        for size in 1..=PREFACE.len() {
            let (held, too_late) = held();
            for piece in PREFACE.chunks(size) {
                assert_eq!(held.line.judge(too_late), Order::GiveUp, "in pieces of {size}");
                held.line.heard(piece);
            }
            held.line.heard(b"\0\0");
            assert_eq!(held.line.judge(too_late), Order::Stay, "in pieces of {size}");
        }
    }

    #[test]
    fn a_method_like_the_preface_is_one_of_http_1() {
        for pieces in
            [&[&b"PRINT / HTTP/1.1\r\n"[..]][..], &[b"PRI * HTTP/2.0\r\n\r\n", b"XX"], &[b"PR", b"OP"]]
        {
            let (held, too_late) = held();
            for piece in pieces {
                held.line.heard(piece);
            }
            assert!(held.line.has_spoken() && held.line.is_between_requests());
            assert_eq!(held.line.judge(too_late), Order::GiveUp);
        }
    }
}
