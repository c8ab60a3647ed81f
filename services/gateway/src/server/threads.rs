//! The workers: threads with a runtime each, so that a request never moves between cores.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use prometheus::IntGauge;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tracing::error;

use super::connections::{self, Entrance};
use crate::worker::{Shared, Worker};

/// A worker's thread.
pub(super) struct Thread {
    handle: JoinHandle<()>,
    finished: oneshot::Receiver<bool>,
}

impl Thread {
    /// Waits for its end; answers with whether all its requests were finished.
    pub(super) async fn ended(self) -> bool {
        // A thread that panicked dropped its sender.
        let finished = self.finished.await.unwrap_or(false);
        if self.handle.join().is_err() {
            error!(service = "gateway", "a worker ended abnormally");
        }
        finished
    }
}

/// Starts a worker that serves the connections of this listener.
pub(super) fn start(
    index: usize,
    listener: TcpListener,
    shared: &Arc<Shared>,
    tls: Option<TlsAcceptor>,
    connections: IntGauge,
) -> io::Result<Thread> {
    let shared = shared.clone();
    let (ended, finished) = oneshot::channel();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let work = move || {
        let finished = runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let worker = Worker::new(shared);
            io::Result::Ok(connections::serve(Entrance { listener, tls, worker, connections }).await)
        });
        // Name lookups may be stuck in threads of their own.
        runtime.shutdown_background();
        // Whoever waited may have stopped waiting.
        ended
            .send(finished.unwrap_or_else(|error| {
                error!(%error, "a worker could not start");
                false
            }))
            .ok();
    };
    let handle = std::thread::Builder::new().name(format!("gateway-{index}")).spawn(work)?;
    Ok(Thread { handle, finished })
}
