//! The data directory: where it really is, whom it belongs to, what lies in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lock::Lock;
use crate::user::{self, RunAs};
use crate::{Error, Options, child, files};

/// A data directory that is held by this process.
#[derive(Debug)]
pub(crate) struct Home {
    /// The directory itself.
    pub(crate) dir: PathBuf,
    /// Whom the server runs as, if that is not us.
    pub(crate) run_as: Option<RunAs>,
    /// What the user should know about it.
    pub(crate) notes: Vec<String>,
    _lock: Lock,
}

impl Home {
    /// Makes the directory, or another one if it cannot be used, and takes it.
    pub(crate) fn open(options: &Options) -> Result<Self, Error> {
        let wanted = std::path::absolute(&options.data_dir).map_err(Error::io("find", &options.data_dir))?;
        let mut notes = vec![];
        let dir = if let Some(user) = RunAs::choose(&server_data(&wanted))? {
            reachable(wanted, &user, &mut notes)?
        } else {
            files::make_data_dir(&wanted)?;
            wanted
        };
        if options.ephemeral && fs::read_dir(&dir).map_err(Error::io("read", &dir))?.next().is_some() {
            return Err(Error::NotEmpty { path: dir });
        }
        // A running server is recognized by this path, which therefore has to be the same every time.
        let dir = fs::canonicalize(&dir).map_err(Error::io("find", &dir))?;
        let lock = Lock::take(&dir)?;
        // After a fallback the data that is already there may belong to another user.
        let run_as = RunAs::choose(&server_data(&dir))?;
        if let Some(user) = &run_as {
            notes.push(format!("PostgreSQL runs as user {}, because it refuses to run as root", user.name));
        }
        Ok(Self { dir, run_as, notes, _lock: lock })
    }

    /// What PostgreSQL calls its data directory.
    pub(crate) fn server_data(&self) -> PathBuf {
        server_data(&self.dir)
    }
}

/// The major version that made the data in a data directory, if there are any.
pub(crate) fn made_by(data_dir: &Path) -> Result<Option<u32>, Error> {
    let dir = std::path::absolute(data_dir).map_err(Error::io("find", data_dir))?;
    let other = fallback(&dir);
    Ok(major_of(&server_data(&dir))?.or(major_of(&server_data(&other))?))
}

/// The major version of the server whose data this is.
pub(crate) fn major_of(server_data: &Path) -> Result<Option<u32>, Error> {
    let text = files::read(&server_data.join("PG_VERSION"))?;
    Ok(text.and_then(|version| version.parse().ok()))
}

/// The directory, or its stand-in if the user cannot get there: below /root, for example.
fn reachable(wanted: PathBuf, user: &RunAs, notes: &mut Vec<String>) -> Result<PathBuf, Error> {
    let made = files::make_data_dir(&wanted)?;
    if can_enter(&wanted, user)? {
        return Ok(wanted);
    }
    let unreachable = |path| Error::Unreachable { path, user: user.name.clone() };
    // Data that is there must not be left behind for an empty database somewhere else.
    if server_data(&wanted).exists() {
        return Err(unreachable(wanted));
    }
    if made {
        fs::remove_dir(&wanted).map_err(Error::io("remove", &wanted))?;
    }
    let other = fallback(&wanted);
    files::make_data_dir(&other)?;
    if !can_enter(&other, user)? {
        return Err(unreachable(other));
    }
    let (wanted, name) = (wanted.display(), &user.name);
    notes.push(format!("data is kept in {}, because user {name} cannot reach {wanted}", other.display()));
    Ok(other)
}

/// Tries it, since more than the modes of directories can stand in the way.
fn can_enter(dir: &Path, user: &RunAs) -> Result<bool, Error> {
    let mut enter: Command = user::command(Path::new("/bin/sh"), Some(user));
    enter.args(["-c", "cd -- \"$1\" 2>/dev/null", "sh"]).arg(dir);
    let doing = || format!("run a shell as user {}", user.name);
    let mut shell = enter.spawn().map_err(|source| Error::Io { doing: doing(), source })?;
    let status = child::wait_within(&mut shell, std::time::Duration::from_secs(10));
    let status = status.map_err(|source| Error::Io { doing: doing(), source })?;
    Ok(status.is_some_and(|status| status.success()))
}

/// The same path leads to the same place at every start.
fn fallback(wanted: &Path) -> PathBuf {
    Path::new("/var/lib/selvedge").join(format!("{:016x}", hash(wanted)))
}

/// FNV-1a: unlike the hashes of std it stays the same from one version to the next.
pub(crate) fn hash(path: &Path) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    path.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325, step)
}

fn server_data(dir: &Path) -> PathBuf {
    dir.join("postgres")
}
