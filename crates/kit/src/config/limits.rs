use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;

/// The database counts its timeouts in milliseconds of 31 bits, which is a little more than this.
const LONGEST: Duration = Duration::from_hours(24 * 24);
const LARGEST_MESSAGE: u64 = 1 << 30;

/// What a service puts up with.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// The largest message that is accepted, in bytes
    #[arg(
        long,
        env = "SELVEDGE_MAX_MESSAGE_BYTES",
        value_name = "BYTES",
        default_value_t = 4 * 1024 * 1024,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=LARGEST_MESSAGE)
    )]
    pub max_message_bytes: usize,
    /// Requests that are served at once; more are refused
    #[arg(
        long,
        env = "SELVEDGE_MAX_IN_FLIGHT",
        value_name = "COUNT",
        default_value_t = 1024,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000)
    )]
    pub max_in_flight: usize,
    /// How long a call may take when its caller names no deadline
    #[arg(long, env = "SELVEDGE_DEFAULT_DEADLINE", value_name = "TIME", default_value = "15s", value_parser = duration)]
    pub default_deadline: Duration,
    /// How long a call may take, whatever its caller wants
    #[arg(long, env = "SELVEDGE_MAX_DEADLINE", value_name = "TIME", default_value = "5m", value_parser = duration)]
    pub max_deadline: Duration,
    /// How long a stream may be silent
    #[arg(long, env = "SELVEDGE_STREAM_IDLE", value_name = "TIME", default_value = "5m", value_parser = duration)]
    pub stream_idle: Duration,
    /// How long a stream may last
    #[arg(long, env = "SELVEDGE_STREAM_AGE", value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub stream_age: Duration,
    /// How long calls may go on after the process was told to stop
    #[arg(long, env = "SELVEDGE_DRAIN", value_name = "TIME", default_value = "20s", value_parser = duration_or_zero)]
    pub drain: Duration,
    /// Calls at once on one connection
    #[arg(
        long,
        env = "SELVEDGE_MAX_STREAMS_PER_CONNECTION",
        value_name = "COUNT",
        default_value_t = 256,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub max_streams_per_connection: u32,
    /// The largest header block of a request that is accepted, in bytes; what a gateway lets pass, it should be able to pass on
    #[arg(
        long,
        env = "SELVEDGE_MAX_HEADER_BYTES",
        value_name = "BYTES",
        default_value_t = 64 * 1024,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub max_header_bytes: u32,
    /// How often a quiet connection is asked whether it is still there
    #[arg(long, env = "SELVEDGE_KEEPALIVE_INTERVAL", value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub keepalive_interval: Duration,
    /// How long a connection may take to answer that before it is closed
    #[arg(long, env = "SELVEDGE_KEEPALIVE_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub keepalive_timeout: Duration,
}

/// A time to wait. At least a millisecond: the database takes a timeout of zero for none at all.
pub fn duration(text: &str) -> Result<Duration, String> {
    match duration_or_zero(text)? {
        time if time < Duration::from_millis(1) => Err("must be at least 1ms".to_owned()),
        time => Ok(time),
    }
}

/// A time to wait, or not to wait at all.
pub fn duration_or_zero(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text)
        .map_err(|error| format!("{error} (such as 250ms, 30s, 5m or 1h 30m)"))?;
    if time > LONGEST { Err("must be at most 24days".to_owned()) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        for (text, milliseconds) in
            [("1ms", 1), ("250ms", 250), ("2s", 2000), ("5m", 300_000), ("1h 30m", 5_400_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(duration("24days"), Ok(LONGEST));
        assert_eq!(duration_or_zero("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn times_without_unit_or_out_of_bounds_are_refused() {
        for wrong in
            ["", "5", "-5s", "soon", "5 parsecs", "25days", "99999999999999999999y", "0s", "0", "999us"]
        {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }
}
