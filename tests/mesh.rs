//! A running `selvedge up`, as a process, for the tests in this folder.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// Far longer than anything here takes.
const BOUND: Duration = Duration::from_mins(2);

/// A mesh that runs until it is stopped, killed or dropped.
pub struct Mesh {
    child: Child,
    /// What it said about itself: name to URL.
    pub endpoints: Value,
}

impl Mesh {
    /// A mesh of its own for one test: temporary, on free ports.
    pub async fn ephemeral() -> Self {
        Self::start(&["--ephemeral"]).await
    }

    /// The same without sample data.
    pub async fn empty() -> Self {
        Self::start(&["--ephemeral", "--no-seed"]).await
    }

    /// The same, which tells a collector its traces.
    pub async fn traced(collector: &str) -> Self {
        Self::start(&["--ephemeral", "--no-seed", "--otlp-endpoint", collector]).await
    }

    /// A mesh that keeps its data in this directory.
    pub async fn in_directory(data_dir: &Path) -> Self {
        Self::start(&["--free-ports", "--data-dir", &data_dir.display().to_string()]).await
    }

    async fn start(options: &[&str]) -> Self {
        let mut child = selvedge(&["up", "--json"])
            .args(options)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("selvedge starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let line = timeout(BOUND, lines.next_line())
            .await
            .expect("it is ready in time")
            .expect("its output is text");
        let line = line.expect("it says where everything is before it ends");
        Self { child, endpoints: serde_json::from_str(&line).expect("a line of JSON") }
    }

    /// The URL of a service, or of `database`.
    pub fn url(&self, name: &str) -> String {
        self.endpoints[name].as_str().expect("the mesh has it").to_owned()
    }

    /// Asks it to stop, as a service manager would, and waits until it has; answers with its exit code.
    pub async fn stop(mut self) -> Option<i32> {
        kill_process(self.pid(), Signal::TERM).expect("it runs");
        timeout(BOUND, self.child.wait())
            .await
            .expect("it stops in time")
            .expect("it can be waited for")
            .code()
    }

    /// Kills it with no chance to clean up.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it runs");
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    fn pid(&self) -> Pid {
        let pid = i32::try_from(self.id()).expect("process ids are small");
        Pid::from_raw(pid).expect("a process id is not zero")
    }
}

/// A command of the `selvedge` binary, with nothing of this process' configuration.
pub fn selvedge(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("SELVEDGE_") && name != "SELVEDGE_PG_BIN")
    {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// Runs a command to its end; answers with its success and all that it wrote.
pub async fn run(mut command: Command) -> (bool, String) {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().expect("it starts");
    let mut out = String::new();
    let mut err = String::new();
    let (mut stdout, mut stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let read = async { tokio::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err)) };
    let (read_out, read_err) = timeout(BOUND, read).await.expect("it ends in time");
    read_out.and(read_err).expect("its output is text");
    let status = child.wait().await.expect("it can be waited for");
    (status.success(), out + &err)
}

/// Waits until something is so.
pub async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !check().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(BOUND, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// The processes whose command line contains this.
pub fn processes(of: &str) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").expect("this is Linux");
    all.filter_map(|entry| {
        let entry = entry.ok()?;
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        (line.contains(of) && pid != std::process::id()).then_some(pid)
    })
    .collect()
}

/// The binary, built once with the profile of these tests. `cargo test` builds what a package's own tests need, and
/// these are another package.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let profile: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
        let built = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "selvedge"])
            .args(profile)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .status()
            .expect("cargo runs");
        assert!(built.success(), "selvedge does not build");
        let tests = std::env::current_exe().expect("a test knows its file");
        tests.ancestors().nth(2).expect("target/<profile>/deps/<test>").join("selvedge")
    })
}
