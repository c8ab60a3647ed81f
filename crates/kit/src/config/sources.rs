//! Where values come from that are not on the command line.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::env_file::EnvFile;

/// Neither a secret nor an env file is longer; `/dev/zero` is.
const LARGEST_FILE: u64 = 1 << 20;

/// The environment, and the env file behind it.
pub(super) struct Sources<'a> {
    pub(super) environment: &'a dyn Fn(&str) -> Option<OsString>,
    pub(super) file: EnvFile,
}

/// A value and where it was found.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    pub(super) value: OsString,
    pub(super) origin: Origin,
}

#[derive(Debug, PartialEq)]
pub(super) enum Origin {
    Environment,
    EnvFile,
    SecretFile(PathBuf),
}

impl Sources<'_> {
    /// The value of a variable; that of a secret may also be in the file that `NAME_FILE` names.
    pub(super) fn find(&self, name: &str, secret: bool) -> Result<Option<Found>, String> {
        let file_name = format!("{name}_FILE");
        let path = if secret { variable(self.environment, &file_name) } else { None };
        match (variable(self.environment, name), path) {
            (Some(_), Some(_)) => {
                return Err(format!("both {name} and {file_name} are set; use one of them"));
            }
            (Some(value), None) => return Ok(Some(Found { value, origin: Origin::Environment })),
            (None, Some(path)) => return secret_file(&file_name, path.into()).map(Some),
            (None, None) => {}
        }
        if let Some(value) = self.file.get(name) {
            return Ok(Some(Found { value: value.into(), origin: Origin::EnvFile }));
        }
        let path = if secret { self.file.get(&file_name) } else { None };
        path.map(|path| secret_file(&file_name, path.into())).transpose()
    }
}

/// A variable of the environment. An empty one counts as none: that is how Compose files pass on what is not set.
pub(super) fn variable(environment: &dyn Fn(&str) -> Option<OsString>, name: &str) -> Option<OsString> {
    environment(name).filter(|value| !value.is_empty())
}

/// The text of a file that is read whole.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // One byte more than allowed tells too long from just long enough.
    File::open(path)?.take(LARGEST_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

fn secret_file(variable: &str, path: PathBuf) -> Result<Found, String> {
    let text =
        read(&path).map_err(|error| format!("{variable}: {} cannot be read: {error}", path.display()))?;
    let value = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(&text);
    if value.is_empty() {
        return Err(format!("{variable}: {} is empty", path.display()));
    }
    Ok(Found { value: value.into(), origin: Origin::SecretFile(path) })
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("environment"),
            Self::EnvFile => f.write_str("env file"),
            Self::SecretFile(path) => write!(f, "file {}", path.display()),
        }
    }
}
