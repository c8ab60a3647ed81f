//! What is seen of requests from outside: every one is logged and counted, once.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use selvedge_testing::Site;
use selvedge_testing::collector::{Collector, text};
use serde_json::{Value, json};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::gateway::{channel, config, soon, start_for, upstream};
use crate::process::Process;
use crate::{echo, raw, shop};

/// How many requests there were, by method, route and status.
async fn counted(admin: std::net::SocketAddr) -> Vec<String> {
    let metrics = Site::at(admin).get("/metrics").await.text();
    let counts = metrics.lines().filter_map(|line| {
        line.strip_prefix("http_server_request_duration_seconds_count").map(|line| line.replace('"', ""))
    });
    counts.collect()
}

#[tokio::test]
async fn what_the_gateway_answers_itself_is_counted_like_everything_else() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let mut health = HealthClient::new(channel(gateway.address));
    health.check(HealthCheckRequest::default()).await.unwrap();
    health.check(HealthCheckRequest { service: "nobody.v1.Service".into() }).await.unwrap_err();
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    soon(watch.message()).await.unwrap().unwrap();
    let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    raw::call(gateway.address, reflection, &[], b"").await;
    raw::call(gateway.address, "/grpc.health.v1.Health/Nothing", &[], b"").await;

    let over_http_1 = b"POST /grpc.health.v1.Health/Check HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
        content-type: application/grpc\r\n\r\n";
    let answer = raw::until_closed(gateway.address, over_http_1).await;
    assert!(answer.starts_with("HTTP/1.1 505 ") && answer.contains("\"traceId\":"), "{answer}");
    assert!(answer.contains("x-request-id: "), "{answer}");
    let get = Request::get(format!("http://{}/a.B/C", gateway.address));
    let get = get.header("content-type", "application/grpc").body(Full::new(Bytes::new())).unwrap();
    assert_eq!(raw::send(gateway.address, get).await.status, 405);

    let mut expected = vec![
        "{method=GET,route=unknown,status=405} 1",
        "{method=POST,route=grpc.health.v1.Health/Check,status=505} 1",
        "{method=POST,route=grpc.health.v1.Health/Check,status=NOT_FOUND} 1",
        "{method=POST,route=grpc.health.v1.Health/Check,status=OK} 1",
        "{method=POST,route=grpc.reflection.v1.ServerReflection/ServerReflectionInfo,status=OK} 1",
        "{method=POST,route=unknown,status=UNIMPLEMENTED} 1",
    ];
    assert_eq!(counted(gateway.admin_address).await, expected);
    // Who watches is still at it; to stop is an end like any other.
    drop(watch);
    expected.push("{method=POST,route=grpc.health.v1.Health/Watch,status=CANCELLED} 1");
    expected.sort_unstable();
    soon(async { while counted(gateway.admin_address).await != expected {} }).await;
}

#[tokio::test]
async fn the_log_has_numbers_for_what_is_one() {
    let echo = echo::serve().await;
    let mut gateway = Process::start(&[&upstream(&[echo.address])]).await;
    gateway.site.get("/nothing").await;
    raw::call(gateway.address, "/test.v1.Echo/Unary", &[], b"fail").await;
    raw::call(gateway.address, "/grpc.health.v1.Health/Check", &[], b"").await;
    let lines = gateway.until(|line| line["route"] == "grpc.health.v1.Health/Check").await;
    let seen = |line: &Value| (line["status"].clone(), line["grpc_status"].clone());
    assert_eq!(
        lines.iter().filter(|line| line["message"] == "request").map(seen).collect::<Vec<_>>(),
        [(json!(404), json!(null)), (json!(200), json!("NOT_FOUND")), (json!(200), json!("OK"))]
    );
}

#[tokio::test]
async fn what_browsers_ask_before_a_page_may_call_is_seen_too() {
    let mut gateway = Process::start(&["--cors-origins=https://app.example"]).await;
    let preflight = [("origin", "https://app.example"), ("access-control-request-method", "PUT")];
    let answer = gateway.site.ask(Method::OPTIONS, "/v1/submissions", &preflight, "").await;
    assert_eq!(answer.header("access-control-allow-methods"), "PUT");
    assert!(!answer.header("traceparent").is_empty());
    let lines = gateway.until(|line| line["message"] == "request").await;
    let line = lines.last().unwrap();
    assert_eq!((&line["method"], &line["status"]), (&json!("OPTIONS"), &json!(answer.status.as_u16())));
    assert_eq!(line["request_id"], answer.header("x-request-id"));
}

#[tokio::test]
async fn the_span_of_a_call_knows_how_it_ended() {
    let (echo, collector) = (echo::serve().await, Collector::start().await);
    let endpoint = format!("--otlp-endpoint={}", collector.url());
    let gateway = Process::start(&[&upstream(&[echo.address]), &endpoint]).await;
    for (rpc, message, code) in [
        ("Unary", "", "OK"),
        ("Unary", "fail", "NOT_FOUND"),
        // Only the trailers know.
        ("ServerStream", "", "DATA_LOSS"),
    ] {
        let rpc = format!("/test.v1.Echo/{rpc}");
        raw::call(gateway.address, &rpc, &[], message.as_bytes()).await;
        let is_it = |span: &selvedge_testing::collector::Span| {
            span.kind == 3 && span.name == rpc[1..] && text(span, "rpc.response.status_code") == code
        };
        let arrives = async {
            while !collector.spans().iter().any(is_it) {
                tokio::task::yield_now().await;
            }
        };
        soon(arrives).await;
    }
}

#[tokio::test]
async fn pages_that_a_route_hides_are_told_of() {
    let proto = r#"
        syntax = "proto3";
        package shop.v1;
        import "google/api/annotations.proto";
        service Items {
          rpc GetItem(Item) returns (Item) { option (google.api.http) = {get: "/{id}"}; }
          rpc PutItem(Item) returns (Item) { option (google.api.http) = {put: "/docs" body: "*"}; }
        }
        message Item { string id = 1; }
    "#;
    let descriptors = shop::descriptors_of(proto);
    let file = format!("--descriptor-set={}", descriptors.path().display());
    let gateway = Process::start(&[&file, "--upstream=shop=http://127.0.0.1:9"]).await;
    let told = gateway.first.iter().filter(|line| !line["page"].is_null());
    let told = told.map(|line| (line["page"].as_str().unwrap(), line["rpc"].as_str().unwrap()));
    let get = "shop.v1.Items/GetItem";
    assert_eq!(
        told.collect::<Vec<_>>(),
        [("/status", get), ("/openapi.json", get), ("/openapi.yaml", get), ("/docs", get)]
    );
    let usual = Process::start(&[]).await;
    assert!(usual.first.iter().all(|line| line["page"].is_null()), "{:?}", usual.first);
}

#[tokio::test]
async fn a_panic_is_the_end_of_one_request_and_of_nothing_else() {
    // No command line makes such a limit: the moment when it is over cannot be told.
    let mut config = config(&["--workers=1"]);
    config.limits.deadline = Duration::MAX;
    config.limits.deadline_cap = Duration::MAX;
    let gateway = selvedge_gateway::start(&config).await.unwrap();
    let requests = b"GET /v1/submissions HTTP/1.1\r\nhost: a\r\n\r\n\
        GET /nothing HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answer = raw::until_closed(gateway.address, requests).await;
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains("HTTP/1.1 404 "), "{answer}");
    assert!(answer.contains("\"traceId\":") && !answer.contains("overflow"), "{answer}");
    let expected =
        ["{method=GET,route=/v1/submissions,status=500} 1", "{method=GET,route=unknown,status=404} 1"];
    assert_eq!(counted(gateway.admin_address).await, expected);
}
