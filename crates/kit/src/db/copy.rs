//! `copy .. from stdin`: many rows at once.

use sqlx::SqlSafeStr as _;
use sqlx::postgres::PgConnection;

use super::Connection;
use super::connection::State;
use super::statement::Statement;
use crate::Result;

/// PostgreSQL reads a piece only when it is there completely; with small ones it works while we send.
const PIECE_BYTES: usize = 64 * 1024;

impl Connection {
    /// Runs a `copy .. from stdin` with this data and answers with the number of rows.
    ///
    /// A caller that leaves in the middle leaves a connection that nobody else can use: it is closed, and PostgreSQL
    /// undoes what it has got so far.
    pub async fn copy_in(&mut self, sql: &'static str, data: &[u8]) -> Result<u64> {
        let (db, connection, state) = self.parts();
        let mut statement = Statement::new(db, sql.into_sql_str());
        let before = std::mem::replace(state, State::Broken);
        let copied = copy(connection, sql, data).await;
        if before != State::Broken {
            *state = State::Running;
            state.end(copied.as_ref().err());
        }
        if let Ok(rows) = &copied {
            statement.affected = rows.cast_signed();
        }
        statement.end(copied.as_ref().err());
        Ok(copied?)
    }
}

async fn copy(connection: &mut PgConnection, sql: &str, data: &[u8]) -> Result<u64, sqlx::Error> {
    let mut copy = connection.copy_in_raw(sql).await?;
    for piece in data.chunks(PIECE_BYTES) {
        copy.send(piece).await?;
    }
    copy.finish().await
}
