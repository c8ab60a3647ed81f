//! Calls that the gateway answers itself end in time.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use tokio::net::TcpStream;

use crate::gateway::{soon, start};
use crate::raw;

const CHECK: &str = "/grpc.health.v1.Health/Check";
const LIST: &str = "/grpc.health.v1.Health/List";
const WATCH: &str = "/grpc.health.v1.Health/Watch";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const OLD_REFLECTION: &str = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

/// How a call ends whose caller never comes to the end of what it has to say.
async fn status_of_unfinished(address: SocketAddr, path: &str, timeout: Option<&str>, said: &str) -> String {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut request =
        Request::post(format!("http://{address}{path}")).header("content-type", "application/grpc");
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    let (answer, mut unfinished) = client.send_request(request.body(()).unwrap(), false).unwrap();
    unfinished.send_data(Bytes::copy_from_slice(said.as_bytes()), false).unwrap();
    let (head, mut body) = soon(answer).await.unwrap().into_parts();
    while let Some(data) = soon(body.data()).await {
        let length = data.unwrap().len();
        body.flow_control().release_capacity(length).unwrap();
    }
    let trailers = soon(body.trailers()).await.unwrap().unwrap_or(head.headers);
    trailers["grpc-status"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn half_a_message_is_not_waited_for() {
    let gateway = start(&[]).await;
    for path in [CHECK, LIST, WATCH, REFLECTION, OLD_REFLECTION] {
        for said in ["", "\0\0\0\0\x05he"] {
            let status = status_of_unfinished(gateway.address, path, Some("100m"), said).await;
            assert_eq!(status, "4", "{path} {said:?}");
        }
    }
}

#[tokio::test]
async fn who_names_no_deadline_has_that_of_all_unary_calls() {
    let gateway = start(&["--http-deadline=100ms", "--http-max-deadline=200ms"]).await;
    for path in [CHECK, LIST] {
        for timeout in [None, Some("99999999H")] {
            assert_eq!(status_of_unfinished(gateway.address, path, timeout, "\0\0").await, "4");
        }
    }
}

#[tokio::test]
async fn who_watches_may_say_for_how_long() {
    let gateway = start(&["--http-deadline=100ms", "--http-max-deadline=200ms"]).await;
    let service = b"\x0a\x15grpc.health.v1.Health";
    let answer = raw::call(gateway.address, WATCH, &[("grpc-timeout", "1S")], service).await;
    assert_eq!(answer.grpc_status(), Some(4));
    // Until then there is news, longer than any unary call would last.
    assert_eq!(answer.body[..], b"\0\0\0\0\x02\x08\x01"[..]);
    let answer = raw::call(gateway.address, WATCH, &[("grpc-timeout", "soon")], b"").await;
    assert_eq!(answer.grpc_status(), Some(3));
}
