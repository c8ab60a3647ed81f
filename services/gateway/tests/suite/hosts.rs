//! Whom a request is for is said in one way, wherever it is said.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::gateway::start;
use crate::raw;

#[tokio::test]
async fn the_host_in_a_url_is_held_to_the_rules_as_well() {
    let gateway = start(&[]).await;
    for (url, host, status) in [
        ("http://a/nothing", "a", 404),
        ("http://a:/nothing", "a", 404),
        ("http://[::1]:80/nothing", "a", 404),
        // The header counts for nothing then, but must be one.
        ("http://a/nothing", "b", 404),
        ("http://a/nothing", "u@b", 400),
        ("http://u:p@a/nothing", "a", 400),
        ("http://a:99999/nothing", "a", 400),
        ("http://:80/nothing", "a", 400),
    ] {
        let request = format!("GET {url} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let answer = raw::until_closed(gateway.address, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{url} {host}: {answer}");
    }
}

#[tokio::test]
async fn over_http_2_the_host_is_the_same_in_both_places() {
    let gateway = start(&[]).await;
    for (authority, host, status) in [
        ("a", None, 404),
        ("a", Some("A:80"), 404),
        ("a:8080", Some("a:8080"), 404),
        ("a", Some("b"), 400),
        ("a", Some("a:8080"), 400),
        ("a", Some("u@a"), 400),
        ("u:p@a", None, 400),
        ("u:p@a", Some("u:p@a"), 400),
        ("a:99999", None, 400),
    ] {
        let mut request = Request::get(format!("http://{authority}/nothing"));
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let answer = raw::send(gateway.address, request.body(Full::new(Bytes::new())).unwrap()).await;
        assert_eq!(answer.status, status, "{authority} {host:?}");
    }
    // A gRPC caller is told in its own way.
    let answer = raw::call(gateway.address, "/grpc.health.v1.Health/Check", &[("host", "b")], b"").await;
    assert_eq!((answer.status, answer.grpc_status()), (200, Some(3)));
}
