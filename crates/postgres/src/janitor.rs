//! Removes an ephemeral cluster, whichever way its process ends.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::{Error, child, files};

/// Waits until its standard input ends, that is until nobody is left who holds the other end of the pipe; then until the
/// server has ended; then removes the directories `$@`, of which the first is the data directory. A server that is not
/// told to end by the kernel (see `parent.rs`) is told here, provided that the pid is really its own. One that does not end
/// in time does so when it notices that its data are gone.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
while read -r _; do :; done
turns=0
while [ $turns -lt 300 ] && pid=$(head -n 1 "$1/postgres/postmaster.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null; do
    case "$(ps -p "$pid" -o args= 2>/dev/null)" in *"$1/postgres"*) kill -INT "$pid" ;; esac
    sleep 0.1
    turns=$((turns + 1))
done
turns=0
until rm -rf -- "$@" 2>/dev/null || [ $turns -ge 50 ]; do
    sleep 0.1
    turns=$((turns + 1))
done
"#;

/// Longer than the script takes at most.
const LIMIT: Duration = Duration::from_mins(1);

/// A shell that outlives us by a moment.
pub(crate) struct Janitor {
    shell: Child,
    dirs: Vec<PathBuf>,
}

impl Janitor {
    /// Puts it on guard: from now on these directories go away with this process.
    pub(crate) fn start(dirs: Vec<PathBuf>) -> Result<Self, Error> {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "selvedge-janitor"])
            .args(&dirs)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C at a terminal ends a whole process group, and this one is needed afterwards.
            .process_group(0)
            .spawn()
            .map_err(|source| Error::Io { doing: "start a shell that cleans up".into(), source })?;
        Ok(Self { shell, dirs })
    }
}

impl Drop for Janitor {
    /// Lets it do its work now.
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        if let Err(error) = child::wait_within(&mut self.shell, LIMIT) {
            tracing::warn!(%error, "cannot wait for the shell that cleans up");
        }
        // Somebody may have killed it.
        for dir in &self.dirs {
            if let Err(error) = files::remove_dir(dir) {
                tracing::warn!(%error, "an ephemeral cluster leaves something behind");
            }
        }
    }
}
