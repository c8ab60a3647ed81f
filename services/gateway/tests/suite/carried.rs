//! What of a request's headers reaches a service, and what of its metadata comes back.

use http::{HeaderMap, Method};
use serde_json::Value;

use crate::shop::{self, Call, Reply, Shop, item};

/// A shop that answers with all metadata that it was sent.
async fn open(arguments: &[&str]) -> Shop {
    shop::open(arguments, |call: Call| async move {
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let seen = call.metadata.iter().map(|(name, value)| (name.to_string(), Value::from(text(value))));
        item("", &Value::Object(seen.collect()).to_string(), "")
    })
    .await
}

async fn seen(shop: &Shop, headers: &[(&str, &str)]) -> Value {
    let answer = shop.site.ask(Method::GET, "/v1/items/1", headers, "").await;
    serde_json::from_str(answer.json()["name"].as_str().unwrap()).unwrap()
}

const HEADERS: [(&str, &str); 15] = [
    ("authorization", "Bearer a"),
    ("accept-language", "sk"),
    ("idempotency-key", "k"),
    ("baggage", "a=b"),
    ("grpc-metadata-tenant", "t"),
    ("grpc-metadata-grpc-timeout", "1n"),
    ("grpc-metadata-x-selvedge-client-address", "6.6.6.6"),
    ("x-selvedge-client-address", "6.6.6.6"),
    ("x-forwarded-for", "203.0.113.7, 198.51.100.1"),
    ("cookie", "session=1"),
    ("x-tenant", "t"),
    ("user-agent", "curl"),
    ("connection", "x-secret"),
    ("x-secret", "s"),
    ("x-request-id", "mine"),
];

#[tokio::test]
async fn a_service_is_given_what_is_on_the_list_and_nothing_else() {
    let shop = open(&[]).await;
    let seen = seen(&shop, &HEADERS).await;
    let mut names: Vec<&str> = seen.as_object().unwrap().keys().map(String::as_str).collect();
    names.retain(|name| !["traceparent", "tracestate"].contains(name));
    names.sort_unstable();
    let expected = [
        "accept-language",
        "authorization",
        "baggage",
        "content-type",
        "grpc-timeout",
        "idempotency-key",
        "te",
        "tenant",
        "user-agent",
        "x-request-id",
        "x-selvedge-client-address",
    ];
    assert_eq!(names, expected);
    assert_eq!(seen["x-request-id"], "mine");
    assert_eq!(seen["x-selvedge-client-address"], "127.0.0.1");
    assert!(seen["user-agent"].as_str().unwrap().starts_with("selvedge-gateway/"));
    assert_ne!(seen["grpc-timeout"], "1n");
}

#[tokio::test]
async fn more_is_given_where_the_gateway_is_told_to() {
    let arguments = [
        "--trusted-proxies=127.0.0.0/8,198.51.100.1",
        "--forward-headers=x-tenant",
        "--forward-cookies=/shop.v1.Items/Get",
    ];
    let shop = open(&arguments).await;
    let seen = seen(&shop, &HEADERS).await;
    assert_eq!(seen["x-selvedge-client-address"], "203.0.113.7");
    assert_eq!((seen["x-tenant"].as_str(), seen["cookie"].as_str()), (Some("t"), Some("session=1")));
    assert!(seen["x-secret"].is_null());
}

#[tokio::test]
async fn a_request_is_named_even_if_its_caller_names_it_badly() {
    let shop = open(&[]).await;
    for headers in [vec![], vec![("x-request-id", "with spaces in it")]] {
        let answer = shop.site.ask(Method::GET, "/v1/items/1", &headers, "").await;
        let id: uuid::Uuid = answer.header("x-request-id").parse().unwrap();
        assert_eq!(id.get_version_num(), 7);
    }
}

#[tokio::test]
async fn metadata_comes_back_under_names_that_are_not_https_own() {
    let shop = shop::open(&[], |_| async {
        let reply: Reply = item("1", "", "");
        let names = [
            "page-total",
            "set-cookie",
            "content-length-hint",
            "x-request-id",
            "grpc-internal",
            "access-bin",
        ];
        let metadata = names.iter().map(|name| (name.parse().unwrap(), "v".parse().unwrap()));
        Ok((metadata.collect::<HeaderMap>(), reply.unwrap().1))
    })
    .await;
    let answer = shop.site.get("/v1/items/1").await;
    let mut names: Vec<&str> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let own = ["content-length", "content-type", "date", "x-request-id"];
    let metadata = ["access-bin", "content-length-hint", "page-total", "set-cookie"]
        .map(|name| format!("grpc-metadata-{name}"));
    let mut expected: Vec<&str> = own.into_iter().chain(metadata.iter().map(String::as_str)).collect();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_ne!(answer.header("x-request-id"), "v");
}
