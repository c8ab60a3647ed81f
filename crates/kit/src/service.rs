//! What a service is, and how it is run: alone as its own process, or beside others in one.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use futures::future::BoxFuture;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::server::NamedService;
use tonic::service::Routes;
use tracing::info;

use crate::config::{self, Config, Limits};
use crate::page::PageTokens;
use crate::server::{self, Parts, Running};
use crate::telemetry::{self, metrics::Metrics};
use crate::workers::Workers;
use crate::{Db, Result, StartError, db, idempotency};

/// The admin port is this much higher than the port.
pub const ADMIN_PORT_OFFSET: u16 = 10_000;

/// A service: everything that is its own. The rest is the same for all.
#[derive(Clone, Copy)]
pub struct Service {
    /// Its name, which is also the name of its schema and the beginning of its roles' names.
    pub name: &'static str,
    /// The port that it listens on by default.
    pub port: u16,
    /// The history of its schema.
    pub migrations: fn() -> Migrator,
    /// Its RPC services.
    pub rpcs: fn(&mut Kit) -> Rpcs,
    /// Fills an empty database with sample data and answers with the number of rows; leaves any other alone.
    pub seed: fn(Db) -> BoxFuture<'static, Result<u64>>,
}

/// What a service is given to work with.
pub struct Kit {
    /// Its database.
    pub db: Db,
    /// Makes and reads page tokens.
    pub page_tokens: PageTokens,
    /// Its limits.
    pub limits: Limits,
    metrics: Arc<Metrics>,
    tasks: Vec<JoinHandle<()>>,
}

impl Kit {
    /// Runs `work` now and then every `period`, for as long as the service runs. A failure is logged, and the next
    /// turn comes as if nothing had happened.
    pub fn every<F>(&mut self, period: Duration, name: &'static str, work: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.tasks.push(tokio::spawn(async move {
            let mut turns = tokio::time::interval(period);
            loop {
                turns.tick().await;
                // A task of its own, so that a panic ends this turn and not all that would follow.
                match tokio::spawn(work()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(task = name, %error, "a background task failed"),
                    Err(error) => tracing::error!(task = name, %error, "a background task panicked"),
                }
            }
        }));
    }

    /// Shows a figure of the service's own among its metrics.
    pub fn gauge<T: Clone + Send + Sync + 'static>(
        &self,
        name: &'static str,
        description: &'static str,
        of: &T,
        read: impl Fn(&T) -> i64 + Send + Sync + 'static,
    ) {
        self.metrics.gauge(name, description, of, read);
    }
}

/// The RPC services of a service.
#[derive(Default)]
pub struct Rpcs {
    pub(crate) routes: Routes,
    pub(crate) names: Vec<&'static str>,
}

impl Rpcs {
    /// Adds a generated server.
    #[must_use]
    pub fn with<S>(self, service: S) -> Self
    where
        S: tower::Service<
                http::Request<tonic::body::Body>,
                Error = Infallible,
                Response = http::Response<tonic::body::Body>,
            > + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let mut names = self.names;
        names.push(S::NAME);
        Self { routes: self.routes.add_service(service), names }
    }
}

impl Service {
    /// Fills the database with sample data if that has never been done, and answers with the number of rows.
    pub async fn seed_once(&self, db: Db) -> Result<u64> {
        let seeded = sqlx::query_scalar("select exists (select from seedings)").fetch_one(&db).await?;
        if seeded {
            return Ok(0);
        }
        let rows = (self.seed)(db.clone()).await?;
        sqlx::query("insert into seedings (rows) values ($1)").bind(rows.cast_signed()).execute(&db).await?;
        Ok(rows)
    }

    /// Starts to serve and returns at once; calls are answered with UNAVAILABLE until the database is there.
    pub async fn start(&self, config: &Config) -> Result<Running, StartError> {
        let listener = bind(config, config.listen.port.unwrap_or(self.port)).await?;
        let port = listener.local_addr()?.port();
        let admin_port = config.listen.admin_port.unwrap_or_else(|| match config.listen.port {
            Some(0) => 0,
            _ => port.saturating_add(ADMIN_PORT_OFFSET),
        });
        let admin_listener = bind(config, admin_port).await?;

        let db = Db::new(db::Options::new(&config.database, self.name)?);
        let metrics = Arc::new(Metrics::new());
        metrics.observe_database(&db);
        let page_tokens = PageTokens::from_config(&config.tokens)?;
        let limits = config.limits.clone();
        let mut kit = Kit { db: db.clone(), page_tokens, limits, metrics: metrics.clone(), tasks: vec![] };
        let rpcs = (self.rpcs)(&mut kit);
        kit.every(idempotency::SWEEP_PERIOD, "forget old request ids", {
            let db = db.clone();
            move || idempotency::sweep(db.clone())
        });
        let Kit { limits, tasks, .. } = kit;
        Ok(server::start(Parts {
            name: self.name,
            rpcs,
            db,
            metrics,
            limits,
            workers: Workers::start(config.workers.count(), self.name)?,
            listener,
            admin_listener,
            tasks,
        })?)
    }
}

async fn bind(config: &Config, port: u16) -> Result<TcpListener, StartError> {
    let address = SocketAddr::new(config.listen.host, port);
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on {address}: {error}").into())
}

/// The whole of a service's `main`: configuration from command line and environment, telemetry, and serving until
/// SIGTERM or Ctrl-C.
pub fn run(service: Service) -> std::process::ExitCode {
    let Process { config } = config::parse();
    match serve(service, &config) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        // Not through the log, which may be what could not be started.
        Err(error) => {
            eprintln!("{}: {error}", service.name);
            std::process::ExitCode::FAILURE
        }
    }
}

#[derive(Parser)]
#[command(version, about = "A service of the Selvedge mesh")]
struct Process {
    #[command(flatten)]
    config: Config,
}

#[tokio::main]
async fn serve(service: Service, config: &Config) -> Result<(), StartError> {
    let _telemetry = telemetry::start(&config.telemetry, service.name)?;
    let running = service.start(config).await?;
    info!(service = service.name, address = %running.address, admin = %running.admin_address, "serving");
    stop_signal().await?;
    running.stop().await;
    Ok(())
}

/// Waits for SIGTERM or Ctrl-C.
pub async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
