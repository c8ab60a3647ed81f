//! Temporary data directories: fresh ones, and those that somebody could not remove.

use std::env;
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tracing::{info, warn};

use crate::lock::Lock;
use crate::{Error, files, postmaster};

const PREFIX: &str = "selvedge-pg-";

/// A younger directory may belong to somebody who has not locked it yet.
const LEFT_ALONE: Duration = Duration::from_mins(10);

/// An empty directory of our own.
pub(crate) fn fresh_dir() -> Result<PathBuf, Error> {
    let temp = env::temp_dir();
    remove_leftovers(&temp).map_err(Error::io("read", &temp))?;
    loop {
        let dir = temp.join(format!("{PREFIX}{}", files::random_hex(8)?));
        if files::make_data_dir(&dir)? {
            return Ok(dir);
        }
    }
}

/// A power cut or the end of a container takes everybody away who could clean up; the next one does it for them.
fn remove_leftovers(temp: &std::path::Path) -> io::Result<()> {
    for entry in fs::read_dir(temp)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        match remove_if_abandoned(&entry) {
            Ok(true) => {
                info!(directory = %entry.path().display(), "removed what an earlier cluster left behind");
            }
            Ok(false) => {}
            // Somebody else may have removed it meanwhile.
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            Err(error) => warn!(%error, "what an earlier cluster left behind stays"),
        }
    }
    Ok(())
}

fn remove_if_abandoned(entry: &DirEntry) -> Result<bool, Error> {
    let dir = entry.path();
    // Of the entry itself, not of what a link points to: anybody can write here.
    let there = entry.metadata().map_err(Error::io("read", &dir))?;
    let changed = there.modified().map_err(Error::io("read", &dir))?;
    let age = SystemTime::now().duration_since(changed).unwrap_or_default();
    if !there.is_dir() || there.uid() != rustix::process::geteuid().as_raw() || age < LEFT_ALONE {
        return Ok(false);
    }
    let lock = match Lock::take_abandoned(&dir) {
        Ok(Some(lock)) => lock,
        Ok(None) => return Ok(false),
        // It was never used. Should it have anything in it, it is not ours.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return fs::remove_dir(&dir).map(|()| true).map_err(Error::io("remove", &dir));
        }
        Err(error) => return Err(Error::io("lock", &dir)(error)),
    };
    if postmaster::is_running(&dir.join("postgres"))? {
        return Ok(false);
    }
    files::remove_dir(&dir)?;
    drop(lock);
    Ok(true)
}
