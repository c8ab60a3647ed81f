//! Who takes part, and how each of them is started.

use std::fs;
use std::net::SocketAddr;

use clap::ValueEnum;
use serde::Serialize;

use super::binaries::root;
use super::processes::{command, free_port};
use super::python;
use super::stage::Stage;
use crate::Result;
use crate::load::{Target, Work};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Contender {
    /// PostgreSQL's own, with a statement for each row
    Pgbench,
    /// The service itself, in gRPC
    Grpc,
    /// The gateway before the service, in REST
    Gateway,
    /// axum and sqlx in one process, in REST
    Monolith,
    /// Envoy before the service, in REST
    Envoy,
    /// `FastAPI` with `SQLModel` on asyncpg, in REST
    FastapiSqlmodel,
    /// `FastAPI` with psycopg2, in REST
    FastapiPsycopg2,
    /// The service that records each trace, in gRPC
    GrpcTraced,
    /// The gateway before the service, and both record each trace, in REST
    GatewayTraced,
    /// The gateway before an echo of the service, in REST
    GatewayEcho,
    /// Envoy before an echo of the service, in REST
    EnvoyEcho,
}

/// All but the variants of some of them.
pub(super) const USUAL: [Contender; 7] = [
    Contender::Pgbench,
    Contender::Grpc,
    Contender::Gateway,
    Contender::Monolith,
    Contender::Envoy,
    Contender::FastapiSqlmodel,
    Contender::FastapiPsycopg2,
];

impl Contender {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pgbench => "pgbench",
            Self::Grpc => "grpc",
            Self::Gateway => "gateway",
            Self::Monolith => "monolith",
            Self::Envoy => "envoy",
            Self::FastapiSqlmodel => "fastapi-sqlmodel",
            Self::FastapiPsycopg2 => "fastapi-psycopg2",
            Self::GrpcTraced => "grpc-traced",
            Self::GatewayTraced => "gateway-traced",
            Self::GatewayEcho => "gateway-echo",
            Self::EnvoyEcho => "envoy-echo",
        }
    }

    /// What is looked at of this work besides: the same, recording each trace, or before an echo.
    pub(super) fn variants(self, work: Work) -> &'static [Self] {
        match (self, work) {
            (Self::Grpc, Work::Film) => &[Self::GrpcTraced],
            (Self::Gateway, Work::Film) => &[Self::GatewayTraced, Self::GatewayEcho],
            (Self::Gateway, Work::Page) => &[Self::GatewayEcho],
            (Self::Envoy, Work::Film | Work::Page) => &[Self::EnvoyEcho],
            _ => &[],
        }
    }

    /// Whether it records each trace.
    pub(super) fn records_all(self) -> bool {
        matches!(self, Self::GrpcTraced | Self::GatewayTraced)
    }

    /// Whether it comes from a registry, which cannot be had everywhere.
    pub(super) fn may_be_absent(self) -> bool {
        matches!(self, Self::Envoy | Self::EnvoyEcho | Self::FastapiSqlmodel | Self::FastapiPsycopg2)
    }

    /// Starts what it needs besides the services, and says whom to ask.
    pub(super) async fn start(self, stage: &mut Stage) -> Result<Option<Target>> {
        let (catalog, contacts) = (stage.catalog, stage.contacts);
        Ok(Some(match self {
            Self::Pgbench => return Ok(None),
            Self::Grpc => Target::Grpc { catalog, contacts },
            Self::Gateway => Target::Rest(stage.gateway("gateway", catalog, stage.trace_ratio).await?),
            Self::GrpcTraced => Target::Grpc { catalog: stage.traced().await?, contacts },
            Self::GatewayTraced => {
                let catalog = stage.traced().await?;
                Target::Rest(stage.gateway("gateway-traced", catalog, 1.0).await?)
            }
            Self::Monolith => {
                let command = command(stage.programs.join("selvedge-bench-monolith"));
                Target::Rest(stage.peer("monolith", command).await?)
            }
            Self::GatewayEcho => {
                let echo = stage.echo().await?;
                Target::Rest(stage.gateway("gateway-echo", echo, stage.trace_ratio).await?)
            }
            Self::Envoy => Target::Rest(envoy(stage, "envoy", catalog).await?),
            Self::EnvoyEcho => {
                let echo = stage.echo().await?;
                Target::Rest(envoy(stage, "envoy-echo", echo).await?)
            }
            Self::FastapiSqlmodel => {
                Target::Rest(fastapi(stage, "fastapi-sqlmodel", "sqlmodel_app:app").await?)
            }
            Self::FastapiPsycopg2 => {
                Target::Rest(fastapi(stage, "fastapi-psycopg2", "psycopg2_app:app").await?)
            }
        }))
    }
}

async fn envoy(stage: &mut Stage, name: &'static str, catalog: SocketAddr) -> Result<SocketAddr> {
    let folder = root().join("bench/peers/envoy");
    let python = python::environment(&stage.programs, "envoy", &folder.join("requirements.txt"))?;
    let descriptors = stage.directory.path().join("descriptors.bin");
    fs::write(&descriptors, selvedge_proto::FILE_DESCRIPTOR_SET)?;
    let (address, admin) = (free_port()?, free_port()?);
    let mut config = fs::read_to_string(folder.join("envoy.yaml"))?;
    for (name, value) in [
        ("{port}", address.port().to_string()),
        ("{admin_port}", admin.port().to_string()),
        ("{catalog_port}", catalog.port().to_string()),
        ("{contacts_port}", stage.contacts.port().to_string()),
        ("{descriptors}", descriptors.display().to_string()),
    ] {
        config = config.replace(name, &value);
    }
    let file = stage.directory.path().join(format!("{name}.yaml"));
    fs::write(&file, config)?;
    let mut command = command(python::installed(&python, "envoy/_bin/envoy")?);
    command.arg("--config-path").arg(file).args(["--log-level", "warn", "--disable-hot-restart"]);
    stage.rest(name, command, address).await
}

async fn fastapi(stage: &mut Stage, name: &'static str, app: &str) -> Result<SocketAddr> {
    let folder = root().join("bench/peers/fastapi");
    let python = python::environment(&stage.programs, "fastapi", &folder.join("requirements.txt"))?;
    let address = free_port()?;
    let mut command = command(python.join("bin/uvicorn"));
    command.args([app, "--host", "127.0.0.1", "--port", &address.port().to_string()]);
    command.args(["--workers", "2", "--loop", "uvloop", "--http", "httptools", "--no-access-log"]);
    command.current_dir(folder).env("DATABASE_URL", stage.database.peer_url());
    // What it compiles is no part of the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    stage.rest(name, command, address).await
}
