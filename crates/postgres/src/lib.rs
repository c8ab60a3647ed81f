//! Finds and runs a private PostgreSQL cluster: the database of `selvedge up`, of tests and of benches.
//!
//! ```no_run
//! # fn main() -> Result<(), selvedge_postgres::Error> {
//! let cluster = selvedge_postgres::Cluster::start(selvedge_postgres::Options::new("data"))?;
//! assert!(cluster.url("postgres").starts_with("postgres://selvedge:"));
//! cluster.stop()
//! # }
//! ```
//!
//! A data directory holds `postgres/` (what PostgreSQL calls its data directory), `postgres.log`, `password`, `port`,
//! `socket/` and `lock`. The server is a child of this process and ends with it, however that happens (Linux; elsewhere a
//! killed process leaves a server behind, unless the cluster is ephemeral).

mod child;
mod cluster;
mod ephemeral;
mod error;
mod files;
mod home;
mod initdb;
mod installation;
mod janitor;
mod lock;
mod log;
mod options;
mod parent;
mod place;
mod postmaster;
mod server;
mod user;

pub use cluster::Cluster;
pub use error::Error;
pub use installation::Installation;
pub use options::Options;
