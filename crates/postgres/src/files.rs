//! Files and directories that nobody but their owner can write.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, lchown};
use std::path::Path;

use crate::Error;
use crate::user::RunAs;

/// Options for a file that is ours alone. A link is refused: a process that runs as root would follow it to anywhere.
pub(crate) fn private() -> OpenOptions {
    let mut options = File::options();
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits();
    options.mode(0o600).custom_flags(i32::try_from(no_follow).expect("a flag of open(2) is an int"));
    options
}

/// Replaces a file's content at once: whoever reads it sees the old or the new text, also after a power cut.
pub(crate) fn write(path: &Path, text: &str, owner: Option<&RunAs>) -> Result<(), Error> {
    let new = path.with_extension("new");
    let write = || {
        let mut file = private().write(true).create(true).truncate(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        give(&new, owner)?;
        fs::rename(&new, path)
    };
    write().map_err(Error::io("write", path))
}

/// The content without surrounding space; `None` if there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// Makes a directory that only its owner may enter.
pub(crate) fn make_private_dir(path: &Path, owner: Option<&RunAs>) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    give(path, owner)
}

/// Makes the directory of a cluster with all above it; false if it was there. PostgreSQL has to pass through when it runs
/// as another user than we do.
pub(crate) fn make_data_dir(path: &Path) -> Result<bool, Error> {
    let make = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {
                let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
                fs::set_permissions(path, Permissions::from_mode(mode))?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
            Err(error) => Err(error),
        }
    };
    make().map_err(Error::io("create", path))
}

/// Removes a directory, if it is there, whose former owner may still be about to leave.
pub(crate) fn remove_dir(path: &Path) -> Result<(), Error> {
    const TRIES: u32 = 50;
    let mut tries = 0;
    loop {
        match fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound && !path.exists() => return Ok(()),
            Err(error) if tries == TRIES => return Err(Error::io("remove", path)(error)),
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(100)),
        }
        tries += 1;
    }
}

/// As many random bytes, in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> Result<String, Error> {
    let source = Path::new("/dev/urandom");
    let mut random = vec![0; bytes];
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut random))
        .map_err(Error::io("read", source))?;
    let digits = random.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect())
}

/// `lchown`, because a link that was put there meanwhile must not hand over what it points at.
fn give(path: &Path, owner: Option<&RunAs>) -> io::Result<()> {
    owner.map_or(Ok(()), |owner| lchown(path, Some(owner.uid), Some(owner.gid)))
}
