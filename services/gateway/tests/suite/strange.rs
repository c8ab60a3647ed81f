//! Upstreams that answer rubbish.

use std::net::SocketAddr;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::gateway::{soon, start, start_for};
use crate::raw;

/// Says the same to everybody, whatever they want.
async fn parrot(text: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.write_all(text).await.ok();
                stream.shutdown().await.ok();
                let mut rest = vec![];
                stream.read_to_end(&mut rest).await.ok();
            });
        }
    });
    address
}

/// How one HTTP/2 upstream answers.
#[derive(Clone, Copy)]
enum Manner {
    Html,
    Http(u16),
    NoTrailers,
    NoStatus,
    LongWords,
    Reset(h2::Reason),
    ResetHalfway,
}

async fn upstream(manner: Manner) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((_request, respond))) = connection.accept().await {
                    answer(manner, respond);
                }
            });
        }
    });
    address
}

fn answer(manner: Manner, mut respond: h2::server::SendResponse<Bytes>) {
    let head = |status: u16, kind: &str| {
        http::Response::builder().status(status).header("content-type", kind).body(()).unwrap()
    };
    match manner {
        Manner::Html => {
            let mut body = respond.send_response(head(200, "text/html"), false).unwrap();
            body.send_data(Bytes::from_static(b"<html>"), true).unwrap();
        }
        Manner::Http(status) => drop(respond.send_response(head(status, "text/plain"), true).unwrap()),
        Manner::NoTrailers => {
            let mut body = respond.send_response(head(200, "application/grpc"), false).unwrap();
            body.send_data(Bytes::from_static(b"\0\0\0\0\0"), true).unwrap();
        }
        Manner::NoStatus => {
            let mut body = respond.send_response(head(200, "application/grpc"), false).unwrap();
            body.send_trailers([("x-last".parse().unwrap(), "word".parse().unwrap())].into_iter().collect())
                .unwrap();
        }
        Manner::LongWords => {
            let mut body = respond.send_response(head(200, "application/grpc"), false).unwrap();
            let words = [("grpc-status", "3".to_owned()), ("x-long", "x".repeat(150_000))];
            let words = words.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            body.send_trailers(words.into_iter().collect()).unwrap();
        }
        Manner::Reset(reason) => respond.send_reset(reason),
        Manner::ResetHalfway => {
            let mut body = respond.send_response(head(200, "application/grpc"), false).unwrap();
            body.send_data(Bytes::from_static(b"\0\0\0\0\0"), false).unwrap();
            // The message must have left before the reset, which would overtake it.
            tokio::spawn(async move {
                body.reserve_capacity(1);
                soon(std::future::poll_fn(|cx| body.poll_capacity(cx))).await;
                body.send_reset(h2::Reason::INTERNAL_ERROR);
            });
        }
    }
}

#[tokio::test]
async fn rubbish_is_the_upstreams_fault() {
    for text in
        [&b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..], b"\0\0\0", b"SSH-2.0-OpenSSH_9.6\r\n"]
    {
        let gateway = start_for(&[parrot(text).await]).await;
        for _ in 0..3 {
            let answer = raw::call(gateway.address, "/test.v1.Echo/Unary", &[], b"").await;
            let status = answer.grpc_status().unwrap();
            assert!(answer.status == 200 && [13, 14].contains(&status), "{status}");
        }
    }
}

#[tokio::test]
async fn however_an_answer_ends_there_is_a_status() {
    for (manner, status) in [
        (Manner::Html, 13),
        (Manner::Http(404), 13),
        (Manner::Http(503), 14),
        (Manner::NoTrailers, 13),
        (Manner::NoStatus, 13),
        (Manner::Reset(h2::Reason::CANCEL), 1),
        (Manner::Reset(h2::Reason::INTERNAL_ERROR), 13),
        (Manner::Reset(h2::Reason::ENHANCE_YOUR_CALM), 8),
        (Manner::Reset(h2::Reason::REFUSED_STREAM), 14),
        (Manner::ResetHalfway, 13),
    ] {
        let gateway = start_for(&[upstream(manner).await]).await;
        let answer = raw::call(gateway.address, "/test.v1.Echo/Unary", &[], b"").await;
        assert_eq!((answer.status, answer.grpc_status()), (200, Some(status)));
    }
}

#[tokio::test]
async fn long_last_words_are_passed_on_and_hurt_nobody_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = start(&["--workers=1", &crate::gateway::upstream(&[listener.local_addr().unwrap()])]).await;
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let (_first, waiting) = connection.accept().await.unwrap().unwrap();
        tell.send(()).unwrap();
        let (_second, respond) = connection.accept().await.unwrap().unwrap();
        answer(Manner::LongWords, respond);
        let (_third, respond) = connection.accept().await.unwrap().unwrap();
        answer(Manner::LongWords, respond);
        answer(Manner::LongWords, waiting);
        while connection.accept().await.is_some() {}
    });
    let call = || raw::call(gateway.address, "/test.v1.Echo/Unary", &[], b"");
    let others = async {
        soon(told).await.unwrap();
        [call().await, call().await]
    };
    // They all are on one connection.
    let (first, [second, third]) = futures::join!(call(), others);
    for answer in [first, second, third] {
        assert_eq!(answer.grpc_status(), Some(3));
        assert_eq!(answer.trailers["x-long"].len(), 150_000);
    }
}
