//! Where the database is that a command is about.

use std::path::{Path, PathBuf};

use clap::Args;
use selvedge_kit::config;
use selvedge_kit::db::Options;
use sqlx::postgres::PgConnectOptions;

use crate::Result;

/// Where `up` keeps everything by default.
pub(crate) const DATA_DIR: &str = ".selvedge";
/// The file in the data directory in which a running `up` says where everything is.
pub(crate) const RUNNING_FILE: &str = "up.json";

/// The database of a command: the configured one, or that of the `up` that is running.
#[derive(Args)]
pub(crate) struct Target {
    /// The data directory of the running `up`, where no database is configured.
    #[arg(long, env = "SELVEDGE_DATA_DIR", default_value = DATA_DIR)]
    pub(crate) data_dir: PathBuf,
    #[command(flatten)]
    database: config::Database,
}

impl Target {
    /// How to get in with the rights to change schemas.
    pub(crate) fn connect_options(&self) -> Result<PgConnectOptions> {
        if self.database.is_given() {
            return Ok(Options::new(&self.database, "public")?.connect);
        }
        match running(&self.data_dir) {
            Some(endpoints) => Ok(endpoints["database"].as_str().unwrap_or_default().parse()?),
            None => Err(format!(
                "no database: set SELVEDGE_DATABASE_URL, or start `selvedge up` ({} knows of none that is running)",
                self.data_dir.display()
            )
            .into()),
        }
    }
}

/// What the `up` that keeps its data there says about itself. One that was killed left the file behind, but not its
/// database.
pub(crate) fn running(data_dir: &Path) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(data_dir.join(RUNNING_FILE)).ok()?;
    let endpoints: serde_json::Value = serde_json::from_str(&text).ok()?;
    let database: PgConnectOptions = endpoints["database"].as_str()?.parse().ok()?;
    std::net::TcpStream::connect((database.get_host(), database.get_port())).ok().map(|_| endpoints)
}
