//! Takes connections and serves HTTP/2 on them.
//!
//! tonic's own server would do, but for one thing: it answers `grpc-timeout` itself, around all layers, with CANCELLED.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tower::{Service, ServiceExt as _};
use tracing::{debug, info, warn};

use crate::config::Limits;

/// How long to wait after an accept failed: what it fails for (no file descriptors left) does not pass at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Streams that a client opened and reset, waiting to be noticed; beyond that it is an attack.
const PENDING_RESETS: usize = 100;

/// Serves until `drain`; then tells every client to go elsewhere (GOAWAY) and finishes what is in flight. What is not
/// finished within the limit for that is cut off; answers with whether there was any.
pub(super) async fn serve<S>(
    listener: TcpListener,
    stack: S,
    limits: &Limits,
    drain: CancellationToken,
) -> bool
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let http = http2(limits);
    let stack = stack.map_request(|request: Request<Incoming>| request.map(Body::new));
    let graceful = GracefulShutdown::new();
    let connections = TaskTracker::new();
    let cut_off = CancellationToken::new();
    while let Some(stream) = accept(&listener, &drain).await {
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(stack.clone()));
        let connection = graceful.watch(connection);
        connections.spawn(cut_off.clone().run_until_cancelled_owned(async move {
            if let Err(error) = connection.await {
                debug!(%error, "a connection broke");
            }
        }));
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
        .max_concurrent_streams(limits.max_streams_per_connection)
        .max_pending_accept_reset_streams(PENDING_RESETS);
    http
}

/// The next connection; `None` at drain.
async fn accept(listener: &TcpListener, drain: &CancellationToken) -> Option<TcpStream> {
    loop {
        let accepted = drain.run_until_cancelled(listener.accept()).await?;
        match accepted {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    debug!(%error, "a connection is already gone");
                    continue;
                }
                return Some(stream);
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
