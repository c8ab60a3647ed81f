//! What a gateway is configured by.

mod defaults;
mod json;
mod limits;
mod upstreams;
mod web;

use std::path::PathBuf;

use clap::Args;
use selvedge_kit::config::{Listen, Telemetry, Workers};

pub use json::Json;
pub use limits::Limits;
pub use upstreams::{Address, Upstream, Upstreams};
pub use web::{AccessLog, ErrorFormat, Web};

/// The port that a gateway listens on by default.
pub const PORT: u16 = 8080;

/// All that a gateway is configured by.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Config {
    /// Where it listens.
    #[command(flatten)]
    pub listen: Listen,
    /// What is seen of it from outside.
    #[command(flatten)]
    pub telemetry: Telemetry,
    /// What it is a gateway to.
    #[command(flatten)]
    pub upstreams: Upstreams,
    /// What it proves to be with.
    #[command(flatten)]
    pub tls: Tls,
    /// What it puts up with.
    #[command(flatten)]
    pub limits: Limits,
    /// What is particular to HTTP.
    #[command(flatten)]
    pub web: Web,
    /// How messages look in JSON.
    #[command(flatten)]
    pub json: Json,
    /// How it uses the machine.
    #[command(flatten)]
    pub workers: Workers,
}

/// TLS towards the callers.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "TLS")]
pub struct Tls {
    /// The certificate and those that it hangs on, in PEM; when absent, TLS is off
    #[arg(long, env = "SELVEDGE_TLS_CERTIFICATE", value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// The private key of the certificate, in PEM
    #[arg(long, env = "SELVEDGE_TLS_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
}
