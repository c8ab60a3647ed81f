//! `selvedge-bench`: contenders side by side, and the ratios between them.
//!
//! Machines are shared and noisy. So contenders take turns within one run, for several rounds, and what counts is how the
//! medians compare. No time is ever asserted.

mod catalog;
mod contacts;
mod libpq;
mod load;
mod memory;
mod mesh;
mod statement;
mod table;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use selvedge_kit::StartError;
use selvedge_kit::config::Config;
use selvedge_kit::telemetry::{self, Telemetry};

type Result<T, E = StartError> = std::result::Result<T, E>;

/// Benchmarks of the Selvedge mesh. Everything they need they start themselves.
#[derive(Parser)]
#[command(version)]
struct Bench {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The catalog service, beside pgbench.
    Catalog(catalog::Catalog),
    /// The contacts service.
    Contacts(contacts::Contacts),
    /// The whole mesh beside what else could be in its place.
    Mesh(mesh::Mesh),
    /// All of that, with results in files.
    All(mesh::All),
}

/// How much is measured.
#[derive(Args, Clone, Copy)]
struct Size {
    /// The rows of a large table
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(2_000..))]
    rows: u64,
    /// How often the contenders take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

fn main() -> ExitCode {
    let Bench { command } = Bench::parse();
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("selvedge-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(command: Command) -> Result<()> {
    let _telemetry = observe()?;
    match command {
        Command::Catalog(catalog) => catalog.run().await,
        Command::Contacts(contacts) => contacts.run().await,
        Command::Mesh(mesh) => mesh.run().await,
        Command::All(all) => all.run().await,
    }
}

/// The telemetry of a service in production is part of what is measured.
fn observe() -> Result<Telemetry> {
    let mut config = Config::default().telemetry;
    // Bulk loads are made of slow statements.
    config.log = "warn,selvedge_kit::db::statement=error,sqlx::query=error,selvedge_kit::page=error".into();
    telemetry::start(&config, "bench")
}
