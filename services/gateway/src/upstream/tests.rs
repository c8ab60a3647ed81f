//! Unary calls to upstreams that do as they are told by the test.

mod places;
mod silence;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use http::HeaderMap;
use http::uri::PathAndQuery;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};
use tonic::Code;

use super::{CallError, Reply, Upstream, in_time};

type Respond = SendResponse<Bytes>;

const FRAMED: &[u8] = b"\0\0\0\0\x02hi";
/// SETTINGS, and a GOAWAY that says that nothing was begun.
const GO_AWAY: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// Serves HTTP/2 on one connection; `answer` is told the number of the request, and says whether to go on.
async fn serve(stream: TcpStream, calls: Arc<AtomicU64>, answer: fn(u64, Respond) -> bool) {
    let mut server = h2::server::Builder::new();
    let mut connection = server.max_concurrent_streams(1).handshake(stream).await.unwrap();
    while let Some(Ok((_request, respond))) = connection.accept().await {
        let number = calls.fetch_add(1, Ordering::Relaxed);
        if !answer(number, respond) {
            return;
        }
    }
}

/// Hangs up on the first call.
fn hang_up(number: u64, respond: Respond) -> bool {
    number > 0 && good(respond)
}

/// An upstream that answers like this, and its calls so far; `go_away_first` has it send away its first client.
async fn upstream(answer: fn(u64, Respond) -> bool, go_away_first: bool) -> (Arc<Upstream>, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = upstream_at(listener.local_addr().unwrap());
    let calls = Arc::new(AtomicU64::new(0));
    tokio::spawn({
        let calls = calls.clone();
        async move {
            if go_away_first {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(GO_AWAY).await.unwrap();
                tokio::spawn(async move { stream.read_to_end(&mut vec![]).await });
            }
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, calls.clone(), answer));
            }
        }
    });
    (upstream, calls)
}

fn upstream_at(address: SocketAddr) -> Arc<Upstream> {
    Upstream::new(format!("test=http://{address}").parse().unwrap())
}

async fn call(upstream: &Arc<Upstream>) -> Result<Reply, CallError> {
    let path = PathAndQuery::from_static("/test.Service/Get");
    let call = upstream.unary(&path, HeaderMap::new(), Bytes::from_static(FRAMED), 10);
    tokio::time::timeout(Duration::from_mins(1), call).await.expect("it ends within a minute")
}

fn respond(
    mut respond: Respond,
    status: u16,
    data: &'static [u8],
    trailers: &[(&'static str, &'static str)],
) -> bool {
    let head = http::Response::builder().status(status).header("content-type", "application/grpc");
    let mut body = respond.send_response(head.body(()).unwrap(), false).unwrap();
    body.send_data(Bytes::from_static(data), false).unwrap();
    let trailers = trailers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    body.send_trailers(trailers.collect()).unwrap();
    true
}

fn reset(mut to: Respond, reason: h2::Reason) -> bool {
    to.send_reset(reason);
    true
}

fn good(to: Respond) -> bool {
    respond(to, 200, FRAMED, &[("grpc-status", "0"), ("x-last", "word")])
}

#[tokio::test]
async fn one_message_goes_out_and_one_comes_back() {
    let (upstream, calls) = upstream(|_, to| good(to), false).await;
    for _ in 0..3 {
        let reply = call(&upstream).await.unwrap();
        assert_eq!(&reply.message[..], b"hi");
        assert_eq!(reply.headers["content-type"], "application/grpc");
        assert_eq!(reply.trailers["x-last"], "word");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn what_was_refused_is_sent_once_more() {
    let refuse_first = |number, to| match number {
        0 => reset(to, h2::Reason::REFUSED_STREAM),
        _ => good(to),
    };
    let (first, calls) = upstream(refuse_first, false).await;
    assert_eq!(&call(&first).await.unwrap().message[..], b"hi");
    assert_eq!(calls.load(Ordering::Relaxed), 2);

    let (going_away, calls) = upstream(|_, to| good(to), true).await;
    assert_eq!(&call(&going_away).await.unwrap().message[..], b"hi");
    assert_eq!(calls.load(Ordering::Relaxed), 1);

    let (always, calls) = upstream(|_, to| reset(to, h2::Reason::REFUSED_STREAM), false).await;
    let error = call(&always).await.unwrap_err();
    assert!(matches!(error, CallError::Refused(_)) && !error.may_have_run(), "{error:?}");
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn what_may_have_run_is_not_sent_again() {
    let (cut, calls) = upstream(hang_up, false).await;
    let error = call(&cut).await.unwrap_err();
    assert!(matches!(error, CallError::Broken(Code::Unavailable, _)) && error.may_have_run(), "{error:?}");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    // The next call finds a new connection.
    assert!(call(&cut).await.is_ok());

    let (reset, calls) = upstream(|_, to| reset(to, h2::Reason::INTERNAL_ERROR), false).await;
    let error = call(&reset).await.unwrap_err();
    assert!(matches!(error, CallError::Broken(Code::Internal, _)), "{error:?}");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_answered_when_the_time_is_up_is_late() {
    let ends = Instant::now() + Duration::from_millis(20);
    assert!(in_time(ends, sleep_until(ends)).await.is_none());
    assert!(in_time(Instant::now() + Duration::from_mins(1), async {}).await.is_some());
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let upstream = upstream_at(address);
    for _ in 0..2 {
        let error = call(&upstream).await.unwrap_err();
        assert!(matches!(error, CallError::Unreachable(_)) && !error.may_have_run(), "{error:?}");
    }
}

#[tokio::test]
async fn errors_of_the_service_are_its_own() {
    let fail = |_, to| respond(to, 200, b"", &[("grpc-status", "5"), ("grpc-message", "not%20here")]);
    let (upstream, _) = upstream(fail, false).await;
    match call(&upstream).await.unwrap_err() {
        CallError::Failed(status) => {
            assert_eq!((status.code(), status.message()), (Code::NotFound, "not here"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_answer_is_garbage() {
    let manners: [fn(u64, Respond) -> bool; 5] = [
        |_, to| respond(to, 404, FRAMED, &[("grpc-status", "0")]),
        |_, to| respond(to, 200, b"\0\0\0\0\x01a\0\0\0\0\x01b", &[("grpc-status", "0")]),
        |_, to| respond(to, 200, b"\x01\0\0\0\x01a", &[("grpc-status", "0")]),
        |_, to| respond(to, 200, FRAMED, &[]),
        |_, to| respond(to, 200, b"", &[("grpc-status", "0")]),
    ];
    for manner in manners {
        let (upstream, _) = upstream(manner, false).await;
        let error = call(&upstream).await.unwrap_err();
        assert!(matches!(error, CallError::Garbage(_)) && error.may_have_run(), "{error:?}");
    }
    let (upstream, _) = upstream(|_, to| respond(to, 200, b"\0\0\0\0\x0b", &[]), false).await;
    assert!(matches!(call(&upstream).await.unwrap_err(), CallError::TooLarge(10)));
}

#[tokio::test]
async fn rubbish_instead_of_http_is_garbage() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = upstream_at(listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            tokio::spawn(async move { stream.read_to_end(&mut vec![]).await });
        }
    });
    let error = call(&upstream).await.unwrap_err();
    assert!(matches!(error, CallError::Garbage(_)), "{error:?}");
}

static WAITING: Semaphore = Semaphore::const_new(0);
static CANCELLED: Semaphore = Semaphore::const_new(0);

/// Does not answer, and notes when that is not asked for any more.
fn wait(_: u64, mut to: Respond) -> bool {
    WAITING.add_permits(1);
    tokio::spawn(async move {
        let reason = std::future::poll_fn(|cx| to.poll_reset(cx)).await;
        assert_eq!(reason.unwrap(), h2::Reason::CANCEL);
        CANCELLED.add_permits(1);
    });
    true
}

#[tokio::test]
async fn a_call_that_is_dropped_is_cancelled_and_many_calls_have_several_connections() {
    let (upstream, calls) = upstream(wait, false).await;
    // One at a time is what a connection takes here.
    let begin = || {
        let upstream = upstream.clone();
        tokio::spawn(async move { call(&upstream).await.map(drop) })
    };
    let waiting = async || {
        let waiting = tokio::time::timeout(Duration::from_mins(1), WAITING.acquire()).await;
        waiting.expect("it is asked within a minute").unwrap().forget();
    };
    let mut begun = vec![];
    for number in 1..=3 {
        begun.push(begin());
        waiting().await;
        assert_eq!(calls.load(Ordering::Relaxed), number);
    }
    for call in &begun {
        call.abort();
    }
    for _ in &begun {
        let cancelled = tokio::time::timeout(Duration::from_mins(1), CANCELLED.acquire()).await;
        cancelled.expect("they are cancelled within a minute").unwrap().forget();
    }
}
