//! What callers of REST are told when something fails, and what they are not told.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use prost::Message as _;
use prost_types::Any;
use serde_json::json;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::raw;
use crate::shop::{self, Shop, item};

async fn failing(status: impl Fn() -> Status + Send + Sync + 'static) -> Shop {
    shop::open(&[], move |_| {
        let status = status();
        async { Err(status) }
    })
    .await
}

#[tokio::test]
async fn every_code_has_the_status_that_google_documents() {
    let table = [
        (Code::Cancelled, 499),
        (Code::Unknown, 500),
        (Code::InvalidArgument, 400),
        (Code::DeadlineExceeded, 504),
        (Code::NotFound, 404),
        (Code::AlreadyExists, 409),
        (Code::PermissionDenied, 403),
        (Code::Unauthenticated, 401),
        (Code::ResourceExhausted, 429),
        (Code::FailedPrecondition, 400),
        (Code::Aborted, 409),
        (Code::OutOfRange, 400),
        (Code::Unimplemented, 501),
        (Code::Internal, 500),
        (Code::Unavailable, 503),
        (Code::DataLoss, 500),
    ];
    let shop = shop::open(&[], |call| async move {
        let id = shop::Item::decode(call.message).unwrap().id;
        Err(Status::new(Code::from(id.parse::<i32>().unwrap()), "in its own words"))
    })
    .await;
    for (code, status) in table {
        let answer = shop.site.get(&format!("/v1/items/{}", code as i32)).await;
        assert_eq!(answer.status.as_u16(), status, "{code:?}");
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["code"], selvedge_kit::code_name(code));
        let internal = matches!(code, Code::Internal | Code::Unknown | Code::DataLoss);
        assert_eq!(problem["detail"] != "in its own words", internal, "{problem}");
    }
}

#[tokio::test]
async fn details_of_any_type_survive_and_those_for_developers_do_not() {
    let shop = failing(|| {
        let any = |name: &str, value: Vec<u8>| Any { type_url: format!("type.googleapis.com/{name}"), value };
        let known = shop::Item { id: "7".into(), ..shop::Item::default() };
        let details = vec![
            any("shop.v1.Item", known.encode_to_vec()),
            any("nobody.knows.It", b"\x0a\x01x".to_vec()),
            any(
                "google.rpc.RetryInfo",
                tonic_types::pb::RetryInfo {
                    retry_delay: Some(prost_types::Duration { seconds: 2, nanos: 1 }),
                }
                .encode_to_vec(),
            ),
            any(
                "google.rpc.DebugInfo",
                tonic_types::pb::DebugInfo { detail: "secret".into(), ..Default::default() }.encode_to_vec(),
            ),
            any("google.protobuf.Duration", b"\x08\x05".to_vec()),
        ];
        let status = tonic_types::pb::Status { code: 9, message: "no".into(), details };
        Status::with_details(Code::FailedPrecondition, "no", status.encode_to_vec().into())
    })
    .await;
    let answer = shop.site.get("/v1/items/1").await;
    assert_eq!(
        answer.json()["details"],
        json!([
            {"@type": "type.googleapis.com/shop.v1.Item", "id": "7"},
            {"@type": "type.googleapis.com/nobody.knows.It", "value": "CgF4"},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.000000001s"},
            {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "5s"},
        ])
    );
    assert_eq!(answer.header("retry-after"), "3");
}

#[tokio::test]
async fn a_caller_may_have_the_status_as_grpc_has_it() {
    let details = || ErrorDetails::with_error_info("GONE", "shop", [("id".to_owned(), "1".to_owned())]);
    let shop = failing(move || Status::with_error_details(Code::NotFound, "it is gone", details())).await;
    let accept = [("accept", "application/vnd.google.rpc.status+json")];
    let answer = shop.site.ask(Method::GET, "/v1/items/1", &accept, "").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::NOT_FOUND, "application/json"));
    let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "GONE", "domain": "shop", "metadata": {"id": "1"}});
    assert_eq!(answer.json(), json!({"code": 5, "message": "it is gone", "details": [info]}));
}

#[tokio::test]
async fn a_caller_without_credentials_is_told_which_to_bring() {
    let shop = failing(|| Status::unauthenticated("who are you?")).await;
    let answer = shop.site.get("/v1/items/1").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"selvedge\"");
}

#[tokio::test]
async fn a_changed_resource_is_a_failed_precondition_for_those_who_named_an_etag() {
    let details = || ErrorDetails::with_error_info("ETAG_MISMATCH", "shop", []);
    let shop = failing(move || Status::with_error_details(Code::Aborted, "changed", details())).await;
    let put = |headers: &'static [(&'static str, &'static str)]| {
        shop.site.ask(Method::PUT, "/v1/items/1", headers, "{}")
    };
    assert_eq!(put(&[("if-match", "\"a\"")]).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(put(&[]).await.status, StatusCode::CONFLICT);
    assert_eq!(put(&[("if-match", "W/\"a\"")]).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(put(&[("if-match", "\"a\", \"b\"")]).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(put(&[("if-match", "a")]).await.status, StatusCode::BAD_REQUEST);
    let delete = shop.site.ask(Method::DELETE, "/v1/items/1", &[("if-match", "\"a\"")], "").await;
    assert_eq!(delete.status, StatusCode::BAD_REQUEST, "its request has no etag: {delete:?}");
}

#[tokio::test]
async fn who_does_not_answer_is_named_by_its_status_and_others_go_on() {
    let nobody = shop::at("http://127.0.0.1:9", &[]).await;
    let answer = nobody.site.get("/v1/items/1").await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));

    let hung = shop::open(&[], |call| async move {
        match shop::Item::decode(call.message).unwrap().id.as_str() {
            "hangs" => std::future::pending().await,
            id => item(id, "", ""),
        }
    })
    .await;
    let late = [("x-server-timeout", "0.05")];
    let answer = hung.site.ask(Method::GET, "/v1/items/hangs", &late, "").await;
    assert_eq!(
        (answer.status, answer.json()["code"].clone()),
        (StatusCode::GATEWAY_TIMEOUT, json!("DEADLINE_EXCEEDED"))
    );
    assert_eq!(hung.site.get("/v1/items/1").await.status, StatusCode::OK);

    let garbage = shop::open(&[], |_| async { Ok((HeaderMap::new(), b"\xff\xff".to_vec())) }).await;
    let answer = garbage.site.get("/v1/items/1").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(!answer.text().contains("varint"), "{}", answer.text());
}

#[tokio::test]
async fn the_time_that_is_left_travels_upstream_up_to_the_cap() {
    let shop = shop::open(&["--http-max-deadline=30s", "--http-deadline=20s"], |call| async move {
        item("", call.metadata["grpc-timeout"].to_str().unwrap(), "")
    })
    .await;
    for (headers, most) in
        [(vec![], 20), (vec![("x-server-timeout", "5")], 5), (vec![("grpc-timeout", "1H")], 30)]
    {
        let answer = shop.site.ask(Method::GET, "/v1/items/1", &headers, "").await.json();
        let left = answer["name"].as_str().unwrap().strip_suffix('m').unwrap().parse::<u64>().unwrap();
        let left = Duration::from_millis(left);
        assert!(left <= Duration::from_secs(most) && !left.is_zero(), "{left:?} of {most} s");
    }
    let wrong = shop.site.ask(Method::GET, "/v1/items/1", &[("x-server-timeout", "soon")], "").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn details_that_are_not_base64_take_nothing_else_with_them() {
    let shop = failing(|| {
        let mut status = Status::not_found("it is gone");
        let details = ("grpc-status-details-bin".parse().unwrap(), "!!!".parse().unwrap());
        *status.metadata_mut() = MetadataMap::from_headers(HeaderMap::from_iter([details]));
        status
    })
    .await;
    let answer = shop.site.get("/v1/items/1").await;
    assert_eq!((answer.status, &answer.json()["detail"]), (StatusCode::NOT_FOUND, &json!("it is gone")));
    let answer = raw::call(shop.gateway.address, "/shop.v1.Items/GetItem", &[], b"").await;
    assert_eq!(answer.grpc_status(), Some(5));
}

#[tokio::test]
async fn a_body_where_none_belongs_is_refused_or_passed_over() {
    let strange = [("content-type", "text/plain"), ("content-encoding", "lzma")];
    for (arguments, status) in [(&[][..], 415), (&["--json-ignore-unexpected-body"], 200)] {
        let shop = shop::open(arguments, |_| async { item("1", "", "") }).await;
        let get = shop.site.ask(Method::GET, "/v1/items/1", &strange, "?").await;
        assert_eq!(get.status, status);
        let put = shop.site.ask(Method::PUT, "/v1/items/1", &strange, "{}").await;
        assert_eq!(put.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}

#[tokio::test]
async fn what_says_one_thing_is_said_once() {
    let shop = shop::open(&[], |_| async { item("1", "", "") }).await;
    for (name, value) in
        [("Idempotency-Key", "k"), ("content-type", "application/json"), ("x-server-timeout", "1")]
    {
        let lines = [(name, value), (name, value)];
        let post = async |headers| shop.site.ask(Method::POST, "/v1/items", headers, "{}").await;
        assert!(post(&lines[..1]).await.status.is_success(), "{name}");
        let twice = post(&lines).await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST, "{name}");
        assert_eq!(
            twice.json()["details"][0]["fieldViolations"][0]["field"],
            name.to_ascii_lowercase(),
            "{twice:?}"
        );
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_the_callers_delay() {
    let shop = shop::open(&[], |_| async { item("1", "", "") }).await;
    let request =
        "PUT /v1/items/1 HTTP/1.1\r\nhost: here\r\nx-server-timeout: 0.05\r\ncontent-length: 9\r\n\r\n{";
    let answer = raw::until_closed(shop.gateway.address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn what_is_beyond_measure_is_not_always_the_headers() {
    let shop = failing(|| Status::internal("nobody asks")).await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "y".repeat(100_000));
    let large = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", u64::MAX);
    for (request, word) in [(long, "path"), (large, "content-length")] {
        let answer = raw::until_closed(shop.gateway.address, request.as_bytes()).await;
        let (_, problem) = answer.split_once("\r\n\r\n").unwrap();
        let problem: serde_json::Value = serde_json::from_str(problem).unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(word), "{answer}");
    }
}
