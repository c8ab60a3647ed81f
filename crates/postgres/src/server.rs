//! The server process, with a thread that looks after it.

use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::{Error, child};

mod launch;
mod supervisor;

pub(crate) use launch::Launch;

/// Stops the server when it is dropped.
pub(crate) struct Server {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Returns when the server accepts connections, or does not come to it.
    pub(crate) fn start(launch: Launch) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let (tell, told) = mpsc::channel();
        // The server gets a signal when the thread ends that started it: hence one of its own, which lives as long.
        let thread = thread::Builder::new().name("postgres".into()).spawn({
            let shared = Arc::clone(&shared);
            move || supervisor::run(&launch, &shared, &tell)
        });
        let thread = thread.map_err(|source| Error::Io { doing: "start a thread".into(), source })?;
        let mut server = Self { shared, thread: Some(thread) };
        match told.recv().expect("the thread tells how it went before it ends") {
            Ok(()) => Ok(server),
            Err(error) => {
                server.stop()?;
                Err(error)
            }
        }
    }

    /// The server that accepts connections now, or did last.
    pub(crate) fn pid(&self) -> u32 {
        self.shared.ready.load(Ordering::Acquire)
    }

    /// Ends it: connections are cut and data is written; if that takes too long, at once. Does nothing the second time.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        const STEPS: [(Signal, Duration); 3] = [
            (Signal::INT, Duration::from_secs(30)),
            (Signal::QUIT, Duration::from_secs(10)),
            (Signal::KILL, Duration::from_secs(10)),
        ];
        let Some(thread) = self.thread.take() else { return Ok(()) };
        self.shared.state().stopping = true;
        self.shared.wake.notify_all();
        for (number, (signal, limit)) in STEPS.into_iter().enumerate() {
            if number > 0 {
                tracing::warn!(signal = signal.as_raw(), "PostgreSQL does not end, and gets another signal");
            }
            self.shared.signal(signal)?;
            let deadline = Instant::now() + limit;
            while !thread.is_finished() && Instant::now() < deadline {
                sleep(child::POLL);
            }
            if thread.is_finished() {
                return Ok(());
            }
        }
        Err(Error::NotStopping { pid: self.pid() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(%error, "PostgreSQL is left running");
        }
    }
}

/// What the supervising thread and the others both need.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when the cluster is to stop.
    wake: Condvar,
    ready: AtomicU32,
}

#[derive(Default)]
struct State {
    /// Set as long as the process is not reaped, so that its pid cannot be somebody else's.
    child: Option<Pid>,
    stopping: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        let state = self.state();
        let Some(pid) = state.child else { return Ok(()) };
        let sent = kill_process(pid, signal);
        sent.map_err(|error| Error::Io {
            doing: format!("signal PostgreSQL (pid {pid})"),
            source: error.into(),
        })
    }

    /// Waits for the end of the process, and says what it was.
    fn wait(&self, child: &mut Child) -> String {
        // The process stays a zombie until the lock is held, so that nobody signals a pid that is free again.
        let ended = retry_on_intr(|| waitid(WaitId::Pid(Pid::from_child(child)), WAIT_ONLY));
        let mut state = self.state();
        state.child = None;
        // Without children to wait for (when SIGCHLD is ignored) the status is lost, but the process has ended.
        match ended.map_err(Into::into).and_then(|_| child.wait()) {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }
}

const WAIT_ONLY: WaitIdOptions = WaitIdOptions::EXITED.union(WaitIdOptions::NOWAIT);

/// True when the process has ended, or cannot be asked any more.
fn has_ended(child: &Child) -> bool {
    let options = WAIT_ONLY.union(WaitIdOptions::NOHANG);
    !matches!(waitid(WaitId::Pid(Pid::from_child(child)), options), Ok(None))
}
