//! Every bench comes to its end and prints its table. What is in it is for people to judge.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// Far longer than so few rows take.
const BOUND: Duration = Duration::from_mins(5);

#[tokio::test]
async fn every_bench_of_contacts_prints_its_table() {
    let said = said(&["contacts", "--rows", "2000", "--rounds", "1"]).await;
    for (bench, contenders) in
        [("batch", 4), ("import", 2), ("insights", 2), ("stats", 2), ("documents", 2), ("create", 2)]
    {
        assert_has_table(&said, bench, contenders);
    }
}

#[tokio::test]
async fn every_bench_of_the_catalog_prints_its_table() {
    let said = said(&["catalog", "--rows", "2000", "--rounds", "1"]).await;
    for (bench, contenders) in
        [("film", 2), ("page:", 2), ("search", 2), ("facets", 2), ("rent", 2), ("pages", 6)]
    {
        assert_has_table(&said, bench, contenders);
    }
}

async fn said(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge-bench"));
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(BOUND, command.output()).await.expect("it ends in time").unwrap();
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{complained}");
    String::from_utf8(output.stdout).unwrap()
}

/// The first contender of a table is the measure of the others.
fn assert_has_table(said: &str, bench: &str, contenders: usize) {
    let table = said.split("\n\n").find(|table| table.starts_with(bench)).expect(bench);
    let ratios: Vec<f64> = table.lines().filter_map(ratio).collect();
    assert_eq!((ratios.len(), ratios.first()), (contenders, Some(&1.0)), "{table}");
}

/// The ratio in a line about a contender: the figure before the range of all rounds.
fn ratio(line: &str) -> Option<f64> {
    let (before, _) = line.split_once(" to ")?;
    before.split_whitespace().rev().nth(1)?.parse().ok()
}
