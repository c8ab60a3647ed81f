//! The whole mesh in one process.

mod endpoints;
mod gateway;

use std::convert::Infallible;
use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use futures::future::join_all;
use selvedge_kit::config::{self, Config, Secret};
use selvedge_kit::schema::App;
use selvedge_kit::{Db, Running, Service, db, stop_signal, telemetry};
use selvedge_postgres::{Cluster, Installation, Options};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tokio::net::TcpListener;
use tokio::task::block_in_place;
use tokio::time::timeout;

use crate::database::{DATA_DIR, RUNNING_FILE, running};
use crate::migrate::{self, migrated_text};
use crate::progress::Progress;
use crate::seed::seeded_text;
use crate::{Result, services};
use endpoints::Endpoints;

/// How long a service may take to reach its database, which is running by then.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
const SLOW_SEED: Duration = Duration::from_secs(30);

/// The database of the mesh in its private cluster.
const DATABASE: &str = "selvedge";

#[derive(Args)]
pub(crate) struct Up {
    /// Where everything is kept.
    #[arg(long, env = "SELVEDGE_DATA_DIR", default_value = DATA_DIR)]
    data_dir: PathBuf,
    /// Keep nothing: a temporary directory and free ports, all gone at the end.
    #[arg(long)]
    ephemeral: bool,
    /// Listen on free ports instead of the usual ones.
    #[arg(long)]
    free_ports: bool,
    /// Print one line of JSON with all endpoints when ready.
    #[arg(long)]
    json: bool,
    /// No sample data.
    #[arg(long)]
    no_seed: bool,
    /// The address to listen on.
    #[arg(long, env = "SELVEDGE_HOST", default_value = "127.0.0.1")]
    host: IpAddr,
    #[command(flatten)]
    pool: config::Pool,
    #[command(flatten)]
    telemetry: config::Telemetry,
    #[command(flatten)]
    limits: config::Limits,
    #[command(flatten)]
    tokens: config::Tokens,
    #[command(flatten)]
    http: selvedge_gateway::Limits,
    #[command(flatten)]
    web: selvedge_gateway::Web,
    #[command(flatten)]
    messages: selvedge_gateway::Json,
}

/// All that runs. Dropped, what was started stops: PostgreSQL with its handle, the services with the process.
struct Mesh {
    cluster: Cluster,
    services: Vec<(&'static Service, Running)>,
    gateway: selvedge_gateway::Running,
}

impl Up {
    pub(crate) async fn run(self) -> Result<()> {
        let mut stop = tokio::spawn(stop_signal());
        let telemetry = telemetry::start(&self.telemetry, "up")?;
        let progress = Progress::new();
        let mesh = tokio::select! {
            started = self.start(&progress) => started?,
            signal = &mut stop => {
                signal??;
                return Err("stopped before it was ready".into());
            }
        };
        let file = self.announce(&progress, &mesh)?;

        stop.await??;
        eprintln!("\n  stopping (press Ctrl-C again to stop at once)");
        // Whoever is in a hurry may leave; PostgreSQL is then stopped by the end of this process.
        tokio::spawn(async {
            if stop_signal().await.is_ok() {
                std::process::exit(130);
            }
        });
        let finish = async {
            // Its callers' requests need the services to finish.
            mesh.gateway.stop().await;
            join_all(mesh.services.into_iter().map(|(_, running)| running.stop())).await;
            Ok::<_, Infallible>(())
        };
        progress.step("finishing calls", finish, |()| "services stopped".into()).await?;
        let end = async { block_in_place(|| mesh.cluster.stop()) };
        progress.step("stopping PostgreSQL", end, |()| "PostgreSQL stopped".into()).await?;
        drop(telemetry);
        // Gone already where the whole directory is.
        if file.exists() {
            fs::remove_file(&file)?;
        }
        Ok(())
    }

    async fn start(&self, progress: &Progress) -> Result<Mesh> {
        self.check_ports().await?;
        let cluster = self.start_postgres(progress).await?;
        let services = self.start_services(progress, &cluster).await?;
        let gateway = gateway::start(self, &services).await.map_err(|error| format!("gateway: {error}"))?;
        Ok(Mesh { cluster, services, gateway })
    }

    /// Says where everything is: to people or programs, and in a file to the other commands.
    fn announce(&self, progress: &Progress, mesh: &Mesh) -> Result<PathBuf> {
        let endpoints = Endpoints::new(&mesh.cluster.url(DATABASE), &mesh.services, &mesh.gateway);
        // Where this user looks for it, even if PostgreSQL had to keep its data elsewhere.
        let directory = if self.ephemeral { mesh.cluster.data_dir() } else { &self.data_dir };
        fs::create_dir_all(directory)?;
        let file = directory.join(RUNNING_FILE);
        write_private(&file, &endpoints.json())?;
        endpoints.show(progress, self.json, self.ephemeral);
        Ok(file)
    }

    /// Before anything is started that would have to be stopped again. Where this data directory's own `up` has the
    /// ports, the cluster's lock has more to say about it.
    async fn check_ports(&self) -> Result<()> {
        if self.takes_free_ports() || running(&self.data_dir).is_some() {
            return Ok(());
        }
        for (name, port) in services::ports() {
            if let Err(error) = TcpListener::bind((self.host, port)).await {
                let hint = "is another `selvedge up` running? `--free-ports` takes other ports";
                return Err(format!("{name} cannot listen on port {port}: {error}\n({hint})").into());
            }
        }
        Ok(())
    }

    fn takes_free_ports(&self) -> bool {
        self.ephemeral || self.free_ports
    }

    async fn start_postgres(&self, progress: &Progress) -> Result<Cluster> {
        let find = async { Installation::find_for(&self.data_dir) };
        let found = |found: &Installation| format!("PostgreSQL {} in {}", found.version, found.bin.display());
        let installation = progress.step("looking for PostgreSQL", find, found).await?;
        let mut options = if self.ephemeral { Options::ephemeral()? } else { Options::new(&self.data_dir) };
        options.settings.push(("shared_preload_libraries".into(), "pg_stat_statements".into()));
        let start = async { block_in_place(|| Cluster::start_with(&installation, options)) };
        let started = |cluster: &Cluster| {
            let kind = if cluster.is_new() { "new cluster" } else { "cluster" };
            format!("{kind} in {}", cluster.data_dir().display())
        };
        let cluster = progress.step("starting PostgreSQL", start, started).await?;
        for note in cluster.notes() {
            progress.note(note);
        }
        Ok(cluster)
    }

    async fn start_services(
        &self,
        progress: &Progress,
        cluster: &Cluster,
    ) -> Result<Vec<(&'static Service, Running)>> {
        let superuser = make_database(cluster).await?;
        let tokens = self.page_token_keys(cluster)?;
        let mut all = vec![];
        for service in services::ALL {
            let name = service.name;
            // A new password for every run, as nobody but this process needs it.
            let password = random_hex();
            let app = App { password: Some(password.clone()), connection_limit: self.connection_limit() };
            let migrated = migrate::up(service, &superuser, &app);
            progress.step(&format!("{name}: migrating"), migrated, |done| migrated_text(name, *done)).await?;
            let config = self.config(service, cluster, password, tokens.clone());
            let running = service.start(&config).await.map_err(|error| format!("{name}: {error}"))?;
            if timeout(READY_TIMEOUT, running.wait_until_ready()).await.is_err() {
                return Err(format!("{name}: the service does not reach its database").into());
            }
            if !self.no_seed {
                let seeded = service.seed_once(seed_database(service, &config)?);
                progress.step(&format!("{name}: seeding"), seeded, |rows| seeded_text(name, *rows)).await?;
            }
            all.push((service, running));
        }
        Ok(all)
    }

    /// The pool, and what watches and cancels beside it; twice, as connections that were given up may linger.
    fn connection_limit(&self) -> u32 {
        u32::try_from(2 * (self.pool.connections() + 2)).unwrap_or(u32::MAX >> 1)
    }

    fn config(
        &self,
        service: &Service,
        cluster: &Cluster,
        password: String,
        tokens: config::Tokens,
    ) -> Config {
        let mut config = Config::default();
        config.listen.host = self.host;
        if self.takes_free_ports() {
            config.listen.port = Some(0);
        }
        config.database.host = Some(cluster.socket_dir().display().to_string());
        config.database.port = Some(cluster.port());
        config.database.user = Some(format!("{}_app", service.name));
        config.database.password = Some(Secret::new(password));
        config.database.name = Some(DATABASE.to_owned());
        config.database.pool = self.pool.clone();
        Config { telemetry: self.telemetry.clone(), limits: self.limits.clone(), tokens, ..config }
    }

    /// The configured keys, or else a key that is kept with the data, so that page tokens survive a restart.
    fn page_token_keys(&self, cluster: &Cluster) -> Result<config::Tokens> {
        if self.tokens.page_token_keys.is_some() {
            return Ok(self.tokens.clone());
        }
        let file = cluster.data_dir().join("page-token-key");
        if !file.exists() {
            write_private(&file, &random_hex())?;
        }
        Ok(config::Tokens { page_token_keys: Some(Secret::new(fs::read_to_string(&file)?)) })
    }
}

/// The database itself, as its superuser.
async fn make_database(cluster: &Cluster) -> Result<PgConnectOptions> {
    let connect: PgConnectOptions = cluster.url("postgres").parse()?;
    let mut connection = connect.connect().await?;
    let exists =
        sqlx::query_scalar("select exists (select from pg_database where datname = $1)").bind(DATABASE);
    if !exists.fetch_one(&mut connection).await? {
        connection.execute(AssertSqlSafe(format!("create database {DATABASE}"))).await?;
    }
    let connect = connect.database(DATABASE);
    connect.connect().await?.execute("create extension if not exists pg_stat_statements").await?;
    Ok(connect)
}

/// Sample data comes in statements that would be called slow anywhere else, in somebody's first minute.
fn seed_database(service: &Service, config: &Config) -> Result<Db> {
    let mut options = db::Options::new(&config.database, service.name)?;
    options.slow_statement = SLOW_SEED;
    Ok(Db::new(options))
}

fn random_hex() -> String {
    rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file that only this user may read, all of it or nothing.
fn write_private(path: &Path, text: &str) -> Result<()> {
    let new = path.with_extension("new");
    // What an earlier attempt left may be open to others.
    if new.exists() {
        fs::remove_file(&new)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(fs::rename(&new, path)?)
}
