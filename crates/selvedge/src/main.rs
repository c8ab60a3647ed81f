//! `selvedge`: the whole mesh on one machine, and the tools to look after it.

mod bulk;
mod database;
mod doctor;
mod export;
mod import;
mod migrate;
mod progress;
mod seed;
mod services;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use selvedge_kit::config;

type Result<T, E = selvedge_kit::StartError> = std::result::Result<T, E>;

/// The Selvedge mesh: small gRPC services on PostgreSQL.
#[derive(Parser)]
#[command(version)]
struct Selvedge {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs everything: a private PostgreSQL, and every service, a port each.
    // What `up` has to say it says itself; the log only speaks when something is wrong.
    #[command(mut_arg("log", |log| log.default_value("warn")))]
    Up(Box<up::Up>),
    /// Changes or shows the state of the schemas.
    #[command(mut_args(|argument| argument.global(true)))]
    Migrate(migrate::Migrate),
    /// Fills the empty schemas with sample data.
    Seed(seed::Seed),
    /// Writes what a service keeps, as NDJSON or CSV.
    Export(export::Export),
    /// Stores what is in a file.
    Import(import::Import),
    /// Says what is wrong with this installation and what to do about it.
    Doctor(doctor::Doctor),
}

fn main() -> ExitCode {
    let Selvedge { command } = config::parse();
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("selvedge: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Up(up) => up.run().await?,
        Command::Migrate(migrate) => migrate.run().await?,
        Command::Seed(seed) => seed.run().await?,
        Command::Export(export) => export.run().await?,
        Command::Import(import) => return import.run().await,
        Command::Doctor(doctor) => return doctor.run().await,
    }
    Ok(ExitCode::SUCCESS)
}
