//! The programs that take part, built as this one was.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// The root of the sources.
pub(super) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Builds these packages, and answers with the directory of their programs.
pub(super) fn build(packages: &[&str]) -> Result<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet"]).current_dir(root());
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    if !cargo.status()?.success() {
        return Err(format!("{} cannot be built", packages.join(", ")).into());
    }
    let directory = env::current_exe()?.parent().map(Path::to_owned);
    Ok(directory.ok_or("this program is in no directory")?)
}
