//! The server stack around handlers that misbehave; no database is needed to see that.

use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use selvedge_kit::config::Config;
use selvedge_kit::{Context, Kit, Rpcs, Running, Service};
use selvedge_proto::contacts::v1::visitor_service_client::VisitorServiceClient;
use selvedge_proto::contacts::v1::visitor_service_server::{VisitorService, VisitorServiceServer};
use selvedge_proto::contacts::v1::{GetVisitorCountRequest, IncrementVisitorCountRequest, VisitorCount};
use sqlx::migrate::Migrator;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

/// Panics when asked to increment; answers a get with what it knows of its call.
struct Misbehaved;

#[tonic::async_trait]
impl VisitorService for Misbehaved {
    async fn increment_visitor_count(
        &self,
        _: Request<IncrementVisitorCountRequest>,
    ) -> Result<Response<VisitorCount>, Status> {
        panic!("the password is hunter2");
    }

    async fn get_visitor_count(
        &self,
        request: Request<GetVisitorCountRequest>,
    ) -> Result<Response<VisitorCount>, Status> {
        if request.into_inner().counter == "slow" {
            tokio::time::sleep(Duration::from_mins(10)).await;
        }
        let call = Context::current();
        let left =
            call.deadline.map(|deadline| deadline.saturating_duration_since(std::time::Instant::now()));
        let counter =
            format!("{} {}", call.rpc.unwrap_or(Arc::from("")), call.caller.unwrap_or(Arc::from("")));
        let count = left.map_or(-1, |left| i64::try_from(left.as_millis()).unwrap());
        Ok(Response::new(VisitorCount { counter, count, last_updated: None }))
    }
}

const SERVICE: Service = Service {
    name: "misbehaved",
    port: 0,
    migrations: || Migrator::with_migrations(vec![]),
    rpcs: |_: &mut Kit| Rpcs::default().with(VisitorServiceServer::new(Misbehaved)),
    seed: |_| Box::pin(async { Ok(0) }),
};

async fn start() -> (Running, VisitorServiceClient<Channel>) {
    let mut config = Config::default();
    config.listen.port = Some(0);
    config.database.host = Some("127.0.0.1".into());
    config.database.port = Some(1);
    config.database.user = Some("nobody".into());
    config.database.name = Some("nothing".into());
    config.limits.default_deadline = Duration::from_secs(7);
    config.limits.max_deadline = Duration::from_mins(1);
    let running = SERVICE.start(&config).await.unwrap();
    let client = VisitorServiceClient::connect(format!("http://{}", running.address)).await.unwrap();
    (running, client)
}

fn get(counter: &str) -> GetVisitorCountRequest {
    GetVisitorCountRequest { counter: counter.into() }
}

#[tokio::test]
async fn a_panic_is_one_callers_internal_error_and_tells_nothing() {
    let (_running, mut client) = start().await;
    for _ in 0..3 {
        let request = IncrementVisitorCountRequest { counter: "x".into() };
        let status = client.increment_visitor_count(request).await.unwrap_err();
        assert_eq!(status.code(), Code::Internal);
        assert!(!format!("{status:?}").contains("hunter2"), "{status:?}");
    }
    client.get_visitor_count(get("x")).await.unwrap();
}

#[tokio::test]
async fn a_deadline_is_the_callers_the_default_or_the_longest() {
    let (_running, mut client) = start().await;
    let mut left = async |timeout: Option<&str>| {
        let mut request = Request::new(get("x"));
        if let Some(timeout) = timeout {
            request.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
        }
        client.get_visitor_count(request).await.unwrap().into_inner().count
    };
    assert!((1..=7_000).contains(&left(None).await));
    assert!((7_001..=30_000).contains(&left(Some("30S")).await));
    assert!((30_001..=60_000).contains(&left(Some("99999999H")).await));
}

/// An HTTP/2 connection without tonic's channel, which has opinions of its own about time and errors.
async fn bare(running: &Running) -> SendRequest<Body> {
    let stream = TokioIo::new(tokio::net::TcpStream::connect(running.address).await.unwrap());
    let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Through a bare HTTP/2 connection: tonic's channel would give up by itself, and not say what the server said.
#[tokio::test]
async fn a_call_that_takes_too_long_is_ended_by_the_server() {
    let (running, _) = start().await;
    let sender = bare(&running).await;
    let channel = tower::service_fn(move |request: http::Request<Body>| {
        let mut sender = sender.clone();
        async move { Ok::<_, hyper::Error>(sender.send_request(request).await?.map(Body::new)) }
    });
    let origin = format!("http://{}", running.address).parse().unwrap();
    let mut request = Request::new(get("slow"));
    request.set_timeout(Duration::from_millis(200));
    let status =
        VisitorServiceClient::with_origin(channel, origin).get_visitor_count(request).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::DeadlineExceeded, "the call took longer than its deadline allows")
    );
}

/// The status with which the server answers to these bytes, whatever they are.
async fn answer_to(running: &Running, headers: &[(&str, &str)], body: Vec<u8>) -> i32 {
    let mut sender = bare(running).await;
    let mut request = http::Request::post(format!(
        "http://{}/selvedge.contacts.v1.VisitorService/GetVisitorCount",
        running.address
    ))
    .header("content-type", "application/grpc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Body::new(http_body_util::Full::new(prost::bytes::Bytes::from(body)));
    let response = sender.send_request(request.body(body).unwrap()).await.unwrap();
    response.headers().get("grpc-status").map_or(0, |status| status.to_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn bytes_that_are_not_grpc_are_the_callers_error() {
    const OK: i32 = Code::Ok as i32;
    const INVALID: i32 = Code::InvalidArgument as i32;
    let (running, _) = start().await;
    let message = |flag: u8, length: u32, bytes: &[u8]| [&[flag][..], &length.to_be_bytes(), bytes].concat();
    let good = message(0, 3, b"\x0a\x01x");
    assert_eq!(answer_to(&running, &[], good.clone()).await, OK);
    for (what, headers, body) in [
        ("nothing", vec![], vec![]),
        ("text", vec![], b"garbage, and more of it".to_vec()),
        ("half a header", vec![], good[..3].to_vec()),
        ("half a message", vec![], good[..7].to_vec()),
        ("a message and a half", vec![], [&good[..], &good[..6]].concat()),
        ("an unknown flag", vec![], message(2, 3, b"\x0a\x01x")),
        ("compressed in no known way", vec![], message(1, 3, b"\x0a\x01x")),
        ("compressed as it is", vec![("grpc-encoding", "identity")], message(1, 3, b"\x0a\x01x")),
        ("bytes that do not decode", vec![], message(0, 3, b"\xff\xff\xff")),
    ] {
        assert_eq!(answer_to(&running, &headers, body).await, INVALID, "{what}");
    }
    let too_large = message(0, 5 << 20, &vec![0; 5 << 20]);
    assert_eq!(answer_to(&running, &[], too_large).await, Code::ResourceExhausted as i32);
    let announced_only = message(0, u32::MAX, b"");
    assert_eq!(answer_to(&running, &[], announced_only).await, Code::ResourceExhausted as i32);
    let packed = message(1, 3, b"\x0a\x01x");
    assert_eq!(answer_to(&running, &[("grpc-encoding", "gzip")], packed).await, Code::Unimplemented as i32);
}

#[tokio::test]
async fn handlers_know_their_call() {
    let (_running, mut client) = start().await;
    let answer = client.get_visitor_count(get("x")).await.unwrap().into_inner();
    assert_eq!(answer.counter, "selvedge.contacts.v1.VisitorService/GetVisitorCount anonymous");
}

#[tokio::test]
async fn unknown_methods_are_unimplemented_and_headers_have_a_limit() {
    let (running, _) = start().await;
    let channel =
        Channel::from_shared(format!("http://{}", running.address)).unwrap().connect().await.unwrap();
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/selvedge.contacts.v1.VisitorService/Nothing");
    let codec = tonic_prost::ProstCodec::<GetVisitorCountRequest, VisitorCount>::default();
    let status = grpc.unary(Request::new(get("x")), path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);

    let large = |bytes| {
        let mut request = Request::new(get("x"));
        request.metadata_mut().insert("x-large", "x".repeat(bytes).parse().unwrap());
        request
    };
    // What a gateway lets pass is passed on.
    VisitorServiceClient::new(channel.clone()).get_visitor_count(large(33_000)).await.unwrap();
    VisitorServiceClient::new(channel).get_visitor_count(large(70_000)).await.unwrap_err();
}
