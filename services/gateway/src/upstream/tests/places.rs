//! Places on connections: how many there are, and that they come free again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::HeaderMap;
use http::uri::PathAndQuery;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tonic::Code;

use super::{CallError, Upstream, call, good, upstream_at};
use crate::body::Body;
use crate::upstream::{Received, request};

const PATH: PathAndQuery = PathAndQuery::from_static("/test.Service/Get");

/// An upstream whose connections are served like this.
async fn upstream<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> Arc<Upstream> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = upstream_at(listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    upstream
}

/// A call that is not repeated once it was sent, as none is whose body is a stream.
async fn native(upstream: &Arc<Upstream>, message: &Bytes) -> Result<http::Response<Received>, CallError> {
    let call = upstream.send(request(&PATH, HeaderMap::new(), Body::message(message.clone())), None);
    let answered = timeout(Duration::from_mins(1), call).await.expect("it is answered within a minute");
    answered.map(|(_, response)| response).map_err(|(error, _)| error)
}

#[tokio::test]
async fn no_call_is_sent_before_the_upstream_has_said_how_many_it_takes() {
    let upstream = upstream(|stream| async move {
        // Its limit takes a while to come.
        sleep(Duration::from_millis(50)).await;
        let mut server = h2::server::Builder::new();
        let mut connection = server.max_concurrent_streams(2).handshake(stream).await.unwrap();
        while let Some(Ok((_, respond))) = connection.accept().await {
            tokio::spawn(async move {
                sleep(Duration::from_millis(5)).await;
                good(respond);
            });
        }
    })
    .await;
    let message = Bytes::from_static(super::FRAMED);
    let answers = join_all((0..40).map(|_| native(&upstream, &message))).await;
    for answer in answers {
        answer.unwrap();
    }
}

/// Keeps its calls waiting, two on a connection, until it is told to leave; later connections are served well.
async fn keep_waiting(stream: TcpStream, mut leaves: watch::Receiver<bool>) {
    let keeps_waiting = !*leaves.borrow_and_update();
    let mut server = h2::server::Builder::new();
    let mut connection = server.max_concurrent_streams(2).handshake(stream).await.unwrap();
    let mut kept = vec![];
    loop {
        tokio::select! {
            Some(Ok((_, respond))) = connection.accept() => {
                if keeps_waiting {
                    kept.push(respond);
                } else {
                    good(respond);
                }
            }
            Ok(()) = leaves.changed() => connection.graceful_shutdown(),
            else => return,
        }
    }
}

#[tokio::test]
async fn connections_that_are_about_to_end_are_not_the_end_of_a_call() {
    let (leave, leaves) = watch::channel(false);
    let upstream = upstream(move |stream| keep_waiting(stream, leaves.clone())).await;
    let message = Bytes::from_static(super::FRAMED);
    let in_flight = async |calls| {
        while upstream.endpoints().first().is_none_or(|it| it.in_flight() != calls) {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let mut waiting = vec![];
    for number in 1..=6 {
        let (upstream, message) = (upstream.clone(), message.clone());
        waiting.push(tokio::spawn(async move { native(&upstream, &message).await.map(drop) }));
        in_flight(number).await;
    }
    // Three connections have room for another call each.
    waiting.iter().step_by(2).for_each(tokio::task::JoinHandle::abort);
    in_flight(3).await;
    leave.send(true).unwrap();
    // By then they were told to take no more.
    sleep(Duration::from_millis(100)).await;
    native(&upstream, &message).await.unwrap();
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn what_nobody_will_read_does_not_keep_its_place() {
    let upstream = upstream(|stream| async move {
        let mut server = h2::server::Builder::new();
        server.max_concurrent_streams(3).initial_window_size(1000);
        let mut connection = server.handshake(stream).await.unwrap();
        let mut unread = vec![];
        while let Some(Ok((request, respond))) = connection.accept().await {
            // Dropped, it would be reset.
            unread.push(request);
            good(respond);
        }
    })
    .await;
    let message = Bytes::from(vec![0; 100_000]);
    for _ in 0..30 {
        let answer = native(&upstream, &message).await.unwrap();
        let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap();
        assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    }
}

/// SETTINGS without a word in it.
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
const HEADERS: u8 = 1;
const RESET: u8 = 3;

/// The head of an answer that ends with it: a gRPC status of 5.
const NOT_FOUND: &[u8] = b"\x88\x0f\x10\x10application/grpc\0\x0bgrpc-status\x015";

/// An answer that is only a head.
fn head(stream: [u8; 4], block: &[u8]) -> Vec<u8> {
    let length = u8::try_from(block.len()).unwrap();
    // END_STREAM and END_HEADERS.
    [&[0, 0, length, HEADERS, 5], &stream[..], block].concat()
}

/// Answers those calls that were cancelled, as happens where the two cross; after so many, the first one as well.
async fn answer_late(mut stream: TcpStream, cancelled: Arc<AtomicUsize>, most: usize) {
    stream.write_all(SETTINGS).await.unwrap();
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.unwrap();
    let mut first = None;
    let mut frame = [0; 9];
    while stream.read_exact(&mut frame).await.is_ok() {
        let length = u32::from_be_bytes([0, frame[0], frame[1], frame[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.unwrap();
        let id = [frame[5], frame[6], frame[7], frame[8]];
        match frame[3] {
            HEADERS => _ = first.get_or_insert(id),
            RESET => {
                stream.write_all(&head(id, b"\x88")).await.unwrap();
                if cancelled.fetch_add(1, Ordering::Relaxed) == most {
                    stream.write_all(&head(first.unwrap(), NOT_FOUND)).await.unwrap();
                }
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn answers_to_calls_that_were_cancelled_do_not_hurt_others() {
    const MOST: usize = 1_500;
    let cancelled = Arc::new(AtomicUsize::new(0));
    let upstream = upstream({
        let cancelled = cancelled.clone();
        move |stream| answer_late(stream, cancelled.clone(), MOST)
    })
    .await;
    let other = tokio::spawn({
        let upstream = upstream.clone();
        async move { call(&upstream).await.map(drop) }
    });
    while cancelled.load(Ordering::Relaxed) <= MOST && !other.is_finished() {
        let impatient = (0..80).map(|_| timeout(Duration::from_millis(10), call(&upstream)));
        assert!(join_all(impatient).await.iter().all(Result::is_err));
    }
    match other.await.unwrap() {
        Err(CallError::Failed(status)) => assert_eq!(status.code(), Code::NotFound),
        answer => panic!("{answer:?}"),
    }
}
