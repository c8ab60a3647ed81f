//! Takes connections and serves HTTP/2 on them.
//!
//! tonic's own server would do, but for one thing: it answers `grpc-timeout` itself, around all layers, with CANCELLED.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tower::{Service, ServiceExt as _};
use tracing::{debug, info, warn};

use crate::config::Limits;
use crate::gathered::Gathered;
use crate::workers::Workers;

/// How long to wait after an accept failed: what it fails for (no file descriptors left) does not pass at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections at once; more wait until one ends.
const MAX_CONNECTIONS: usize = 10_000;
/// How long a client may be silent after it has connected.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(10);
/// What a client may send on a stream before it is read, and on all of a connection. The second is as good as unlimited: a
/// call that reads nothing for a while must not hold up the others, and the first bounds what that costs.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 30;
/// Streams that a client opened and reset, waiting to be noticed; beyond that it is an attack.
const PENDING_RESETS: usize = 100;

/// Serves until `drain`; then tells every client to go elsewhere (GOAWAY) and finishes what is in flight. What is not
/// finished within the limit for that is cut off; answers with whether there was any.
pub(super) async fn serve<S>(
    listener: TcpListener,
    stack: S,
    limits: &Limits,
    workers: &mut Workers,
    drain: CancellationToken,
) -> bool
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let http = http2(limits);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let stack = stack.map_request(|request: Request<Incoming>| request.map(Body::new));
    let graceful = GracefulShutdown::new();
    let connections = TaskTracker::new();
    let cut_off = CancellationToken::new();
    while let Some((stream, place)) = accept(&listener, &places, &drain).await {
        let (http, stack, watcher, drain) = (http.clone(), stack.clone(), graceful.watcher(), drain.clone());
        let serve = async move {
            let _place = place;
            let stream = match TcpStream::from_std(stream) {
                Ok(stream) => stream,
                Err(error) => return warn!(%error, "cannot serve a connection"),
            };
            if !says_something(&stream, &drain).await {
                return;
            }
            let connection =
                http.serve_connection(TokioIo::new(Gathered::new(stream)), TowerToHyperService::new(stack));
            if let Err(error) = watcher.watch(connection).await {
                debug!(%error, "a connection broke");
            }
        };
        connections.spawn_on(cut_off.clone().run_until_cancelled_owned(serve), workers.next());
    }
    info!("draining");
    // Nobody new may join the line.
    drop(listener);
    let finished = timeout(limits.drain, graceful.shutdown()).await.is_ok();
    cut_off.cancel();
    connections.close();
    connections.wait().await;
    !finished
}

fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .keep_alive_interval(limits.keepalive_interval)
        .keep_alive_timeout(limits.keepalive_timeout)
        .max_header_list_size(limits.max_header_bytes)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(limits.max_streams_per_connection)
        .max_pending_accept_reset_streams(PENDING_RESETS);
    http
}

/// The next connection, when there is a place for it; `None` at drain.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    drain: &CancellationToken,
) -> Option<(std::net::TcpStream, OwnedSemaphorePermit)> {
    let place = drain.run_until_cancelled(places.clone().acquire_owned()).await?;
    let place = place.expect("nobody closes the semaphore");
    loop {
        match drain.run_until_cancelled(listener.accept()).await? {
            // Away from the runtime that accepted it; a worker takes it into its own.
            Ok((stream, _)) => match stream.set_nodelay(true).and_then(|()| stream.into_std()) {
                Ok(stream) => return Some((stream, place)),
                Err(error) => debug!(%error, "a connection is already gone"),
            },
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the client has anything to say; hyper would wait for its first byte for ever.
async fn says_something(stream: &TcpStream, drain: &CancellationToken) -> bool {
    let mut first = [0];
    let peek = timeout(FIRST_BYTE_TIMEOUT, stream.peek(&mut first));
    matches!(drain.run_until_cancelled(peek).await, Some(Ok(Ok(1))))
}
