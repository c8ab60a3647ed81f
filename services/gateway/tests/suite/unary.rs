//! Native calls of RPCs that are known to be unary: their messages are sent whole, and once more where that is safe.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::net::{TcpListener, TcpStream};

use crate::gateway::soon;
use crate::shop;

/// Refuses the first calls, and answers the others with their own bodies; says where, and how many there were.
async fn upstream(refused: u64) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::new(AtomicU64::new(0));
    let seen = calls.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    if seen.fetch_add(1, Ordering::Relaxed) < refused {
                        respond.send_reset(h2::Reason::REFUSED_STREAM);
                    } else {
                        tokio::spawn(echo(request, respond));
                    }
                }
            });
        }
    });
    (address, calls)
}

async fn echo(request: Request<h2::RecvStream>, mut respond: h2::server::SendResponse<Bytes>) {
    let mut body = request.into_body();
    let all = read(&mut body).await;
    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    let mut answer = respond.send_response(head, false).unwrap();
    answer.send_data(all, false).unwrap();
    let status = [("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))];
    answer.send_trailers(HeaderMap::from_iter(status)).unwrap();
}

async fn read(body: &mut h2::RecvStream) -> Bytes {
    let mut all = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        all.extend_from_slice(&data);
    }
    all.freeze()
}

async fn client(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Calls with a body in these pieces; answers with the body of the answer and its status.
async fn call(client: &mut SendRequest<Bytes>, pieces: &[Bytes]) -> (Bytes, HeaderMap) {
    let request =
        Request::post("http://shop/shop.v1.Items/GetItem").header("content-type", "application/grpc");
    let (answer, mut body) = client.send_request(request.body(()).unwrap(), false).unwrap();
    for (at, piece) in pieces.iter().enumerate() {
        body.send_data(piece.clone(), at + 1 == pieces.len()).unwrap();
        tokio::task::yield_now().await;
    }
    let (head, mut body) = soon(answer).await.unwrap().into_parts();
    let all = soon(read(&mut body)).await;
    (all, body.trailers().await.unwrap().unwrap_or(head.headers))
}

#[tokio::test]
async fn what_the_upstream_did_not_begin_with_is_sent_once_more() {
    for (refused, status) in [(1, "0"), (2, "14")] {
        let (upstream, calls) = upstream(refused).await;
        let shop = shop::at(&format!("http://{upstream}"), &[]).await;
        let message = Bytes::from_static(b"\0\0\0\0\x03\x0a\x01x");
        let (_, end) = call(&mut client(shop.gateway.address).await, &[message]).await;
        assert_eq!(end["grpc-status"], status);
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
async fn a_message_of_any_length_in_any_pieces_arrives_as_it_is() {
    let (upstream, calls) = upstream(0).await;
    let shop = shop::at(&format!("http://{upstream}"), &[]).await;
    let mut client = client(shop.gateway.address).await;
    let bytes: Bytes = (0..200_000_u32).map(|at| at.to_le_bytes()[at as usize % 3]).collect();
    for length in [0, 5, 65_535, 65_536, 65_537, 200_000] {
        for piece in [1 + length / 100, 1 + length / 2, 1 + length] {
            let whole = bytes.slice(..length);
            let mut pieces: Vec<_> =
                (0..length).step_by(piece).map(|at| whole.slice(at..length.min(at + piece))).collect();
            pieces.push(Bytes::new());
            let (answer, end) = call(&mut client, &pieces).await;
            assert_eq!(end["grpc-status"], "0");
            assert!(answer == whole, "{length} bytes in pieces of {piece}");
        }
    }
    assert_eq!(calls.load(Ordering::Relaxed), 18);
}
