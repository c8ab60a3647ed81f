use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use selvedge_kit::Service;
use selvedge_kit::schema::{self, App, Schema, provision, provisioning_sql};
use sqlx::ConnectOptions as _;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgConnectOptions;

use crate::database::Target;
use crate::progress::Progress;
use crate::{Result, services};

/// What an application role gets: its password is somebody else's business, its connections are for all replicas.
const APP: App = App { password: None, connection_limit: 60 };

#[derive(Args)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    action: Action,
    /// Only this service.
    #[arg(long, global = true)]
    service: Option<String>,
    #[command(flatten)]
    target: Target,
}

#[derive(Subcommand)]
enum Action {
    /// Makes roles and schemas where they are missing, and runs the migrations that have not run.
    Up,
    /// Takes back the last migrations of one service.
    Down {
        /// How many.
        #[arg(default_value_t = 1)]
        count: usize,
    },
    /// Shows which migrations have run.
    Status,
    /// Prints the SQL that `up` would run.
    Sql,
    /// Makes the two files of a new migration of one service, in the sources.
    New {
        /// What it does, in a few words: `add_phone_to_submissions`.
        name: String,
    },
}

impl Migrate {
    pub(crate) async fn run(self) -> Result<()> {
        let services = services::chosen(self.service.as_deref())?;
        if let Action::New { name } = &self.action {
            return new(one(&services)?, name);
        }
        let connect = self.target.connect_options()?;
        match self.action {
            Action::Up => {
                let progress = Progress::new();
                for service in services {
                    let migrated = up(service, &connect, &APP);
                    progress
                        .step(&format!("{}: migrating", service.name), migrated, |done| {
                            migrated_text(service.name, *done)
                        })
                        .await?;
                }
            }
            Action::Down { count } => {
                let service = one(&services)?;
                let gone = open(service, &connect).await?.down(count).await?;
                for step in &gone {
                    eprintln!("  ✓ {}: took back {:04}_{}", service.name, step.version, step.name);
                }
                if gone.is_empty() {
                    eprintln!("  {}: no migration has run, so there is none to take back", service.name);
                }
            }
            Action::Status => {
                for service in services {
                    for step in open(service, &connect).await?.status().await? {
                        let state = if step.applied { "has run" } else { "pending" };
                        say(&format!("{:<12} {:04}_{:<40} {state}", service.name, step.version, step.name));
                    }
                }
            }
            Action::Sql => {
                for service in services {
                    sql(service, &connect).await?;
                }
            }
            Action::New { .. } => unreachable!("returned above"),
        }
        Ok(())
    }
}

/// Brings a service's roles and schema to where its sources are; answers with the number of migrations that ran.
pub(crate) async fn up(service: &Service, connect: &PgConnectOptions, app: &App) -> Result<usize> {
    let connected = connect.connect().await;
    let mut connection = connected.map_err(|error| format!("cannot connect to the database: {error}"))?;
    let may_provision = "select rolsuper or rolcreaterole from pg_roles where rolname = current_user";
    if sqlx::query_scalar(may_provision).fetch_one(&mut connection).await? {
        provision(&mut connection, service.name, app).await?;
    }
    Ok(open(service, connect).await?.up().await?)
}

/// Prints what `up` would run: the roles, where they are missing, and the pending migrations.
async fn sql(service: &Service, connect: &PgConnectOptions) -> Result<()> {
    let exists = "select to_regrole($1) is not null and to_regnamespace($2) is not null";
    let exists = sqlx::query_scalar(exists).bind(format!("{}_owner", service.name)).bind(service.name);
    let pending = if exists.fetch_one(&mut connect.connect().await?).await? {
        open(service, connect).await?.pending().await?
    } else {
        say(&format!("-- {}: roles and schema\n{}", service.name, provisioning_sql(service.name, &APP)));
        schema::all_steps((service.migrations)())
    };
    for step in pending {
        say(&format!("-- {}: {:04}_{}\n{}", service.name, step.version, step.name, step.sql));
    }
    Ok(())
}

/// What became of migrating a service.
pub(crate) fn migrated_text(service: &str, done: usize) -> String {
    match done {
        0 => format!("{service}: schema is up to date"),
        1 => format!("{service}: 1 migration"),
        done => format!("{service}: {done} migrations"),
    }
}

async fn open(service: &Service, connect: &PgConnectOptions) -> Result<Schema> {
    Schema::open(service.name, (service.migrations)(), connect).await.map_err(|error| {
        match error.as_database_error().and_then(DatabaseError::code).as_deref() {
            // There is no such role, or we may not be it.
            Some("22023" | "42501") => {
                format!(
                    "cannot act as {}_owner: {error}\n(`selvedge migrate up` as a superuser makes it)",
                    service.name
                )
            }
            _ => format!("cannot connect to the database: {error}"),
        }
        .into()
    })
}

/// Going back, and new files, are about one service at a time.
fn one<'a>(services: &[&'a Service]) -> Result<&'a Service> {
    match services {
        [service] => Ok(service),
        _ => Err("say which service, with --service".into()),
    }
}

fn new(service: &Service, name: &str) -> Result<()> {
    if name.is_empty()
        || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    {
        return Err("the name of a migration is made of a-z, 0-9 and _".into());
    }
    let folder = PathBuf::from("services").join(service.name).join("migrations");
    if !folder.is_dir() {
        return Err(format!("{} is not here; run this in the root of the sources", folder.display()).into());
    }
    // Of the files, as this program may be older than they are.
    let numbers = fs::read_dir(&folder)?.map(|entry| Ok(number(&entry?.file_name().to_string_lossy())));
    let last = numbers.collect::<Result<Vec<_>>>()?.into_iter().flatten().max().unwrap_or(0);
    for direction in ["up", "down"] {
        let file = folder.join(format!("{:04}_{name}.{direction}.sql", last + 1));
        fs::File::create_new(&file).map_err(|error| format!("cannot make {}: {error}", file.display()))?;
        say(&file.display().to_string());
    }
    Ok(())
}

/// The number that the name of a migration's file begins with.
fn number(file: &str) -> Option<u32> {
    file.split('_').next()?.parse().ok()
}

/// What was asked for goes to the standard output.
#[expect(clippy::print_stdout, reason = "it is the answer of the command")]
fn say(text: &str) {
    println!("{text}");
}
