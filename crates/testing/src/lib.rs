//! For tests: a PostgreSQL cluster per test process, a database per test, a service on a socket.
//!
//! ```no_run
//! # use selvedge_kit::Service;
//! # async fn test(service: Service) {
//! let served = selvedge_testing::serve(service).await;
//! // let mut films = FilmServiceClient::new(served.channel());
//! # }
//! ```
//!
//! Everything here panics when it fails, as a test should.

/// Traces, as they arrive elsewhere.
pub mod collector;
mod database;
mod http;
mod status;
mod work;

use std::time::Duration;

use selvedge_kit::config::Config;
use selvedge_kit::{Running, Service};
use tonic::transport::{Channel, Endpoint};

pub use collector::Collector;
pub use database::Database;
pub use http::{Answer, Site};
pub use status::{reason, violated};
pub use work::Work;

/// A service under test, with a database of its own.
pub struct Served {
    /// The database, for a look behind the service's back.
    pub database: Database,
    running: Running,
}

/// Serves a freshly migrated, empty database.
pub async fn serve(service: Service) -> Served {
    serve_with(service, |_| {}).await
}

/// The same, with a configuration of the test's own.
pub async fn serve_with(service: Service, configure: impl FnOnce(&mut Config)) -> Served {
    show_warnings();
    let database = Database::new(service).await;
    let config = database.config(configure);
    let running = service.start(&config).await.expect("the service starts");
    running.wait_until_ready().await;
    Served { database, running }
}

/// Lets a failing test show what the service complained about. A test may have installed a subscriber of its own.
fn show_warnings() {
    let log = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::WARN);
    log.with_test_writer().try_init().ok();
}

impl Served {
    /// A connection to the service.
    pub fn channel(&self) -> Channel {
        Endpoint::from_shared(self.url()).expect("an address makes a URL").connect_lazy()
    }

    /// The service's URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// Asks the admin port and answers with status and body.
    pub async fn admin(&self, path: &str) -> (u16, String) {
        let answer = Site::at(self.running.admin_address).get(path).await;
        (answer.status.as_u16(), answer.text())
    }

    /// Returns when just so many calls of a method (`package.Service/Method`) are in flight.
    pub async fn until_in_flight(&self, method: &str, calls: usize) {
        let line = format!("rpc_server_in_flight{{method=\"{method}\"}} {calls}");
        let is_there = async || self.admin("/metrics").await.1.lines().any(|found| found == line);
        until(&format!("{calls} calls of {method}"), is_there).await;
    }

    /// Returns when at least so many statements wait for locks that somebody else has, with how many do.
    pub async fn until_waiting(&self, statements: i64) -> i64 {
        let mut watcher = self.database.superuser().await;
        let waiting = "select count(*) from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock'";
        let mut found = 0;
        let wait = async || {
            found = sqlx::query_scalar(waiting).fetch_one(&mut watcher).await.expect("it counts");
            found >= statements
        };
        until(&format!("{statements} statements that wait"), wait).await;
        found
    }

    /// The service itself.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Drains and stops the service.
    pub async fn stop(self) -> Database {
        self.running.stop().await;
        self.database
    }
}

/// Looks again and again whether it is so, for a minute.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    const PAUSE: Duration = Duration::from_millis(10);
    for _ in 0..6000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("not seen within a minute: {what}");
}
