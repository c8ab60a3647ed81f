//! Makes a connection usable again whose caller left in the middle of something.

use std::time::Duration;

use deadpool::managed::Object;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tracing::{debug, warn};

use super::connection::is_of_statement;
use super::{Backends, CONNECT_TIMEOUT, Db, within};

/// How long a cancelled statement may take to end before its connection is given up.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Cancels what runs on the connection, rolls its transaction back and returns it to the pool, all in the background.
/// A connection for which that fails is closed instead.
pub(super) fn spawn(db: Db, backend: Object<Backends>, running: bool, in_transaction: bool) {
    let Ok(runtime) = Handle::try_current() else {
        // The process is going away; PostgreSQL notices the closed socket.
        drop(Object::take(backend));
        return;
    };
    runtime.spawn(async move {
        let mut backend = backend;
        // Without an answer to the cancel nobody knows when it arrives; it must not meet the statement of a next caller.
        let cancelled = !running || !db.0.cancel_abandoned || db.0.canceller.cancel(backend.process).await;
        let limit = if db.0.cancel_abandoned { SETTLE_TIMEOUT } else { Duration::MAX };
        let settled = within(limit, settle(&mut backend.connection, in_transaction)).await;
        match settled {
            Ok(()) if cancelled => debug!(process = backend.process, "freed an abandoned connection"),
            settled => {
                let reason = settled.err().unwrap_or_else(|| "its cancel may still be under way".into());
                warn!(process = backend.process, reason, "closed an abandoned connection");
                drop(Object::take(backend));
            }
        }
    });
}

/// Reads the rest of the answer (the error of the cancel included) and ends the transaction.
///
/// The round trip that this takes also makes sure that a cancel which came too late, after the statement had ended by
/// itself, hits this round trip at most and never a statement of the next caller.
async fn settle(connection: &mut PgConnection, in_transaction: bool) -> Result<(), sqlx::Error> {
    const ANSWERS_AT_MOST: usize = 4;
    let mut last = Ok(());
    for _ in 0..ANSWERS_AT_MOST {
        last = if in_transaction {
            connection.execute("rollback").await.map(drop)
        } else {
            connection.ping().await
        };
        // What the abandoned statement ended with, most often that it was cancelled, is nobody's business any more.
        if !last.as_ref().is_err_and(is_of_statement) {
            break;
        }
    }
    last
}

/// The connection from which the statements of others are cancelled, opened when it is first needed.
pub(super) struct Canceller {
    connect: PgConnectOptions,
    connection: Mutex<Option<PgConnection>>,
}

impl Canceller {
    pub(super) fn new(connect: PgConnectOptions) -> Self {
        Self { connect, connection: Mutex::new(None) }
    }

    /// Cancels what the process does, and tells whether PostgreSQL has confirmed that.
    async fn cancel(&self, process: i32) -> bool {
        let mut slot = self.connection.lock().await;
        // Taken out while in use, so that a failure leaves no broken connection behind.
        if let Some(connection) = slot.take() {
            *slot = confirmed(process, cancel_from(connection, process)).await;
        }
        // The one from last time may have been cut long ago; a new one says for sure.
        if slot.is_none() {
            let anew = async { cancel_from(self.connect.connect().await?, process).await };
            *slot = confirmed(process, anew).await;
        }
        slot.is_some()
    }
}

async fn cancel_from(mut connection: PgConnection, process: i32) -> Result<PgConnection, sqlx::Error> {
    sqlx::query("select pg_cancel_backend($1)").bind(process).execute(&mut connection).await?;
    Ok(connection)
}

/// The connection, if the cancel was answered in time.
async fn confirmed(
    process: i32,
    attempt: impl Future<Output = Result<PgConnection, sqlx::Error>>,
) -> Option<PgConnection> {
    match within(CONNECT_TIMEOUT, attempt).await {
        Ok(connection) => Some(connection),
        Err(reason) => {
            warn!(process, reason, "could not cancel an abandoned statement");
            None
        }
    }
}
