use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use http::Uri;
use http::uri::Authority;

/// Where the services of this mesh listen when nobody says otherwise. The services themselves know as well, but the
/// gateway knows no service.
const BUILT_IN: &[(&str, u16)] = &[("selvedge.contacts.v1", 50051), ("selvedge.catalog.v1", 50053)];

/// What a gateway is a gateway to.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
#[command(next_help_heading = "Upstreams")]
pub struct Upstreams {
    /// Who serves a package: `contacts.v1=http://host:port`, several addresses separated by commas. Of several
    /// packages that fit, the longest wins: `a.b` also stands for `a.b.v1`. May be given several times, in the
    /// variable separated by semicolons
    #[arg(
        long = "upstream",
        id = "upstream",
        env = "SELVEDGE_UPSTREAMS",
        value_name = "PACKAGE=URL[,URL..]",
        value_delimiter = ';'
    )]
    pub given: Vec<Upstream>,
    /// A file with an encoded `google.protobuf.FileDescriptorSet` of what is served, imports included; may be given
    /// several times. When absent, the services of Selvedge
    #[arg(
        long = "descriptor-set",
        id = "descriptor-set",
        env = "SELVEDGE_DESCRIPTOR_SETS",
        value_name = "FILE",
        value_delimiter = ';'
    )]
    pub descriptor_sets: Vec<PathBuf>,
}

/// Who serves a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// The package, or the beginning of several.
    pub package: String,
    /// Where it is served; all of them serve the same.
    pub addresses: Vec<Address>,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Both, as HTTP writes them.
    pub authority: Authority,
}

impl Upstreams {
    /// Those that were given, and for the rest of the packages that there are the usual places of our own services.
    /// The longest package comes first.
    pub(crate) fn of_packages(&self, packages: &[&str]) -> Vec<Upstream> {
        let mut all: Vec<Upstream> = vec![];
        for given in self.given.iter().rev() {
            if !all.iter().any(|upstream| upstream.package == given.package) {
                all.push(given.clone());
            }
        }
        for (package, port) in BUILT_IN {
            let given = all.iter().any(|upstream| upstream.serves(package));
            if !given && packages.contains(package) {
                all.push(built_in(package, *port));
            }
        }
        all.sort_by_key(|upstream| std::cmp::Reverse(upstream.package.len()));
        all
    }
}

impl Upstream {
    /// Whether a package, or whatever else has a full name, is its own.
    pub(crate) fn serves(&self, name: &str) -> bool {
        name.strip_prefix(&*self.package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

fn built_in(package: &str, port: u16) -> Upstream {
    let address = format!("http://127.0.0.1:{port}").parse().expect("it is written as the parser wants it");
    Upstream { package: package.to_owned(), addresses: vec![address] }
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (package, addresses) =
            text.split_once('=').ok_or("must be a package, `=` and a URL, as in a.v1=http://host:port")?;
        let package = package.trim();
        let is_name = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if !package.split('.').all(is_name) {
            return Err(format!("{package:?} is not a package"));
        }
        let addresses =
            addresses.split(',').map(|address| address.trim().parse()).collect::<Result<_, _>>()?;
        Ok(Self { package: package.to_owned(), addresses })
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not an address such as http://host:50051");
        let uri = Uri::from_str(text).map_err(|_| wrong())?;
        if uri.scheme_str() == Some("https") {
            return Err(format!("{text:?}: upstreams are spoken to without TLS, over http"));
        }
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http")).ok_or_else(wrong)?;
        let port = authority.port_u16().ok_or_else(|| {
            let is_missing = authority.as_str().ends_with(authority.host());
            format!("{text:?} {}", if is_missing { "has no port" } else { "has a port that is none" })
        })?;
        let host = authority.host().trim_matches(['[', ']']);
        let bare = uri.path_and_query().is_none_or(|path| path == "/") && !authority.as_str().contains('@');
        if host.is_empty() || !bare {
            return Err(wrong());
        }
        Ok(Self { host: host.to_owned(), port, authority: authority.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_addresses_are_read() {
        let upstream: Upstream = "a.b_c.v1 = http://one:1, http://[::1]:2/".parse().unwrap();
        assert_eq!(upstream.package, "a.b_c.v1");
        let places: Vec<_> = upstream.addresses.iter().map(|it| (it.host.as_str(), it.port)).collect();
        assert_eq!(places, [("one", 1), ("::1", 2)]);
        assert_eq!(upstream.addresses[1].authority, "[::1]:2");
    }

    #[test]
    fn what_is_neither_is_refused() {
        for wrong in [
            "",
            "a",
            "a=",
            "=http://h:1",
            "a..b=http://h:1",
            "1a=http://h:1",
            "a=h:1",
            "a=http://h",
            "a=https://h:1",
            "a=http://h:1/path",
            "a=http://u@h:1",
            "a=http://h:1,",
            "a=http://:1",
            "a=http://h:99999",
            "/a=http://h:1",
        ] {
            assert!(wrong.parse::<Upstream>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_port_that_is_none_is_not_called_missing() {
        let told = |address: &str| address.parse::<Address>().unwrap_err();
        for address in ["http://h", "http://[::1]", "http://h/"] {
            assert!(told(address).contains("no port"), "{}", told(address));
        }
        for address in ["http://h:99999", "http://[::1]:99999", "http://h:"] {
            assert!(told(address).contains("a port that is none"), "{}", told(address));
        }
    }

    #[test]
    fn the_last_of_a_package_wins_and_our_own_are_added_where_they_are_missing() {
        let given = |given: &[&str]| Upstreams {
            given: given.iter().map(|text| text.parse().unwrap()).collect(),
            ..Upstreams::default()
        };
        let packages = ["x.v1", "selvedge.contacts.v1"];
        let of = |upstreams: &Upstreams| -> Vec<String> {
            let all = upstreams.of_packages(&packages);
            all.iter().map(|it| format!("{}:{}", it.package, it.addresses[0].port)).collect()
        };
        assert_eq!(of(&given(&["x=http://h:1", "x=http://h:2"])), ["selvedge.contacts.v1:50051", "x:2"]);
        assert_eq!(of(&given(&["selvedge=http://h:1"])), ["selvedge:1"]);
        assert!(given(&[]).of_packages(&["y"]).is_empty());
    }

    #[test]
    fn a_package_stands_for_those_below_it() {
        let upstream: Upstream = "a.b=http://h:1".parse().unwrap();
        assert!(upstream.serves("a.b") && upstream.serves("a.b.v1.Service"));
        assert!(!upstream.serves("a.bc") && !upstream.serves("a"));
    }
}
