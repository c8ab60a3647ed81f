use std::path::Path;

use selvedge_kit::Service;
use selvedge_kit::schema::Schema;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::net::{TcpListener, TcpStream};

use super::Finding::{self, Bad, Good};
use crate::services;

/// Below this, a busy day's write-ahead log may not fit.
const LEAST_FREE_BYTES: u64 = 1 << 30;
/// From this share on, the next deployment may find no connection left.
const MOST_CONNECTIONS_PERCENT: i64 = 80;

pub(super) fn or_bad(finding: Result<Finding, sqlx::Error>) -> Finding {
    finding.unwrap_or_else(|error| {
        Bad(format!("a check failed: {error}"), "the user may lack the rights for it".into())
    })
}

pub(super) fn disk(data_dir: &Path) -> Finding {
    let existing = data_dir.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(existing) {
        Ok(disk) => {
            let free = disk.f_bavail * disk.f_frsize;
            let text = format!("{} MB free for {}", free >> 20, data_dir.display());
            if free < LEAST_FREE_BYTES {
                Bad(text, "make room, or choose another --data-dir".into())
            } else {
                Good(text)
            }
        }
        Err(error) => {
            Bad(format!("cannot look at {}: {error}", existing.display()), "choose another --data-dir".into())
        }
    }
}

/// Whether a running `up` serves what it says it does, or else the ports are free for one.
pub(super) async fn ports(running: Option<serde_json::Value>) -> Vec<Finding> {
    let mut findings = vec![];
    for (name, port) in services::ports() {
        findings.push(match &running {
            Some(endpoints) => served(&name, endpoints[&name].as_str().unwrap_or_default()).await,
            None => free(&name, port).await,
        });
    }
    findings
}

async fn served(name: &str, url: &str) -> Finding {
    match TcpStream::connect(url.trim_start_matches("http://")).await {
        Ok(_) => Good(format!("{name} is served at {url}")),
        Err(error) => {
            Bad(format!("{name} does not answer at {url}: {error}"), "see the log of `selvedge up`".into())
        }
    }
}

async fn free(name: &str, port: u16) -> Finding {
    match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(_) => Good(format!("port {port} is free for {name}")),
        Err(error) => Bad(
            format!("port {port} of {name} is not free: {error}"),
            format!("find who has it with `ss -ltnp 'sport = :{port}'`, or use `selvedge up --free-ports`"),
        ),
    }
}

pub(super) async fn server_version(connection: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    let version: i32 =
        sqlx::query_scalar("select current_setting('server_version_num')::int").fetch_one(connection).await?;
    Ok(match version / 10_000 {
        major @ 15.. => Good(format!("the database is PostgreSQL {major}")),
        major => Bad(format!("the database is PostgreSQL {major}"), "Selvedge needs 15 or later".into()),
    })
}

pub(super) async fn connections(connection: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    let sql = "select count(*), current_setting('max_connections')::bigint from pg_stat_activity
               where backend_type = 'client backend'";
    let (used, max): (i64, i64) = sqlx::query_as(sql).fetch_one(connection).await?;
    let text = format!("{used} of {max} connections in use");
    Ok(if used * 100 > max * MOST_CONNECTIONS_PERCENT {
        Bad(text, "raise max_connections, or lower the pools with SELVEDGE_DATABASE_POOL_SIZE".into())
    } else {
        Good(text)
    })
}

pub(super) async fn statistics(connection: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    let sql = "select exists (select from pg_extension where extname = 'pg_stat_statements')";
    Ok(if sqlx::query_scalar(sql).fetch_one(connection).await? {
        Good("pg_stat_statements is installed".into())
    } else {
        Bad(
            "pg_stat_statements is not installed".into(),
            "add it to shared_preload_libraries, restart, and `create extension pg_stat_statements`".into(),
        )
    })
}

/// The application role must be able to log in, and to do no more than it needs.
pub(super) async fn roles(connection: &mut PgConnection, service: &Service) -> Result<Finding, sqlx::Error> {
    let name = service.name;
    let sql = "select rolcanlogin, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb,
                   pg_has_role(rolname, $2, 'member')
               from pg_roles where rolname = $1 and to_regrole($2) is not null";
    let app: Option<(bool, bool, bool)> = sqlx::query_as(sql)
        .bind(format!("{name}_app"))
        .bind(format!("{name}_owner"))
        .fetch_optional(connection)
        .await?;
    let cure = "run `selvedge migrate up` as a superuser".to_owned();
    Ok(match app {
        None => Bad(format!("{name}: the roles are missing"), cure),
        Some((false, ..)) => Bad(format!("{name}: {name}_app may not log in"), cure),
        Some((_, true, _)) => Bad(
            format!("{name}: {name}_app has more rights than it needs"),
            format!("`alter role {name}_app nosuperuser nobypassrls nocreaterole nocreatedb`"),
        ),
        Some((.., true)) => Bad(
            format!("{name}: {name}_app is a member of {name}_owner"),
            format!("`revoke {name}_owner from {name}_app`"),
        ),
        Some(_) => Good(format!("{name}: roles are right")),
    })
}

pub(super) async fn migrations(connect: &PgConnectOptions, service: &Service) -> Finding {
    let pending = async {
        let mut schema = Schema::open(service.name, (service.migrations)(), connect).await?;
        schema.pending().await
    };
    let name = service.name;
    match pending.await {
        Ok(pending) if pending.is_empty() => Good(format!("{name}: every migration has run")),
        Ok(pending) => {
            let number = match pending.len() {
                1 => "1 migration has".to_owned(),
                number => format!("{number} migrations have"),
            };
            Bad(format!("{name}: {number} not run"), "run `selvedge migrate up`".into())
        }
        Err(error) => Bad(
            format!("{name}: cannot read the migrations: {error}"),
            "run `selvedge migrate up` as a superuser".into(),
        ),
    }
}
