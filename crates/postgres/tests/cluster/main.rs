//! Against a real PostgreSQL: needs one to be installed, as any user.

mod ephemeral;
mod faults;
mod holder;
mod refused;
mod start;
mod users;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use selvedge_postgres::{Cluster, Installation, Options};
use tempfile::TempDir;

/// A temporary directory that the server's user can pass through.
fn room() -> TempDir {
    let room = tempfile::tempdir().unwrap();
    fs::set_permissions(room.path(), Permissions::from_mode(0o755)).unwrap();
    room
}

fn start(dir: &Path) -> Cluster {
    Cluster::start(Options::new(dir)).unwrap_or_else(|error| panic!("{error}"))
}

/// What psql prints, or what it complains about.
fn psql(url: &str, sql: &str) -> Result<String, String> {
    let psql = Installation::find().unwrap().bin.join("psql");
    let output = Command::new(psql).args([url, "-XAtqc", sql]).env_remove("PGPASSWORD").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap().trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn query(cluster: &Cluster, sql: &str) -> String {
    psql(&cluster.url("postgres"), sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn kill(pid: u32, signal: Signal) {
    rustix::process::kill_process(as_pid(pid), signal).unwrap();
}

/// Lets a server hang while it ends: it waits for this one of its processes. (Stopping the server itself is of no use: the
/// kernel wakes it when its parent dies.)
fn freeze_checkpointer(server: u32) -> u32 {
    let found =
        Command::new("pgrep").args(["-P", &server.to_string(), "-f", "checkpointer"]).output().unwrap();
    let pid = String::from_utf8(found.stdout).unwrap().trim().parse().unwrap();
    kill(pid, Signal::STOP);
    pid
}

/// A process that has ended, but is still listed because nobody asked how, is gone as well.
fn is_alive(pid: u32) -> bool {
    let status = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    !status.trim().is_empty() && !status.starts_with('Z')
}

fn as_pid(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// Waits for a condition; how long that takes does not matter.
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        sleep(Duration::from_millis(20));
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
