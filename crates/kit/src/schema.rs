//! A service's schema: its three roles, and its history of migrations.
//!
//! The *owner* migrates, the *app* role reads and writes rows and nothing else, the *read* role looks. A service
//! enters with its app role, so it can neither change its own tables nor see those of another service.

mod roles;

use std::collections::HashMap;

use sqlx::migrate::{Migrate as _, MigrateError, Migration, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

pub use roles::{App, provision, provisioning_sql};

/// Where the migrations of a service, and those that every service shares, are recorded.
const TABLE: &str = "migrations";
const SHARED_TABLE: &str = "shared_migrations";

/// One migration and whether it has run.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its number, from the file name.
    pub version: i64,
    /// Its name, from the file name.
    pub name: String,
    /// The SQL that makes it so.
    pub sql: String,
    /// Whether it has run.
    pub applied: bool,
}

/// A connection that may change a service's schema.
///
/// It is a connection of its own, closed at the end: a migration that fails would leave its advisory lock behind.
pub struct Schema {
    name: String,
    own: Migrator,
    shared: Migrator,
    connection: PgConnection,
}

impl Schema {
    /// Connects as somebody who may act as the schema's owner: the owner itself, or a superuser.
    pub async fn open(
        name: &str,
        migrations: Migrator,
        connect: &PgConnectOptions,
    ) -> Result<Self, sqlx::Error> {
        let mut connection = connect.clone().options([("search_path", name)]).connect().await?;
        connection.execute(AssertSqlSafe(format!("set role {name}_owner"))).await?;
        let recorded_in = |mut migrator: Migrator, table: &str| {
            migrator.dangerous_set_table_name(format!("{name}.{table}"));
            migrator
        };
        Ok(Self {
            name: name.to_owned(),
            own: recorded_in(migrations, TABLE),
            shared: recorded_in(sqlx::migrate!(), SHARED_TABLE),
            connection,
        })
    }

    /// Runs what has not run yet and answers with how many of the service's own that were.
    pub async fn up(&mut self) -> Result<usize, MigrateError> {
        // sqlx has a lock for the migrations themselves; this one is for all that belongs to them. After a failure it goes
        // with the connection, which is nobody else's.
        sqlx::query("select pg_advisory_lock(hashtextextended('selvedge.migrate', 0))")
            .execute(&mut self.connection)
            .await?;
        let pending = self.status().await?.iter().filter(|step| !step.applied).count();
        self.shared.run_direct(None, &mut self.connection, false).await?;
        self.own.run_direct(None, &mut self.connection, false).await?;
        // What has run is the owner's business alone.
        let revoke = format!("revoke all on {TABLE}, {SHARED_TABLE} from {0}_app, {0}_read", self.name);
        self.connection.execute(AssertSqlSafe(revoke)).await?;
        sqlx::query("select pg_advisory_unlock(hashtextextended('selvedge.migrate', 0))")
            .execute(&mut self.connection)
            .await?;
        Ok(pending)
    }

    /// Takes back the last `count` migrations and answers with those that were taken back.
    pub async fn down(&mut self, count: usize) -> Result<Vec<Step>, MigrateError> {
        let applied: Vec<Step> = self.status().await?.into_iter().filter(|step| step.applied).collect();
        let keep = applied.len().saturating_sub(count);
        let target = if keep == 0 { 0 } else { applied[keep - 1].version };
        self.own.undo(&mut self.connection, target).await?;
        Ok(applied[keep..].to_vec())
    }

    /// Every migration of the service and whether it has run.
    pub async fn status(&mut self) -> Result<Vec<Step>, MigrateError> {
        steps(&mut self.connection, &self.own).await
    }

    /// What `up` would run, shared migrations first.
    pub async fn pending(&mut self) -> Result<Vec<Step>, MigrateError> {
        let mut all = steps(&mut self.connection, &self.shared).await?;
        all.extend(steps(&mut self.connection, &self.own).await?);
        Ok(all.into_iter().filter(|step| !step.applied).collect())
    }
}

/// Every migration that a new schema would run, shared ones first.
pub fn all_steps(own: Migrator) -> Vec<Step> {
    let both = [sqlx::migrate!(), own];
    both.iter().flat_map(ups).map(|migration| step(migration, false)).collect()
}

fn ups(migrator: &Migrator) -> impl Iterator<Item = &Migration> {
    migrator.iter().filter(|migration| migration.migration_type.is_up_migration())
}

/// Reads without writing: a schema that nobody has migrated yet has no table to read.
async fn steps(connection: &mut PgConnection, migrator: &Migrator) -> Result<Vec<Step>, MigrateError> {
    let recorded: bool = sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(&*migrator.table_name)
        .fetch_one(&mut *connection)
        .await?;
    let applied =
        if recorded { connection.list_applied_migrations(&migrator.table_name).await? } else { vec![] };
    let applied: HashMap<i64, _> =
        applied.into_iter().map(|migration| (migration.version, migration)).collect();
    Ok(ups(migrator).map(|migration| step(migration, applied.contains_key(&migration.version))).collect())
}

fn step(migration: &Migration, applied: bool) -> Step {
    Step {
        version: migration.version,
        // As the file is called; sqlx shows spaces.
        name: migration.description.replace(' ', "_"),
        sql: migration.sql.as_str().to_owned(),
        applied,
    }
}
