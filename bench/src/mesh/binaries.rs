//! The programs that take part, built as they are deployed.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// The root of the sources.
pub(super) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// All of them together, whoever takes part: others would have other features, and all they depend on be built again.
const PACKAGES: [&str; 4] =
    ["selvedge-bench-monolith", "selvedge-catalog", "selvedge-contacts", "selvedge-gateway"];

/// Builds them, and answers with the directory that they are in.
pub(super) fn build() -> Result<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet"]).current_dir(root());
    // What an outer cargo says of this package would make this one build again what depends on it: `ring` and all above.
    let of_this_package = |name: &OsString| {
        let name = name.to_string_lossy();
        ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_"]
            .iter()
            .any(|begins| name.starts_with(begins))
    };
    for name in env::vars_os().map(|(name, _)| name).filter(of_this_package) {
        cargo.env_remove(name);
    }
    let (profile, directory) = if cfg!(debug_assertions) { ("dev", "debug") } else { ("dist", "dist") };
    cargo.args(["--profile", profile]);
    cargo.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    if !cargo.status()?.success() {
        return Err(format!("{} cannot be built", PACKAGES.join(", ")).into());
    }
    // This program is beside them, or in the directory of its own profile beside theirs.
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or("this program is in no directory")?;
    Ok(target.join(directory))
}
