//! Whom a request is for, as RFC 3986 writes it. What is none could be read in one way by who routes requests and in
//! another by who serves them.

use std::net::Ipv6Addr;

use http::uri::Scheme;

/// Whether this is the value of `Host`: a host, perhaps with a port. Nothing is copied, as every request has one.
pub(super) fn is_valid(text: &[u8]) -> bool {
    let end_of = |text: &[u8], end| text.iter().position(|&byte| byte == end);
    if let Some(rest) = text.strip_prefix(b"[") {
        return end_of(rest, b']').is_some_and(|end| is_ipv6(&rest[..end]) && is_port(&rest[end + 1..]));
    }
    let (name, port) = text.split_at(end_of(text, b':').unwrap_or(text.len()));
    is_name(name) && is_port(port)
}

/// Whether two valid hosts are one, of which each may name the port that the scheme has anyway, or leave it out.
pub(super) fn are_same(one: &[u8], other: &[u8], scheme: Option<&Scheme>) -> bool {
    let port: &[u8] = if scheme == Some(&Scheme::HTTPS) { b":443" } else { b":80" };
    one == other || without(port, one).eq_ignore_ascii_case(without(port, other))
}

fn without<'a>(port: &[u8], host: &'a [u8]) -> &'a [u8] {
    host.strip_suffix(port).or(host.strip_suffix(b":")).unwrap_or(host)
}

fn is_ipv6(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// None, or a colon and digits; of these there may be none either.
fn is_port(text: &[u8]) -> bool {
    match text {
        [] | [b':'] => true,
        [b':', digits @ ..] => {
            let number = digits.iter().try_fold(0_u16, |number, digit| {
                let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
                number.checked_mul(10)?.checked_add(digit.into())
            });
            number.is_some()
        }
        _ => false,
    }
}

/// A name or an address of IPv4; a percent sign stands before two digits.
fn is_name(text: &[u8]) -> bool {
    let may_stand = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte);
    let mut parts = text.split(|&byte| byte == b'%');
    let begins = parts.next().is_none_or(|part| part.iter().all(may_stand));
    begins
        && parts.all(|part| {
            let (digits, rest) = part.split_at(part.len().min(2));
            digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit) && rest.iter().all(may_stand)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for host in [
            "",
            "a",
            "a.example",
            "a_b:80",
            "a:",
            "127.0.0.1:65535",
            "[::1]",
            "[2001:db8::1]:443",
            "sp%C3%A4t.example",
        ] {
            assert!(is_valid(host.as_bytes()), "{host}");
        }
        for other in [
            "a/b",
            "a@b",
            "a/b@c",
            "a b",
            "<x>",
            "a:99999999",
            "a:65536",
            "a:b",
            "a:1:2",
            "a:+1",
            "[::1",
            "[::1]a",
            "[a]",
            "[]",
            "::1",
            "a%",
            "a%2",
            "a%zz",
            "a?b",
            "a#b",
            "a,b c",
            "sp\u{e4}t",
        ] {
            assert!(!is_valid(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_host_is_the_same_however_it_is_written() {
        let are_same = |one: &str, other: &str, scheme: &Scheme| {
            are_same(one.as_bytes(), other.as_bytes(), Some(scheme))
        };
        for (one, other) in
            [("a", "a"), ("a.Example", "A.example"), ("a:80", "a"), ("a", "a:"), ("[::1]", "[::1]:80")]
        {
            assert!(are_same(one, other, &Scheme::HTTP), "{one} {other}");
        }
        assert!(are_same("a:443", "a", &Scheme::HTTPS));
        for (one, other) in
            [("a", "b"), ("a", ""), ("a:8080", "a"), ("a:443", "a"), ("a:1", "a:2"), ("[::1]:80", "[::80]")]
        {
            assert!(!are_same(one, other, &Scheme::HTTP), "{one} {other}");
        }
    }
}
