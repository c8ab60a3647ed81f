//! HTTP without a gRPC library, to see what is really said.

use std::net::SocketAddr;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::gateway::soon;

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) trailers: HeaderMap,
    pub(crate) is_trailers_only: bool,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn grpc_status(&self) -> Option<u8> {
        let status = self.trailers.get("grpc-status").or(self.headers.get("grpc-status"))?;
        status.to_str().unwrap().parse().ok()
    }
}

/// A gRPC call with one message.
pub(crate) async fn call(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    message: &[u8],
) -> Answer {
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap());
    framed.extend_from_slice(message);
    let mut request = Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(address, request.body(Full::new(framed.freeze())).unwrap()).await
}

/// Any request over HTTP/2, on a connection of its own.
pub(crate) async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut client = http2::Builder::new(TokioExecutor::new());
    client.max_header_list_size(1 << 20);
    let (mut sender, connection) = client.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = soon(sender.send_request(request)).await.unwrap();
    let (head, body) = response.into_parts();
    let is_trailers_only = hyper::body::Body::is_end_stream(&body);
    let body = soon(body.collect()).await.unwrap();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        trailers: body.trailers().cloned().unwrap_or_default(),
        is_trailers_only,
        body: body.to_bytes(),
    }
}

/// Sends bytes and answers with all that comes back until the other side hangs up.
pub(crate) async fn until_closed(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = vec![];
    // A reset is a way of hanging up as well.
    soon(stream.read_to_end(&mut answer)).await.ok();
    String::from_utf8(answer).unwrap()
}
