//! One health service for all that is behind the gateway.

use std::collections::HashMap;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::gateway::{channel, our_services, soon, start, upstream};
use crate::{echo, raw, shop};

async fn check(address: std::net::SocketAddr, service: &str) -> Result<ServingStatus, Status> {
    let request = HealthCheckRequest { service: service.to_owned() };
    HealthClient::new(channel(address)).check(request).await.map(|answer| answer.get_ref().status())
}

#[tokio::test]
async fn everybody_must_serve_for_all_to_serve() {
    let (one, other) = (echo::serve().await, echo::serve().await);
    let ours = format!("--upstream=selvedge=http://{}", other.address);
    let gateway = start(&[&upstream(&[one.address]), &ours]).await;
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

#[tokio::test]
async fn who_has_no_health_service_serves_what_there_is() {
    let shop = shop::open(&[], |_| async { Err(Status::unimplemented("what health?")) }).await;
    let address = shop.gateway.address;
    assert_eq!(check(address, "").await.unwrap(), ServingStatus::Serving);
    assert_eq!(check(address, "shop.v1.Items").await.unwrap(), ServingStatus::Serving);
    assert_eq!(check(address, "shop.v1.Item").await.unwrap_err().code(), Code::NotFound);
}

#[derive(Clone, PartialEq, prost::Message)]
struct Listed {
    #[prost(map = "string, message", tag = "1")]
    statuses: HashMap<String, HealthCheckResponse>,
}

#[tokio::test]
async fn all_that_is_known_is_listed() {
    let echo = echo::serve().await;
    let ours = format!("--upstream=selvedge=http://{}", echo.address);
    let gateway = start(&[&upstream(&[echo.address]), &ours]).await;
    let answer = raw::call(gateway.address, "/grpc.health.v1.Health/List", &[], b"").await;
    assert_eq!(answer.grpc_status(), Some(0));
    let listed = Listed::decode(answer.body.slice(5..)).unwrap().statuses;
    let mut listed: Vec<_> = listed.iter().map(|(name, it)| (name.clone(), it.status())).collect();
    listed.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let own = [
        "",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ];
    let own = own.map(|name| (name.to_owned(), ServingStatus::Serving));
    // The service that stands in for ours says that it has never heard of them.
    let ours = our_services().into_iter().map(|name| (name, ServingStatus::Unknown));
    assert_eq!(listed, own.into_iter().chain(ours).collect::<Vec<_>>());
}
