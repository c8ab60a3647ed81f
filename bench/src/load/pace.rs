//! When requests of an open loop are due.

use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The moments at which a connection is to send.
pub(super) type Dues = UnboundedReceiver<Instant>;

/// Tells so many connections in turn when to send, so many times a second together. A thread of its own does it, since
/// timers of the runtime are a millisecond apart.
///
/// What is due is told whether or not the request before was answered; a queue is as long as the time has requests.
pub(super) fn start(connections: usize, per_second: f64, from: Instant, to: Instant) -> Vec<Dues> {
    let (senders, dues): (Vec<_>, Vec<_>) = (0..connections).map(|_| unbounded_channel()).unzip();
    thread::spawn(move || {
        for (number, sender) in (0_u32..).zip(senders.iter().cycle()) {
            let due = from + Duration::from_secs_f64(f64::from(number) / per_second);
            if due >= to {
                return;
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            // A connection that failed takes none, and the others go on.
            let _ = sender.send(due);
        }
    });
    dues
}
