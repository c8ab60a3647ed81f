use std::ops::{Deref, DerefMut};
use std::time::Instant;

use deadpool::managed::Object;
use sqlx::postgres::{PgConnection, PgDatabaseError, PgSeverity};
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use super::{Backends, Db, reclaim};
use crate::{Context, Error, Result};

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
    /// The last statement failed, and nothing else did; a transaction cannot be committed any more.
    Refused,
    /// The conversation with the server broke.
    Broken,
}

impl State {
    /// A statement is about to be sent. What is broken stays broken.
    pub(super) fn begin(&mut self) {
        if *self != Self::Broken {
            *self = Self::Running;
        }
    }

    /// An error that the server sent ends the statement; one that ended the server's side as well, or that it did not
    /// send, leaves the conversation in an unknown place.
    pub(super) fn end(&mut self, error: Option<&sqlx::Error>) {
        let ended = match error {
            None => Self::Idle,
            // An argument that cannot be encoded was never sent, and so leaves nothing behind but a failed statement.
            Some(sqlx::Error::Encode(_)) => Self::Refused,
            Some(error) if is_of_statement(error) => Self::Refused,
            Some(_) => Self::Broken,
        };
        if *self == Self::Running {
            *self = ended;
        }
    }
}

/// Whether the server goes on after this error, because only the statement failed.
pub(super) fn is_of_statement(error: &sqlx::Error) -> bool {
    let database = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    database.is_some_and(|error| !matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic))
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
            State::Idle | State::Refused if !self.in_transaction => drop(backend),
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
            // Both in one round trip. At least a millisecond, because 0 would mean no limit; and never more than what
            // holds for every statement.
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                let left = left.min(connection.db.0.statement_timeout).as_millis().max(1);
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
        // PostgreSQL would roll back and not call it an error.
        if self.0.state == State::Refused {
            return Err(Error::internal("a transaction was to be committed in which a statement had failed"));
        }
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
