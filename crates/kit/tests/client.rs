//! How services call each other.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use selvedge_kit::Context;
use selvedge_kit::client::Peer;
use selvedge_proto::contacts::v1::visitor_service_client::VisitorServiceClient;
use selvedge_proto::contacts::v1::visitor_service_server::{VisitorService, VisitorServiceServer};
use selvedge_proto::contacts::v1::{GetVisitorCountRequest, IncrementVisitorCountRequest, VisitorCount};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

/// Answers with its own port, and keeps the headers of the last call.
#[derive(Clone)]
struct Callee {
    port: u16,
    seen: Arc<Mutex<Option<http::HeaderMap>>>,
}

#[tonic::async_trait]
impl VisitorService for Callee {
    async fn increment_visitor_count(
        &self,
        _: Request<IncrementVisitorCountRequest>,
    ) -> Result<Response<VisitorCount>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn get_visitor_count(
        &self,
        request: Request<GetVisitorCountRequest>,
    ) -> Result<Response<VisitorCount>, Status> {
        *self.seen.lock().unwrap() = Some(request.metadata().clone().into_headers());
        Ok(Response::new(VisitorCount { count: self.port.into(), ..VisitorCount::default() }))
    }
}

/// A callee, and what ends it when it is dropped.
async fn callee() -> (Callee, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let callee = Callee { port: listener.local_addr().unwrap().port(), seen: Arc::default() };
    let server = Server::builder().add_service(VisitorServiceServer::new(callee.clone()));
    let end = CancellationToken::new();
    let incoming = TcpIncoming::from(listener);
    tokio::spawn(server.serve_with_incoming_shutdown(incoming, end.clone().cancelled_owned()));
    (callee, end.drop_guard())
}

fn get() -> GetVisitorCountRequest {
    GetVisitorCountRequest { counter: "x".into() }
}

#[tokio::test]
async fn trace_deadline_and_request_id_are_carried_on() {
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    let tracer = opentelemetry::trace::TracerProvider::tracer(&provider, "test");
    let traced = tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
    let _guard = tracing::subscriber::set_default(traced);

    let (callee, _server) = callee().await;
    let mut client =
        VisitorServiceClient::new(Peer::new(&format!("http://127.0.0.1:{}", callee.port)).unwrap());
    let call = Context {
        deadline: Some(Instant::now() + Duration::from_secs(30)),
        request_id: Some("named".into()),
        ..Context::default()
    };
    let span = tracing::info_span!("outer");
    call.scope(client.get_visitor_count(get()).instrument(span)).await.unwrap();
    let headers = callee.seen.lock().unwrap().take().unwrap();
    assert_eq!(headers["x-request-id"], "named");
    assert!(headers["traceparent"].to_str().unwrap().starts_with("00-"));
    let left: u64 = headers["grpc-timeout"].to_str().unwrap().strip_suffix('m').unwrap().parse().unwrap();
    assert!((1..=30_000).contains(&left));

    // Outside of a call there is nothing to carry on, and what the caller says itself stays.
    let mut request = Request::new(get());
    request.set_timeout(Duration::from_secs(5));
    client.get_visitor_count(request).await.unwrap();
    let headers = callee.seen.lock().unwrap().take().unwrap();
    assert!(!headers.contains_key("x-request-id"));
    assert!(headers["grpc-timeout"].to_str().unwrap().starts_with('5'), "{:?}", headers["grpc-timeout"]);
}

#[tokio::test]
async fn several_endpoints_and_names_share_the_calls_and_a_dead_one_is_left_out() {
    let ((one, first), (two, _second)) = (callee().await, callee().await);
    let addresses = format!("http://127.0.0.1:{}, http://localhost:{}", one.port, two.port);
    let client = VisitorServiceClient::new(Peer::new(&addresses).unwrap());
    let ask = async |client: &VisitorServiceClient<Peer>| client.clone().get_visitor_count(get()).await;

    let shared = async {
        let mut answered = HashSet::new();
        while answered.len() < 2 {
            answered.insert(ask(&client).await.unwrap().into_inner().count);
        }
        assert_eq!(answered, HashSet::from([i64::from(one.port), i64::from(two.port)]));
        drop(first);
        // A few calls may fail while the channel notices; then all go to the one that is left.
        let mut in_a_row = 0;
        while in_a_row < 20 {
            match ask(&client).await {
                Ok(answer) if answer.get_ref().count == i64::from(two.port) => in_a_row += 1,
                _ => in_a_row = 0,
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), shared).await.expect("all calls reach the one that is left");
}

#[tokio::test]
async fn what_is_not_an_address_is_refused() {
    for wrong in ["", "127.0.0.1", "http://", "http://no-port", "http://a:1,"] {
        assert!(Peer::new(wrong).is_err(), "{wrong}");
    }
}
