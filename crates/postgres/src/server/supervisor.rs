//! The life of the thread: starts the server, waits for its end, starts it again unless that was asked for.

use std::process::Child;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Pid;
use tracing::{info, warn};

use super::{Launch, Shared, has_ended};
use crate::log::Log;
use crate::{Error, child, place, postmaster};

/// Recovery after a crash may take long, but somebody waits for the first start.
const FIRST_START: Duration = Duration::from_mins(2);

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A server that ran for so long has not failed because of how it was started.
const STABLE: Duration = Duration::from_mins(1);

pub(super) fn run(launch: &Launch, shared: &Shared, first: &Sender<Result<(), Error>>) {
    // Nobody listens any more only when the starter is gone; then the thread is told to stop as well.
    let tell = |result| first.send(result).unwrap_or_default();
    let mut server = match spawn(launch, shared) {
        Ok((mut server, log)) => {
            if let Err(error) = wait_until_ready(launch, shared, &server, &log, Some(FIRST_START)) {
                tell(Err(error));
                shared.wait(&mut server);
                return;
            }
            tell(Ok(()));
            server
        }
        Err(error) => return tell(Err(error)),
    };
    let mut pause = SHORTEST_PAUSE;
    loop {
        let since = Instant::now();
        let end = shared.wait(&mut server);
        if shared.state().stopping {
            return;
        }
        warn!(pid = server.id(), %end, "PostgreSQL ended unasked and is started again");
        if since.elapsed() > STABLE {
            pause = SHORTEST_PAUSE;
        }
        match restart(launch, shared, &mut pause) {
            Some(again) => server = again,
            None => return,
        }
    }
}

/// Tries until it works or the cluster is to stop. The processes of a killed server live on for a moment, in which no other
/// one can start.
fn restart(launch: &Launch, shared: &Shared, pause: &mut Duration) -> Option<Child> {
    loop {
        let (state, _) = shared
            .wake
            .wait_timeout_while(shared.state(), *pause, |state| !state.stopping)
            .expect("nobody panics while holding it");
        if state.stopping {
            return None;
        }
        drop(state);
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        let started = spawn(launch, shared).and_then(|(mut server, log)| {
            let ready = wait_until_ready(launch, shared, &server, &log, None);
            if ready.is_err() {
                shared.wait(&mut server);
            }
            ready.map(|()| server)
        });
        match started {
            Ok(server) => {
                info!(pid = server.id(), "PostgreSQL is back");
                return Some(server);
            }
            Err(error) => warn!(%error, "PostgreSQL did not start, which is tried again"),
        }
    }
}

fn spawn(launch: &Launch, shared: &Shared) -> Result<(Child, Log), Error> {
    postmaster::wait_for_predecessor(&launch.data)?;
    place::remove_sockets(&launch.socket_dir)?;
    // Under the lock, so that a stop finds either no server or one to signal.
    let mut state = shared.state();
    if state.stopping {
        return Err(Error::Io {
            doing: "start PostgreSQL".into(),
            source: std::io::ErrorKind::Interrupted.into(),
        });
    }
    let (server, log) = launch.spawn()?;
    state.child = Some(Pid::from_child(&server));
    Ok((server, log))
}

fn wait_until_ready(
    launch: &Launch,
    shared: &Shared,
    server: &Child,
    log: &Log,
    limit: Option<Duration>,
) -> Result<(), Error> {
    let since = Instant::now();
    loop {
        if has_ended(server) {
            return Err(log.failed("PostgreSQL ended before it accepted connections".into()));
        }
        if postmaster::is_ready(&launch.data, server.id())? {
            shared.ready.store(server.id(), Ordering::Release);
            return Ok(());
        }
        if limit.is_some_and(|limit| since.elapsed() > limit) {
            let limit = FIRST_START.as_secs();
            return Err(log.failed(format!("PostgreSQL did not accept connections within {limit} s")));
        }
        sleep(child::POLL);
    }
}
