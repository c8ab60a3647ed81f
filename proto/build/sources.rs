//! Finds and compiles protos.

use std::io;
use std::path::{Path, PathBuf};

use protox::Compiler;

/// Finds every proto below a folder, sorted, and has the build repeated when one comes, changes or goes.
pub(crate) fn find(folder: &Path) -> io::Result<Vec<PathBuf>> {
    watch(folder);
    let mut found = Vec::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            found.extend(find(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            watch(&path);
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Compiles files together with what they import.
pub(crate) fn compile(roots: &[&str], files: &[PathBuf]) -> Result<Compiler, String> {
    let mut compiler = Compiler::new(roots).map_err(|error| format!("{error:?}"))?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(files).map_err(|error| format!("{error:?}"))?;
    Ok(compiler)
}

#[expect(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]
fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
