use selvedge_kit::{Running, Service};
use serde_json::{Map, Value};

use crate::progress::Progress;

/// Where everything is.
pub(super) struct Endpoints {
    database: String,
    /// REST and gRPC, and admin.
    gateway: (String, String),
    /// Name, gRPC URL, admin URL.
    services: Vec<(&'static str, String, String)>,
}

impl Endpoints {
    pub(super) fn new(
        database: &str,
        services: &[(&'static Service, Running)],
        gateway: &selvedge_gateway::Running,
    ) -> Self {
        let gateway = (format!("http://{}", gateway.address), format!("http://{}", gateway.admin_address));
        let services = services.iter().map(|(service, running)| {
            (service.name, format!("http://{}", running.address), format!("http://{}", running.admin_address))
        });
        Self { database: database.to_owned(), gateway, services: services.collect() }
    }

    /// One line, for programs.
    pub(super) fn json(&self) -> String {
        let (gateway, admin) = &self.gateway;
        let own = [("database", &self.database), ("gateway", gateway), ("gateway_admin", admin)];
        let mut object = Map::from_iter(own.map(|(name, url)| (name.to_owned(), Value::from(url.clone()))));
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
        let (gateway, admin) = &self.gateway;
        eprintln!("\n  ready after {}\n", progress.total());
        eprintln!("  {:<10} {:<28} {:<10} admin", "", "address", "speaks");
        eprintln!("  {:<10} {gateway:<28} {:<10} {admin}", "gateway", "REST, gRPC");
        for (name, url, admin) in &self.services {
            eprintln!("  {name:<10} {url:<28} {:<10} {admin}", "gRPC");
        }
        eprintln!("\n  in a browser: {gateway}/ and {gateway}/docs\n");
        eprintln!("  try, from another terminal:\n");
        eprintln!("  curl '{gateway}/v1/films:search?query=lighthouse&pageSize=2'");
        eprintln!(
            "  npx --yes @bufbuild/buf curl --protocol grpc --http2-prior-knowledge -d '{{\"pageSize\": 2}}' \\\n      \
             {gateway}/selvedge.contacts.v1.SubmissionService/ListSubmissions"
        );
        eprintln!(
            "  psql '{}' -c 'select status, count(*) from contacts.submissions group by 1'",
            self.database
        );
        let data = if ephemeral { "nothing of it stays" } else { "the data stays" };
        eprintln!("\n  Ctrl-C stops everything; {data}.\n");
    }
}
