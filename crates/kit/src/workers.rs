//! The threads that serve calls, each with a runtime of its own: all of a call happens on one core, and nobody has to be
//! woken on another.

use std::io;
use std::num::NonZero;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::error;

/// Whenever a timer is set that is due before all others, tokio wakes the runtime up, which takes a system call: with each
/// call's deadline, where there is no other timer. With one that is always due sooner, hardly any does.
const TICK: Duration = Duration::from_secs(1);

/// Some threads, between which connections are shared out.
pub(crate) struct Workers {
    threads: Vec<Worker>,
    turn: usize,
    /// Ends them also where nobody comes to `stop`, because the runtime that serves went first.
    stop: DropGuard,
}

struct Worker {
    runtime: Handle,
    thread: JoinHandle<()>,
}

impl Workers {
    /// Starts so many.
    pub(crate) fn start(count: NonZero<usize>, name: &str) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let threads = (0..count.get()).map(|number| Worker::start(number, name, stop.clone()));
        Ok(Self { threads: threads.collect::<io::Result<_>>()?, turn: 0, stop: stop.drop_guard() })
    }

    /// The one whose turn it is. Left to the kernel, of few connections one worker might get all.
    pub(crate) fn next(&mut self) -> &Handle {
        self.turn = (self.turn + 1) % self.threads.len();
        &self.threads[self.turn].runtime
    }

    /// Ends them, and whatever still runs on them.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        let join = || self.threads.into_iter().filter_map(|worker| worker.thread.join().err()).count();
        // It is only cancelled with the runtime that it is called from.
        let failed = tokio::task::spawn_blocking(join).await.unwrap_or(0);
        if failed > 0 {
            error!(failed, "workers ended abnormally");
        }
    }
}

impl Worker {
    fn start(number: usize, name: &str, stop: CancellationToken) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let work = move || {
            let tick = async {
                loop {
                    sleep(TICK).await;
                }
            };
            runtime.block_on(stop.run_until_cancelled(tick));
            // Name lookups may be stuck in threads of their own.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name(format!("{name}-{number}")).spawn(work)?;
        Ok(Self { runtime: handle, thread })
    }
}
