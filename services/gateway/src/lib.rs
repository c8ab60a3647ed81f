//! The edge of the mesh: REST for browsers and gRPC for everybody else, on one port.

mod body;
mod client_address;
mod conditions;
mod config;
mod cors;
mod dispatch;
mod encoding;
mod grpc;
mod observe;
mod pages;
mod panics;
mod process;
mod rest;
mod server;
mod spawn;
mod upstream;
mod worker;

pub use config::{
    AccessLog, Address, Config, ErrorFormat, Json, Limits, PORT, Tls, Upstream, Upstreams, Web,
};
pub use process::run;
pub use server::{Running, start};
