//! The gateway as a process, for what only a process shows: its log and its traces.

use std::net::SocketAddr;
use std::process::Stdio;

use selvedge_testing::Site;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::gateway::soon;

/// A running gateway. Dropped, it is killed.
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    pub(crate) site: Site,
    /// What it logged until it was ready.
    pub(crate) first: Vec<Value>,
    log: Lines<BufReader<ChildStderr>>,
    _child: Child,
}

impl Process {
    /// Starts it on free ports and waits until it serves.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_selvedge-gateway"))
            .args(["--port=0", "--admin-port=0", "--workers=1", "--log-format=json"])
            .args(arguments)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = until(&mut log, |line| line["message"] == "serving").await;
        let address = first.last().unwrap()["address"].as_str().unwrap().parse().unwrap();
        Self { address, site: Site::at(address), first, log, _child: child }
    }

    /// What it logs, up to the next line like this.
    pub(crate) async fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
        until(&mut self.log, is_it).await
    }
}

async fn until(log: &mut Lines<BufReader<ChildStderr>>, is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut lines = vec![];
    loop {
        let text = soon(log.next_line()).await.unwrap().expect("it goes on");
        lines.push(serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")));
        if is_it(lines.last().unwrap()) {
            return lines;
        }
    }
}
