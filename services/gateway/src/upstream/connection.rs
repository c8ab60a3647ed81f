//! One HTTP/2 connection to an upstream, and the calls on it.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use h2::client::SendRequest;
use http::{Request, Response};
use selvedge_kit::Gathered;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::endpoint::Endpoint;
use super::stream::{self, Piece, Received};
use super::{CallError, uri_at};
use crate::body::Body;

/// What an upstream may send on a stream before somebody takes it, and on all of a connection. The second is as good as
/// unlimited: a caller who does not read must not hold up the others, and the first bounds what that costs.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 30;
/// What is kept of a stream that its upstream does not read.
const SEND_BUFFER: usize = 256 << 10;
/// What an answer's head, or its trailers, may have. A larger head ends the connection, with all calls on it, and of larger
/// trailers h2 drops the rest without a word: so it is more than a service has a reason for.
const MAX_HEADER_BYTES: u32 = 1 << 20;
/// How long what was sent may stay unacknowledged before the machine on the other side counts as gone.
const LOST: Duration = Duration::from_secs(20);

/// A connection.
pub(super) struct Connection {
    sender: SendRequest<Piece>,
    in_flight: AtomicUsize,
    most_calls: Arc<AtomicUsize>,
    /// Whether anything was ever answered on it.
    pub(super) answered: Arc<AtomicBool>,
    /// Takes no more calls.
    retired: AtomicBool,
}

/// Connects, and waits until the upstream has said how many calls it allows, as it need not take what is sent before that;
/// the second result is what keeps the connection going while it is polled.
///
/// There are no HTTP/2 pings: servers of the gRPC project hang up on clients that send more than a few (`too_many_pings`).
/// The system notices machines that are gone, and [`Endpoint::left_waiting`] processes that hang.
pub(super) async fn open(
    address: SocketAddr,
) -> Result<(Arc<Connection>, impl Future<Output = Result<(), h2::Error>>), CallError> {
    let stream = reach(address).await.map_err(|error| CallError::Unreachable(error.to_string()))?;
    let (sender, mut driver) = h2::client::Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_max_send_streams(0)
        // An answer that comes after its call was cancelled is no attack of an upstream's.
        .max_local_error_reset_streams(None)
        .max_send_buffer_size(SEND_BUFFER)
        .max_header_list_size(MAX_HEADER_BYTES)
        .handshake(Gathered::new(stream))
        .await
        .map_err(|error| unopened(&error))?;
    let settled = poll_fn(|cx| match Pin::new(&mut driver).poll(cx) {
        Poll::Pending if driver.max_concurrent_send_streams() > 0 => Poll::Ready(Ok(())),
        Poll::Pending => Poll::Pending,
        Poll::Ready(Ok(())) => Poll::Ready(Err(CallError::Refused("it takes no calls".to_owned()))),
        Poll::Ready(Err(error)) => Poll::Ready(Err(unopened(&error))),
    });
    settled.await?;
    let most_calls = Arc::new(AtomicUsize::new(driver.max_concurrent_send_streams()));
    let connection = Connection {
        most_calls: most_calls.clone(),
        sender,
        in_flight: AtomicUsize::new(0),
        answered: Arc::default(),
        retired: AtomicBool::new(false),
    };
    let driver = poll_fn(move |cx| {
        // The upstream may change its mind at any time.
        most_calls.store(driver.max_concurrent_send_streams(), Ordering::Relaxed);
        Pin::new(&mut driver).poll(cx)
    });
    Ok((Arc::new(connection), driver))
}

async fn reach(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(LOST))?;
    socket.set_tcp_user_timeout(Some(LOST))?;
    Ok(stream)
}

/// Why there is no connection, though somebody is there.
fn unopened(error: &h2::Error) -> CallError {
    match CallError::of_http(error) {
        CallError::Broken(_, cause) => CallError::Unreachable(cause),
        other => other,
    }
}

impl Connection {
    pub(super) fn is_open(&self) -> bool {
        !self.retired.load(Ordering::Relaxed)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether it has as many calls as the upstream allows.
    pub(super) fn is_full(&self) -> bool {
        self.in_flight() >= self.most_calls.load(Ordering::Relaxed)
    }
}

/// A place on a connection: a call in flight, for as long as it is held.
pub(crate) struct Lease {
    endpoint: Arc<Endpoint>,
    connection: Arc<Connection>,
}

/// A request that was not answered.
pub(super) struct Failed {
    pub(super) error: CallError,
    /// The request, if nothing of it was sent.
    pub(super) unsent: Option<Request<Body>>,
}

impl Lease {
    pub(super) fn on(endpoint: &Arc<Endpoint>) -> Option<Self> {
        let connection = endpoint.connection()?;
        connection.in_flight.fetch_add(1, Ordering::Relaxed);
        endpoint.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(Self { endpoint: endpoint.clone(), connection })
    }

    pub(super) fn is_at(&self, endpoint: &Arc<Endpoint>) -> bool {
        Arc::ptr_eq(&self.endpoint, endpoint)
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// Straight on h2: hyper's client would give each call two tasks of its own, and send the head of a request and its
    /// message in two writes, for each of which the upstream may wake up.
    pub(super) async fn send(&self, mut request: Request<Body>) -> Result<Response<Received>, Failed> {
        let path = std::mem::take(request.uri_mut()).into_parts().path_and_query;
        *request.uri_mut() = uri_at(&self.endpoint.authority, path);
        let waiting = Waiting::new(&self.endpoint);
        let mut sender = match self.connection.sender.clone().ready().await {
            Ok(sender) => sender,
            Err(error) => {
                let refused = CallError::Refused(error.to_string());
                return Err(self.failed(refused, &error, Some(request)));
            }
        };
        match stream::exchange(&mut sender, request).await {
            Ok(response) => {
                waiting.done();
                self.connection.answered.store(true, Ordering::Relaxed);
                Ok(response)
            }
            Err(error) => Err(self.failed(CallError::of_http(&error), &error, None)),
        }
    }

    fn failed(&self, what: CallError, error: &h2::Error, unsent: Option<Request<Body>>) -> Failed {
        if unsent.is_some() || error.is_go_away() {
            self.connection.retired.store(true, Ordering::Relaxed);
        }
        Failed { error: what, unsent }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let was_full = self.connection.is_full();
        self.connection.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.endpoint.in_flight.fetch_sub(1, Ordering::Relaxed);
        if was_full {
            self.endpoint.has_changed();
        }
    }
}

/// A call that has no answer yet. Dropped like this, it tells its endpoint.
struct Waiting<'a> {
    endpoint: &'a Endpoint,
    began: Instant,
    answers: u64,
    over: bool,
}

impl<'a> Waiting<'a> {
    fn new(endpoint: &'a Endpoint) -> Self {
        Self {
            endpoint,
            began: Instant::now(),
            answers: endpoint.answers.load(Ordering::Relaxed),
            over: false,
        }
    }

    fn done(mut self) {
        self.over = true;
        self.endpoint.answered();
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.endpoint.left_waiting(self.began, self.answers);
        }
    }
}
