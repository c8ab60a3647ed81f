//! Who calls: the peer of the connection, or whom a proxy that we trust names.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

/// The header in which services are told; a caller's own is never passed on.
pub(crate) const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("x-selvedge-client-address");

/// The address of the caller. Each proxy appends whom it saw, so the chain is read from its end, as far as there are
/// proxies to believe.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    // An IPv4 peer of a socket that serves both families is an IPv4 peer.
    let mut client = peer.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if trusted.is_empty() || !is_trusted(&client) {
        return client;
    }
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    for hop in lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')) {
        // Beyond something that is no address, nothing can be believed.
        let Some(address) = address(hop.trim()) else { break };
        client = address;
        if !is_trusted(&client) {
            break;
        }
    }
    client
}

/// The value of [`CLIENT_ADDRESS`].
pub(crate) fn header(address: IpAddr) -> HeaderValue {
    HeaderValue::try_from(address.to_string()).expect("digits, dots and colons are a header")
}

/// Some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let plain = || text.trim_matches(['[', ']']).parse().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    plain().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, chain: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in chain {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn nobody_is_believed_without_being_trusted() {
        assert_eq!(of("203.0.113.9", &["1.2.3.4"], &[]), "203.0.113.9");
        assert_eq!(of("203.0.113.9", &["1.2.3.4"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn the_chain_ends_at_the_first_that_is_no_proxy_of_ours() {
        let trusted = ["10.0.0.0/8", "::1/128"];
        assert_eq!(of("10.0.0.1", &["6.6.6.6, 1.2.3.4"], &trusted), "1.2.3.4");
        assert_eq!(of("10.0.0.1", &["6.6.6.6", "1.2.3.4, 10.0.0.7"], &trusted), "1.2.3.4");
        assert_eq!(of("::ffff:10.0.0.1", &["[2001:db8::1]:443"], &trusted), "2001:db8::1");
        assert_eq!(of("::1", &["1.2.3.4:5678"], &trusted), "1.2.3.4");
        assert_eq!(of("10.0.0.1", &["10.0.0.2"], &trusted), "10.0.0.2");
        assert_eq!(of("10.0.0.1", &["1.2.3.4, unknown, 10.0.0.2"], &trusted), "10.0.0.2");
        assert_eq!(of("10.0.0.1", &[], &trusted), "10.0.0.1");
    }
}
