//! How long a call may take: what the caller says, else a default, and never more than the cap.

use std::time::Duration;

use http::HeaderMap;
use selvedge_kit::timeout;

use super::problem::Problem;

/// What browsers and scripts say it with: seconds, a fraction is allowed.
const SERVER_TIMEOUT: &str = "x-server-timeout";

/// The time that a call may take.
pub(super) fn limit(headers: &HeaderMap, default: Duration, longest: Duration) -> Result<Duration, Problem> {
    let asked = match (headers.get(timeout::HEADER), headers.get(SERVER_TIMEOUT)) {
        (Some(value), _) => timeout::parse(value).ok_or_else(|| {
            Problem::invalid("grpc-timeout", "must be up to eight digits and one of H, M, S, m, u, n")
        })?,
        (None, Some(value)) => seconds(value.to_str().unwrap_or_default())
            .ok_or_else(|| Problem::invalid(SERVER_TIMEOUT, "must be a positive number of seconds"))?,
        (None, None) => default,
    };
    Ok(asked.min(longest))
}

fn seconds(text: &str) -> Option<Duration> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds = text.parse::<f64>().ok().filter(|seconds| digits && *seconds > 0.0)?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &'static str, value: &str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())]);
        limit(&headers, Duration::from_secs(15), Duration::from_mins(1)).ok()
    }

    #[test]
    fn the_caller_is_heard_up_to_the_cap() {
        assert_eq!(of("x-other", "1"), Some(Duration::from_secs(15)));
        assert_eq!(of("x-server-timeout", "2.5"), Some(Duration::from_millis(2500)));
        assert_eq!(of("x-server-timeout", "3600"), Some(Duration::from_mins(1)));
        assert_eq!(of("grpc-timeout", "200m"), Some(Duration::from_millis(200)));
        for wrong in ["", "0", "-1", "1s", "inf", "nan", "1e3", "1e400"] {
            assert_eq!(of("x-server-timeout", wrong), None, "{wrong}");
        }
        assert_eq!(of("grpc-timeout", "5"), None);
    }
}
