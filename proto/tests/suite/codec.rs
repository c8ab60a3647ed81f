//! The codec over the wire: a real server on a loopback socket, and a client that can send any bytes.

use prost::Message;
use prost::bytes::{Buf, BufMut};
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use selvedge_proto::codec::{INVALID_REQUEST, MALFORMED_MESSAGE};
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::StatusExt;

use crate::protos::testing::v1::echo_service_client::EchoServiceClient;
use crate::protos::testing::v1::echo_service_server::{EchoService, EchoServiceServer};
use crate::protos::testing::v1::{Everything, Inner, Lists};

struct Echo;

#[tonic::async_trait]
impl EchoService for Echo {
    async fn echo(&self, request: Request<Everything>) -> Result<Response<Everything>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn count(&self, request: Request<Streaming<Everything>>) -> Result<Response<()>, Status> {
        let mut messages = request.into_inner();
        while let Some(message) = messages.next().await {
            message?;
        }
        Ok(Response::new(()))
    }
}

/// Starts a server, which ends with the test's runtime.
async fn connect() -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let server = Server::builder().add_service(EchoServiceServer::new(Echo));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("it is an address");
    endpoint.connect().await.expect("the server listens")
}

/// Bytes in, bytes out.
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
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
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let size = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(size).to_vec()))
    }
}

/// Sends these bytes as the message and receives those of the answer.
async fn send(bytes: Vec<u8>) -> Result<Vec<u8>, Status> {
    let mut client = Grpc::new(connect().await);
    client.ready().await.expect("the server listens");
    let path = PathAndQuery::from_static("/testing.v1.EchoService/Echo");
    client.unary(Request::new(bytes), path, Raw).await.map(Response::into_inner)
}

fn reason(status: &Status) -> (Code, String, String) {
    let info = status.get_error_details().error_info().cloned().expect("every refusal has a reason");
    (status.code(), info.domain, info.reason)
}

fn expected(reason: &str) -> (Code, String, String) {
    (Code::InvalidArgument, "selvedge".into(), reason.into())
}

/// An object in an object, this many levels deep.
fn nested(depth: usize) -> Everything {
    let mut object = Struct::default();
    for _ in 1..depth {
        let kind = Some(Kind::StructValue(object));
        object = Struct { fields: [("a".to_owned(), Value { kind })].into() };
    }
    Everything { object: Some(object), ..Default::default() }
}

#[tokio::test]
async fn valid_messages_pass_unchanged() {
    for message in [Everything::default(), Everything { text: "ä".into(), ..nested(20) }] {
        let answer =
            EchoServiceClient::new(connect().await).echo(message.clone()).await.expect("it is valid");
        assert_eq!(answer.into_inner(), message);
        let bytes = message.encode_to_vec();
        assert_eq!(send(bytes.clone()).await.expect("it is valid"), bytes);
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_is_the_callers_fault() {
    let garbage = vec![0xFF; 40];
    let truncated = vec![0x0A, 5, b'a'];
    let not_utf8 = vec![0x0A, 2, 0xC3, 0x28];
    let wrong_wire_type = vec![0x08, 1];
    // An object is about three messages deep per level; prost stops at a hundred.
    let too_deep = nested(200).encode_to_vec();
    for bytes in [garbage, truncated, not_utf8, wrong_wire_type, too_deep] {
        let status = send(bytes.clone()).await.expect_err("it cannot be decoded");
        assert_eq!(reason(&status), expected(MALFORMED_MESSAGE), "{bytes:?}");
        assert!(status.get_error_details().bad_request().is_none());
        assert!(status.message().starts_with("the message cannot be decoded: "), "{}", status.message());
    }
}

#[tokio::test]
async fn all_violations_come_back_at_once() {
    let lists = Lists { messages: vec![Inner::default()], ..Default::default() };
    let message = Everything { text: "a\0".into(), lists: Some(lists), ..Default::default() };
    let status = EchoServiceClient::new(connect().await).echo(message).await.expect_err("it is invalid");
    assert_eq!(reason(&status), expected(INVALID_REQUEST));
    let told = "the request is invalid: text must not contain the character U+0000 (and 2 more)";
    assert_eq!(status.message(), told);
    let details = status.get_error_details();
    let violations = &details.bad_request().expect("there are violations").field_violations;
    let violations: Vec<_> =
        violations.iter().map(|it| (it.field.as_str(), it.description.as_str())).collect();
    let expected = [
        ("text", "must not contain the character U+0000"),
        ("lists.min", "must have at least 2 items, has 0"),
        ("lists.messages[0].name", "must not be empty"),
    ];
    assert_eq!(violations, expected);
}

#[tokio::test]
async fn each_message_of_a_stream_is_checked() {
    let mut client = EchoServiceClient::new(connect().await);
    let good = Everything { text: "a".into(), ..Default::default() };
    let bad = Everything { text: "\0".into(), ..Default::default() };
    client.count(tokio_stream::iter(vec![good.clone(); 3])).await.expect("all are valid");
    let status = client.count(tokio_stream::iter([good, bad])).await.expect_err("one is invalid");
    assert_eq!(reason(&status), expected(INVALID_REQUEST));
}

/// An object with something wrong at the end of this many paths, which are as long as paths of this depth can be: the
/// keys are wide and longer than what is shown of them.
fn wide(paths: usize, depth: usize) -> Everything {
    let mut value = Value { kind: None };
    for _ in 1..depth {
        let fields = [("🦀".repeat(50), value)].into();
        value = Value { kind: Some(Kind::StructValue(Struct { fields })) };
    }
    let key = |number| format!("{number:04}{}", "🦀".repeat(50));
    let fields = (0..paths).map(|number| (key(number), value.clone())).collect();
    Everything { object: Some(Struct { fields }), ..Default::default() }
}

#[tokio::test]
async fn the_longest_refusals_fit_the_headers_that_clients_accept() {
    for message in [wide(1, 30), wide(200, 1), wide(200, 5)] {
        let status = EchoServiceClient::new(connect().await).echo(message).await.expect_err("it is invalid");
        assert_eq!(reason(&status), expected(INVALID_REQUEST));
    }
}
