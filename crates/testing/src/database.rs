use std::collections::HashSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use selvedge_kit::Service;
use selvedge_kit::config::{Config, Secret};
use selvedge_kit::schema::{App, Schema, provision};
use selvedge_postgres::{Cluster, Options};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tokio::sync::Mutex;

/// The cluster of this process; it goes away with it, however that ends.
static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
    let mut options = Options::ephemeral().expect("a temporary directory");
    // Whoever looks at what a service has just sent sees all of it.
    options.settings.push(("track_activity_query_size".into(), "64kB".into()));
    Cluster::start(options).expect("PostgreSQL starts")
});

/// The services whose template database has been made. Held while a database is copied as well: PostgreSQL copies a
/// template only while nobody is connected to it.
static TEMPLATES: Mutex<Option<HashSet<&'static str>>> = Mutex::const_new(None);

static NUMBER: AtomicU32 = AtomicU32::new(0);

const APP_PASSWORD: &str = "a password, of no use: #@/?%";

/// A database of its own for one test.
pub struct Database {
    service: Service,
    name: String,
}

impl Database {
    /// Copies the service's migrated, empty template.
    pub async fn new(service: Service) -> Self {
        let mut templates = TEMPLATES.lock().await;
        let made = templates.get_or_insert_default();
        let template = format!("template_{}", service.name);
        if !made.contains(service.name) {
            make_template(service, &template).await;
            made.insert(service.name);
        }
        let name = format!("test_{}_{}", service.name, NUMBER.fetch_add(1, Ordering::Relaxed));
        run(&mut connect("postgres").await, format!("create database {name} template {template}")).await;
        Self { service, name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The service whose database it is.
    pub(crate) fn service(&self) -> Service {
        self.service
    }

    /// A superuser's connection: for a look behind the service's back.
    pub async fn superuser(&self) -> PgConnection {
        let mut connection = connect(&self.name).await;
        run(&mut connection, format!("set search_path = {}", self.service.name)).await;
        connection
    }

    /// A connection as one of the schema's roles.
    pub async fn role(&self, role: &str) -> PgConnection {
        let mut connection = self.superuser().await;
        run(&mut connection, format!("set session authorization {}_{role}", self.service.name)).await;
        connection
    }

    /// How to get in as a superuser.
    pub fn superuser_options(&self) -> PgConnectOptions {
        superuser(&self.name)
    }

    /// The configuration of a service on this database: its app role, any free port.
    pub fn config(&self, configure: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::default();
        config.listen.port = Some(0);
        config.listen.admin_port = Some(0);
        config.database.host = Some(CLUSTER.socket_dir().display().to_string());
        config.database.port = Some(CLUSTER.port());
        config.database.user = Some(format!("{}_app", self.service.name));
        config.database.password = Some(Secret::new(APP_PASSWORD));
        config.database.name = Some(self.name.clone());
        configure(&mut config);
        config
    }
}

async fn make_template(service: Service, template: &str) {
    run(&mut connect("postgres").await, format!("create database {template}")).await;
    let app = App { password: Some(APP_PASSWORD.into()), connection_limit: 1000 };
    provision(&mut connect(template).await, service.name, &app).await.expect("roles and schema");
    let mut schema =
        Schema::open(service.name, (service.migrations)(), &superuser(template)).await.expect("the owner");
    schema.up().await.expect("the migrations run");
}

fn superuser(database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(CLUSTER.socket_dir())
        .port(CLUSTER.port())
        .username(CLUSTER.superuser())
        .password(CLUSTER.password())
        .database(database)
}

async fn connect(database: &str) -> PgConnection {
    superuser(database).connect().await.expect("a connection as superuser")
}

async fn run(connection: &mut PgConnection, sql: String) {
    connection.execute(AssertSqlSafe(sql)).await.expect("the statement runs");
}
