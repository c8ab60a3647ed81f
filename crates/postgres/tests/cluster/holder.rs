//! Another process that holds a cluster: the program `hold`.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::{eventually, is_alive, kill};

/// Ends in good order when it is dropped.
pub(crate) struct Holder {
    process: Child,
    /// What it printed: name=value.
    lines: Vec<String>,
}

impl Holder {
    pub(crate) fn start(argument: impl AsRef<OsStr>) -> Self {
        Self::run(Command::new(program()).arg(argument))
    }

    /// Waits until it has its cluster.
    pub(crate) fn run(command: &mut Command) -> Self {
        let mut holder = Self::launch(command);
        let out = holder.process.stdout.take().unwrap();
        for line in BufReader::new(out).lines() {
            let line = line.unwrap();
            let is_last = line.starts_with("url=");
            holder.lines.push(line);
            if is_last {
                return holder;
            }
        }
        panic!("{}", holder.complaint());
    }

    /// Does not wait.
    pub(crate) fn launch(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { process: command.spawn().unwrap(), lines: vec![] }
    }

    /// What it says when it cannot start.
    pub(crate) fn complaint(&mut self) -> String {
        let mut text = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(!self.process.wait().unwrap().success(), "it started");
        text
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }

    pub(crate) fn url(&self) -> &str {
        self.get("url").unwrap()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.get("data_dir").unwrap().into()
    }

    /// The pid of PostgreSQL.
    pub(crate) fn server(&self) -> u32 {
        self.get("pid").unwrap().parse().unwrap()
    }

    /// The pid of the process itself.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it without any of its code being run.
    pub(crate) fn kill(&mut self, signal: Signal) {
        kill(self.id(), signal);
        self.process.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
        // A test that has failed already has nothing to wait for.
        if let Some(server) = self.get("pid").filter(|_| !std::thread::panicking()) {
            let server = server.parse().unwrap();
            eventually("the server has ended", || !is_alive(server));
        }
    }
}

/// Cargo builds it for the tests.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_hold"))
}
