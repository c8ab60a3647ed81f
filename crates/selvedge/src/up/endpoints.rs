use selvedge_kit::{Running, Service};
use serde_json::{Map, Value};

use crate::progress::Progress;

/// Where everything is.
pub(super) struct Endpoints {
    database: String,
    /// Name, gRPC URL, admin URL.
    services: Vec<(&'static str, String, String)>,
}

impl Endpoints {
    pub(super) fn new(database: &str, running: &[(&'static Service, Running)]) -> Self {
        let services = running.iter().map(|(service, running)| {
            (service.name, format!("http://{}", running.address), format!("http://{}", running.admin_address))
        });
        Self { database: database.to_owned(), services: services.collect() }
    }

    /// One line, for programs.
    pub(super) fn json(&self) -> String {
        let mut object = Map::from_iter([("database".to_owned(), Value::from(self.database.clone()))]);
        for (name, url, admin) in &self.services {
            object.insert((*name).to_owned(), url.clone().into());
            object.insert(format!("{name}_admin"), admin.clone().into());
        }
        Value::Object(object).to_string()
    }

    /// A table and what to try first, for people; the line of JSON for programs.
    #[expect(clippy::print_stdout, reason = "programs read it from there")]
    pub(super) fn show(&self, progress: &Progress, json: bool, ephemeral: bool) {
        if json {
            println!("{}", self.json());
            return;
        }
        eprintln!("\n  ready after {}\n", progress.total());
        eprintln!("  {:<10} {:<28} admin", "service", "gRPC");
        for (name, url, admin) in &self.services {
            eprintln!("  {name:<10} {url:<28} {admin}");
        }
        let contacts = self.services.iter().find(|(name, ..)| *name == "contacts");
        let Some((_, url, admin)) = contacts else { return };
        eprintln!("\n  try, from another terminal:\n");
        eprintln!(
            "  npx --yes @bufbuild/buf curl --protocol grpc --http2-prior-knowledge -d '{{\"pageSize\": 2}}' \\\n      \
             {url}/selvedge.contacts.v1.SubmissionService/ListSubmissions"
        );
        eprintln!("  curl {admin}/health/db");
        eprintln!(
            "  psql '{}' -c 'select status, count(*) from contacts.submissions group by 1'",
            self.database
        );
        let data = if ephemeral { "nothing of it stays" } else { "the data stays" };
        eprintln!("\n  Ctrl-C stops everything; {data}.\n");
    }
}
