//! The mesh, in a few short turns. What came of them is for people to judge.

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// Far longer than it takes, even where all programs are still to be built.
const BOUND: Duration = Duration::from_mins(30);

async fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge-bench"));
    command.args(arguments).args(["--seconds", "1", "--rounds", "1", "--connections", "2"]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    timeout(BOUND, command.output()).await.expect("it ends in time").unwrap()
}

#[tokio::test]
async fn every_work_has_a_table_and_all_answer_the_same() {
    let results = tempfile::tempdir().unwrap();
    let out = results.path().to_str().unwrap();
    let output = bench(&["mesh", "--contenders", "gateway,monolith,gateway-echo", "--out", out]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("the same JSON comes from: gateway, monolith, gateway-echo"), "{said}");
    for work in ["film", "page", "search", "create", "visit", "mix"] {
        let (_, table) = said.split_once(&format!("\n{work}, 2 connections\n\n")).expect(work);
        let contenders = table.split("\n\n").next().unwrap().lines().skip(2);
        let rates = contenders.map(|row| row.split('|').nth(2).unwrap().trim().parse::<f64>().unwrap());
        assert!(rates.clone().count() == 3 && rates.clone().all(|rate| rate > 0.0), "{work}: {table}");
    }

    let read = |file: &str| std::fs::read_to_string(results.path().join(file)).unwrap();
    let all: serde_json::Value = serde_json::from_str(&read("results.json")).unwrap();
    let turns = all["turns"].as_array().unwrap();
    assert_eq!(turns.len(), 18);
    assert!(
        turns.iter().all(|turn| turn["figures"]["memory"]["gateway"]["now"].as_f64() > Some(1.0)),
        "{all}"
    );
    assert!(read("README.md").contains("## Targets"));
    let plot = read("plot.svg");
    // The variants are no contenders of their own.
    assert_eq!(plot.matches("/s</title>").count(), 12, "{plot}");
}

#[tokio::test]
async fn requests_that_are_due_are_all_seen() {
    let output = bench(&["mesh", "film", "--rate", "50", "--contenders", "grpc"]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("film, 2 connections, 50 requests due each second"), "{said}");
}
