//! How long a call may take: what the caller says, else a default, and never more than the cap.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use selvedge_kit::timeout;

use super::problem::Problem;
use super::single::single;

/// What browsers and scripts say it with: seconds, a fraction is allowed.
const SERVER_TIMEOUT: HeaderName = HeaderName::from_static("x-server-timeout");

/// The time that a call may take; who says it in both ways gets the shorter one.
pub(super) fn limit(headers: &HeaderMap, default: Duration, longest: Duration) -> Result<Duration, Problem> {
    let of_grpc = single(headers, &timeout::HEADER)?.map(|value| {
        timeout::parse(value).ok_or_else(|| {
            Problem::invalid("grpc-timeout", "must be up to eight digits and one of H, M, S, m, u, n")
        })
    });
    let of_server = single(headers, &SERVER_TIMEOUT)?.map(|value| {
        seconds(value.to_str().unwrap_or_default())
            .ok_or_else(|| Problem::invalid(SERVER_TIMEOUT.as_str(), "must be a positive number of seconds"))
    });
    let asked = [of_grpc.transpose()?, of_server.transpose()?].into_iter().flatten().min();
    Ok(asked.unwrap_or(default).min(longest))
}

fn seconds(text: &str) -> Option<Duration> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds = text.parse::<f64>().ok().filter(|seconds| digits && *seconds > 0.0)?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_all(lines: &[(&'static str, &str)]) -> Option<Duration> {
        let line = |&(name, value): &(_, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        let headers = lines.iter().map(line).collect();
        limit(&headers, Duration::from_secs(15), Duration::from_mins(1)).ok()
    }

    fn of(name: &'static str, value: &str) -> Option<Duration> {
        of_all(&[(name, value)])
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

    #[test]
    fn who_says_two_things_is_held_to_the_shorter_and_nothing_is_said_twice() {
        let (server, grpc) = ("x-server-timeout", "grpc-timeout");
        for (seconds, grpc_timeout) in [("2", "30S"), ("30", "2S")] {
            assert_eq!(of_all(&[(server, seconds), (grpc, grpc_timeout)]), Some(Duration::from_secs(2)));
        }
        assert_eq!(
            (of_all(&[(server, "x"), (grpc, "2S")]), of_all(&[(server, "2"), (grpc, "x")])),
            (None, None)
        );
        assert_eq!(of_all(&[(server, "2"), (server, "2")]), None);
        assert_eq!(of_all(&[(grpc, "2S"), (grpc, "2S")]), None);
    }
}
