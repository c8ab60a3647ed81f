//! A service behind the gateway, in a runtime of its own, so that it can be killed.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt as _, stream};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::codec::{CompressionEncoding, EnabledCompressionEncodings};
use tonic::metadata::MetadataValue;
use tonic::server::{Grpc, NamedService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, StatusExt as _};
use tower::{Service, service_fn};

use crate::gateway::Raw;

/// What a test shares with the service.
#[derive(Clone)]
pub(crate) struct Seen {
    /// A permit for every call that began to wait.
    pub(crate) waiting: Arc<Semaphore>,
    /// A permit for every call that was dropped before its end.
    pub(crate) cancelled: Arc<Semaphore>,
    /// Lets calls go on that wait.
    pub(crate) go_on: Arc<Semaphore>,
    /// Messages of endless streams so far.
    pub(crate) produced: Arc<AtomicU64>,
    /// Calls so far.
    pub(crate) calls: Arc<AtomicU64>,
}

/// The running service. Dropped, it is gone, with all its connections.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Seen,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

pub(crate) async fn serve() -> Served {
    serve_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
}

pub(crate) async fn serve_at(address: SocketAddr) -> Served {
    let seen = Seen {
        waiting: Arc::new(Semaphore::new(0)),
        cancelled: Arc::new(Semaphore::new(0)),
        go_on: Arc::new(Semaphore::new(0)),
        produced: Arc::default(),
        calls: Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let echo = Echo(seen.clone());
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("test.v1.Echo", tonic_health::ServingStatus::Serving).await;
    let started = runtime.spawn(async move {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder().add_service(echo).add_service(health_service);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        address
    });
    Served { address: started.await.unwrap(), seen, runtime: Some(runtime) }
}

#[derive(Clone)]
struct Echo(Seen);

impl NamedService for Echo {
    const NAME: &'static str = "test.v1.Echo";
}

type Messages = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let seen = self.0.clone();
        seen.calls.fetch_add(1, Ordering::Relaxed);
        let mut gzip = EnabledCompressionEncodings::default();
        gzip.enable(CompressionEncoding::Gzip);
        let mut grpc = Grpc::new(Raw).apply_compression_config(gzip, gzip);
        let one = |seen: Seen| service_fn(move |request| unary(seen.clone(), request));
        let stream_out =
            |seen: Seen| service_fn(move |request| std::future::ready(server_stream(seen.clone(), request)));
        Box::pin(async move {
            Ok(match request.uri().path().rsplit_once('/').unwrap().1 {
                "Unary" => grpc.unary(one(seen), request).await,
                "ServerStream" => grpc.server_streaming(stream_out(seen), request).await,
                "ClientStream" => grpc.client_streaming(service_fn(client_stream), request).await,
                "Bidi" => grpc.streaming(service_fn(bidi), request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// Takes note when it is dropped before it was defused.
struct Guard(Option<Seen>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(seen) = &self.0 {
            seen.cancelled.add_permits(1);
        }
    }
}

async fn unary(seen: Seen, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    match &request.get_ref()[..] {
        b"fail" => {
            let details = ErrorDetails::with_error_info("NO_SUCH_THING", "test", []);
            let mut status = Status::with_error_details(Code::NotFound, "nöt there", details);
            status.metadata_mut().insert("x-trailer", MetadataValue::from_static("kept"));
            return Err(status);
        }
        b"wait" => {
            let mut guard = Guard(Some(seen.clone()));
            seen.waiting.add_permits(1);
            seen.go_on.acquire().await.unwrap().forget();
            guard.0 = None;
        }
        _ => {}
    }
    let encoding = request.metadata().get("grpc-encoding").cloned();
    let echoed = request.metadata().get("x-echo").cloned();
    let binary = request.metadata().get_bin("x-echo-bin").cloned();
    let mut response = Response::new(request.into_inner());
    let headers = response.metadata_mut();
    encoding.map(|value| headers.insert("x-request-encoding", value));
    echoed.map(|value| headers.append("x-echo", value));
    binary.map(|value| headers.append_bin("x-echo-bin", value));
    Ok(response)
}

fn server_stream(seen: Seen, request: Request<Bytes>) -> Result<Response<Messages>, Status> {
    let message = request.into_inner();
    if &message[..] == b"endless" {
        let guard = Guard(Some(seen.clone()));
        let endless = stream::repeat_with(move || {
            let _held = &guard;
            seen.produced.fetch_add(1, Ordering::Relaxed);
            Ok(Bytes::from_static(&[7; 10_000]))
        });
        return Ok(Response::new(Box::pin(endless)));
    }
    let failing = stream::iter([Err(Status::data_loss("the rest is gone"))]);
    Ok(Response::new(Box::pin(stream::iter((0..3).map(move |_| Ok(message.clone()))).chain(failing))))
}

async fn client_stream(request: Request<Streaming<Bytes>>) -> Result<Response<Bytes>, Status> {
    let mut messages = request.into_inner();
    let mut all = BytesMut::new();
    while let Some(message) = messages.message().await? {
        all.extend_from_slice(&message);
    }
    Ok(Response::new(all.freeze()))
}

async fn bidi(request: Request<Streaming<Bytes>>) -> Result<Response<Messages>, Status> {
    Ok(Response::new(Box::pin(request.into_inner())))
}
