//! Configuration: from the command line, the environment, files that hold a secret, and an env file.
//!
//! A process has one clap struct, into which the groups here are flattened; [`parse`] fills it. Every option has an
//! environment variable, every secret also `NAME_FILE`, and `--print-config` shows what came from where.

mod database;
mod defaults;
mod env_file;
mod limits;
mod parse;
mod percent;
mod print;
mod secret;
mod sources;
mod url;
mod workers;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use clap::{Args, ValueEnum};

pub use database::{Database, Pool, Target, TlsMode};
pub use defaults::defaults;
pub use limits::{Limits, duration, duration_or_zero};
pub use parse::{Outcome, parse, try_parse_from};
pub use secret::Secret;
pub use workers::Workers;

/// All that a service is configured by.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Config {
    /// Where it listens.
    #[command(flatten)]
    pub listen: Listen,
    /// Its database.
    #[command(flatten)]
    pub database: Database,
    /// What is seen of it from outside.
    #[command(flatten)]
    pub telemetry: Telemetry,
    /// What it puts up with.
    #[command(flatten)]
    pub limits: Limits,
    /// What it signs its page tokens with.
    #[command(flatten)]
    pub tokens: Tokens,
    /// How it uses the machine.
    #[command(flatten)]
    pub workers: Workers,
}

/// Where a service listens.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(next_help_heading = "Listening")]
pub struct Listen {
    /// The address to listen on; 0.0.0.0 or :: for all
    #[arg(long, env = "SELVEDGE_HOST", value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,
    /// The port of the RPCs, 0 for a free one; when absent, the service's own
    #[arg(long, env = "SELVEDGE_PORT")]
    pub port: Option<u16>,
    /// The port of health and metrics, 0 for a free one; when absent, the port of the RPCs plus 10000
    #[arg(long, env = "SELVEDGE_ADMIN_PORT", value_name = "PORT")]
    pub admin_port: Option<u16>,
}

/// What is seen of a process from outside.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(next_help_heading = "Telemetry")]
pub struct Telemetry {
    /// What to log: a level, or levels by module such as `info,selvedge_kit::db=debug`
    #[arg(long, env = "SELVEDGE_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// How to write the log
    #[arg(long, env = "SELVEDGE_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,
    /// Where to send traces over OTLP/gRPC, such as `http://localhost:4317`; when absent, nowhere
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// The share of new traces that are recorded, from 0 to 1
    #[arg(long, env = "SELVEDGE_TRACE_RATIO", value_name = "RATIO", default_value = "1.0", value_parser = ratio)]
    pub trace_ratio: f64,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// `pretty` on a terminal, else `json`
    Auto,
    /// Lines for people
    Pretty,
    /// One JSON object a line, for machines
    Json,
}

/// What page tokens are signed with.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(next_help_heading = "Page tokens")]
pub struct Tokens {
    /// Keys of 32 bytes or more in hex or base64, separated by commas; the first signs, all verify. When absent, a
    /// random one that ends with the process
    #[arg(long, env = "SELVEDGE_PAGE_TOKEN_KEYS", value_name = "KEYS", hide_env_values = true)]
    pub page_token_keys: Option<Secret>,
}

/// Options that contradict each other or lack something. Its text holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

fn ratio(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err("must be a number from 0 to 1".to_owned()),
    }
}

#[cfg(test)]
mod tests;
