//! Programs that reach PostgreSQL through libpq, such as psql.

use std::ffi::OsStr;
use std::process::Stdio;

use selvedge_kit::Service;
use selvedge_testing::Database;
use tokio::process::Command;

/// Runs a program as the service itself: with its role, in its schema, and over the socket. What the environment says of
/// another database it does not hear.
pub(crate) fn command(program: impl AsRef<OsStr>, database: &Database, service: Service) -> Command {
    let config = database.config(|_| {}).database;
    let given = "the configuration of a test names it";
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PGHOST", config.host.expect(given))
        .env("PGPORT", config.port.expect(given).to_string())
        .env("PGUSER", config.user.expect(given))
        .env("PGPASSWORD", config.password.expect(given).expose())
        .env("PGDATABASE", config.name.expect(given))
        .env("PGOPTIONS", format!("-c search_path={}", service.name))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}
