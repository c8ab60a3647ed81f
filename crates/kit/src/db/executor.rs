//! Lets sqlx run statements on our connections, each of them watched by a [`Statement`].

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{Describe, Either, Execute, Executor, SqlStr};

use super::connection::State;
use super::statement::Statement;
use super::{Connection, Db};

type Step = Either<PgQueryResult, PgRow>;

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let call = Call::new(query);
        let (db, connection, state) = self.parts();
        state.begin();
        let statement = Statement::new(db, call.sql.clone());
        Box::pin(Rows { rows: connection.fetch_many(call), state, statement })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        first_row(self.fetch_many(query))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        let (_, connection, state) = self.parts();
        state.begin();
        Box::pin(async move {
            let prepared = connection.prepare_with(sql, parameters).await;
            state.end(prepared.as_ref().err());
            prepared
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        let (_, connection, state) = self.parts();
        state.begin();
        Box::pin(async move {
            let described = connection.describe(sql).await;
            state.end(described.as_ref().err());
            described
        })
    }
}

/// A statement that runs on the pool itself is read to its end before its first row is given out, so that the
/// connection is free again; to stream a long answer, acquire a connection.
impl<'c> Executor<'c> for &'c Db {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let all = async move {
            let mut connection = self.take().await?;
            let steps: Vec<Step> = connection.fetch_many(query).try_collect().await?;
            Ok::<_, sqlx::Error>(stream::iter(steps.into_iter().map(Ok)))
        };
        stream::once(all).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move { self.take().await?.fetch_optional(query).await })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        Box::pin(async move { self.take().await?.prepare_with(sql, parameters).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        Box::pin(async move { self.take().await?.describe(sql).await })
    }
}

/// Reads to the end, as a deferred constraint may still fail after the first row.
fn first_row(
    mut steps: BoxStream<'_, Result<Step, sqlx::Error>>,
) -> BoxFuture<'_, Result<Option<PgRow>, sqlx::Error>> {
    Box::pin(async move {
        let mut first = None;
        while let Some(step) = steps.try_next().await? {
            if let Either::Right(row) = step {
                first.get_or_insert(row);
            }
        }
        Ok(first)
    })
}

/// The steps of one statement on their way to the caller.
struct Rows<'e> {
    rows: BoxStream<'e, Result<Step, sqlx::Error>>,
    state: &'e mut State,
    statement: Statement<'e>,
}

impl Stream for Rows<'_> {
    type Item = Result<Step, sqlx::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let step = ready!(self.rows.poll_next_unpin(cx));
        match &step {
            Some(Ok(Either::Right(_))) => self.statement.rows += 1,
            Some(Ok(Either::Left(result))) => self.statement.affected += result.rows_affected().cast_signed(),
            Some(Err(error)) => {
                self.state.end(Some(error));
                self.statement.end(Some(error));
            }
            None => {
                // After an error the stream ends as well; what the error left stays.
                self.state.end(None);
                self.statement.end(None);
            }
        }
        Poll::Ready(step)
    }
}

/// A query taken apart, so that its text is known before it runs.
struct Call {
    sql: SqlStr,
    arguments: Result<Option<PgArguments>, BoxDynError>,
    persistent: bool,
}

impl Call {
    fn new<'q>(mut query: impl Execute<'q, Postgres>) -> Self {
        let arguments = query.take_arguments();
        Self { arguments, persistent: query.persistent(), sql: query.sql() }
    }
}

impl Execute<'_, Postgres> for Call {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&PgStatement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        std::mem::replace(&mut self.arguments, Ok(None))
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}
