//! The database of all contenders.

use std::process::Command;

use selvedge_kit::Service;
use selvedge_kit::config::{Config, Secret};
use selvedge_kit::db::{self, Db};
use selvedge_kit::schema::{App, Schema, provision};
use selvedge_postgres::{Cluster, Installation, Options};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use std::time::Duration;
use tokio::time::sleep;

use crate::load::{COUNTER, Known};
use crate::{Result, statement};

const NAME: &str = "bench";
/// The role of all contenders but the services, which have their own.
const PEER: &str = "bench";
const PASSWORD: &str = "bench";
const WORDS: i64 = 16;
const PATIENCE: Duration = Duration::from_mins(5);
const POLL: Duration = Duration::from_millis(50);

/// Durable, as `fsync`, `synchronous_commit` and `full_page_writes` stay on. What happens only now and then would fall on
/// one contender, and is therefore done between their turns.
const SETTINGS: &[(&str, &str)] = &[
    ("max_connections", "1000"),
    ("shared_buffers", "512MB"),
    ("max_wal_size", "16GB"),
    ("checkpoint_timeout", "1d"),
    ("autovacuum", "off"),
    // The statements of the service are seen in full.
    ("track_activity_query_size", "64kB"),
];

/// A cluster with the schemas of the services and their sample data.
pub(super) struct Database {
    cluster: Cluster,
}

/// How much has been stored so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) submissions: i64,
    pub(super) visits: i64,
}

impl Database {
    pub(super) async fn start() -> Result<Self> {
        let mut options = Options::ephemeral()?;
        options.settings.extend(SETTINGS.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let database = Self { cluster: Cluster::start(options)? };
        let create = format!("create database {NAME}");
        database.superuser("postgres").connect().await?.execute(AssertSqlSafe(create)).await?;
        for service in [selvedge_catalog::SERVICE, selvedge_contacts::SERVICE] {
            database.fill(service).await?;
        }
        // What is said of the disks for the services' roles is said for that of their rivals.
        let peer = format!(
            "create role {PEER} login password '{PASSWORD}' in role catalog_app, contacts_app; \
             alter role {PEER} set random_page_cost = 1.1; vacuum analyze; checkpoint"
        );
        let mut connection = database.connect().await?;
        for statement in peer.split("; ") {
            connection.execute(AssertSqlSafe(statement.to_owned())).await?;
        }
        Ok(database)
    }

    async fn fill(&self, service: Service) -> Result<()> {
        let app = App { password: Some(PASSWORD.into()), connection_limit: 200 };
        provision(&mut self.connect().await?, service.name, &app).await?;
        Schema::open(service.name, (service.migrations)(), &self.superuser(NAME)).await?.up().await?;
        let mut config = Config::default();
        config.database.url = Some(Secret::new(self.service_url(service.name)));
        let mut options = db::Options::new(&config.database, service.name)?;
        // Sample data comes in statements that would be called slow anywhere else.
        options.slow_statement = PATIENCE;
        service.seed_once(Db::new(options)).await?;
        Ok(())
    }

    /// What a service is told.
    pub(super) fn service_url(&self, service: &str) -> String {
        self.url_of(&format!("{service}_app"))
    }

    /// What a peer is told.
    pub(super) fn peer_url(&self) -> String {
        self.url_of(PEER)
    }

    fn url_of(&self, role: &str) -> String {
        format!("postgres://{role}:{PASSWORD}@127.0.0.1:{}/{NAME}", self.cluster.port())
    }

    /// Tells a program of PostgreSQL the same.
    pub(super) fn tell(&self, command: &mut Command) {
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.cluster.port().to_string());
        command.env("PGUSER", PEER).env("PGPASSWORD", PASSWORD).env("PGDATABASE", NAME);
    }

    pub(super) fn pid(&self) -> u32 {
        self.cluster.pid()
    }

    pub(super) fn version() -> Result<String> {
        Ok(Installation::find()?.version)
    }

    fn superuser(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(self.cluster.socket_dir())
            .port(self.cluster.port())
            .username(self.cluster.superuser())
            .password(self.cluster.password())
            .database(database)
    }

    async fn connect(&self) -> Result<PgConnection> {
        Ok(self.superuser(NAME).connect().await?)
    }

    /// What there is to ask for.
    pub(super) async fn known(&self) -> Result<Known> {
        let mut connection = self.connect().await?;
        let films = "select case when min(id) = 1 and max(id) = count(*) then max(id) end from catalog.films";
        let films: Option<i32> = sqlx::query_scalar(films).fetch_one(&mut connection).await?;
        let words = sqlx::query_scalar(
            "select word from ts_stat('select fulltext from catalog.films')
             where ndoc between 20 and 200 and word ~ '^[a-z]+$'
                 and exists (
                     select from catalog.films where fulltext @@ websearch_to_tsquery('pg_catalog.english', word))
             order by word limit $1",
        );
        let words: Vec<String> = words.bind(WORDS).fetch_all(&mut connection).await?;
        match films {
            Some(films) if !words.is_empty() => Ok(Known { films, words, pages: vec![] }),
            _ => Err("the sample data are not as they should be".into()),
        }
    }

    /// The key and the id of the film after which the page begins that has so many films before it.
    pub(super) async fn place(&self, films: usize) -> Result<(String, i32)> {
        let place = "select lower(title), id from catalog.films order by lower(title) collate \"C\", id
             offset $1 - 1 limit 1";
        let place = sqlx::query_as(place).bind(i64::try_from(films)?);
        Ok(place.fetch_one(&mut self.connect().await?).await?)
    }

    /// The last statement with these words that the catalog service sent.
    pub(super) async fn last_statement(&self, words: &str) -> Result<Option<String>> {
        Ok(statement::last(&mut self.connect().await?, "catalog_app", words).await?)
    }

    /// How many rows a statement answers with.
    pub(super) async fn rows(&self, statement: &str) -> Result<usize> {
        let mut connection = self.connect().await?;
        connection.execute("set search_path = catalog, contacts, public").await?;
        let rows = connection.fetch_all(AssertSqlSafe(statement.to_owned())).await?;
        Ok(rows.len())
    }

    pub(super) async fn stored(&self) -> Result<Stored> {
        let query = "select (select count(*) from contacts.submissions),
             (select count from contacts.visitors where counter = $1)";
        let (submissions, visits) =
            sqlx::query_as(query).bind(COUNTER).fetch_one(&mut self.connect().await?).await?;
        Ok(Stored { submissions, visits })
    }

    /// Does what is left to do after a turn that stored something, so that it does not fall on the next one.
    pub(super) async fn rest(&self) -> Result<()> {
        let mut connection = self.connect().await?;
        let folding = async {
            let some = "select exists (select from contacts.submission_deltas)";
            while sqlx::query_scalar(some).fetch_one(&mut connection).await? {
                sleep(POLL).await;
            }
            Ok::<_, sqlx::Error>(())
        };
        tokio::time::timeout(PATIENCE, folding)
            .await
            .map_err(|_| "nobody folds the counts of submissions")??;
        connection.execute("vacuum analyze").await?;
        connection.execute("checkpoint").await?;
        Ok(())
    }
}
