//! The contenders that come from Python's registry, each kind in an environment of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// What says that an environment is complete: the requirements that it was made from.
const MADE_FROM: &str = "made-from.txt";

/// The environment with these requirements, beside the programs; made on first use.
pub(super) fn environment(programs: &Path, name: &str, requirements: &Path) -> Result<PathBuf> {
    let target = programs.parent().ok_or("programs are in a directory of their profile")?;
    let directory = target.join("bench-python").join(name);
    let wanted = fs::read_to_string(requirements)?;
    if fs::read_to_string(directory.join(MADE_FROM)).is_ok_and(|made_from| made_from == wanted) {
        return Ok(directory);
    }
    eprintln!("installing {name} from Python's registry, once");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&directory))?;
    let mut pip = Command::new(directory.join("bin/pip"));
    run(pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements))?;
    fs::write(directory.join(MADE_FROM), wanted)?;
    Ok(directory)
}

/// A file of a package that is installed there.
pub(super) fn installed(environment: &Path, file: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(environment.join("lib"))? {
        let found = entry?.path().join("site-packages").join(file);
        if found.exists() {
            return Ok(found);
        }
    }
    Err(format!("{} has no {file}", environment.display()).into())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}
