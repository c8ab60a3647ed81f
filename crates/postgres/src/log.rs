//! The file that `initdb` and the server write to.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::fchown;
use std::path::{Path, PathBuf};

use crate::user::RunAs;
use crate::{Error, files};

/// A larger log is put aside at the next start; the one put aside before goes away.
const LIMIT: u64 = 10 << 20;

/// The log, with the point up to which it was written before.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    path: PathBuf,
    since: u64,
}

impl Log {
    /// The log below this data directory, and a handle for a child to write to it.
    pub(crate) fn open(data_dir: &Path, owner: Option<&RunAs>) -> Result<(Self, File), Error> {
        let path = data_dir.join("postgres.log");
        let open = || {
            if path.metadata().is_ok_and(|metadata| metadata.len() > LIMIT) {
                fs::rename(&path, path.with_extension("log.1"))?;
            }
            let file = files::private().append(true).create(true).open(&path)?;
            // Their own files should not be closed to a user for whom root did something.
            if let Some(owner) = owner {
                fchown(&file, Some(owner.uid), Some(owner.gid))?;
            }
            let since = file.metadata()?.len();
            io::Result::Ok((file, since))
        };
        let (file, since) = open().map_err(Error::io("open", &path))?;
        Ok((Self { path, since }, file))
    }

    /// The error about this attempt, with the end of what was written to the log since.
    pub(crate) fn failed(&self, what: String) -> Error {
        let tail = self.tail().unwrap_or_else(|error| format!("(it cannot be read: {error})"));
        Error::Failed { what, log: self.path.clone(), tail }
    }

    fn tail(&self) -> io::Result<String> {
        const LINES: usize = 20;
        const BYTES: u64 = 16 << 10;
        let mut file = File::open(&self.path)?;
        let start = self.since.max(file.metadata()?.len().saturating_sub(BYTES));
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![];
        file.take(BYTES).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(LINES)..].join("\n"))
    }
}
