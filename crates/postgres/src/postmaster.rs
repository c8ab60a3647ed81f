//! `postmaster.pid`: what the server tells about itself, and what a killed one leaves behind.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::{Error, files};

/// True as soon as this server accepts connections.
pub(crate) fn is_ready(server_data: &Path, pid: u32) -> Result<bool, Error> {
    let text = files::read(&pid_file(server_data))?.unwrap_or_default();
    // The pid is the first line and the status the eighth; before that the file may be the one of the predecessor.
    let ours = text.lines().next() == Some(pid.to_string().as_str());
    Ok(ours && text.lines().nth(7).is_some_and(|status| matches!(status.trim(), "ready" | "standby")))
}

/// Waits until a server that lost its launcher has ended: it was told to, but may have to write its data.
pub(crate) fn wait_for_predecessor(server_data: &Path) -> Result<(), Error> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let file = pid_file(server_data);
    loop {
        let Some(text) = files::read(&file)? else { return Ok(()) };
        // A crash may have left an empty file.
        let pid = text.lines().next().and_then(|pid| pid.parse().ok()).unwrap_or(0);
        match find(pid, server_data) {
            // PostgreSQL copes with that itself.
            Process::Gone if pid != 0 => return Ok(()),
            Process::Gone | Process::Other => return remove(&file),
            Process::Server if Instant::now() > deadline => {
                return Err(Error::StillRunning { data: server_data.to_owned(), pid });
            }
            Process::Server => sleep(Duration::from_millis(50)),
        }
    }
}

/// True if a server uses the data at this moment.
pub(crate) fn is_running(server_data: &Path) -> Result<bool, Error> {
    let text = files::read(&pid_file(server_data))?.unwrap_or_default();
    let pid = text.lines().next().and_then(|pid| pid.parse().ok()).unwrap_or(0);
    Ok(matches!(find(pid, server_data), Process::Server))
}

/// Who has a pid now.
enum Process {
    Gone,
    Server,
    Other,
}

fn find(pid: u32, server_data: &Path) -> Process {
    let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Process::Gone };
    // Without the right to signal it, it is there nevertheless.
    if test_kill_process(process) == Err(Errno::SRCH) {
        return Process::Gone;
    }
    if is_server(pid, server_data) { Process::Server } else { Process::Other }
}

/// A server's own process is in its data directory, but that is not always ours to see; then its arguments tell.
#[cfg(target_os = "linux")]
fn is_server(pid: u32, server_data: &Path) -> bool {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    // It may end at any moment, and then it is no server any more.
    let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else { return false };
    let mut arguments = line.split(|byte| *byte == 0).map(|argument| Path::new(OsStr::from_bytes(argument)));
    let program = arguments.next().and_then(Path::file_name).unwrap_or_default();
    let there = || fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|dir| dir == server_data);
    (program == "postgres" || program == "postmaster")
        && (arguments.any(|argument| argument == server_data) || there())
}

#[cfg(not(target_os = "linux"))]
fn is_server(pid: u32, server_data: &Path) -> bool {
    let pid = pid.to_string();
    let mut ps = std::process::Command::new("ps");
    let line = crate::child::first_line(ps.args(["-o", "command=", "-p", &pid])).unwrap_or_default();
    line.contains("postgres") && line.contains(&*server_data.to_string_lossy())
}

fn remove(file: &Path) -> Result<(), Error> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", file)(error)),
        _ => Ok(()),
    }
}

fn pid_file(server_data: &Path) -> PathBuf {
    server_data.join("postmaster.pid")
}
