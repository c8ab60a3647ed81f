use std::time::Duration;

use futures::stream::{self, BoxStream, Stream};
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Postgres, QueryBuilder};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tracing::Instrument as _;

use super::Places;
use crate::db::Transaction;
use crate::{Code, Context, Db, Error, Kit, Result};

/// As many rows as `FETCH` takes at once; each of them may be large.
const BATCH: usize = 50;
const FETCH: &str = "fetch 50 from exported";

/// Batches that wait for the reader.
const AHEAD: usize = 4;

type Batch<M> = Vec<M>;

/// Streams all rows of a statement.
pub struct Exports {
    db: Db,
    places: Places,
    stall: Duration,
}

/// Begins the statement of an export with `select ..`.
pub fn cursor(select: &str) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("declare exported no scroll cursor for ");
    query.push(select);
    query
}

impl Exports {
    /// Each holds a connection for a long time; half of them are left for everything else.
    pub fn new(kit: &Kit) -> Self {
        let places = Places::new((kit.db.pool_size() / 2).max(1));
        Self { db: kit.db.clone(), places, stall: kit.limits.stream_idle }
    }

    /// Streams the rows `R` of a statement that [`cursor`] began, as messages `M`: it sees the tables as they were when
    /// it was opened, and neither side ever has more than a few batches in memory.
    ///
    /// The cursor belongs to a task that gives up when nobody takes a batch for as long as a stream may be silent: a
    /// reader who just stands there would otherwise hold its connection, and what it locks, for as long as it likes.
    pub async fn stream<R, M>(
        &self,
        mut query: QueryBuilder<Postgres>,
    ) -> Result<BoxStream<'static, Result<M, Status>>>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static,
        M: From<R> + Send + 'static,
    {
        let place = self.places.take()?;
        let mut transaction = self.db.begin().await?;
        // A fetch that finds little reads much. Its end is that of the stream.
        sqlx::query("set local statement_timeout = 0").execute(&mut *transaction).await?;
        query.build().persistent(false).execute(&mut *transaction).await?;

        let (sender, batches) = mpsc::channel(AHEAD);
        let call = Context::current();
        let end = call.deadline.map_or_else(|| Instant::now() + self.stall, Instant::from_std);
        let work = call.scope(timeout_at(end, fetch_all::<R, M>(transaction, sender, self.stall)));
        tokio::spawn(
            async move {
                let _place = place;
                // Whatever ended it, the reader learns of it by the missing end.
                work.await.ok();
            }
            .in_current_span(),
        );
        Ok(rows(batches).boxed())
    }
}

async fn fetch_all<R, M>(
    mut transaction: Transaction,
    sender: mpsc::Sender<Result<Batch<M>, Status>>,
    stall: Duration,
) where
    R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    M: From<R>,
{
    loop {
        let fetched = fetch::<R, M>(&mut transaction).await.map_err(Status::from);
        let more = fetched.as_ref().is_ok_and(|batch| batch.len() == BATCH);
        let taken = sender.send_timeout(fetched, stall).await.is_ok();
        if !taken || !more {
            return;
        }
    }
}

async fn fetch<R, M>(transaction: &mut Transaction) -> Result<Batch<M>>
where
    R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    M: From<R>,
{
    let rows: Vec<R> = sqlx::query_as(FETCH).persistent(false).fetch_all(&mut **transaction).await?;
    Ok(rows.into_iter().map(M::from).collect())
}

/// The rows of the batches, up to the first that is not full; without that one, an error.
fn rows<M>(batches: mpsc::Receiver<Result<Batch<M>, Status>>) -> impl Stream<Item = Result<M, Status>> {
    stream::try_unfold(Some(batches), async |batches| {
        let Some(mut batches) = batches else { return Ok(None) };
        let batch = batches.recv().await.ok_or_else(stalled)??;
        let more = batch.len() == BATCH;
        Ok::<_, Status>(Some((stream::iter(batch.into_iter().map(Ok)), more.then_some(batches))))
    })
    .try_flatten()
}

fn stalled() -> Error {
    Error::new(Code::Unavailable, "EXPORT_STALLED", "the export was not read for too long; start it again")
}
