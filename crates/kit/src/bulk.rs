//! Calls that take long and hold much: how many there are at once, and the streams of all rows.

mod export;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Code, Error, Result};

pub use export::{Exports, cursor};

/// When to try again what there was no place for.
const RETRY: Duration = Duration::from_secs(5);

/// So many calls of a kind at once, and no more: who comes too many is sent away, not made to wait.
pub struct Places(Arc<Semaphore>);

impl Places {
    /// So many.
    pub fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// A place, until it is dropped.
    pub fn take(&self) -> Result<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().map_err(|_| {
            let message = "too many others are under way; try again later";
            Error::new(Code::Unavailable, "TOO_MANY_BULK_CALLS", message).retry_after(RETRY)
        })
    }
}
