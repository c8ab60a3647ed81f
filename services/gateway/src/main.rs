//! The gateway as a process of its own.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request is some dozens of small pieces of memory, and the system's allocator would be a sixth of its cost.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    selvedge_gateway::run()
}
