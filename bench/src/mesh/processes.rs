//! Processes that end with this one.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::Result;

const READY: Duration = Duration::from_mins(1);
/// How long one may take to end when it is asked to.
const END: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);
/// How much of what it wrote is shown when it fails.
const SHOWN: usize = 2_000;

pub(super) struct Process {
    pub(super) name: &'static str,
    child: Child,
    log: PathBuf,
}

/// A command with nothing of this process' configuration. When the thread that spawns it ends, it gets a SIGTERM.
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(program).env_clear().stdin(Stdio::null());
    command.envs(["PATH", "HOME"].into_iter().filter_map(|name| Some((name, env::var_os(name)?))));
    command
}

/// A port that nobody listens on.
pub(super) fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Process {
    /// Starts it; what it writes goes to a file in this directory. To be called in the main thread, as that lives longest.
    pub(super) fn start(name: &'static str, mut command: Command, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let output = File::create(&log)?;
        // A group of its own: Ctrl-C is for this process, which then ends it and all that it started.
        command.process_group(0).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().map_err(|error| format!("{name} cannot be started: {error}"))?;
        Ok(Self { name, child, log })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it is ready.
    pub(super) async fn ready(&mut self, mut check: impl AsyncFnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + READY;
        while !check().await {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("{} ended ({status}): {}", self.name, self.said()).into());
            }
            if Instant::now() > deadline {
                return Err(format!("{} does not become ready: {}", self.name, self.said()).into());
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// The last that it wrote.
    fn said(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(SHOWN)..]).into_owned()
    }

    fn end(&mut self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        if self.child.try_wait()?.is_none() {
            kill_process(pid, Signal::TERM)?;
        }
        let deadline = Instant::now() + END;
        while self.child.try_wait()?.is_none() && Instant::now() < deadline {
            sleep(POLL);
        }
        // What is left of its group; most often nothing is.
        let _ = kill_process_group(pid, Signal::KILL);
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("{} may be left running: {error}", self.name);
        }
    }
}
