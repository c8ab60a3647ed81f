//! The older version of the service, which has the same messages under other names.

use futures::StreamExt as _;
use prost::Message;
use tonic::{Request, Response, Status, Streaming};
use tonic_reflection::pb::v1::ServerReflectionRequest as Asked;
use tonic_reflection::pb::v1alpha::server_reflection_server::ServerReflection;
use tonic_reflection::pb::v1alpha::{ServerReflectionRequest, ServerReflectionResponse};

use super::{Answered, Service};

#[tonic::async_trait]
impl ServerReflection for Service {
    type ServerReflectionInfoStream = Answered<ServerReflectionResponse>;

    async fn server_reflection_info(
        &self,
        request: Request<Streaming<ServerReflectionRequest>>,
    ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
        let answers = self.0.clone();
        let drained = answers.shared.drain.clone().cancelled_owned();
        let answer = move |asked: Result<ServerReflectionRequest, Status>| {
            let asked: Asked = translate(&asked?)?;
            translate(&answers.answer(asked))
        };
        Ok(Response::new(Box::pin(request.into_inner().map(answer).take_until(drained))))
    }
}

/// On the wire both versions are the same.
fn translate<T: Message + Default>(message: &impl Message) -> Result<T, Status> {
    T::decode(&*message.encode_to_vec()).map_err(|error| Status::internal(error.to_string()))
}
