use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use selvedge_kit::config::{duration, duration_or_zero};

/// What a gateway puts up with.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(next_help_heading = "Limits of HTTP")]
pub struct Limits {
    /// Headers of one request
    #[arg(
        long = "http-headers",
        env = "SELVEDGE_HTTP_HEADERS",
        value_name = "COUNT",
        default_value_t = 100,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000)
    )]
    pub header_count: usize,
    /// Names and values of all headers of one request together, in bytes
    #[arg(
        long = "http-header-bytes",
        env = "SELVEDGE_HTTP_HEADER_BYTES",
        value_name = "BYTES",
        default_value_t = 32 * 1024,
        value_parser = RangedU64ValueParser::<usize>::new().range(256..=1024 * 1024)
    )]
    pub header_bytes: usize,
    /// Path and query of a request, in bytes
    #[arg(
        long = "http-uri-bytes",
        env = "SELVEDGE_HTTP_URI_BYTES",
        value_name = "BYTES",
        default_value_t = 8 * 1024,
        value_parser = RangedU64ValueParser::<usize>::new().range(16..=60_000)
    )]
    pub uri_bytes: usize,
    /// The body of a request that is not gRPC, and any single answer of an upstream to one, in bytes
    #[arg(
        long = "http-body-bytes",
        env = "SELVEDGE_HTTP_BODY_BYTES",
        value_name = "BYTES",
        default_value_t = 4 * 1024 * 1024,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=1 << 30)
    )]
    pub body_bytes: usize,
    /// Requests at once on one HTTP/2 connection
    #[arg(
        long = "http-streams",
        env = "SELVEDGE_HTTP_STREAMS",
        value_name = "COUNT",
        default_value_t = 256,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub streams: u32,
    /// Connections at once; more wait until one ends
    #[arg(
        long = "http-connections",
        env = "SELVEDGE_HTTP_CONNECTIONS",
        value_name = "COUNT",
        default_value_t = 10_000,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000)
    )]
    pub connections: usize,
    /// How long a client may take to send the head of a request, and before that for the TLS handshake
    #[arg(long = "http-header-timeout", env = "SELVEDGE_HTTP_HEADER_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub header_timeout: Duration,
    /// How long the body of a request that is not gRPC may make no progress, and how long a client may take nothing of
    /// what it is sent
    #[arg(long = "http-body-idle", env = "SELVEDGE_HTTP_BODY_IDLE", value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub body_idle: Duration,
    /// How long a connection may be without a request
    #[arg(long = "http-idle", env = "SELVEDGE_HTTP_IDLE", value_name = "TIME", default_value = "75s", value_parser = duration)]
    pub connection_idle: Duration,
    /// How long a unary call may take when its caller names no deadline
    #[arg(long = "http-deadline", env = "SELVEDGE_HTTP_DEADLINE", value_name = "TIME", default_value = "15s", value_parser = duration)]
    pub deadline: Duration,
    /// How long a unary call may take, whatever its caller wants
    #[arg(long = "http-max-deadline", env = "SELVEDGE_HTTP_MAX_DEADLINE", value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub deadline_cap: Duration,
    /// How long requests may go on after the gateway was told to stop
    #[arg(long = "http-drain", env = "SELVEDGE_HTTP_DRAIN", value_name = "TIME", default_value = "20s", value_parser = duration_or_zero)]
    pub drain_time: Duration,
}
