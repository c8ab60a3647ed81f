//! A new cluster, made so that an interruption leaves nothing in the way.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::home::{self, Home};
use crate::log::Log;
use crate::{Error, Installation, child, files, parent, user};

/// The only user that can log in at first.
pub(crate) const SUPERUSER: &str = "selvedge";

/// What an unfinished directory is called, followed by the pid of its maker.
const UNFINISHED: &str = "postgres.new-";

/// Half a second is usual; a slow disk may need much more.
const LIMIT: Duration = Duration::from_mins(2);

/// The password of the superuser, and whether the cluster is new.
pub(crate) fn prepare(home: &Home, installation: &Installation) -> Result<(String, bool), Error> {
    remove_unfinished(&home.dir)?;
    let data = home.server_data();
    let password_file = home.dir.join("password");
    let password = files::read(&password_file)?.filter(|password| !password.is_empty());
    if let Some(needed) = home::major_of(&data)? {
        if needed != installation.major {
            return Err(Error::OtherMajor { data, needed, found: installation.major });
        }
        return Ok((password.ok_or(Error::PasswordMissing { path: password_file })?, false));
    }
    // Only an empty directory can be renamed over.
    if data.exists() && fs::remove_dir(&data).is_err() {
        return Err(Error::NotACluster { path: data });
    }
    // An interrupted start may have left a password that belongs to nothing; it is as good as a new one.
    let password = password.map_or_else(|| files::random_hex(24), Ok)?;
    files::write(&password_file, &password, home.run_as.as_ref())?;
    let unfinished = home.dir.join(format!("{UNFINISHED}{}", std::process::id()));
    files::make_private_dir(&unfinished, home.run_as.as_ref()).map_err(Error::io("create", &unfinished))?;
    initdb(home, installation, &unfinished, &password_file)?;
    fs::rename(&unfinished, &data).map_err(Error::io("rename", &unfinished))?;
    File::open(&home.dir).and_then(|dir| dir.sync_all()).map_err(Error::io("sync", &home.dir))?;
    Ok((password, true))
}

fn initdb(home: &Home, installation: &Installation, into: &Path, password_file: &Path) -> Result<(), Error> {
    // The C.UTF-8 of Linux is not known to every macOS, whose own UTF-8 locales sort by bytes as well.
    let locale = if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" };
    let program = installation.bin.join("initdb");
    let (log, output) = Log::open(&home.dir, home.run_as.as_ref())?;
    let errors = output.try_clone().map_err(Error::io("use", &home.dir.join("postgres.log")))?;
    let mut command = user::command(&program, home.run_as.as_ref());
    command
        .args(["-k", "-E", "UTF8", "-A", "scram-sha-256"])
        .args([format!("--locale={locale}"), format!("--username={SUPERUSER}")])
        .args([with_path("--pwfile=", password_file), with_path("--pgdata=", into)])
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    parent::die_with_parent(&mut command);
    let mut running = command.spawn().map_err(Error::io("run", &program))?;
    match child::wait_within(&mut running, LIMIT).map_err(Error::io("wait for", &program))? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(log.failed(format!("initdb ended with {status}"))),
        None => Err(log.failed(format!("initdb took longer than {} s", LIMIT.as_secs()))),
    }
}

/// What was cut off, and is of no use: nothing has ever been stored there.
fn remove_unfinished(dir: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let path: PathBuf = entry.map_err(Error::io("read", dir))?.path();
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes())) {
            files::remove_dir(&path)?;
        }
    }
    Ok(())
}

fn with_path(option: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(option);
    argument.push(path);
    argument
}
