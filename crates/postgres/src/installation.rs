use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, child, home};

mod search;

/// The oldest major version that has what the migrations use.
const OLDEST: u32 = 15;

/// The programs of PostgreSQL on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The directory of `postgres`, `initdb` and the others.
    pub bin: PathBuf,
    /// The version, such as "15.18".
    pub version: String,
    /// The major version, such as 15: it decides which data can be read.
    pub major: u32,
}

impl Installation {
    /// The one that `SELVEDGE_PG_BIN` names, else the newest in the usual places.
    pub fn find() -> Result<Self, Error> {
        match named()? {
            Some(installation) => Ok(installation),
            None => search::newest(&search::places(), None),
        }
    }

    /// Like `find`, but prefers the version that made the data, if there is data already.
    pub fn find_for(data_dir: &Path) -> Result<Self, Error> {
        match named()? {
            Some(installation) => Ok(installation),
            None => search::newest(&search::places(), home::made_by(data_dir)?),
        }
    }

    /// What is in this directory, or why it will not do.
    fn inspect(bin: &Path) -> Result<Self, String> {
        if let Some(missing) = ["postgres", "initdb"].into_iter().find(|program| !bin.join(program).is_file())
        {
            return Err(format!("there is no `{missing}` in it"));
        }
        let line = child::first_line(Command::new(bin.join("postgres")).arg("--version"))
            .map_err(|error| format!("its `postgres --version` does not work: {error}"))?;
        let (version, major) = parse_version(&line)
            .ok_or_else(|| format!("its `postgres --version` is not understood: {line}"))?;
        if major < OLDEST {
            return Err(format!("its version {version} is older than {OLDEST}"));
        }
        Ok(Self { bin: bin.to_owned(), version, major })
    }

    /// For comparison: 15.18 is newer than 15.2.
    fn number(&self) -> (u32, u32) {
        let minor = self.version.split_once('.').and_then(|(_, minor)| minor.parse().ok());
        (self.major, minor.unwrap_or(0))
    }
}

/// A variable that is set but empty counts as unset, as compose files and shells have it.
fn named() -> Result<Option<Installation>, Error> {
    let Some(dir) = env::var_os("SELVEDGE_PG_BIN").filter(|dir| !dir.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    match std::path::absolute(&dir)
        .map_err(|error| error.to_string())
        .and_then(|dir| Installation::inspect(&dir))
    {
        Ok(installation) => Ok(Some(installation)),
        Err(why) => Err(Error::WrongBinDir { dir, why }),
    }
}

/// From "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
fn parse_version(line: &str) -> Option<(String, u32)> {
    let version = line.split_once("(PostgreSQL) ")?.1.split(' ').next()?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    Some((version.to_owned(), version[..digits].parse().ok()?))
}
