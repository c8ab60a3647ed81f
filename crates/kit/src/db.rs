//! The database as a handler sees it: a pool whose connections are safe to abandon.
//!
//! Dropping the future of a query does not end its statement. So every connection knows whether it is in the middle
//! of something; one that is dropped there is first freed by a cancel from another connection (see `reclaim`) and
//! only then serves again. Callers may therefore leave at any time: their statements do not stay behind.

mod connection;
mod copy;
mod executor;
mod monitor;
mod near;
mod options;
mod reclaim;
mod statement;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Pool, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection as _};
use tokio::runtime::{self, Handle};

pub use connection::{Connection, Transaction};
pub use monitor::Health;
pub use options::Options;

use crate::Result;
use reclaim::Canceller;

/// How long a new connection may take to be opened.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A handle to a service's database; cheap to clone.
///
/// It executes a statement on a connection of its own: `query!(..).fetch_one(&db)`. For several statements in a row,
/// [`Db::acquire`] a connection or [`Db::begin`] a transaction.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").finish_non_exhaustive()
    }
}

struct Inner {
    pool: Pool<Backends>,
    canceller: Canceller,
    statement_timeout: Duration,
    slow_statement: Duration,
    slow_statements: AtomicU64,
    monitor: monitor::Monitor,
    cancel_abandoned: bool,
}

impl Db {
    /// Prepares a pool; connections are opened when they are needed.
    pub fn new(options: Options) -> Self {
        let backends = Backends {
            connect: options.connect.clone(),
            max_lifetime: options.max_lifetime,
            started: Instant::now(),
            suspect_before: AtomicU64::new(0),
            enough_until: AtomicU64::new(0),
        };
        let timeouts = Timeouts {
            wait: Some(options.acquire_timeout),
            create: Some(CONNECT_TIMEOUT),
            recycle: Some(CONNECT_TIMEOUT),
        };
        let pool = Pool::builder(backends)
            .max_size(options.pool_size)
            .timeouts(timeouts)
            // The connection that was used last has the warmest caches.
            .queue_mode(QueueMode::Lifo)
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .expect("a pool with timeouts was given a runtime");
        Self(Arc::new(Inner {
            pool,
            canceller: Canceller::new(options.connect.clone()),
            statement_timeout: options.statement_timeout,
            slow_statement: options.slow_statement,
            slow_statements: AtomicU64::new(0),
            monitor: monitor::Monitor::new(options.connect),
            cancel_abandoned: options.cancel_abandoned,
        }))
    }

    /// Takes a connection, for several statements in a row.
    pub async fn acquire(&self) -> Result<Connection> {
        Ok(self.take().await?)
    }

    async fn take(&self) -> Result<Connection, sqlx::Error> {
        let backend = match near::idle(&self.0.pool).await {
            Some(backend) => Ok(backend),
            None => self.0.pool.get().await,
        };
        match backend {
            Ok(backend) => Ok(Connection::new(self.clone(), backend)),
            Err(PoolError::Backend(error)) => Err(error),
            Err(PoolError::Timeout(_)) => Err(sqlx::Error::PoolTimedOut),
            Err(PoolError::Closed) => Err(sqlx::Error::PoolClosed),
            Err(error) => Err(sqlx::Error::Configuration(error.to_string().into())),
        }
    }

    /// Begins a transaction. It ends with [`Transaction::commit`]; dropped before that, it is rolled back.
    ///
    /// PostgreSQL itself ends a statement of it that runs longer than the caller's deadline allows.
    pub async fn begin(&self) -> Result<Transaction> {
        Ok(Transaction::begin(self.take().await?).await?)
    }

    /// The most connections that there are at once.
    pub fn pool_size(&self) -> usize {
        self.0.pool.status().max_size
    }

    /// What the last look at the database found.
    pub fn health(&self) -> Health {
        self.0.monitor.health()
    }

    /// Keeps looking at the database until dropped, and keeps the pool in shape: see [`monitor`].
    pub(crate) async fn watch(self) {
        monitor::watch(&self).await;
    }

    /// Waits until the next look at the database has found something new.
    pub(crate) fn health_changes(&self) -> tokio::sync::watch::Receiver<Health> {
        self.0.monitor.subscribe()
    }

    /// Open connections, idle connections, and callers that wait for one.
    pub(crate) fn pool_status(&self) -> PoolStatus {
        let status = self.0.pool.status();
        PoolStatus {
            max: status.max_size,
            open: status.size,
            idle: status.available,
            waiting: status.waiting,
        }
    }

    /// How many statements took longer than the threshold so far.
    pub(crate) fn slow_statements(&self) -> u64 {
        self.0.slow_statements.load(Ordering::Relaxed)
    }
}

/// Waits for something to be done on a connection; says in words why it was not.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, String> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {limit:?}")),
    }
}

/// The pool in numbers.
pub(crate) struct PoolStatus {
    pub(crate) max: usize,
    pub(crate) open: usize,
    pub(crate) idle: usize,
    pub(crate) waiting: usize,
}

/// A connection to PostgreSQL and the process that serves it there.
pub(crate) struct Backend {
    connection: PgConnection,
    process: i32,
    tested: Instant,
    opened_by: runtime::Id,
}

/// Opens connections and decides which of them may serve again.
struct Backends {
    connect: PgConnectOptions,
    max_lifetime: Duration,
    started: Instant,
    /// Milliseconds since `started`: when a connection was last found broken. Those tested before that are tested
    /// before they serve again, so that a restart of PostgreSQL costs one failed request and not one per connection.
    suspect_before: AtomicU64,
    /// Milliseconds since `started`: until then no connection is opened that can be done without.
    enough_until: AtomicU64,
}

impl Backends {
    async fn open(&self) -> Result<Backend, sqlx::Error> {
        let mut connection = self.connect.connect().await?;
        let process = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await?;
        Ok(Backend { connection, process, tested: Instant::now(), opened_by: Handle::current().id() })
    }

    fn suspect(&self) {
        self.suspect_before.store(self.now() + 1, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl managed::Manager for Backends {
    type Type = Backend;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Backend, sqlx::Error> {
        // Every statement's future has room for this one, which is kilobytes and seldom needed.
        Box::pin(self.open()).await
    }

    async fn recycle(&self, backend: &mut Backend, metrics: &managed::Metrics) -> RecycleResult<sqlx::Error> {
        if metrics.age() > self.max_lifetime {
            return Err(RecycleError::message("the connection has served its time"));
        }
        let suspect = self.started + Duration::from_millis(self.suspect_before.load(Ordering::Relaxed));
        if backend.tested < suspect {
            backend.connection.ping().await?;
            backend.tested = Instant::now();
        }
        Ok(())
    }
}
