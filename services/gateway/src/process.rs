use std::process::ExitCode;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use selvedge_kit::{StartError, config, stop_signal, telemetry};
use tracing::{info, warn};

use crate::{Config, start};

/// The whole of `main`: configuration from command line and environment, telemetry, and serving until SIGTERM or Ctrl-C.
pub fn run() -> ExitCode {
    let Process { config } = config::parse();
    match serve(&config) {
        Ok(()) => ExitCode::SUCCESS,
        // Not through the log, which may be what could not be started.
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Parser)]
#[command(version, about = "The gateway of the Selvedge mesh")]
struct Process {
    #[command(flatten)]
    config: Config,
}

// The workers have threads of their own; this runtime answers the admin port and waits for the signal.
#[tokio::main(flavor = "current_thread")]
async fn serve(config: &Config) -> Result<(), StartError> {
    let _telemetry = telemetry::start(&config.telemetry, "gateway")?;
    raise_file_limit();
    let running = start(config).await?;
    info!(service = "gateway", address = %running.address, admin = %running.admin_address, "serving");
    stop_signal().await?;
    running.stop().await;
    Ok(())
}

/// Allows as many open files as the system lets us: each connection is one, and the usual 1024 are soon used up.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        warn!(%error, "the limit of open files stays as it is");
    }
}
