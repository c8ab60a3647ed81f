use clap::{Args, ValueEnum};
use http::{HeaderName, HeaderValue};
use ipnet::IpNet;

/// What is particular to HTTP.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(next_help_heading = "Web")]
pub struct Web {
    /// What the API is called on its pages
    #[arg(long, env = "SELVEDGE_API_TITLE", value_name = "TEXT", default_value = "Selvedge")]
    pub api_title: String,
    /// Origins whose pages may call, such as `https://app.example`; none when absent
    #[arg(long, env = "SELVEDGE_CORS_ORIGINS", value_name = "ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<HeaderValue>,
    /// Let those pages send cookies and credentials
    #[arg(long, env = "SELVEDGE_CORS_CREDENTIALS")]
    pub cors_credentials: bool,
    /// Seconds for which a browser may remember what it may do
    #[arg(long, env = "SELVEDGE_CORS_MAX_AGE", value_name = "SECONDS", default_value_t = 600)]
    pub cors_max_age: u64,
    /// Response headers that those pages' scripts may read besides the usual ones
    #[arg(long, env = "SELVEDGE_CORS_EXPOSE", value_name = "NAMES", value_delimiter = ',')]
    pub cors_expose: Vec<HeaderName>,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or networks such as `10.0.0.0/8`
    #[arg(long, env = "SELVEDGE_TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Request headers that services are given besides those that they always are
    #[arg(long, env = "SELVEDGE_FORWARD_HEADERS", value_name = "NAMES", value_delimiter = ',', value_parser = forwardable)]
    pub forward_headers: Vec<HeaderName>,
    /// RPCs that are given cookies: beginnings of their paths, such as `/selvedge.social.v1.SessionService/`
    #[arg(long, env = "SELVEDGE_FORWARD_COOKIES", value_name = "PATHS", value_delimiter = ',', value_parser = beginning)]
    pub forward_cookies: Vec<String>,
    /// How errors are written when the caller does not say
    #[arg(long, env = "SELVEDGE_ERROR_FORMAT", value_name = "FORMAT", value_enum, default_value_t = ErrorFormat::Problem)]
    pub error_format: ErrorFormat,
    /// What a caller without valid credentials is told in `WWW-Authenticate`
    #[arg(long, env = "SELVEDGE_AUTH_CHALLENGE", value_name = "CHALLENGE", default_value = "Bearer realm=\"selvedge\"", value_parser = challenge)]
    pub auth_challenge: HeaderValue,
    /// Which requests are logged
    #[arg(long, env = "SELVEDGE_ACCESS_LOG", value_name = "WHICH", value_enum, default_value_t = AccessLog::All)]
    pub access_log: AccessLog,
}

/// How errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ErrorFormat {
    /// `application/problem+json` (RFC 9457)
    Problem,
    /// `google.rpc.Status` in JSON
    Status,
}

/// Which requests are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AccessLog {
    /// Every request
    All,
    /// Those that failed through no fault of the caller
    Errors,
    /// None
    Off,
}

/// `scheme://host[:port]`, as browsers send it.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let wrong = || "an origin is `scheme://host` or `scheme://host:port`, nothing behind it".to_owned();
    let (scheme, host) = text.split_once("://").ok_or_else(wrong)?;
    let fits = |part: &str| !part.is_empty() && !part.contains(['/', '*', '?', '#', '@', ' ']);
    if !fits(scheme) || !fits(host) {
        return Err(wrong());
    }
    check_port(scheme, host)?;
    HeaderValue::from_str(&text.to_ascii_lowercase()).map_err(|_| wrong())
}

/// The port of an origin, if it has one, has to be one that browsers send.
fn check_port(scheme: &str, host: &str) -> Result<(), String> {
    // The colons within brackets are those of an address.
    let Some((name, port)) = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) else {
        return Ok(());
    };
    let number = port.parse::<u16>().ok().filter(|number| number.to_string() == port);
    let is_name = !name.is_empty() && (!name.contains(':') || name.ends_with(']'));
    let Some(number) = number.filter(|_| is_name) else {
        return Err(format!("{host:?} is not a host with a port"));
    };
    let has_anyway = |name: &str, port: u16| scheme.eq_ignore_ascii_case(name) && number == port;
    if has_anyway("http", 80) || has_anyway("https", 443) {
        return Err(format!("browsers leave out a port that {scheme} has anyway: write {scheme}://{name}"));
    }
    Ok(())
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<std::net::IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).map_err(|_| "not an address or a network".to_owned())
}

fn challenge(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| "not the value of a header".to_owned())
}

/// Not those that belong to a connection, or that the gateway itself answers for.
fn forwardable(text: &str) -> Result<HeaderName, String> {
    let name = HeaderName::try_from(text).map_err(|_| "not the name of a header".to_owned())?;
    let own = [
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
    ];
    let refused = own.contains(&name.as_str())
        || ["grpc-", "proxy-", "transfer-", "x-selvedge-", "content-encoding", "cookie"]
            .iter()
            .any(|begins| name.as_str().starts_with(begins));
    if refused { Err("this header is not forwarded as it is".to_owned()) } else { Ok(name) }
}

/// The path of an RPC, or the beginning of some.
fn beginning(text: &str) -> Result<String, String> {
    let wrong = "a path begins with `/`, as in `/package.Service/`";
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err(wrong.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_one_exact_origin() {
        assert_eq!(origin("https://App.example:8443").unwrap(), "https://app.example:8443");
        for wrong in ["*", "app.example", "https://", "https://app.example/", "https://*.example", "null"] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for right in
            ["http://a:443", "https://a:80", "http://[::1]", "https://[::1]:8443", "http://localhost:3000"]
        {
            assert_eq!(origin(right).unwrap(), right);
        }
        for wrong in ["https://a:443", "HTTPS://a:443", "http://a:80", "https://[::1]:443"] {
            assert!(origin(wrong).unwrap_err().contains("leave out"), "{wrong}");
        }
        for wrong in [
            "https://a:abc",
            "https://a:",
            "https://a:99999",
            "https://a:08443",
            "https://a:+1",
            "https://:1",
            "https://a:1:2",
        ] {
            assert!(origin(wrong).unwrap_err().contains("port"), "{wrong}");
        }
    }

    #[test]
    fn a_path_that_no_rpc_can_have_is_refused() {
        assert!(beginning("/shop.v1.Items/").is_ok());
        assert!(beginning("shop.v1.Items").is_err());
    }

    #[test]
    fn headers_of_ours_and_of_the_connection_are_not_forwarded() {
        assert!(forwardable("X-Tenant").is_ok());
        for wrong in [
            "connection",
            "expect",
            "http2-settings",
            "grpc-timeout",
            "transfer-encoding",
            "x-selvedge-client-address",
            "te",
            "a b",
        ] {
            assert!(forwardable(wrong).is_err(), "{wrong}");
        }
    }
}
