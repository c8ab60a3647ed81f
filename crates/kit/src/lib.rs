//! What every service of the mesh stands on.
//!
//! A service brings its proto, its SQL and its RPCs ([`Service`]); configuration, the server stack, the database pool,
//! errors, telemetry, health and the drain come from here.

pub mod batch;
pub mod bulk;
pub mod client;
pub mod config;
mod context;
pub mod convert;
pub mod db;
mod error;
pub mod etag;
mod gathered;
pub mod idempotency;
pub mod like;
pub mod mask;
pub mod page;
pub mod partitions;
pub mod schema;
mod server;
mod service;
pub mod telemetry;
pub mod timeout;
mod workers;

pub use context::Context;
pub use db::Db;
pub use error::{Code, Error, Result, ResultExt, StartError};
pub use gathered::Gathered;
pub use server::Running;
pub use service::{ADMIN_PORT_OFFSET, Kit, Rpcs, Service, run, stop_signal};
pub use telemetry::metrics::code_name;

/// Of every process of the mesh: a call is some dozens of small pieces of memory, and the system's allocator would be a
/// sixth of its cost. It takes no huge pages, of which a process so small would leave most unused.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
