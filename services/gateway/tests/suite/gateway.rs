//! A gateway under test, and clients of it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes};
use clap::Parser;
use http::uri::PathAndQuery;
use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use selvedge_gateway::{Config, Running};
use selvedge_kit::config::{Outcome, try_parse_from};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

/// The configuration that these arguments make, on free ports.
pub(crate) fn config(arguments: &[&str]) -> Config {
    let workers = (!arguments.iter().any(|it| it.starts_with("--workers"))).then_some("--workers=2");
    let all =
        ["gateway", "--port=0", "--admin-port=0"].into_iter().chain(workers).chain(arguments.iter().copied());
    match try_parse_from::<Cli>(all, |_| None).unwrap() {
        Outcome::Run(cli) => cli.config,
        Outcome::PrintConfig(_) => unreachable!(),
    }
}

pub(crate) async fn start(arguments: &[&str]) -> Running {
    selvedge_gateway::start(&config(arguments)).await.unwrap()
}

/// A gateway to `test.v1` at these addresses.
pub(crate) async fn start_for(addresses: &[SocketAddr]) -> Running {
    start(&[&upstream(addresses)]).await
}

/// The argument that says where `test.v1` is.
pub(crate) fn upstream(addresses: &[SocketAddr]) -> String {
    let urls: Vec<_> = addresses.iter().map(|address| format!("http://{address}")).collect();
    format!("--upstream=test.v1={}", urls.join(","))
}

pub(crate) fn channel(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy()
}

pub(crate) fn client(address: SocketAddr) -> Grpc<Channel> {
    Grpc::new(channel(address))
}

/// A unary call with a message of any bytes.
pub(crate) async fn call(
    client: &mut Grpc<Channel>,
    request: impl Into<Bytes> + Send,
) -> Result<Response<Bytes>, Status> {
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    client.unary(Request::new(request.into()), path("Unary"), Raw).await
}

pub(crate) fn path(method: &str) -> PathAndQuery {
    format!("/test.v1.Echo/{method}").parse().unwrap()
}

/// Waits for something that must happen, but not for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), future).await.expect("it happens within a minute")
}

/// Messages as they are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}

/// The services of this house, which a gateway serves when it is given no others.
pub(crate) fn our_services() -> Vec<String> {
    let set = FileDescriptorSet::decode(selvedge_proto::FILE_DESCRIPTOR_SET).unwrap();
    let files = set.file.iter().filter(|file| file.package().starts_with("selvedge."));
    let of_file = |file: &FileDescriptorProto| {
        let names = file.service.iter().map(|service| format!("{}.{}", file.package(), service.name()));
        names.collect::<Vec<_>>()
    };
    let mut names: Vec<String> = files.flat_map(of_file).collect();
    names.sort_unstable();
    assert!(names.len() > 2, "{names:?}");
    names
}
