use std::ops::{Deref, DerefMut};
use std::time::Instant;

use deadpool::managed::Object;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use super::{Backends, Db, reclaim};
use crate::{Context, Result};

/// A connection taken from the pool; it goes back when dropped, at whatever point that happens.
pub struct Connection {
    db: Db,
    /// `None` only while it is being dropped.
    backend: Option<Object<Backends>>,
    state: State,
    in_transaction: bool,
}

/// What the connection is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Idle,
    /// A statement was sent and its end has not been read.
    Running,
    /// The conversation with the server broke.
    Broken,
}

impl Connection {
    pub(super) fn new(db: Db, backend: Object<Backends>) -> Self {
        Self { db, backend: Some(backend), state: State::Idle, in_transaction: false }
    }

    /// What a statement needs at the same time.
    pub(super) fn parts(&mut self) -> (&Db, &mut PgConnection, &mut State) {
        let backend = self.backend.as_mut().expect("the backend is only gone in drop");
        (&self.db, &mut backend.connection, &mut self.state)
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let backend = self.backend.take().expect("drop runs once");
        match self.state {
            State::Idle if !self.in_transaction => drop(backend),
            State::Broken => {
                self.db.0.pool.manager().suspect();
                drop(Object::take(backend));
            }
            state => reclaim::spawn(self.db.clone(), backend, state == State::Running, self.in_transaction),
        }
    }
}

/// A transaction: a [`Connection`] between `begin` and `commit`.
#[derive(Debug)]
pub struct Transaction(Connection);

impl Transaction {
    pub(super) async fn begin(mut connection: Connection) -> Result<Self, sqlx::Error> {
        let begin = match Context::current().deadline {
            // Both in one round trip. At least a millisecond, because 0 would mean no limit.
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now()).as_millis().max(1);
                AssertSqlSafe(format!("begin; set local statement_timeout = {left}")).into_sql_str()
            }
            None => "begin".into_sql_str(),
        };
        connection.in_transaction = true;
        (&mut connection).execute(begin).await?;
        Ok(Self(connection))
    }

    /// Makes everything that was done in the transaction true.
    ///
    /// An error that says the connection was lost leaves open whether that happened.
    pub async fn commit(mut self) -> Result<()> {
        (&mut self.0).execute("commit").await?;
        self.0.in_transaction = false;
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}
