//! What a failure of the database means to the caller of an RPC.

use std::time::Duration;

use sqlx::error::DatabaseError;

use super::{Code, Error, Result};

/// Names what the breach of a constraint means, where the statement is.
pub trait ResultExt<T> {
    /// Turns the breach of the constraint `name` into the given error and leaves every other error alone.
    ///
    /// ```no_run
    /// # use selvedge_kit::{Code, Error, Result, ResultExt};
    /// # async fn f(db: &selvedge_kit::Db) -> Result<()> {
    /// sqlx::query("insert into categories (name) values ('Horror')")
    ///     .execute(db)
    ///     .await
    ///     .on_constraint("categories_name_key", || {
    ///         Error::new(Code::AlreadyExists, "CATEGORY_NAME_TAKEN", "there is a category of this name")
    ///     })?;
    /// # Ok(())
    /// # }
    /// ```
    fn on_constraint(self, name: &str, error: impl FnOnce() -> Error) -> Result<T>;
}

impl<T, E: Into<Error> + ConstraintBreach> ResultExt<T> for Result<T, E> {
    fn on_constraint(self, name: &str, error: impl FnOnce() -> Error) -> Result<T> {
        self.map_err(|cause| if cause.constraint() == Some(name) { error() } else { cause.into() })
    }
}

/// Lets `on_constraint` be called again on what the first call left alone.
pub trait ConstraintBreach {
    /// The name of the constraint that was broken, if that is what happened.
    fn constraint(&self) -> Option<&str>;
}

impl ConstraintBreach for sqlx::Error {
    fn constraint(&self) -> Option<&str> {
        self.as_database_error().and_then(DatabaseError::constraint)
    }
}

impl ConstraintBreach for Error {
    fn constraint(&self) -> Option<&str> {
        self.0.cause.as_ref()?.downcast_ref::<sqlx::Error>()?.constraint()
    }
}

impl Error {
    /// Whether a value or a constraint was in the way: SQLSTATE's classes of data exceptions and of constraint violations.
    pub(super) fn breaks_a_rule_of_the_database(&self) -> bool {
        let cause = self.0.cause.as_ref().and_then(|cause| cause.downcast_ref::<sqlx::Error>());
        let state = cause.and_then(|cause| cause.as_database_error()?.code());
        state.is_some_and(|state| state.starts_with("22") || state.starts_with("23"))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Self::new(
                Code::Unavailable,
                "DATABASE_BUSY",
                "too many requests are waiting for the database",
            )
            .retry_after(Duration::from_millis(500))
            .because(error),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => unavailable().because(error),
            // A check without a name is a partition's: it was attached while the row was on its way to another one.
            sqlx::Error::Database(database)
                if database.code().as_deref() == Some("23514") && database.constraint().is_none() =>
            {
                conflict().because(error)
            }
            sqlx::Error::Database(database) => {
                let state = database.code().unwrap_or_default().into_owned();
                of_sqlstate(&state, database.message()).because(error)
            }
            _ => Self::internal(error),
        }
    }
}

/// See <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn of_sqlstate(state: &str, message: &str) -> Error {
    match state {
        // `statement_timeout`, or a cancel from another connection because the caller's time was up.
        "57014" => Error::new(Code::DeadlineExceeded, "STATEMENT_TIMEOUT", "the database took too long"),
        // Serialization failure, deadlock, lock not available: the other transaction won.
        "40001" | "40P01" | "55P03" => conflict(),
        // Characters or values that PostgreSQL cannot store, for example U+0000.
        "22021" | "22P05" | "22003" | "22008" => Error::new(
            Code::InvalidArgument,
            "VALUE_NOT_STORABLE",
            "the request holds a value that cannot be stored",
        ),
        // Connection exceptions, refused logins, out of resources, operator intervention, system errors: none of
        // them is the caller's doing, and all of them may pass.
        _ if ["08", "28", "53", "57", "58"].contains(&state.get(..2).unwrap_or_default()) => unavailable(),
        // A read-only standby was asked to write, as happens in the middle of a failover.
        "25006" => unavailable(),
        _ => Error::internal(format!("SQLSTATE {state}: {message}")),
    }
}

fn conflict() -> Error {
    Error::new(Code::Aborted, "CONFLICT", "another change was being made at the same time; try again")
}

fn unavailable() -> Error {
    Error::new(Code::Unavailable, "DATABASE_UNAVAILABLE", "the database cannot be reached")
}
