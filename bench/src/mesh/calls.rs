//! gRPC as little as what the bench itself stands in for needs of it.

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use h2::server::{self, SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::net::{TcpListener, TcpStream};

use crate::Result;

const WINDOW: u32 = 4 << 20;

/// Takes calls on this address for as long as the runtime is there; one that fails is told.
pub(super) async fn serve<A>(
    listener: TcpListener,
    answer: impl Fn(Request<RecvStream>, SendResponse<Bytes>) -> A + Clone + Send + Sync + 'static,
) where
    A: Future<Output = Result<()>> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let answer = answer.clone();
                tokio::spawn(async move {
                    if let Err(error) = connection(stream, answer).await {
                        eprintln!("a connection to the bench ended: {error}");
                    }
                });
            }
            Err(error) => eprintln!("a connection to the bench was not made: {error}"),
        }
    }
}

async fn connection<A>(
    stream: TcpStream,
    answer: impl Fn(Request<RecvStream>, SendResponse<Bytes>) -> A,
) -> Result<()>
where
    A: Future<Output = Result<()>> + Send + 'static,
{
    stream.set_nodelay(true)?;
    let mut builder = server::Builder::new();
    builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let mut connection = builder.handshake::<_, Bytes>(stream).await?;
    while let Some(request) = connection.accept().await {
        // A process that is ended does not say goodbye.
        let Ok((request, respond)) = request else { return Ok(()) };
        let answer = answer(request, respond);
        tokio::spawn(async move {
            if let Err(error) = answer.await {
                eprintln!("a call to the bench failed: {error}");
            }
        });
    }
    Ok(())
}

/// Answers with this message, its prefix before it.
pub(super) fn send(mut respond: SendResponse<Bytes>, message: Bytes) -> Result<()> {
    let head = Response::builder().header("content-type", "application/grpc").body(())?;
    let mut answer = respond.send_response(head, false)?;
    answer.send_data(message, false)?;
    answer.send_trailers(HeaderMap::from_iter([("grpc-status".parse()?, HeaderValue::from_static("0"))]))?;
    Ok(())
}

/// All of a body, which is not long.
pub(super) async fn read(body: &mut RecvStream) -> Result<Bytes> {
    let mut all = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        all.extend_from_slice(&data);
    }
    Ok(all.freeze())
}
