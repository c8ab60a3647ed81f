//! Headers to metadata and back: an allow list in both directions.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, TE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use selvedge_kit::telemetry::propagation::REQUEST_ID;
use selvedge_kit::timeout;

use super::problem::Problem;
use crate::client_address::{self, CLIENT_ADDRESS};
use crate::config::Web;
use crate::upstream::BASE64;

/// Callers name metadata with this in front, and are answered with it in front.
const METADATA: &str = "grpc-metadata-";

/// What names a request that may be repeated.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What services are always given, if it is there.
const ALLOWED: [HeaderName; 4] =
    [AUTHORIZATION, ACCEPT_LANGUAGE, IDEMPOTENCY_KEY, HeaderName::from_static("baggage")];

/// What a call carries besides its message.
pub(super) struct Carried<'a> {
    /// The headers of the request.
    pub(super) headers: &'a HeaderMap,
    /// The path of the RPC.
    pub(super) rpc: &'a str,
    /// The name of the call.
    pub(super) request_id: &'a HeaderValue,
    /// Who calls.
    pub(super) client: IpAddr,
    /// How long the caller still waits.
    pub(super) left: Duration,
    /// How many headers a request may have.
    pub(super) most: usize,
}

/// The metadata of a call. What gRPC could not carry is the caller's mistake, which the service should not be blamed for.
pub(super) fn of_call(carried: &Carried<'_>, web: &Web) -> Result<HeaderMap, Problem> {
    let mut metadata = HeaderMap::with_capacity(16);
    for (name, value) in carried.headers {
        let carried_on = allowed(name, carried.rpc, web).filter(|_| !is_hop_by_hop(name, carried.headers));
        if let Some(own) = carried_on {
            let added = add(&mut metadata, own, value, carried.most);
            added.map_err(|problem| Problem::invalid(name.as_str(), problem))?;
        }
    }
    metadata.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    metadata.insert(TE, HeaderValue::from_static("trailers"));
    metadata.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("selvedge-gateway/", env!("CARGO_PKG_VERSION"))),
    );
    metadata.insert(REQUEST_ID, carried.request_id.clone());
    metadata.insert(CLIENT_ADDRESS, client_address::header(carried.client));
    metadata.insert(timeout::HEADER, timeout::header(carried.left));
    Ok(metadata)
}

/// The name under which a header travels on, if it does.
fn allowed(name: &HeaderName, rpc: &str, web: &Web) -> Option<HeaderName> {
    if ALLOWED.contains(name) || web.forward_headers.contains(name) {
        return Some(name.clone());
    }
    if name == COOKIE {
        let wanted = web.forward_cookies.iter().any(|path| rpc.starts_with(path.as_str()));
        return wanted.then_some(COOKIE);
    }
    let own = HeaderName::try_from(name.as_str().strip_prefix(METADATA)?).ok()?;
    // What has a header of its own is said there and nowhere else.
    let has_its_own = ALLOWED.contains(&own) || web.forward_headers.contains(&own);
    // What the call itself is made of, and what proxies say, is not the caller's to say.
    let is_refused = has_its_own || is_reserved(own.as_str()) || is_of_proxies(own.as_str());
    (!is_refused).then_some(own)
}

/// Whether the caller said that a header is for the next hop alone, which is us.
fn is_hop_by_hop(name: &HeaderName, headers: &HeaderMap) -> bool {
    let lines = headers.get_all(CONNECTION).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|option| option.trim().eq_ignore_ascii_case(name.as_str()))
}

/// Adds a header to metadata if gRPC can carry it: its names have fewer letters than those of HTTP, its text is printable
/// ASCII, and binary values are base64.
fn add(
    metadata: &mut HeaderMap,
    name: HeaderName,
    value: &HeaderValue,
    most: usize,
) -> Result<(), &'static str> {
    if !name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
        return Err("gRPC has no metadata of this name");
    }
    if name.as_str().ends_with("-bin") {
        return add_binary(metadata, &name, value, most);
    }
    if !value.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return Err("metadata must be printable ASCII");
    }
    metadata.append(name, value.clone());
    Ok(())
}

/// Several values may stand on one line, separated by commas; not every service takes them like that.
fn add_binary(
    metadata: &mut HeaderMap,
    name: &HeaderName,
    line: &HeaderValue,
    most: usize,
) -> Result<(), &'static str> {
    for value in line.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
        if value.is_empty() || BASE64.decode(value).is_err() {
            return Err("metadata whose name ends in `-bin` must be base64");
        }
        // Two bytes and a comma become a header.
        if metadata.len() >= most {
            return Err("these are too many values");
        }
        metadata.append(name, HeaderValue::from_bytes(value).expect("it is a part of one"));
    }
    Ok(())
}

/// What somebody on the way says of the caller or of the connection; a service that reads it must not be told by the caller.
fn is_of_proxies(name: &str) -> bool {
    ["proxy-", "x-forwarded-"].iter().any(|begins| name.starts_with(begins))
        || matches!(name, "content-encoding" | "expect" | "forwarded" | "http2-settings" | "x-real-ip")
}

fn is_reserved(name: &str) -> bool {
    name.starts_with("grpc-")
        || name.starts_with("x-selvedge-")
        || matches!(
            name,
            "connection"
                | "content-length"
                | "content-type"
                | "cookie"
                | "date"
                | "host"
                | "keep-alive"
                | "proxy-connection"
                | "te"
                | "trailer"
                | "transfer-encoding"
                | "traceparent"
                | "tracestate"
                | "upgrade"
                | "user-agent"
                | "x-request-id"
        )
}

/// What a service said besides its answer, under names that cannot be taken for HTTP's own.
pub(super) fn to_caller(metadata: &HeaderMap, headers: &mut HeaderMap) {
    for (name, value) in metadata {
        if is_reserved(name.as_str()) {
            continue;
        }
        if let Ok(name) = HeaderName::try_from(format!("{METADATA}{name}")) {
            headers.append(name, value.clone());
        }
    }
}
