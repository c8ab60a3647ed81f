//! pgbench, with the statement that the service itself has just sent.

use std::io::Write as _;

use selvedge_catalog::SERVICE;
use selvedge_postgres::Installation;
use selvedge_testing::Database;
use tempfile::NamedTempFile;

use crate::{Result, libpq, statement};

/// The last statement that a service sent which has these words in it, with a value for each of its parameters.
pub(super) async fn last_statement(database: &Database, words: &str, values: &[&str]) -> Result<String> {
    let role = format!("{}_app", SERVICE.name);
    let statement = statement::last(&mut database.superuser().await, &role, words).await?;
    let statement = statement.ok_or_else(|| format!("the service sent no statement with {words:?}"))?;
    statement::filled(&statement, values)
}

/// What pgbench does over and over.
pub(super) struct Script {
    file: NamedTempFile,
}

impl Script {
    /// A statement, in which `:name` stands for what the settings set.
    pub(super) fn new(settings: &str, statement: &str) -> Result<Self> {
        let mut file = NamedTempFile::new()?;
        writeln!(file, "{settings}\n{};", statement.replace('\n', " "))?;
        Ok(Self { file })
    }

    /// Runs it so many times, by so many clients at once, and answers with seconds per run.
    pub(super) async fn run(&self, database: &Database, clients: usize, times: u64) -> Result<f64> {
        let each = (times / u64::try_from(clients)?).max(1);
        let output = libpq::command(Installation::find()?.bin.join("pgbench"), database, SERVICE)
            .args(["--no-vacuum", "--protocol", "prepared", "--jobs", "1"])
            .args(["--client", &clients.to_string(), "--transactions", &each.to_string()])
            .arg("--file")
            .arg(self.file.path())
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stdout);
        let rate =
            said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
        // A transaction that failed is left out of the rate, and must not be.
        match rate {
            Some(rate) if output.status.success() && said.contains("number of failed transactions: 0") => {
                Ok(1.0 / rate)
            }
            _ => Err(format!("pgbench: {said}{}", String::from_utf8_lossy(&output.stderr)).into()),
        }
    }
}
