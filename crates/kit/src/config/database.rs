use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::limits::{duration, duration_or_zero};
use super::{ConfigError, Secret, url};

/// The port that a database server listens on unless told otherwise.
pub(super) const DEFAULT_PORT: u16 = 5432;

/// How to reach the database, as a URL or in parts, and how to use it.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(next_help_heading = "Database")]
pub struct Database {
    /// Where the database is: `postgres://USER:PASSWORD@HOST:PORT/NAME`. Special characters in the password must be
    /// escaped; with the parts apart, below, they need not be
    #[arg(
        id = "database-url",
        long = "database-url",
        env = "SELVEDGE_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub url: Option<Secret>,
    /// Instead of the URL: the host, or the directory of a Unix socket
    #[arg(id = "database-host", long = "database-host", env = "SELVEDGE_DATABASE_HOST", value_name = "HOST")]
    pub host: Option<String>,
    /// Instead of the URL: the port; when absent, 5432
    #[arg(
        id = "database-port",
        long = "database-port",
        env = "SELVEDGE_DATABASE_PORT",
        value_name = "PORT",
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub port: Option<u16>,
    /// Instead of the URL: the role to log in as
    #[arg(id = "database-user", long = "database-user", env = "SELVEDGE_DATABASE_USER", value_name = "USER")]
    pub user: Option<String>,
    /// Instead of the URL: the password, as it is, with nothing escaped
    #[arg(
        id = "database-password",
        long = "database-password",
        env = "SELVEDGE_DATABASE_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true
    )]
    pub password: Option<Secret>,
    /// Instead of the URL: the name of the database; when absent, the user's
    #[arg(id = "database-name", long = "database-name", env = "SELVEDGE_DATABASE_NAME", value_name = "NAME")]
    pub name: Option<String>,
    /// Whether the connection is encrypted, and what is checked of the server's certificate
    #[arg(
        id = "database-tls",
        long = "database-tls",
        env = "SELVEDGE_DATABASE_TLS",
        value_name = "MODE",
        value_enum,
        default_value_t = TlsMode::Prefer
    )]
    pub tls: TlsMode,
    /// A file with the certificates to trust; when absent, those of the system
    #[arg(
        id = "database-tls-root-cert",
        long = "database-tls-root-cert",
        env = "SELVEDGE_DATABASE_TLS_ROOT_CERT",
        value_name = "PATH"
    )]
    pub tls_root_cert: Option<PathBuf>,
    /// How the connections are used.
    #[command(flatten)]
    pub pool: Pool,
}

/// How the connections to a database are used, wherever that is.
#[derive(Args, Clone, Debug)]
#[group(skip)]
#[command(next_help_heading = "Database")]
pub struct Pool {
    /// The most connections to hold; when absent, twice the cores and one
    #[arg(
        id = "database-pool-size",
        long = "database-pool-size",
        env = "SELVEDGE_DATABASE_POOL_SIZE",
        value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub size: Option<u32>,
    /// How long a connection serves before it is replaced
    #[arg(
        id = "database-max-lifetime",
        long = "database-max-lifetime",
        env = "SELVEDGE_DATABASE_MAX_LIFETIME",
        value_name = "TIME",
        default_value = "30m",
        value_parser = duration
    )]
    pub max_lifetime: Duration,
    /// How long a request waits for a connection
    #[arg(
        id = "database-acquire-timeout",
        long = "database-acquire-timeout",
        env = "SELVEDGE_DATABASE_ACQUIRE_TIMEOUT",
        value_name = "TIME",
        default_value = "2s",
        value_parser = duration
    )]
    pub acquire_timeout: Duration,
    /// How long a statement may run
    #[arg(
        id = "database-statement-timeout",
        long = "database-statement-timeout",
        env = "SELVEDGE_DATABASE_STATEMENT_TIMEOUT",
        value_name = "TIME",
        default_value = "30s",
        value_parser = duration
    )]
    pub statement_timeout: Duration,
    /// Statements that take longer are logged and counted; 0s for all
    #[arg(
        id = "database-slow-statement",
        long = "database-slow-statement",
        env = "SELVEDGE_DATABASE_SLOW_STATEMENT",
        value_name = "TIME",
        default_value = "250ms",
        value_parser = duration_or_zero
    )]
    pub slow_statement: Duration,
}

/// Whether a connection is encrypted, and what is checked of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TlsMode {
    /// Not encrypted
    Disable,
    /// Encrypted if the server can
    Prefer,
    /// Encrypted, whoever the server is
    Require,
    /// Encrypted, and the certificate is from an authority that is trusted
    VerifyCa,
    /// Encrypted, and the certificate is from an authority that is trusted and for that host
    VerifyFull,
}

/// Where a database is and as whom to enter it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A host name, an address (IPv6 without brackets), or the directory of a Unix socket.
    pub host: String,
    /// The port; for a Unix socket, part of its name.
    pub port: u16,
    /// The role to log in as.
    pub user: String,
    /// Its password.
    pub password: Option<Secret>,
    /// The name of the database.
    pub database: String,
    /// Whether `host` is the directory of a Unix socket.
    pub socket: bool,
    /// The name to give to the server, if the URL has one.
    pub application_name: Option<String>,
    /// How to encrypt, if the URL says so.
    pub tls: Option<TlsMode>,
    /// A file with the certificates to trust, if the URL names one.
    pub tls_root_cert: Option<PathBuf>,
}

impl Pool {
    /// The most connections to hold, whether configured or not.
    pub fn connections(&self) -> usize {
        let cores = available_parallelism().map_or(1, usize::from);
        self.size.map_or(2 * cores + 1, |size| size as usize)
    }
}

impl Database {
    /// Where the database is, from the URL or from the parts.
    pub fn target(&self) -> Result<Target, ConfigError> {
        let parts = [
            ("SELVEDGE_DATABASE_HOST", self.host.is_some()),
            ("SELVEDGE_DATABASE_PORT", self.port.is_some()),
            ("SELVEDGE_DATABASE_USER", self.user.is_some()),
            ("SELVEDGE_DATABASE_PASSWORD", self.password.is_some()),
            ("SELVEDGE_DATABASE_NAME", self.name.is_some()),
        ];
        let given: Vec<&str> = parts.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
        match &self.url {
            Some(url) if given.is_empty() => url::parse(url.expose()),
            Some(_) => Err(ConfigError::new(format!(
                "both SELVEDGE_DATABASE_URL and {} are given; use the URL or the parts, not both",
                given.join(", ")
            ))),
            None if given.is_empty() => Err(ConfigError::new(
                "no database is given: set SELVEDGE_DATABASE_URL (postgres://USER:PASSWORD@HOST:PORT/NAME), or \
                 SELVEDGE_DATABASE_HOST, SELVEDGE_DATABASE_USER, SELVEDGE_DATABASE_PASSWORD and \
                 SELVEDGE_DATABASE_NAME; or let `selvedge up` bring its own",
            )),
            None => self.target_of_parts(),
        }
    }

    fn target_of_parts(&self) -> Result<Target, ConfigError> {
        let part = |value: &Option<String>, name: &str| match value.as_deref() {
            None | Some("") => {
                Err(ConfigError::new(format!("{name} is missing, as the database is given in parts")))
            }
            Some(value) => Ok(value.to_owned()),
        };
        let host = part(&self.host, "SELVEDGE_DATABASE_HOST")?;
        let user = part(&self.user, "SELVEDGE_DATABASE_USER")?;
        Ok(Target {
            socket: host.starts_with('/'),
            host,
            port: self.port.unwrap_or(DEFAULT_PORT),
            password: self.password.clone(),
            database: self.name.clone().unwrap_or_else(|| user.clone()),
            user,
            application_name: None,
            tls: None,
            tls_root_cert: None,
        })
    }
}
