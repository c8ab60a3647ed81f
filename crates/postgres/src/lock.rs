//! One process per data directory.

use std::env;
use std::fs::{File, TryLockError};
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::time::SystemTime;

use crate::{Error, files};

/// Held as long as it lives; the kernel lets go of it when the process ends, however that happens.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the directory for this process, or says who has it.
    pub(crate) fn take(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join("lock");
        let mut file = files::private()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Held { data_dir: data_dir.to_owned(), holder: holder(&path)? });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        let command: Vec<_> =
            env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
        let text = format!("{}\n{}\n", std::process::id(), command.join(" "));
        let write =
            file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(text.as_bytes()));
        write.map_err(Error::io("write", &path))?;
        Ok(Self { _file: file })
    }

    /// Takes it only if it has been there before and nobody holds it.
    pub(crate) fn take_abandoned(data_dir: &Path) -> std::io::Result<Option<Self>> {
        let file = files::private().read(true).write(true).open(data_dir.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// What the holder wrote: its pid and command line, as old as the lock.
fn holder(path: &Path) -> Result<String, Error> {
    let text = files::read(path)?.unwrap_or_default();
    let since = path.metadata().and_then(|metadata| metadata.modified()).map_err(Error::io("read", path))?;
    let age = SystemTime::now().duration_since(since).unwrap_or_default().as_secs();
    let age = match age {
        0..120 => format!("{age} s"),
        120..7200 => format!("{} min", age / 60),
        _ => format!("{} h", age / 3600),
    };
    Ok(match text.split_once('\n') {
        Some((pid, command)) => format!("process {pid} (`{}`), which took it {age} ago", command.trim()),
        // It has locked the file, and is about to write.
        None => "a process that is just starting".to_owned(),
    })
}
