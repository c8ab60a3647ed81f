//! One health service for all that is behind the gateway.

use std::collections::HashMap;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::gateway::{channel, soon, start, upstream};
use crate::{echo, raw};

async fn check(address: std::net::SocketAddr, service: &str) -> Result<ServingStatus, Status> {
    let request = HealthCheckRequest { service: service.to_owned() };
    HealthClient::new(channel(address)).check(request).await.map(|answer| answer.get_ref().status())
}

#[tokio::test]
async fn everybody_must_serve_for_all_to_serve() {
    let (one, other) = (echo::serve().await, echo::serve().await);
    let contacts = format!("--upstream=selvedge.contacts.v1=http://{}", other.address);
    let gateway = start(&[&upstream(&[one.address]), &contacts]).await;
    let address = gateway.address;
    assert_eq!(check(address, "").await.unwrap(), ServingStatus::Serving);
    assert_eq!(check(address, "test.v1.Echo").await.unwrap(), ServingStatus::Serving);
    assert_eq!(check(address, "grpc.health.v1.Health").await.unwrap(), ServingStatus::Serving);
    assert_eq!(check(address, "test.v1.Nothing").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(check(address, "nobody.v1.Service").await.unwrap_err().code(), Code::NotFound);

    let request = HealthCheckRequest::default();
    let mut watch = HealthClient::new(channel(address)).watch(request).await.unwrap().into_inner();
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    drop(other);
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert_eq!(check(address, "").await.unwrap(), ServingStatus::NotServing);
    assert_eq!(check(address, "test.v1.Echo").await.unwrap(), ServingStatus::Serving);

    let request = HealthCheckRequest { service: "nobody.v1.Service".to_owned() };
    let mut unknown = HealthClient::new(channel(address)).watch(request).await.unwrap().into_inner();
    assert_eq!(soon(unknown.message()).await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);
    soon(gateway.stop()).await;
    assert_eq!(soon(unknown.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert_eq!(soon(unknown.message()).await.unwrap_err().code(), Code::Unavailable);
}

#[derive(Clone, PartialEq, prost::Message)]
struct Listed {
    #[prost(map = "string, message", tag = "1")]
    statuses: HashMap<String, HealthCheckResponse>,
}

#[tokio::test]
async fn all_that_is_known_is_listed() {
    let echo = echo::serve().await;
    let contacts = format!("--upstream=selvedge.contacts.v1=http://{}", echo.address);
    let gateway = start(&[&upstream(&[echo.address]), &contacts]).await;
    let answer = raw::call(gateway.address, "/grpc.health.v1.Health/List", &[], b"").await;
    assert_eq!(answer.grpc_status(), Some(0));
    let listed = Listed::decode(answer.body.slice(5..)).unwrap().statuses;
    let mut listed: Vec<_> = listed.iter().map(|(name, it)| (name.as_str(), it.status())).collect();
    listed.sort_unstable_by_key(|(name, _)| *name);
    assert_eq!(
        listed,
        [
            ("", ServingStatus::Serving),
            ("grpc.health.v1.Health", ServingStatus::Serving),
            ("grpc.reflection.v1.ServerReflection", ServingStatus::Serving),
            ("grpc.reflection.v1alpha.ServerReflection", ServingStatus::Serving),
            // The service behind that package says that it has never heard of them.
            ("selvedge.contacts.v1.DocumentService", ServingStatus::Unknown),
            ("selvedge.contacts.v1.SubmissionService", ServingStatus::Unknown),
            ("selvedge.contacts.v1.VisitorService", ServingStatus::Unknown),
        ]
    );
}
