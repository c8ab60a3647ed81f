//! `grpc.reflection` for all services behind the gateway, from the descriptors that it has. Files go out as they came, so
//! that custom options are still in them.

mod answers;
mod v1alpha;

use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};
use tonic_reflection::pb::v1::server_reflection_server::{ServerReflection, ServerReflectionServer};
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use tonic_reflection::pb::v1alpha::server_reflection_server as old;

use crate::worker::Shared;
use answers::Answers;

/// A worker's reflection services.
pub(crate) struct Reflection {
    v1: ServerReflectionServer<Service>,
    v1alpha: old::ServerReflectionServer<Service>,
}

impl Reflection {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let service = Arc::new(Service(Arc::new(Answers::new(shared))));
        Self {
            v1: ServerReflectionServer::from_arc(service.clone()),
            v1alpha: old::ServerReflectionServer::from_arc(service),
        }
    }

    pub(super) fn v1(&self) -> ServerReflectionServer<Service> {
        self.v1.clone()
    }

    pub(super) fn v1alpha(&self) -> old::ServerReflectionServer<Service> {
        self.v1alpha.clone()
    }
}

/// Both versions of the service.
pub(super) struct Service(Arc<Answers>);

pub(super) type Answered<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ServerReflection for Service {
    type ServerReflectionInfoStream = Answered<ServerReflectionResponse>;

    async fn server_reflection_info(
        &self,
        request: Request<Streaming<ServerReflectionRequest>>,
    ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
        let answers = self.0.clone();
        let drained = answers.shared.drain.clone().cancelled_owned();
        let answer = move |asked: Result<ServerReflectionRequest, Status>| Ok(answers.answer(asked?));
        Ok(Response::new(Box::pin(request.into_inner().map(answer).take_until(drained))))
    }
}
