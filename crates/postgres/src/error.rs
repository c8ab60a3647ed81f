use std::io;
use std::path::{Path, PathBuf};

/// Why there is no cluster, and what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No installation of PostgreSQL will do.
    #[error(
        "PostgreSQL 15 or later was not found: its programs `postgres` and `initdb` are needed. Searched:\n\
         {searched}\n\
         Install it with one of\n\
         \x20 Debian, Ubuntu:  sudo apt install postgresql\n\
         \x20 Fedora, RHEL:    sudo dnf install postgresql-server postgresql-contrib\n\
         \x20 macOS:           brew install postgresql@17\n\
         or set SELVEDGE_PG_BIN to the directory of its programs."
    )]
    NotFound {
        /// A line for each place, with what was found there.
        searched: String,
    },
    /// `SELVEDGE_PG_BIN` does not name an installation.
    #[error("SELVEDGE_PG_BIN is {}, but {why}. Correct it, or unset it to search the usual places.", dir.display())]
    WrongBinDir {
        /// The value of the variable.
        dir: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another process uses the data directory.
    #[error("{} is in use by {holder}. Stop that process, or choose another data directory.", data_dir.display())]
    Held {
        /// The data directory.
        data_dir: PathBuf,
        /// Pid, command and age of the holder.
        holder: String,
    },
    /// A server that nobody looks after uses the data, and does not go away.
    #[error(
        "a PostgreSQL that was not started by this process still runs on {} as pid {pid}. Stop it with `kill -INT {pid}`.",
        data.display()
    )]
    StillRunning {
        /// The server's own data directory.
        data: PathBuf,
        /// The server.
        pid: u32,
    },
    /// The data was made by another major version.
    #[error(
        "the data in {} was made by PostgreSQL {needed}, and the one found is {found}. Install PostgreSQL {needed} (or set \
         SELVEDGE_PG_BIN to its programs), or upgrade the data with pg_upgrade.",
        data.display()
    )]
    OtherMajor {
        /// The server's own data directory.
        data: PathBuf,
        /// The major version that can read it.
        needed: u32,
        /// The major version at hand.
        found: u32,
    },
    /// Where the data should be is something else.
    #[error("{} exists, but is not a PostgreSQL data directory. Move it away, or choose another one.", path.display())]
    NotACluster {
        /// The directory.
        path: PathBuf,
    },
    /// The socket's directory could be used by others.
    #[error("{} is not a directory of the server's user alone. Remove it: it is made anew.", path.display())]
    NotPrivate {
        /// The directory.
        path: PathBuf,
    },
    /// An ephemeral cluster would remove what is not its own.
    #[error("{} is not empty, and an ephemeral cluster removes its directory. Choose an empty one.", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The password that belongs to the data is gone.
    #[error("{} is missing, and the data beside it cannot be opened without. Restore it from a backup.", path.display())]
    PasswordMissing {
        /// The file of the password.
        path: PathBuf,
    },
    /// PostgreSQL refuses to run as root, and the user it runs as instead cannot get to its data.
    #[error(
        "PostgreSQL does not run as root, and user {user} cannot reach {}. Allow it with `chmod o+x` on the directories \
         above, choose another data directory, or run this as a normal user.",
        path.display()
    )]
    Unreachable {
        /// The directory.
        path: PathBuf,
        /// The user.
        user: String,
    },
    /// The port that was asked for is taken.
    #[error(
        "port {port} on 127.0.0.1 cannot be used ({source}). Choose another one, or none for any free one."
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// `initdb` or the server ended, or took too long.
    #[error("{what}. The end of its log, {}:\n{tail}", log.display())]
    Failed {
        /// Which program did what.
        what: String,
        /// The log file.
        log: PathBuf,
        /// Its last lines, of this attempt only.
        tail: String,
    },
    /// The server survived every signal.
    #[error("PostgreSQL (pid {pid}) did not end in spite of SIGINT, SIGQUIT and SIGKILL")]
    NotStopping {
        /// The server.
        pid: u32,
    },
    /// The system refused something.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried.
        doing: String,
        /// What the system says.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: what was tried, and on which path.
    pub(crate) fn io(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing: format!("{verb} {}", path.display()), source }
    }
}
