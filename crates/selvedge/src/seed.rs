use clap::Args;
use selvedge_kit::Db;
use selvedge_kit::db::Options;

use crate::database::Target;
use crate::progress::Progress;
use crate::{Result, services};

#[derive(Args)]
pub(crate) struct Seed {
    /// Only this service.
    #[arg(long)]
    service: Option<String>,
    #[command(flatten)]
    target: Target,
}

impl Seed {
    pub(crate) async fn run(self) -> Result<()> {
        let connect = self.target.connect_options()?;
        let progress = Progress::new();
        for service in services::chosen(self.service.as_deref())? {
            // With the rights of the application, as it is the application's data.
            let role = format!("{}_app", service.name);
            let connect = connect.clone().options([("search_path", service.name), ("role", &role)]);
            let seeded = (service.seed)(Db::new(Options::with_defaults(connect)));
            progress
                .step(&format!("{}: seeding", service.name), seeded, |rows| seeded_text(service.name, *rows))
                .await?;
        }
        Ok(())
    }
}

/// What became of seeding a service.
pub(crate) fn seeded_text(service: &str, rows: u64) -> String {
    match rows {
        0 => format!("{service}: nothing to seed"),
        rows => format!("{service}: {rows} sample rows"),
    }
}
