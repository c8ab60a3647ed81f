//! `cargo prepare`: writes the query cache of every service, from a database of its own made for that.
//!
//! With `--check` it writes nothing, and fails where the committed cache is not what it would write.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use clap::Parser;
use selvedge_kit::schema::{App, Schema, provision};
use selvedge_postgres::{Cluster, Options};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

#[derive(Parser)]
struct Prepare {
    /// Only say whether the committed caches are right.
    #[arg(long)]
    check: bool,
    /// Only these services.
    services: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Prepare { check, services } = Prepare::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("the workspace has a root")?;
    let cluster = Cluster::start(Options::ephemeral()?)?;
    let mut wrong = 0;
    for entry in fs::read_dir(root.join("services"))? {
        let folder = entry?.path();
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let asked = services.is_empty() || services.contains(&name);
        if !asked || !folder.join("migrations").is_dir() {
            continue;
        }
        let fresh = write_cache(&cluster, root, &folder, &name).await?;
        let cache = folder.join(".sqlx");
        if !check {
            replace(&cache, &fresh)?;
            eprintln!("{name}: {} queries", fresh.len());
        } else if read(&cache)? != fresh {
            eprintln!("{name}: the query cache is not up to date; run `cargo prepare` and commit the result");
            wrong += 1;
        }
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compiles the service against a migrated database; its query macros write what they learn into files.
async fn write_cache(
    cluster: &Cluster,
    root: &Path,
    folder: &Path,
    name: &str,
) -> Result<BTreeMap<String, String>> {
    let connect: PgConnectOptions = cluster.url("postgres").parse()?;
    connect.connect().await?.execute(AssertSqlSafe(format!("create database {name}"))).await?;
    let connect = connect.database(name);
    provision(&mut connect.connect().await?, name, &App { password: None, connection_limit: 1 }).await?;
    let migrations = Migrator::new(folder.join("migrations")).await?;
    Schema::open(name, migrations, &connect).await?.up().await?;

    let output = root.join("target/queries").join(name);
    if output.exists() {
        fs::remove_dir_all(&output)?;
    }
    fs::create_dir_all(&output)?;
    // Cargo sees no change in the sources; only a touched file makes it expand the macros again.
    for source in sources(folder)? {
        fs::File::options().append(true).open(source)?.set_modified(std::time::SystemTime::now())?;
    }
    let status = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--all-targets", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .env("DATABASE_URL", format!("{}?options[search_path]={name}", cluster.url(name)))
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", &output)
        .status()?;
    if !status.success() {
        return Err(format!("{name} does not compile").into());
    }
    read(&output)
}

/// The roots of the crate's targets: what cargo compiles anew when they change.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut sources = vec![folder.join("src/lib.rs"), folder.join("src/main.rs")];
    if let Ok(tests) = fs::read_dir(folder.join("tests")) {
        sources.extend(tests.collect::<Result<Vec<_>, _>>()?.into_iter().map(|test| test.path()));
    }
    Ok(sources.into_iter().filter(|path| path.is_file()).collect())
}

fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            files.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(files)
}

fn replace(folder: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    for (name, text) in files {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}
