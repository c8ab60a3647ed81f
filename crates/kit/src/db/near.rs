//! Which of the idle connections is taken.
//!
//! What PostgreSQL sends wakes a thread of the runtime that opened the connection. Where that is not the one that waits for
//! it, two threads wake up for each piece of an answer, which takes longer than to read a row. So each runtime has
//! connections of its own, as long as there may be so many.

use std::sync::atomic::Ordering;
use std::time::Duration;

use deadpool::managed::{Object, Pool, PoolError, Timeouts};
use tokio::runtime::Handle;

use super::Backends;

/// Milliseconds to make do with what there is, after another connection could not be opened.
const ENOUGH: u64 = 10_000;

/// A connection that nobody uses, and that this runtime opened, opens now or, where that cannot be, another one did.
pub(super) async fn idle(pool: &Pool<Backends>) -> Option<Object<Backends>> {
    let at_once = Timeouts { wait: Some(Duration::ZERO), ..pool.timeouts() };
    let here = Handle::current().id();
    // Held while others are looked at, as they would come again.
    let mut distant = vec![];
    for _ in 0..pool.status().available {
        match pool.timeout_get(&at_once).await {
            Ok(backend) if backend.opened_by == here => return Some(backend),
            Ok(backend) => distant.push(backend),
            // Somebody else was faster.
            Err(_) => break,
        }
    }
    let (status, backends) = (pool.status(), pool.manager());
    let may_open =
        status.size < status.max_size && backends.now() >= backends.enough_until.load(Ordering::Relaxed);
    if !distant.is_empty() && may_open {
        match pool.timeout_get(&at_once).await {
            Ok(backend) => return Some(backend),
            Err(PoolError::Backend(_)) => {
                backends.enough_until.store(backends.now() + ENOUGH, Ordering::Relaxed);
            }
            // Somebody else was faster.
            Err(_) => {}
        }
    }
    // The one that was used last.
    distant.into_iter().next()
}
