//! Connection URLs: `postgres://USER:PASSWORD@HOST:PORT/NAME?PARAMETERS`.
//!
//! Passwords are often pasted into URLs without escaping. Such a URL has more than one reading; we look for the one
//! that was meant, so that the error can say what to write instead. No error repeats a password, and none repeats a
//! text that might be part of one.

mod diagnosis;
mod tail;

use super::database::DEFAULT_PORT;
use super::{ConfigError, Secret, Target, percent};
use tail::Tail;

/// Readings are tried at every `@`, so the length must have an end.
const LONGEST: usize = 4096;

/// Reads a connection URL.
pub(super) fn parse(url: &str) -> Result<Target, ConfigError> {
    let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let rest = rest.ok_or_else(|| error("must begin with postgres:// or postgresql://"))?;
    if url.len() > LONGEST {
        return Err(error("is longer than 4096 bytes"));
    }
    if !rest.contains('@') || Tail::parse(rest).is_ok() {
        return Err(error("names no user: it must be postgres://USER:PASSWORD@HOST:PORT/NAME"));
    }
    // The first `@` after which a host, a database and parameters make sense is the one before the host: one further
    // left is part of the password, one further right part of a parameter.
    for (at, _) in rest.match_indices('@') {
        if let Ok(tail) = Tail::parse(&rest[at + 1..]) {
            return target(&rest[..at], tail);
        }
    }
    let (login, tail) = rest.rsplit_once('@').expect("it holds an @");
    diagnosis::check(login, None)?;
    match Tail::parse(tail) {
        Err(message) => Err(error(&message)),
        Ok(tail) => target(login, tail),
    }
}

fn target(login: &str, tail: Tail<'_>) -> Result<Target, ConfigError> {
    diagnosis::check(login, Some(&tail))?;
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let user = percent::decode(user).map_err(|wrong| error(&format!("the user name {wrong}")))?;
    let password = password.map(percent::decode).transpose();
    let password = password.map_err(|wrong| error(&format!("the password {wrong}")))?;
    if user.is_empty() {
        return Err(error("names no user: it must be postgres://USER:PASSWORD@HOST:PORT/NAME"));
    }
    let host = tail
        .host
        .ok_or_else(|| error("names no host: it must be postgres://USER:PASSWORD@HOST:PORT/NAME"))?;
    Ok(Target {
        socket: host.starts_with('/'),
        host,
        port: tail.port.unwrap_or(DEFAULT_PORT),
        password: password.map(Secret::new),
        database: tail.database.unwrap_or_else(|| user.clone()),
        user,
        application_name: tail.application_name,
        tls: tail.tls,
        tls_root_cert: tail.tls_root_cert,
    })
}

fn error(message: &str) -> ConfigError {
    ConfigError::new(format!("SELVEDGE_DATABASE_URL: {message}"))
}

#[cfg(test)]
mod tests;
