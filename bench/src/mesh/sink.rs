//! Where traces go: what takes them in, and does no more than count their bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{self, SendResponse};
use http::{HeaderMap, HeaderValue, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::Result;

/// An empty message, neither compressed nor with anything in it.
const EMPTY: &[u8] = &[0; 5];
const POLL: Duration = Duration::from_millis(50);
const WINDOW: u32 = 4 << 20;

/// A collector of traces that keeps none of them.
pub(super) struct Sink {
    address: SocketAddr,
    bytes: Arc<AtomicU64>,
}

impl Sink {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let bytes = Arc::default();
        tokio::spawn(accept(listener, Arc::clone(&bytes)));
        Ok(Self { address, bytes })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How much has come so far; if that is nothing, then within this time.
    pub(super) async fn bytes_soon(&self, limit: Duration) -> u64 {
        let some = async {
            while self.bytes.load(Ordering::Relaxed) == 0 {
                sleep(POLL).await;
            }
        };
        // When there is none, that is the answer.
        let _ = timeout(limit, some).await;
        self.bytes.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, bytes: Arc<AtomicU64>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let bytes = Arc::clone(&bytes);
                tokio::spawn(async move {
                    if let Err(error) = serve(stream, bytes).await {
                        eprintln!("a connection for traces ended: {error}");
                    }
                });
            }
            Err(error) => eprintln!("a connection for traces was not made: {error}"),
        }
    }
}

async fn serve(stream: TcpStream, bytes: Arc<AtomicU64>) -> Result<()> {
    let mut builder = server::Builder::new();
    builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let mut connection = builder.handshake::<_, Bytes>(stream).await?;
    while let Some(request) = connection.accept().await {
        // A process that is ended does not say goodbye.
        let Ok((request, respond)) = request else { return Ok(()) };
        let bytes = Arc::clone(&bytes);
        tokio::spawn(async move {
            if let Err(error) = take(request.into_body(), respond, &bytes).await {
                eprintln!("traces were not taken: {error}");
            }
        });
    }
    Ok(())
}

async fn take(mut body: RecvStream, mut respond: SendResponse<Bytes>, bytes: &AtomicU64) -> Result<()> {
    while let Some(part) = body.data().await {
        let length = part?.len();
        body.flow_control().release_capacity(length)?;
        bytes.fetch_add(u64::try_from(length)?, Ordering::Relaxed);
    }
    let head = Response::builder().header("content-type", "application/grpc").body(())?;
    let mut answer = respond.send_response(head, false)?;
    answer.send_data(Bytes::from_static(EMPTY), false)?;
    answer.send_trailers(HeaderMap::from_iter([("grpc-status".parse()?, HeaderValue::from_static("0"))]))?;
    Ok(())
}
