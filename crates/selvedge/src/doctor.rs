//! What is wrong with an installation, and what to do about it.

mod checks;

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use selvedge_postgres::Installation;
use sqlx::ConnectOptions as _;

use crate::database::{Target, running};
use crate::{Result, services};

#[derive(Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    target: Target,
}

/// What a check found.
pub(crate) enum Finding {
    Good(String),
    /// What is wrong, and what to do.
    Bad(String, String),
}

use Finding::{Bad, Good};

impl Doctor {
    /// Looks at everything and fails when anything is wrong.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let mut findings = vec![postgres(&self.target.data_dir), checks::disk(&self.target.data_dir)];
        findings.extend(checks::ports(running(&self.target.data_dir)).await);
        findings.extend(self.database().await);
        let mut wrong = 0;
        for finding in &findings {
            match finding {
                Good(what) => eprintln!("  ✓ {what}"),
                Bad(what, cure) => {
                    wrong += 1;
                    eprintln!("  ✗ {what}\n      {cure}");
                }
            }
        }
        let verdict = if wrong == 0 {
            "nothing is wrong".to_owned()
        } else {
            format!("{wrong} of {} checks failed", findings.len())
        };
        eprintln!("\n  {verdict}");
        Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn database(&self) -> Vec<Finding> {
        let connect = match self.target.connect_options() {
            Ok(connect) => connect,
            Err(error) => return vec![Bad("no database to look at".into(), error.to_string())],
        };
        let mut connection = match connect.clone().connect().await {
            Ok(connection) => connection,
            Err(error) => {
                let cure = "is it running, and are host, port, user and password right?";
                return vec![Bad(format!("cannot connect to the database: {error}"), cure.into())];
            }
        };
        let mut findings = vec![
            checks::or_bad(checks::server_version(&mut connection).await),
            checks::or_bad(checks::connections(&mut connection).await),
            checks::or_bad(checks::statistics(&mut connection).await),
        ];
        for service in services::ALL {
            findings.push(checks::or_bad(checks::roles(&mut connection, service).await));
            findings.push(checks::migrations(&connect, service).await);
        }
        findings
    }
}

/// The one that `up` would take for this data.
fn postgres(data_dir: &Path) -> Finding {
    match Installation::find_for(data_dir) {
        Ok(found) => Good(format!("PostgreSQL {} in {}", found.version, found.bin.display())),
        Err(error) => Bad("no PostgreSQL for `selvedge up`".into(), error.to_string()),
    }
}
