//! Makes a connection usable again whose caller left in the middle of something.

use std::time::Duration;

use deadpool::managed::Object;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tracing::{debug, warn};

use super::{Backends, CONNECT_TIMEOUT, Db};

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
        if running && db.0.cancel_abandoned {
            db.0.canceller.cancel(backend.process).await;
        }
        let limit = if db.0.cancel_abandoned { SETTLE_TIMEOUT } else { Duration::MAX };
        match tokio::time::timeout(limit, settle(&mut backend.connection, in_transaction)).await {
            Ok(Ok(())) => debug!(process = backend.process, "freed an abandoned connection"),
            failed => {
                warn!(process = backend.process, ?failed, "gave up an abandoned connection");
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
        match &last {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("57014") => {}
            _ => break,
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

    async fn cancel(&self, process: i32) {
        let attempt = async {
            let mut slot = self.connection.lock().await;
            // Taken out while in use, so that a failure leaves no broken connection behind.
            let mut connection = match slot.take() {
                Some(connection) => connection,
                None => self.connect.connect().await?,
            };
            sqlx::query("select pg_cancel_backend($1)").bind(process).execute(&mut connection).await?;
            *slot = Some(connection);
            Ok::<_, sqlx::Error>(())
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, attempt).await {
            Ok(Ok(())) => {}
            failed => warn!(process, ?failed, "could not cancel an abandoned statement"),
        }
    }
}
