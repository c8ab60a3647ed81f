//! Where the server listens: a port on 127.0.0.1, and a socket with a path that is short enough.

use std::env;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::home::{Home, hash};
use crate::{Error, files};

/// The path of a socket is cut to this by the system, and `.s.PGSQL.65535` belongs to it.
const LONGEST: usize = 107 - "/.s.PGSQL.65535".len();

/// The port that was asked for, else the last one if it is free, else any.
pub(crate) fn port(home: &Home, wanted: Option<u16>) -> Result<u16, Error> {
    if let Some(port) = wanted {
        return try_port(port).map_err(|source| Error::PortTaken { port, source });
    }
    let last = files::read(&port_file(home))?.and_then(|port| port.parse().ok());
    match last.map(try_port) {
        Some(Ok(port)) => Ok(port),
        _ => any_port(),
    }
}

/// A free port; somebody else may still be faster in using it.
pub(crate) fn any_port() -> Result<u16, Error> {
    try_port(0).map_err(|source| Error::Io { doing: "find a free port on 127.0.0.1".into(), source })
}

/// The port itself if it is free; 0 stands for any.
pub(crate) fn try_port(port: u16) -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr()?.port())
}

/// For the next start.
pub(crate) fn remember_port(home: &Home, port: u16) -> Result<(), Error> {
    files::write(&port_file(home), &port.to_string(), home.run_as.as_ref())
}

/// A directory for the socket.
pub(crate) struct SocketDir {
    pub(crate) path: PathBuf,
    /// True if it is not in the data directory.
    elsewhere: bool,
}

impl Drop for SocketDir {
    /// Nothing stays among the temporary files. Whoever still has something in there keeps it.
    fn drop(&mut self) {
        if self.elsewhere
            && let Err(error) = fs::remove_dir(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(directory = %self.path.display(), %error, "cannot remove the directory of the socket");
        }
    }
}

/// A directory for the socket that only the server's user can enter: in the data directory, or in that of temporary files
/// when the path would be too long.
pub(crate) fn socket_dir(home: &Home) -> Result<SocketDir, Error> {
    let beside = home.dir.join("socket");
    if fits(&beside) {
        if make_or_reuse(&beside, home)? {
            return Ok(SocketDir { path: beside, elsewhere: false });
        }
        return Err(Error::NotPrivate { path: beside });
    }
    let temp = Some(env::temp_dir()).filter(|dir| fits(&dir.join("selvedge-0123456789abcdef-0")));
    let temp = temp.unwrap_or_else(|| "/tmp".into());
    let name = format!("selvedge-{:016x}", hash(&home.dir));
    // Anybody may have taken the name there; then it is the next one.
    for number in 0..10 {
        let path = temp.join(format!("{name}-{number}"));
        if make_or_reuse(&path, home)? {
            return Ok(SocketDir { path, elsewhere: true });
        }
    }
    Err(Error::Io {
        doing: format!("make a directory for the socket in {}", temp.display()),
        source: io::ErrorKind::AlreadyExists.into(),
    })
}

/// What a killed server left behind, while none is running: the number in a socket's lock file may be the pid of anybody by
/// now, and would keep the next server from starting.
pub(crate) fn remove_sockets(dir: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let path = entry.map_err(Error::io("read", dir))?.path();
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".s.PGSQL.")) {
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

/// False if there is something that is not for the server's user alone.
fn make_or_reuse(dir: &Path, home: &Home) -> Result<bool, Error> {
    match files::make_private_dir(dir, home.run_as.as_ref()) {
        Ok(()) => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Error::io("create", dir)(error)),
    }
    let owner = home.run_as.as_ref().map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid);
    let there = fs::symlink_metadata(dir).map_err(Error::io("read", dir))?;
    // The last six bits are the rights of everybody else.
    Ok(there.is_dir() && there.uid() == owner && there.mode().trailing_zeros() >= 6)
}

fn fits(dir: &Path) -> bool {
    dir.as_os_str().len() <= LONGEST
}

fn port_file(home: &Home) -> PathBuf {
    home.dir.join("port")
}
