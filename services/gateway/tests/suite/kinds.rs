//! Calls of all kinds are passed through as they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::gateway::{Raw, call, client, path, soon, start_for};
use crate::{echo, raw};

#[tokio::test]
async fn unary_calls_keep_their_metadata() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let mut client = client(gateway.address);
    client.ready().await.unwrap();
    let mut request = Request::new(Bytes::from_static(b"\0any bytes\xff"));
    request.metadata_mut().insert("x-echo", MetadataValue::from_static("text"));
    request.metadata_mut().insert_bin("x-echo-bin", MetadataValue::from_bytes(b"\0\xff"));
    let response = client.unary(request, path("Unary"), Raw).await.unwrap();
    assert_eq!(response.metadata().get("x-echo").unwrap(), "text");
    assert_eq!(&response.metadata().get_bin("x-echo-bin").unwrap().to_bytes().unwrap()[..], b"\0\xff");
    assert_eq!(&response.get_ref()[..], b"\0any bytes\xff");
    assert_eq!(call(&mut client, "").await.unwrap().get_ref().len(), 0);
}

#[tokio::test]
async fn errors_keep_their_details_and_trailers() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let status = call(&mut client(gateway.address), "fail").await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "nöt there"));
    assert_eq!(status.get_details_error_info().unwrap().reason, "NO_SUCH_THING");
    assert_eq!(status.metadata().get("x-trailer").unwrap(), "kept");
}

#[tokio::test]
async fn a_large_message_passes_in_both_directions() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let large = Bytes::from(vec![1; 3 << 20]);
    let response = call(&mut client(gateway.address), large.clone()).await.unwrap();
    assert!(*response.get_ref() == large);
}

#[tokio::test]
async fn streams_of_both_sides_end_as_they_do_upstream() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let mut client = client(gateway.address);

    client.ready().await.unwrap();
    let request = Request::new(Bytes::from_static(b"again"));
    let mut messages =
        client.server_streaming(request, path("ServerStream"), Raw).await.unwrap().into_inner();
    for _ in 0..3 {
        assert_eq!(&messages.message().await.unwrap().unwrap()[..], b"again");
    }
    // Only the trailers know how it ended.
    assert_eq!(messages.message().await.unwrap_err().code(), Code::DataLoss);

    client.ready().await.unwrap();
    let parts = Request::new(futures::stream::iter(["a", "b", "c"].map(Bytes::from)));
    let all = client.client_streaming(parts, path("ClientStream"), Raw).await.unwrap();
    assert_eq!(&all.get_ref()[..], b"abc");
}

#[tokio::test]
async fn a_conversation_is_not_held_up() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let mut client = client(gateway.address);
    client.ready().await.unwrap();
    let (say, said) = mpsc::channel::<Bytes>(1);
    let talk = client.streaming(Request::new(ReceiverStream::new(said)), path("Bidi"), Raw);
    let mut answers = soon(talk).await.unwrap().into_inner();
    // Each message is an answer to the one before: nothing may wait for more to come.
    for turn in 0..20_u8 {
        say.send(Bytes::from(vec![turn])).await.unwrap();
        assert_eq!(soon(answers.next()).await.unwrap().unwrap()[..], [turn]);
    }
    drop(say);
    assert!(soon(answers.next()).await.is_none());
}

#[tokio::test]
async fn compression_is_left_to_the_ends() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let mut client = client(gateway.address)
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    let response = call(&mut client, vec![b'a'; 10_000]).await.unwrap();
    assert_eq!(response.metadata().get("x-request-encoding").unwrap(), "gzip");
    assert_eq!(response.metadata().get("grpc-encoding").unwrap(), "gzip");
    assert_eq!(response.get_ref().len(), 10_000);
}

#[tokio::test]
async fn who_hangs_up_hangs_up_upstream() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let mut client = client(gateway.address);
    let waiting = tokio::spawn({
        let mut client = client.clone();
        async move { call(&mut client, "wait").await }
    });
    soon(echo.seen.waiting.acquire()).await.unwrap().forget();
    waiting.abort();
    soon(echo.seen.cancelled.acquire()).await.unwrap().forget();

    client.ready().await.unwrap();
    let request = Request::new(Bytes::from_static(b"endless"));
    let mut messages =
        client.server_streaming(request, path("ServerStream"), Raw).await.unwrap().into_inner();
    assert!(messages.message().await.unwrap().is_some());
    drop(messages);
    soon(echo.seen.cancelled.acquire()).await.unwrap().forget();
}

#[tokio::test]
async fn who_does_not_read_holds_up_the_sender_and_nobody_else() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let mut slow = vec![];
    for _ in 0..20 {
        let mut client = client(gateway.address);
        client.ready().await.unwrap();
        let request = Request::new(Bytes::from_static(b"endless"));
        slow.push(client.server_streaming(request, path("ServerStream"), Raw).await.unwrap().into_inner());
    }
    let produced = soon(until_unchanged(&echo.seen.produced, client(gateway.address))).await;
    // A few windows and buffers of each stream, which is far from endless.
    assert!(produced * 10_000 < 20 * (4 << 20), "{produced}");
    // Who reads on gets more.
    for _ in 0..200 {
        assert!(soon(slow[0].message()).await.unwrap().is_some());
    }
}

/// What is counted once the windows are full, which is when no more is in all the time that some calls take.
async fn until_unchanged(count: &AtomicU64, mut other: Grpc<Channel>) -> u64 {
    loop {
        let before = count.load(Ordering::Relaxed);
        for _ in 0..50 {
            call(&mut other, "me too").await.unwrap();
        }
        if count.load(Ordering::Relaxed) == before {
            return before;
        }
    }
}

#[tokio::test]
async fn who_is_not_read_is_held_up() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let mut talker = client(gateway.address);
    talker.ready().await.unwrap();
    let said = Arc::new(AtomicU64::new(0));
    let counted = said.clone();
    let endless = futures::stream::repeat_with(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Bytes::from_static(&[7; 10_000])
    });
    let mut answers = talker.streaming(Request::new(endless), path("Bidi"), Raw).await.unwrap().into_inner();
    // The service says again what it hears, and hears no more while nobody listens to that.
    let before = soon(until_unchanged(&said, client(echo.address))).await;
    assert!(before * 10_000 < 8 << 20, "{before}");
    // Who listens on hears all of it, and more is said.
    for _ in 0..2 * before {
        assert!(soon(answers.message()).await.unwrap().is_some());
    }
    assert!(said.load(Ordering::Relaxed) > before);
}

#[tokio::test]
async fn what_nobody_serves_is_unimplemented() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    for wrong in ["/other.v1.Echo/Unary", "/test.v11.Echo/Unary", "/nothing", "/", "/test.v1.Echo/Nothing"] {
        let answer = raw::call(gateway.address, wrong, &[], &[]).await;
        assert_eq!((answer.status, answer.grpc_status()), (200, Some(12)), "{wrong}");
        assert!(answer.is_trailers_only, "{wrong}");
    }
}

#[tokio::test]
async fn a_deadline_is_kept_and_passed_on() {
    let echo = echo::serve().await;
    let gateway = start_for(&[echo.address]).await;
    let late = raw::call(gateway.address, "/test.v1.Echo/Unary", &[("grpc-timeout", "500m")], b"wait").await;
    assert_eq!((late.status, late.grpc_status()), (200, Some(4)));
    soon(echo.seen.cancelled.acquire()).await.unwrap().forget();
    // In the middle of a stream the answer is in the trailers.
    let endless =
        raw::call(gateway.address, "/test.v1.Echo/ServerStream", &[("grpc-timeout", "500m")], b"endless")
            .await;
    assert_eq!((endless.status, endless.grpc_status(), endless.is_trailers_only), (200, Some(4), false));
    let wrong = raw::call(gateway.address, "/test.v1.Echo/Unary", &[("grpc-timeout", "soon")], b"").await;
    assert_eq!(wrong.grpc_status(), Some(3));
}
