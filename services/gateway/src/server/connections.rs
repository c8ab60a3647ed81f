//! Takes connections and serves HTTP/1.1 and HTTP/2 on them.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::Request;
use http::header::CONNECTION;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use prometheus::IntGauge;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::answer::Answer;
use super::guarded::Guarded;
use super::line::{Held, Lines, Order};
use crate::config::Limits;
use crate::dispatch::dispatch;
use crate::spawn::{Spawn, note};
use crate::worker::{Peer, Worker};

/// How long to wait after an accept failed: what it fails for (no file descriptors left) does not pass at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Streams that a client opened and reset, waiting to be noticed; beyond that it is an attack (rapid reset).
const PENDING_RESETS: usize = 64;
/// Streams that we reset because of what the client did on them; beyond that it is an attack as well.
const PROVOKED_RESETS: usize = 256;
/// What a client may send on a stream, and on all of a connection, before somebody takes it. The second is larger, so that
/// a few uploads that nobody reads do not hold up all others.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// What is kept of a stream that its client does not read.
const SEND_BUFFER: usize = 128 << 10;
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a worker's requests come from.
pub(super) struct Entrance {
    pub(super) listener: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) worker: Arc<Worker>,
    /// Counts the connections of all workers.
    pub(super) connections: IntGauge,
}

/// Serves until the gateway is to stop; then tells every client to go elsewhere (GOAWAY, `connection: close`) and finishes
/// what is in flight. What is not finished within the limit for that is cut off; answers with whether all was finished.
pub(super) async fn serve(entrance: Entrance) -> bool {
    let Entrance { listener, tls, worker, connections: gauge } = entrance;
    let limits = &worker.shared.config.limits;
    let http = Arc::new(http(limits));
    let lines = Lines::new(limits);
    let watch = tokio::spawn({
        let lines = lines.clone();
        async move { lines.watch().await }
    });
    // Each worker has its share of the places, as they do not talk to each other.
    let workers = worker.shared.config.workers.count().get();
    let places = Arc::new(Semaphore::new(limits.connections.div_ceil(workers)));
    let connections = TaskTracker::new();
    let drain = &worker.shared.drain;
    while let Some((stream, address, place)) = accept(&listener, &places, drain).await {
        tune(&stream, limits);
        let (held, http, worker, tls) = (lines.open(), http.clone(), worker.clone(), tls.clone());
        let counted = Counted::new(&gauge);
        connections.spawn(async move {
            let _until_its_end = (place, counted);
            greet(stream, address, tls, held, &http, worker).await;
        });
    }
    // Nobody new may join the line.
    drop(listener);
    lines.order(Order::Leave);
    connections.close();
    let finished = timeout(limits.drain_time, connections.wait()).await.is_ok();
    lines.order(Order::Drop);
    connections.wait().await;
    watch.abort();
    finished
}

fn http(limits: &Limits) -> auto::Builder<Spawn> {
    let mut http = auto::Builder::new(Spawn { patience: limits.body_idle });
    // Twice what is allowed: what is a little too much is answered by us, in words.
    http.http1()
        .max_buf_size(2 * (limits.header_bytes + limits.uri_bytes).max(8192))
        .max_headers(2 * limits.header_count)
        // Lines keep the time.
        .header_read_timeout(None);
    http.http2()
        .timer(TokioTimer::new())
        .max_header_list_size(
            u32::try_from(2 * limits.header_bytes + 32 * limits.header_count).unwrap_or(u32::MAX),
        )
        .max_concurrent_streams(limits.streams)
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .max_local_error_reset_streams(PROVOKED_RESETS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    http
}

/// The next connection, when there is a place for it; `None` at drain.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    drain: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = drain.run_until_cancelled(places.clone().acquire_owned()).await?;
    let place = place.expect("nobody closes the semaphore");
    loop {
        match drain.run_until_cancelled(listener.accept()).await? {
            Ok((stream, address)) => return Some((stream, address, place)),
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                drain.run_until_cancelled(sleep(ACCEPT_PAUSE)).await?;
            }
        }
    }
}

/// Lets the system find out about clients that are gone, and about those that take nothing of what they are sent.
fn tune(stream: &TcpStream, limits: &Limits) {
    let socket = SockRef::from(stream);
    let tuned = stream
        .set_nodelay(true)
        .and_then(|()| socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(limits.connection_idle)))
        .and_then(|()| socket.set_tcp_user_timeout(Some(limits.body_idle)));
    if let Err(error) = tuned {
        debug!(%error, "a connection is already gone");
    }
}

/// Does the TLS handshake, if there is to be one, and serves the connection.
async fn greet(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    held: Held,
    http: &auto::Builder<Spawn>,
    worker: Arc<Worker>,
) {
    let peer = Peer { address };
    let Some(tls) = tls else { return serve_connection(stream, peer, held, http, worker).await };
    let limit = worker.shared.config.limits.header_timeout;
    let handshake = worker.shared.drain.run_until_cancelled(timeout(limit, tls.accept(stream)));
    match handshake.await {
        Some(Ok(Ok(stream))) => serve_connection(stream, peer, held, http, worker).await,
        Some(Ok(Err(error))) => debug!(%error, "a TLS handshake failed"),
        Some(Err(_)) => debug!("a TLS handshake took too long"),
        None => {}
    }
}

async fn serve_connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: Peer,
    held: Held,
    http: &auto::Builder<Spawn>,
    worker: Arc<Worker>,
) {
    let line = held.line.clone();
    let service = service_fn({
        let line = line.clone();
        move |request: Request<Incoming>| {
            let (in_flight, line, worker) = (line.begin(), line.clone(), worker.clone());
            async move {
                // hyper moves what it is given here, and all that answering a request takes are kilobytes.
                let response = Box::pin(dispatch(&worker, peer, request)).await;
                note(response.body().room());
                if response.headers().get(CONNECTION).is_some_and(|value| value == "close") {
                    line.linger();
                }
                Ok::<_, Infallible>(response.map(|body| Answer::new(body, in_flight)))
            }
        }
    });
    let mut connection =
        pin!(http.serve_connection(TokioIo::new(Guarded::new(stream, line.clone())), service));
    let mut leaving = false;
    let served = poll_fn(|cx| {
        let order = line.ordered(cx.waker());
        if order == Order::Drop {
            return Poll::Ready(Ok(()));
        }
        if order == Order::Leave && !leaving {
            leaving = true;
            connection.as_mut().graceful_shutdown();
        }
        match connection.as_mut().poll(cx) {
            Poll::Pending if order == Order::GiveUp => Poll::Ready(Ok(())),
            polled => polled,
        }
    });
    if let Err(error) = served.await {
        debug!(%error, "a connection broke");
    }
}

/// One in a gauge, until dropped.
struct Counted(IntGauge);

impl Counted {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
