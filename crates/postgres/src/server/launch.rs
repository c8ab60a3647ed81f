//! How the server is called.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::home::Home;
use crate::log::Log;
use crate::user::{self, RunAs};
use crate::{Error, Installation, parent};

/// All that is needed to start it, again and again.
#[derive(Clone)]
pub(crate) struct Launch {
    program: PathBuf,
    dir: PathBuf,
    pub(super) data: PathBuf,
    pub(super) socket_dir: PathBuf,
    run_as: Option<RunAs>,
    arguments: Vec<OsString>,
}

impl Launch {
    pub(crate) fn new(
        installation: &Installation,
        home: &Home,
        port: u16,
        socket_dir: &Path,
        settings: &[(String, String)],
    ) -> Self {
        let mut arguments: Vec<OsString> = vec!["-D".into(), home.server_data().into()];
        let mut set = |name: &str, value: OsString| {
            let mut setting = OsString::from(format!("{name}="));
            setting.push(value);
            arguments.extend(["-c".into(), setting]);
        };
        set("listen_addresses", "127.0.0.1".into());
        set("max_connections", "200".into());
        set("unix_socket_permissions", "0700".into());
        for (name, value) in settings {
            set(name, value.into());
        }
        // The last one counts, and whoever asks for our address must get the right one.
        set("port", port.to_string().into());
        set("unix_socket_directories", quoted(socket_dir));
        Self {
            program: installation.bin.join("postgres"),
            dir: home.dir.clone(),
            data: home.server_data(),
            socket_dir: socket_dir.to_owned(),
            run_as: home.run_as.clone(),
            arguments,
        }
    }

    /// To be called in a thread that lives as long as the server is meant to.
    pub(super) fn spawn(&self) -> Result<(Child, Log), Error> {
        let (log, output) = Log::open(&self.dir, self.run_as.as_ref())?;
        let errors = output.try_clone().map_err(Error::io("use", &self.dir.join("postgres.log")))?;
        let mut command = user::command(&self.program, self.run_as.as_ref());
        command.args(&self.arguments).stdin(Stdio::null()).stdout(output).stderr(errors);
        // Ctrl-C at a terminal is for us, who then stop the server in good order.
        command.process_group(0);
        parent::die_with_parent(&mut command);
        let child = command.spawn().map_err(Error::io("run", &self.program))?;
        Ok((child, log))
    }
}

/// The setting is a list, and a path may have a comma in it.
fn quoted(path: &Path) -> OsString {
    let mut quoted = OsString::from("\"");
    let mut first = true;
    for part in path.as_os_str().as_encoded_bytes().split(|byte| *byte == b'"') {
        if !std::mem::take(&mut first) {
            quoted.push("\"\"");
        }
        quoted.push(std::os::unix::ffi::OsStrExt::from_bytes(part) as &std::ffi::OsStr);
    }
    quoted.push("\"");
    quoted
}
