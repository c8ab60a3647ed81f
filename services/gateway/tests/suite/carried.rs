//! What of a request's headers reaches a service, and what of its metadata comes back.

use http::{HeaderMap, Method, StatusCode};
use prost::Message as _;
use serde_json::Value;

use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::raw;
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

const HEADERS: [(&str, &str); 16] = [
    ("authorization", "Bearer a"),
    ("accept-language", "sk"),
    ("idempotency-key", "k"),
    ("baggage", "a=b"),
    ("grpc-metadata-tenant", "t"),
    ("grpc-metadata-authorization", "Bearer b"),
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
    assert_eq!(
        (seen["authorization"].as_str(), seen["x-request-id"].as_str()),
        (Some("Bearer a"), Some("mine"))
    );
    assert_eq!(seen["x-selvedge-client-address"], "127.0.0.1");
    assert!(seen["user-agent"].as_str().unwrap().starts_with("selvedge-gateway/"));
    assert_ne!(seen["grpc-timeout"], "1n");
}

#[tokio::test]
async fn more_is_given_where_the_gateway_is_told_to() {
    let arguments = [
        "--trusted-proxies=127.0.0.0/8,198.51.100.1",
        "--forward-headers=x-tenant,x-secret",
        "--forward-cookies=/shop.v1.Items/Get",
    ];
    let shop = open(&arguments).await;
    let seen = seen(&shop, &HEADERS).await;
    assert_eq!(seen["x-selvedge-client-address"], "203.0.113.7");
    assert_eq!((seen["x-tenant"].as_str(), seen["cookie"].as_str()), (Some("t"), Some("session=1")));
    // The caller said that it is for the connection alone.
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
    let own = ["content-length", "content-type", "date", "traceparent", "x-request-id"];
    let metadata = ["access-bin", "content-length-hint", "page-total", "set-cookie"]
        .map(|name| format!("grpc-metadata-{name}"));
    let mut expected: Vec<&str> = own.into_iter().chain(metadata.iter().map(String::as_str)).collect();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_ne!(answer.header("x-request-id"), "v");
}

#[tokio::test]
async fn a_refusal_brings_its_metadata_and_a_failure_does_not() {
    let shop = shop::open(&[], |call: Call| async move {
        let failed = call.metadata.contains_key("fails");
        let mut status = if failed { Status::internal("no") } else { Status::resource_exhausted("no") };
        *status.metadata_mut() = MetadataMap::from_headers(
            [("quota".parse().unwrap(), "7".parse().unwrap())].into_iter().collect(),
        );
        Err(status)
    })
    .await;
    assert_eq!(shop.site.get("/v1/items/1").await.header("grpc-metadata-quota"), "7");
    let failed = shop.site.ask(Method::GET, "/v1/items/1", &[("grpc-metadata-fails", "1")], "").await;
    assert_eq!(
        (failed.status, failed.header("grpc-metadata-quota")),
        (StatusCode::INTERNAL_SERVER_ERROR, "")
    );
}

#[tokio::test]
async fn what_grpc_cannot_carry_is_refused() {
    let shop = open(&[]).await;
    for (name, value) in [
        ("grpc-metadata-a-bin", "!"),
        ("grpc-metadata-a-bin", "AAE=, !"),
        ("grpc-metadata-a-bin", ""),
        ("grpc-metadata-a-bin", "AAE=,,AAE="),
        ("grpc-metadata-a!", "1"),
        ("grpc-metadata-a", "\u{e9}"),
        ("grpc-metadata-a", "a\tb"),
        ("authorization", "Bearer \u{e9}"),
    ] {
        let answer = shop.site.ask(Method::GET, "/v1/items/1", &[(name, value)], "").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}: {value}");
        assert_eq!(answer.json()["details"][0]["fieldViolations"][0]["field"], name);
    }
    for value in ["AAE=", "AAE"] {
        assert_eq!(seen(&shop, &[("grpc-metadata-a-bin", value)]).await["a-bin"], value);
    }
    for value in ["a ~!", ""] {
        assert_eq!(seen(&shop, &[("grpc-metadata-a", value)]).await["a"], value);
    }
}

#[tokio::test]
async fn binary_values_of_one_line_are_lines_of_their_own() {
    let shop = shop::open(&[], |call: Call| async move {
        let values = call.metadata.get_all("a-bin").iter().map(|value| value.to_str().unwrap());
        item("", &values.collect::<Vec<_>>().join("|"), "")
    })
    .await;
    let headers = [("grpc-metadata-a-bin", "AAE=, AAI ,AAM="), ("grpc-metadata-a-bin", "AAQ=")];
    let answer = shop.site.ask(Method::GET, "/v1/items/1", &headers, "").await;
    assert_eq!(answer.json()["name"], "AAE=|AAI|AAM=|AAQ=");
    // No more than a request may have.
    let many = ["AA"; 101].join(",");
    let answer = shop.site.ask(Method::GET, "/v1/items/1", &[("grpc-metadata-a-bin", &many)], "").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn nobody_speaks_for_a_proxy_or_twice_for_himself() {
    let shop = open(&["--forward-headers=x-tenant"]).await;
    let names = [
        "x-forwarded-for",
        "x-forwarded-host",
        "forwarded",
        "x-real-ip",
        "proxy-authorization",
        "proxy-authenticate",
        "content-encoding",
        "expect",
        "http2-settings",
        "idempotency-key",
        "x-tenant",
    ];
    let names = names.map(|name| (name, format!("grpc-metadata-{name}")));
    let headers = names.each_ref().map(|(_, header)| (header.as_str(), "6.6.6.6"));
    let seen = seen(&shop, &headers).await;
    for (name, _) in names {
        assert!(seen[name].is_null(), "{seen}");
    }
}

#[tokio::test]
async fn unary_calls_over_grpc_have_the_same_limits_of_time() {
    let shop = shop::open(&["--http-deadline=20s", "--http-max-deadline=30s"], |call| async move {
        item("", call.metadata["grpc-timeout"].to_str().unwrap(), "")
    })
    .await;
    for (headers, told) in
        [(vec![], "20000m"), (vec![("grpc-timeout", "1H")], "30000m"), (vec![("grpc-timeout", "5S")], "5S")]
    {
        let answer = raw::call(shop.gateway.address, "/shop.v1.Items/GetItem", &headers, b"").await;
        let item = shop::Item::decode(answer.body.slice(5..)).unwrap();
        assert_eq!(item.name, told);
    }
}

#[tokio::test]
async fn a_key_is_the_same_with_and_without_quotes() {
    // The `request_id` is the second field of the message, the empty item before it the first.
    let shop = shop::open(&[], |call| async move {
        let key = call.message.strip_prefix(b"\x0a\0\x12\x03").expect("three letters");
        item("1", &String::from_utf8_lossy(key), "")
    })
    .await;
    for (key, means) in [("abc", "abc"), ("\"abc\"", "abc"), ("\"ab", "\"ab"), ("ab\"", "ab\"")] {
        let headers = [("Idempotency-Key", key), ("content-type", "application/json")];
        let answer = shop.site.ask(Method::POST, "/v1/items", &headers, "{}").await;
        assert_eq!(answer.json()["name"], means);
    }
}
