//! A service that the gateway has never seen, behind a gateway that knows its descriptors; each test says what it answers.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use selvedge_gateway::Running;
use selvedge_testing::Site;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tonic::Status;

use crate::gateway::start;

const PROTO: &str = r#"
    syntax = "proto3";
    package shop.v1;
    import "google/api/annotations.proto";
    import "google/protobuf/empty.proto";
    service Items {
      rpc GetItem(GetItemRequest) returns (Item) { option (google.api.http) = {get: "/v1/items/{id}"}; }
      rpc CreateItem(CreateItemRequest) returns (Item) { option (google.api.http) = {post: "/v1/items" body: "item"}; }
      rpc ReplaceItem(Item) returns (Item) { option (google.api.http) = {put: "/v1/items/{id}" body: "*"}; }
      rpc DeleteItem(GetItemRequest) returns (google.protobuf.Empty) { option (google.api.http) = {delete: "/v1/items/{id}"}; }
    }
    message Item { string id = 1; string name = 2; string etag = 3; }
    message GetItemRequest { string id = 1; }
    message CreateItemRequest { Item item = 1; string request_id = 2; }
"#;

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Item {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(string, tag = "3")]
    pub(crate) etag: String,
}

/// What the service was called with.
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) metadata: HeaderMap,
    pub(crate) message: Bytes,
}

/// What it answers: a message with metadata, or an error.
pub(crate) type Reply = Result<(HeaderMap, Vec<u8>), Status>;

pub(crate) struct Shop {
    pub(crate) site: Site,
    pub(crate) gateway: Running,
    _descriptors: NamedTempFile,
}

/// The shop behind a gateway with these arguments.
pub(crate) async fn open<F: Future<Output = Reply> + Send + 'static>(
    arguments: &[&str],
    answer: impl Fn(Call) -> F + Send + Sync + 'static,
) -> Shop {
    let upstream = serve(answer).await;
    at(&format!("http://{upstream}"), arguments).await
}

/// A gateway to a shop that is somewhere, or nowhere.
pub(crate) async fn at(url: &str, arguments: &[&str]) -> Shop {
    let descriptors = descriptors_of(PROTO);
    let file = format!("--descriptor-set={}", descriptors.path().display());
    let upstream = format!("--upstream=shop={url}");
    let gateway = start(&[&[&*file, &*upstream], arguments].concat()).await;
    Shop { site: Site::at(gateway.address), gateway, _descriptors: descriptors }
}

/// An answer of one item.
pub(crate) fn item(id: &str, name: &str, etag: &str) -> Reply {
    let item = Item { id: id.to_owned(), name: name.to_owned(), etag: etag.to_owned() };
    Ok((HeaderMap::new(), item.encode_to_vec()))
}

/// A file with the descriptors of a proto.
pub(crate) fn descriptors_of(proto: &str) -> NamedTempFile {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.proto"), proto).unwrap();
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto");
    let mut compiler = protox::Compiler::new([folder.path(), ours.as_ref()]).unwrap();
    compiler.include_imports(true).include_source_info(true).open_file("shop.proto").unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&compiler.encode_file_descriptor_set()).unwrap();
    file
}

async fn serve<F: Future<Output = Reply> + Send + 'static>(
    answer: impl Fn(Call) -> F + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| respond(request, answer.clone()));
            tokio::spawn(
                http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

async fn respond<F: Future<Output = Reply>>(
    request: Request<Incoming>,
    answer: Arc<impl Fn(Call) -> F>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let (head, body) = request.into_parts();
    let mut message = body.collect().await.unwrap().to_bytes();
    let message = message.split_off(5);
    let call = Call { path: head.uri.path().to_owned(), metadata: head.headers, message };
    let (metadata, message) = match answer(call).await {
        Ok(answer) => answer,
        Err(status) => return Ok(status.into_http().map(|()| BodyExt::boxed(Empty::new()))),
    };
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap());
    framed.extend_from_slice(&message);
    let trailers =
        HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), "0".parse().unwrap())]);
    let frames = [Ok(Frame::data(framed.freeze())), Ok(Frame::trailers(trailers))];
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(futures::stream::iter(frames))));
    *response.headers_mut() = metadata;
    response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    Ok(response)
}
