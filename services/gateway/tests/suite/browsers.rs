//! REST as browsers, scripts and caches expect it of any server.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::Full;
use selvedge_testing::Site;
use serde_json::json;
use tokio::sync::Notify;

use crate::gateway::start;
use crate::raw;
use crate::shop::{self, Call, Reply, item};

/// Answers with what it was sent.
async fn echo(call: Call) -> Reply {
    Ok((HeaderMap::new(), call.message.to_vec()))
}

#[tokio::test]
async fn what_was_created_has_a_place_and_what_was_deleted_has_nothing_to_say() {
    let shop = shop::open(&[], |call| async move {
        match call.path.as_str() {
            "/shop.v1.Items/CreateItem" => item("a b/c", "new", "v1"),
            _ => Ok((HeaderMap::new(), vec![])),
        }
    })
    .await;
    let created = shop.site.ask(Method::POST, "/v1/items", &[], r#"{"name": "new"}"#).await;
    assert_eq!((created.status, created.header("location")), (StatusCode::CREATED, "/v1/items/a%20b%2Fc"));
    assert_eq!(created.header("etag"), "\"v1\"");
    let deleted = shop.site.ask(Method::DELETE, "/v1/items/1", &[], "").await;
    assert_eq!((deleted.status, deleted.body.len()), (StatusCode::NO_CONTENT, 0));
}

#[tokio::test]
async fn an_etag_saves_the_second_answer() {
    let shop = shop::open(&[], |_| async { item("1", "\u{1f4ce}", "a\"%b") }).await;
    let first = shop.site.get("/v1/items/1").await;
    let etag = first.header("etag").to_owned();
    for same in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
        let again = shop.site.ask(Method::GET, "/v1/items/1", &[("if-none-match", &same)], "").await;
        assert_eq!((again.status, again.header("etag")), (StatusCode::NOT_MODIFIED, &*etag), "{same}");
        assert_eq!(again.header("vary"), "accept-encoding");
    }
    for other in ["\"x\"", "\"%ff\"", "\"spät\""] {
        let other = shop.site.ask(Method::GET, "/v1/items/1", &[("if-none-match", other)], "").await;
        assert_eq!(other.status, StatusCode::OK);
    }
    for name in ["If-Match", "If-None-Match"] {
        let bad = shop.site.ask(Method::GET, "/v1/items/1", &[(name, "v1")], "").await;
        assert_eq!(bad.status, StatusCode::BAD_REQUEST);
        assert_eq!(bad.json()["details"][0]["fieldViolations"][0]["field"], name);
    }
    let matching = shop.site.ask(Method::GET, "/v1/items/1", &[("if-match", "\"x\"")], "").await;
    assert_eq!(matching.status, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn an_etag_that_nothing_has_changes_nothing() {
    let shop = shop::open(&[], echo).await;
    let put = async |etag| shop.site.ask(Method::PUT, "/v1/items/1", &[("if-match", etag)], "{}").await;
    assert_eq!(put("\"v1\"").await.json()["etag"], "v1");
    for of_nothing in ["\"\"", "\"%ff\"", "\"spät\"", "W/\"v1\", \"%ff\""] {
        assert_eq!(put(of_nothing).await.status, StatusCode::PRECONDITION_FAILED, "{of_nothing}");
    }
    // What cannot fit is no choice.
    assert_eq!(put(", \"%ff\", , W/\"v2\", \"v1\", ,").await.json()["etag"], "v1");
}

#[tokio::test]
async fn bodies_are_packed_as_the_caller_likes_it_and_unpacked_within_the_limit() {
    let name = "a long name, ".repeat(1000);
    let shop = shop::open(&["--http-body-bytes=20000"], echo).await;
    let body = json!({"name": name}).to_string();
    let plain = shop.site.ask(Method::PUT, "/v1/items/1", &[], &body).await;
    assert_eq!((plain.status, plain.header("content-encoding")), (StatusCode::OK, ""));
    assert_eq!(plain.header("vary"), "accept-encoding");

    let packed = shop.site.ask(Method::PUT, "/v1/items/1", &[("accept-encoding", "gzip")], &body).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.text());

    let rather = [("accept-encoding", "identity, gzip;q=0.5")];
    let as_it_is = shop.site.ask(Method::PUT, "/v1/items/1", &rather, &body).await;
    assert_eq!((as_it_is.header("content-encoding"), as_it_is.text()), ("", plain.text()));
    let page = shop.site.ask(Method::GET, "/openapi.json", &rather, "").await;
    assert_eq!((page.header("content-encoding"), &page.json()["openapi"]), ("", &json!("3.1.0")));
    let page = shop.site.ask(Method::GET, "/openapi.json", &[("accept-encoding", "gzip")], "").await;
    assert_eq!(page.header("content-encoding"), "gzip");

    let pack = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let gzip = [("content-encoding", "gzip")];
    let sent = shop.site.send(Method::PUT, "/v1/items/1", &gzip, pack(&body)).await;
    assert_eq!((sent.status, sent.text()), (StatusCode::OK, plain.text()));
    let bomb = shop.site.send(Method::PUT, "/v1/items/1", &gzip, pack(&" ".repeat(10 << 20))).await;
    assert_eq!((bomb.status, bomb.header("connection")), (StatusCode::PAYLOAD_TOO_LARGE, ""));
    assert_eq!(bomb.json()["title"], "Content Too Large");
    // What is left of this one will not be read.
    let large = shop.site.ask(Method::PUT, "/v1/items/1", &[], &" ".repeat(20_001)).await;
    assert_eq!((large.status, large.header("connection")), (StatusCode::PAYLOAD_TOO_LARGE, "close"));
    let over_http_2 = Request::put(format!("http://{}/v1/items/1", shop.gateway.address));
    let over_http_2 = over_http_2.body(Full::new(Bytes::from(vec![b' '; 1 << 20]))).unwrap();
    let large = raw::send(shop.gateway.address, over_http_2).await;
    assert_eq!((large.status, large.headers.get("connection")), (413, None));
    let unknown = shop.site.ask(Method::PUT, "/v1/items/1", &[("content-encoding", "lzma")], &body).await;
    assert_eq!(unknown.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(unknown.header("accept-encoding"), "gzip, br, zstd");
}

#[tokio::test]
async fn pages_of_known_origins_may_call_and_no_others() {
    let arguments =
        ["--cors-origins=https://app.example", "--cors-credentials", "--cors-expose=grpc-metadata-page"];
    let shop = shop::open(&arguments, echo).await;
    let ask = |origin: &'static str| {
        let preflight = [
            ("origin", origin),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "content-type,if-match"),
        ];
        let site = &shop.site;
        async move { site.ask(Method::OPTIONS, "/v1/items/1", &preflight, "").await }
    };
    let known = ask("https://app.example").await;
    assert!(known.status.is_success());
    assert_eq!(known.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(known.header("access-control-allow-credentials"), "true");
    assert_eq!(known.header("access-control-allow-methods"), "PUT");
    assert_eq!(known.header("access-control-allow-headers"), "content-type,if-match");
    assert_eq!(known.header("access-control-max-age"), "600");
    // Without that question, it is one about the path.
    let plain = shop.site.ask(Method::OPTIONS, "/v1/items/1", &[("origin", "https://app.example")], "").await;
    assert_eq!(
        (plain.status, plain.header("allow")),
        (StatusCode::NO_CONTENT, "DELETE, GET, HEAD, OPTIONS, PUT")
    );
    assert_eq!(plain.header("access-control-allow-origin"), "https://app.example");
    let get = shop.site.ask(Method::GET, "/v1/items/1", &[("origin", "https://app.example")], "").await;
    let exposed = get.header("access-control-expose-headers").to_owned();
    assert!(
        ["etag", "x-request-id", "grpc-metadata-page"].iter().all(|name| exposed.contains(name)),
        "{exposed}"
    );

    for origin in ["https://evil.example", "http://app.example", "null"] {
        assert_eq!(ask(origin).await.header("access-control-allow-origin"), "", "{origin}");
    }
    let off = shop::open(&[], echo).await;
    let answer = off.site.ask(Method::GET, "/v1/items/1", &[("origin", "https://app.example")], "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, ""));
}

#[tokio::test]
async fn who_goes_away_is_not_worked_for() {
    let (begun, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let notices = (begun.clone(), dropped.clone());
    let shop = shop::open(&[], move |_| {
        let (begun, dropped) = notices.clone();
        async move {
            let _until_the_end = Dropped(dropped);
            begun.notify_one();
            std::future::pending().await
        }
    })
    .await;
    let request = tokio::time::timeout(std::time::Duration::from_secs(30), begun.notified());
    tokio::select! {
        answer = shop.site.get("/v1/items/1") => panic!("{answer:?}"),
        begun = request => begun.unwrap(),
    }
    tokio::time::timeout(std::time::Duration::from_secs(30), dropped.notified()).await.unwrap();
}

/// Tells when it is dropped.
struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn who_may_patch_is_told_in_what() {
    let gateway = start(&[]).await;
    let site = Site::at(gateway.address);
    let text = [("content-type", "text/plain")];
    let patch = site.ask(Method::PATCH, "/v1/films/1", &text, "{}").await;
    assert_eq!((patch.status, patch.header("accept-patch")), (StatusCode::UNSUPPORTED_MEDIA_TYPE, JSON));
    let options = site.ask(Method::OPTIONS, "/v1/films/1", &[], "").await;
    assert_eq!((options.status, options.header("accept-patch")), (StatusCode::NO_CONTENT, JSON));
    // Where there is nothing to patch, there is nothing to say of it.
    let post = site.ask(Method::POST, "/v1/films", &text, "{}").await;
    assert_eq!((post.status, post.header("accept-patch")), (StatusCode::UNSUPPORTED_MEDIA_TYPE, ""));
    let options = site.ask(Method::OPTIONS, "/v1/films", &[], "").await;
    assert_eq!((options.status, options.header("accept-patch")), (StatusCode::NO_CONTENT, ""));
}

const JSON: &str = "application/json";

#[tokio::test]
async fn pages_are_read_on_the_same_conditions_as_anything_else() {
    let shop = shop::open(&[], echo).await;
    for path in ["/", "/openapi.json", "/docs"] {
        let etag = shop.site.get(path).await.header("etag").to_owned();
        for (name, value, status) in [
            ("if-none-match", &*etag, 304),
            ("if-none-match", "\"x\"", 200),
            ("if-none-match", "x", 400),
            ("if-match", &*etag, 200),
            ("if-match", "\"x\"", 412),
            ("if-match", "x", 400),
        ] {
            let answer = shop.site.ask(Method::GET, path, &[(name, value)], "").await;
            assert_eq!(answer.status, status, "{path}, {name}: {value}");
        }
    }
    let nothing = shop.site.ask(Method::GET, "/docs/nothing", &[("if-match", "\"x\"")], "").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn pages_are_read_and_nothing_else() {
    let shop = shop::open(&[], echo).await;
    let post = shop.site.ask(Method::POST, "/openapi.json", &[], "").await;
    assert_eq!((post.status, post.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, OPTIONS"));
    assert_eq!(post.json()["status"], 405);
    let options = shop.site.ask(Method::OPTIONS, "/docs", &[], "").await;
    assert_eq!((options.status, options.header("allow")), (StatusCode::NO_CONTENT, "GET, HEAD, OPTIONS"));
}
