//! `grpc.health.v1` for all upstreams together.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::Stream;
use futures::future::join_all;
use http::HeaderMap;
use http::uri::PathAndQuery;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};

use crate::upstream::{CallError, Upstream, Upstreams};
use crate::worker::Shared;
use pb::health_check_response::ServingStatus;
use pb::health_server::{self, HealthServer};
use pb::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse};

/// What `proto/grpc/health/v1/health.proto` declares.
pub(crate) mod pb {
    #![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::pedantic, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/grpc.health.v1.rs"));
    pub(crate) const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/health.bin"));
}

const CHECK: &str = "/grpc.health.v1.Health/Check";
/// Services of the gateway itself, which are there when it is.
const OWN: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];
/// How long an upstream may take to say how it is.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);
/// How often upstreams are asked for those who watch.
const WATCH_PERIOD: Duration = Duration::from_secs(1);
const MAX_ANSWER_BYTES: usize = 1024;

/// A worker's health service.
pub(crate) struct Health(HealthServer<Aggregate>);

impl Health {
    pub(crate) fn new(shared: Arc<Shared>, upstreams: Arc<Upstreams>) -> Self {
        Self(HealthServer::from_arc(Arc::new(Aggregate { shared, upstreams })))
    }

    pub(super) fn service(&self) -> HealthServer<Aggregate> {
        self.0.clone()
    }
}

pub(super) struct Aggregate {
    shared: Arc<Shared>,
    upstreams: Arc<Upstreams>,
}

#[tonic::async_trait]
impl health_server::Health for Aggregate {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let status = check(&self.shared, &self.upstreams, &request.get_ref().service).await?;
        Ok(Response::new(HealthCheckResponse { status: status.into() }))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        let (shared, upstreams) = (&self.shared, &self.upstreams);
        let services = shared.schema.services().iter().map(|service| &*service.name);
        let known = services.filter(|service| upstreams.owner(service).is_some());
        let statuses = known.chain(OWN).chain([""]).map(async |service| {
            // Whoever serves the package may not have the service, or not watch over its health.
            let status = check(shared, upstreams, service).await.unwrap_or(ServingStatus::Unknown);
            (service.to_owned(), HealthCheckResponse { status: status.into() })
        });
        let statuses = join_all(statuses).await.into_iter().collect();
        Ok(Response::new(HealthListResponse { statuses }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let (sender, changes) = mpsc::channel(1);
        let service = request.into_inner().service;
        tokio::spawn(watch(self.shared.clone(), self.upstreams.clone(), service, sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(changes))))
    }
}

/// Asks again and again, and tells of changes; until nobody listens, or the gateway is to stop.
async fn watch(
    shared: Arc<Shared>,
    upstreams: Arc<Upstreams>,
    service: String,
    changes: mpsc::Sender<Result<HealthCheckResponse, Status>>,
) {
    let mut reported = None;
    loop {
        let status = check(&shared, &upstreams, &service).await.unwrap_or(ServingStatus::ServiceUnknown);
        let news = Ok(HealthCheckResponse { status: status.into() });
        if reported.replace(status) != Some(status) && changes.send(news).await.is_err() {
            return;
        }
        if shared.drain.is_cancelled() {
            // Whoever watches would else keep the gateway from stopping.
            changes.send(Err(Status::unavailable("the gateway is stopping"))).await.ok();
            return;
        }
        tokio::select! {
            () = sleep(WATCH_PERIOD) => {}
            () = changes.closed() => return,
            () = shared.drain.cancelled() => {}
        }
    }
}

/// How a service is; `NOT_FOUND` if nobody knows it. The empty name stands for everything behind the gateway.
pub(crate) async fn check(
    shared: &Shared,
    upstreams: &Upstreams,
    service: &str,
) -> Result<ServingStatus, Status> {
    if shared.drain.is_cancelled() {
        return Ok(ServingStatus::NotServing);
    }
    if service.is_empty() {
        let answers = join_all(upstreams.all().iter().map(|upstream| ask(upstream, "", true))).await;
        let all = answers.iter().all(|answer| matches!(answer, Ok(ServingStatus::Serving)));
        return Ok(if all { ServingStatus::Serving } else { ServingStatus::NotServing });
    }
    if OWN.contains(&service) {
        return Ok(ServingStatus::Serving);
    }
    let is_known = shared.schema.services().iter().any(|it| &*it.name == service);
    ask(upstreams.owner(service).ok_or_else(unknown)?, service, is_known).await
}

fn unknown() -> Status {
    Status::not_found("nobody serves this here")
}

/// Asks an upstream how a service of its is. One that cannot say is not serving; but one that answers calls and has no
/// health service is, as gRPC clients see it too, if there is such a service at all.
async fn ask(upstream: &Arc<Upstream>, service: &str, is_known: bool) -> Result<ServingStatus, Status> {
    let request = framed(&HealthCheckRequest { service: service.to_owned() });
    let path = PathAndQuery::from_static(CHECK);
    let call = upstream.unary(&path, HeaderMap::new(), request, MAX_ANSWER_BYTES);
    match timeout(CHECK_TIMEOUT, call).await {
        Ok(Ok(reply)) => {
            let answer = HealthCheckResponse::decode(reply.message).map(|answer| answer.status());
            Ok(answer.unwrap_or(ServingStatus::Unknown))
        }
        Ok(Err(CallError::Failed(status))) => match status.code() {
            Code::Unimplemented if is_known => Ok(ServingStatus::Serving),
            Code::Unimplemented => Err(unknown()),
            Code::NotFound => Err(*status),
            _ => Ok(ServingStatus::NotServing),
        },
        Ok(Err(_)) | Err(_) => Ok(ServingStatus::NotServing),
    }
}

/// A message with the five bytes before it.
fn framed(message: &HealthCheckRequest) -> Bytes {
    let length = message.encoded_len();
    let mut bytes = BytesMut::with_capacity(5 + length);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).expect("the name came in a message"));
    message.encode(&mut bytes).expect("there is room for it");
    bytes.freeze()
}
