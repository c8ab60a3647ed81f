//! The catalog service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    selvedge_kit::run(selvedge_catalog::SERVICE)
}
