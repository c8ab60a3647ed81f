use std::net::Ipv6Addr;
use std::path::PathBuf;

use clap::ValueEnum as _;

use crate::config::{TlsMode, percent};

/// What follows the `@` of a URL: `HOST:PORT/NAME?PARAMETERS`.
#[derive(Default)]
pub(super) struct Tail<'a> {
    /// As it was written.
    pub(super) text: &'a str,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) database: Option<String>,
    pub(super) application_name: Option<String>,
    pub(super) tls: Option<TlsMode>,
    pub(super) tls_root_cert: Option<PathBuf>,
}

impl<'a> Tail<'a> {
    /// Reads it strictly: what is not escaped as it should be may be a piece of a password.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        if text.contains('#') {
            return Err("holds a `#` after the password; it must be written `%23`".to_owned());
        }
        let (location, query) = text.split_once('?').unwrap_or((text, ""));
        let (authority, database) = location.split_once('/').unwrap_or((location, ""));
        if database.contains(['/', '@']) {
            return Err("the name of the database holds a `/` or `@`; write `%2F` or `%40`".to_owned());
        }
        let database =
            percent::decode(database).map_err(|wrong| format!("the name of the database {wrong}"))?;
        let (host, port) = host_and_port(authority)?;
        let mut tail = Self { text, host, port, ..Self::default() };
        tail.database = (!database.is_empty()).then_some(database);
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            tail.set(parameter)?;
        }
        Ok(tail)
    }

    fn set(&mut self, parameter: &str) -> Result<(), String> {
        let (name, value) = parameter.split_once('=').ok_or("a parameter after the `?` has no value")?;
        let value = || percent::decode(value).map_err(|wrong| format!("the parameter `{name}` {wrong}"));
        match name {
            "host" => self.host = Some(host(&value()?)?),
            "application_name" => self.application_name = Some(value()?),
            "sslrootcert" => self.tls_root_cert = Some(value()?.into()),
            "sslmode" => {
                let mode = TlsMode::from_str(&value()?, false);
                self.tls = Some(mode.map_err(|_| {
                    "sslmode must be disable, prefer, require, verify-ca or verify-full".to_owned()
                })?);
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }
}

fn host_and_port(authority: &str) -> Result<(Option<String>, Option<u16>), String> {
    let (name, port) = if let Some(bracketed) = authority.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']').ok_or("the host has a `[` without a `]`")?;
        let address: Ipv6Addr = address.parse().map_err(|_| "the host in brackets is not an IPv6 address")?;
        (Some(address.to_string()), port)
    } else {
        let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        let name = percent::decode(name).map_err(|wrong| format!("the host {wrong}"))?;
        (if name.is_empty() { None } else { Some(host(&name)?) }, port)
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port > 0).ok_or(WRONG_PORT)?)
        }
        None if port.is_empty() => None,
        _ => return Err(WRONG_PORT.to_owned()),
    };
    Ok((name, port))
}

const WRONG_PORT: &str = "the port is not a number from 1 to 65535";

/// A host name or the directory of a Unix socket.
fn host(name: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if name.starts_with('/') || (!name.is_empty() && name.bytes().all(plain)) {
        Ok(name.to_owned())
    } else {
        Err("the host holds a character that no host name has".to_owned())
    }
}

/// Parameters of connections are lower-case words. Anything else is not repeated: it may come from a secret.
fn unknown(name: &str) -> String {
    let word = !name.is_empty()
        && name.len() <= 40
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let which = if word { format!("the parameter `{name}`") } else { "a parameter after the `?`".to_owned() };
    format!("{which} is unknown; known are host, sslmode, sslrootcert and application_name")
}
