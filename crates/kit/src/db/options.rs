use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::config::{self, ConfigError, TlsMode};

/// How often PostgreSQL looks, in the middle of a statement, whether its client is still there: a process that was killed
/// cannot cancel anything any more.
const CONNECTION_CHECK: &str = "2s";

/// How to reach a database and how to use it.
#[derive(Clone)]
pub struct Options {
    /// Where the database is and as whom to enter it.
    pub connect: PgConnectOptions,
    /// The most connections to hold.
    pub pool_size: usize,
    /// How long a connection serves before it is replaced.
    pub max_lifetime: Duration,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a statement may run, whatever its caller's deadline.
    pub statement_timeout: Duration,
    /// Statements that take longer are logged and counted.
    pub slow_statement: Duration,
    /// Whether the statement of a caller that left is cancelled; off only to show what happens without.
    #[doc(hidden)]
    pub cancel_abandoned: bool,
}

impl Options {
    /// The options of a service that lives in `schema`, from its configuration.
    pub fn new(config: &config::Database, schema: &str) -> Result<Self, ConfigError> {
        let target = config.target()?;
        let tls = match target.tls.unwrap_or(config.tls) {
            TlsMode::Disable => PgSslMode::Disable,
            TlsMode::Prefer => PgSslMode::Prefer,
            TlsMode::Require => PgSslMode::Require,
            TlsMode::VerifyCa => PgSslMode::VerifyCa,
            TlsMode::VerifyFull => PgSslMode::VerifyFull,
        };
        let mut connect = connect_options()
            .host(&target.host)
            .port(target.port)
            .username(&target.user)
            .database(&target.database)
            .application_name(target.application_name.as_deref().unwrap_or(&format!("selvedge-{schema}")))
            .ssl_mode(tls);
        if target.socket {
            connect = connect.socket(&target.host);
        }
        if let Some(password) = &target.password {
            connect = connect.password(password.expose());
        }
        if let Some(root) = target.tls_root_cert.as_ref().or(config.tls_root_cert.as_ref()) {
            connect = connect.ssl_root_cert(root);
        }
        connect = connect.options([
            ("search_path", schema),
            ("statement_timeout", &config.pool.statement_timeout.as_millis().to_string()),
            ("client_connection_check_interval", CONNECTION_CHECK),
        ]);
        Ok(Self {
            connect,
            pool_size: config.pool.connections(),
            max_lifetime: config.pool.max_lifetime,
            acquire_timeout: config.pool.acquire_timeout,
            statement_timeout: config.pool.statement_timeout,
            slow_statement: config.pool.slow_statement,
            cancel_abandoned: true,
        })
    }

    /// A small pool for a tool that knows where to connect and needs nothing else said.
    pub fn with_defaults(connect: PgConnectOptions) -> Self {
        Self {
            connect: connect.disable_statement_logging(),
            pool_size: 2,
            max_lifetime: Duration::from_mins(30),
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::MAX,
            slow_statement: Duration::from_secs(10),
            cancel_abandoned: true,
        }
    }
}

/// Options that know nothing of `~/.pgpass`; what the environment says (`PGHOST` and so on, meant for `psql`) is
/// overwritten by the caller. Statements are logged by us, not by sqlx as well.
fn connect_options() -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass().disable_statement_logging()
}
