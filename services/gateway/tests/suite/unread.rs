//! What one side sends and the other does not take.

use std::net::SocketAddr;
use std::pin::pin;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, Response};
use http_body_util::Full;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::gateway::{soon, start, upstream};
use crate::shop::{self, item};
use crate::{echo, raw};

/// A client that takes nothing of any answer.
async fn deaf(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut client = h2::client::Builder::new();
    let (client, connection) = client.initial_window_size(0).handshake(stream).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn get(client: &mut SendRequest<Bytes>, path: &str) -> Response<h2::RecvStream> {
    let request = Request::get(format!("http://here{path}")).body(()).unwrap();
    soon(client.send_request(request, true).unwrap().0).await.unwrap()
}

async fn post(
    client: &mut SendRequest<Bytes>,
    path: &str,
    framed: &'static [u8],
) -> Response<h2::RecvStream> {
    let request = Request::post(format!("http://here{path}")).header("content-type", "application/grpc");
    let (answer, mut body) = client.send_request(request.body(()).unwrap(), false).unwrap();
    body.send_data(Bytes::from_static(framed), true).unwrap();
    soon(answer).await.unwrap()
}

/// Waits until the stream is ended by the gateway.
async fn reset(answer: Response<h2::RecvStream>) -> h2::Reason {
    let mut body = answer.into_body();
    let error = soon(body.data()).await.expect("it does not end well").unwrap_err();
    error.reason().unwrap()
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_an_answer_is_given_up() {
    let large = "x".repeat(300_000);
    let shop = shop::open(&["--http-body-idle=200ms", "--http-deadline=500ms"], move |_| {
        let reply = item("1", &large, "");
        async { reply }
    })
    .await;
    let mut client = deaf(shop.gateway.address).await;
    let path = "/shop.v1.Items/GetItem";
    let answers = [get(&mut client, "/v1/items/1").await, post(&mut client, path, b"\0\0\0\0\0").await];
    for answer in answers {
        assert_eq!(answer.status(), 200);
        assert_eq!(reset(answer).await, h2::Reason::CANCEL);
    }
    // Nothing is the matter with who takes it.
    let request = Request::get(format!("http://{}/v1/items/1", shop.gateway.address));
    let answer = raw::send(shop.gateway.address, request.body(Full::default()).unwrap()).await;
    assert!(answer.status == 200 && answer.body.len() > 300_000, "{}", answer.status);
}

#[tokio::test]
async fn a_stream_is_taken_when_it_is_taken() {
    let echo = echo::serve().await;
    let gateway = start(&["--http-body-idle=200ms", &upstream(&[echo.address])]).await;
    let mut client = deaf(gateway.address).await;
    let stream = post(&mut client, "/test.v1.Echo/ServerStream", b"\0\0\0\0\x07endless").await;
    let document = get(&mut client, "/openapi.json").await;
    assert_eq!(reset(document).await, h2::Reason::CANCEL);
    // It began before.
    assert!(futures::poll!(pin!(stream.into_body().data())).is_pending());
}

#[tokio::test]
async fn what_is_answered_before_its_body_has_come_is_read_by_its_sender() {
    let gateway = start(&[]).await;
    let body = vec![b'x'; 2_000_000];
    for (request, status) in [
        ("POST /nothing HTTP/1.1", 404),
        ("PUT /v1/films HTTP/1.1", 405),
        ("OPTIONS /v1/films HTTP/1.1", 204),
        ("POST /v1/films HTTP/1.1\r\nhost: twice", 400),
        ("POST /v1/films HTTP/1.1\r\nx-server-timeout: never", 400),
    ] {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        let length = body.len();
        let head = format!("{request}\r\nhost: here\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 1];
        soon(stream.read_exact(&mut answer)).await.unwrap();
        // A client that is in the middle of something else writes it all before it looks.
        soon(stream.write_all(&body)).await.unwrap();
        soon(stream.read_to_end(&mut answer)).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{request}: {answer}");
    }
}

#[tokio::test]
async fn a_short_body_that_nobody_wants_is_not_the_end_of_the_connection() {
    let gateway = start(&[]).await;
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    for _ in 0..3 {
        stream
            .write_all(b"POST /nothing HTTP/1.1\r\nhost: here\r\ncontent-length: 5\r\n\r\nhello")
            .await
            .unwrap();
        let mut answer = vec![];
        while !answer.ends_with(b"}") {
            assert!(soon(stream.read_buf(&mut answer)).await.unwrap() > 0, "the connection has ended");
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 ") && !answer.contains("connection: close"), "{answer}");
    }
}
