//! All that runs while contenders take turns.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::binaries;
use super::contenders::Contender;
use super::cpu::{POSTGRES, Watch};
use super::database::Database;
use super::echo::Echo;
use super::pgbench::Scripts;
use super::processes::{Process, command, free_port};
use super::sink::Sink;
use crate::Result;
use crate::load::{Known, Target, get, page_tokens};

/// The threads that make load.
const THREADS: usize = 2;
/// How long one may take to answer while it starts.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Stage {
    /// Those whom a request can be sent to.
    pub(super) targets: BTreeMap<Contender, Target>,
    /// Who was asked for and is not there, and why.
    pub(super) absent: Vec<(Contender, String)>,
    pub(super) scripts: Scripts,
    /// What each of them can be asked for.
    pub(super) known: BTreeMap<Contender, Arc<Known>>,
    pub(super) watch: Watch,
    pub(super) programs: PathBuf,
    pub(super) catalog: SocketAddr,
    pub(super) contacts: SocketAddr,
    pub(super) trace_ratio: f64,
    pub(super) sink: Sink,
    traced: Option<SocketAddr>,
    echo: Option<Echo>,
    load: Option<Runtime>,
    // The order is that of the end.
    processes: Vec<Process>,
    pub(super) database: Database,
    pub(super) directory: TempDir,
}

impl Stage {
    /// Starts these contenders. To be called in the main thread, for the processes to live as long as that.
    pub(super) async fn start(contenders: &[Contender], trace_ratio: f64) -> Result<Self> {
        let mut stage = Self {
            targets: BTreeMap::new(),
            absent: vec![],
            scripts: Scripts::default(),
            known: BTreeMap::new(),
            watch: Watch::default(),
            programs: binaries::build()?,
            catalog: free_port()?,
            contacts: free_port()?,
            trace_ratio,
            sink: Sink::start().await?,
            traced: None,
            echo: None,
            load: Some(Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?),
            processes: vec![],
            database: Database::start().await?,
            directory: tempfile::tempdir()?,
        };
        stage.watch.add("bench", std::process::id());
        stage.watch.add(POSTGRES, stage.database.pid());
        stage.service("catalog", "catalog", stage.catalog, trace_ratio).await?;
        stage.service("contacts", "contacts", stage.contacts, trace_ratio).await?;
        let known = stage.database.known().await?;
        let services = Target::Grpc { catalog: stage.catalog, contacts: stage.contacts };
        stage.scripts = Scripts::new(&stage.database, &known, services, stage.directory.path()).await?;
        for contender in contenders {
            stage.add(*contender).await?;
        }
        for (contender, target) in &stage.targets {
            let pages = page_tokens(*target, known.films).await?;
            stage.known.insert(*contender, Arc::new(Known { pages, ..known.clone() }));
        }
        Ok(stage)
    }

    async fn add(&mut self, contender: Contender) -> Result<()> {
        match contender.start(self).await {
            Ok(target) => self.targets.extend(target.map(|target| (contender, target))),
            Err(error) if contender.may_be_absent() => {
                eprintln!("*** {} IS LEFT OUT: {error}", contender.name());
                self.absent.push((contender, error.to_string()));
            }
            Err(error) => return Err(format!("{}: {error}", contender.name()).into()),
        }
        Ok(())
    }

    /// Those that take turns.
    pub(super) fn present(&self, contenders: &[Contender]) -> Vec<Contender> {
        let absent = |contender: &Contender| self.absent.iter().any(|(absent, _)| absent == contender);
        contenders.iter().copied().filter(|contender| !absent(contender)).collect()
    }

    /// The runtime that makes load.
    pub(super) fn load(&self) -> &Runtime {
        self.load.as_ref().expect("it is there until the end")
    }

    async fn service(
        &mut self,
        name: &'static str,
        service: &str,
        address: SocketAddr,
        trace_ratio: f64,
    ) -> Result<()> {
        let mut command = command(self.programs.join(format!("selvedge-{service}")));
        command.env("SELVEDGE_DATABASE_URL", self.database.service_url(service));
        self.own(name, command, address, trace_ratio).await
    }

    /// A catalog service that records each trace.
    pub(super) async fn traced(&mut self) -> Result<SocketAddr> {
        if let Some(address) = self.traced {
            return Ok(address);
        }
        let address = free_port()?;
        self.service("catalog-traced", "catalog", address, 1.0).await?;
        self.traced = Some(address);
        Ok(address)
    }

    /// An echo of the catalog service.
    pub(super) async fn echo(&mut self) -> Result<SocketAddr> {
        if let Some(echo) = &self.echo {
            return Ok(echo.address);
        }
        let echo = Echo::start(self.catalog).await?;
        Ok(self.echo.insert(echo).address)
    }

    pub(super) async fn gateway(
        &mut self,
        name: &'static str,
        catalog: SocketAddr,
        trace_ratio: f64,
    ) -> Result<SocketAddr> {
        let address = free_port()?;
        let mut command = command(self.programs.join("selvedge-gateway"));
        let upstreams =
            format!("selvedge.catalog=http://{catalog};selvedge.contacts=http://{}", self.contacts);
        command.env("SELVEDGE_UPSTREAMS", upstreams);
        // None of the others writes a line about each request.
        command.env("SELVEDGE_ACCESS_LOG", "errors");
        self.own(name, command, address, trace_ratio).await?;
        Ok(address)
    }

    /// A process of ours, which says on its admin port when it is ready.
    async fn own(
        &mut self,
        name: &'static str,
        mut command: Command,
        address: SocketAddr,
        trace_ratio: f64,
    ) -> Result<()> {
        let admin = free_port()?;
        command.env("SELVEDGE_PORT", address.port().to_string());
        command.env("SELVEDGE_ADMIN_PORT", admin.port().to_string());
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", self.sink.url());
        command.env("SELVEDGE_TRACE_RATIO", trace_ratio.to_string());
        self.run(name, command, admin, "/readyz").await
    }

    /// A peer that is told where the database is and on which port to listen.
    pub(super) async fn peer(&mut self, name: &'static str, mut command: Command) -> Result<SocketAddr> {
        let address = free_port()?;
        command.env("DATABASE_URL", self.database.peer_url()).env("PORT", address.port().to_string());
        self.rest(name, command, address).await
    }

    /// Whatever answers in REST there, and is ready when it does.
    pub(super) async fn rest(
        &mut self,
        name: &'static str,
        command: Command,
        address: SocketAddr,
    ) -> Result<SocketAddr> {
        self.run(name, command, address, "/v1/films/1").await?;
        Ok(address)
    }

    async fn run(
        &mut self,
        name: &'static str,
        command: Command,
        address: SocketAddr,
        path: &str,
    ) -> Result<()> {
        let mut process = Process::start(name, command, self.directory.path())?;
        let answers = async || {
            timeout(PATIENCE, get(address, path))
                .await
                .is_ok_and(|got| got.is_ok_and(|(status, _)| status == 200))
        };
        process.ready(answers).await?;
        self.watch.add(name, process.pid());
        self.processes.push(process);
        Ok(())
    }
}

impl Drop for Stage {
    /// A runtime may not be dropped where others run.
    fn drop(&mut self) {
        if let Some(load) = self.load.take() {
            load.shutdown_background();
        }
    }
}
