//! All submissions in one stream.

use std::time::Duration;

use futures::stream::{self, BoxStream, Stream};
use futures::{StreamExt as _, TryStreamExt as _};
use selvedge_kit::db::Transaction;
use selvedge_kit::{Code, Context, Db, Error};
use selvedge_proto::contacts::v1::{ExportSubmissionsRequest, ListSubmissionsRequest, Submission};
use sqlx::QueryBuilder;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tracing::Instrument as _;

use super::Row;
use super::filter::Filter;

/// As many rows as `FETCH` takes at once; each of them may be large.
const BATCH: usize = 50;
const FETCH: &str = "fetch 50 from exported";

/// Batches that wait for the reader.
const AHEAD: usize = 4;

type Batch = Vec<Submission>;

/// Streams what the filters let through, through a cursor: it sees the table as it was when it was opened, and neither
/// side ever has more than a few batches in memory.
///
/// The cursor belongs to a task that gives up when nobody takes a batch for as long as `stall`: a reader who just stands
/// there would otherwise hold its connection, and what it locks, for as long as it likes.
pub(super) async fn export(
    db: &Db,
    request: ExportSubmissionsRequest,
    place: OwnedSemaphorePermit,
    stall: Duration,
) -> Result<BoxStream<'static, Result<Submission, Status>>, Error> {
    let filter = Filter::new(question(request))?;
    let mut query = QueryBuilder::new(
        "declare exported no scroll cursor for
         select id, external_id, name, email, message, status, submitted_at, document_insights, created_at,
             updated_at
         from submissions where",
    );
    filter.push(&mut query, filter.from, filter.below);
    query.push(" order by id");
    let mut transaction = db.begin().await?;
    // A fetch that finds little reads much. Its end is that of the stream.
    sqlx::query!("set local statement_timeout = 0").execute(&mut *transaction).await?;
    query.build().persistent(false).execute(&mut *transaction).await?;

    let (sender, batches) = mpsc::channel(AHEAD);
    let call = Context::current();
    let end = call.deadline.map_or_else(|| Instant::now() + stall, Instant::from_std);
    let work = call.scope(timeout_at(end, fetch_all(transaction, sender, stall)));
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

async fn fetch_all(
    mut transaction: Transaction,
    sender: mpsc::Sender<Result<Batch, Status>>,
    stall: Duration,
) {
    loop {
        let fetched = fetch(&mut transaction).await.map_err(Status::from);
        let more = fetched.as_ref().is_ok_and(|batch| batch.len() == BATCH);
        let taken = sender.send_timeout(fetched, stall).await.is_ok();
        if !taken || !more {
            return;
        }
    }
}

async fn fetch(transaction: &mut Transaction) -> Result<Batch, Error> {
    let rows: Vec<Row> = sqlx::query_as(FETCH).persistent(false).fetch_all(&mut **transaction).await?;
    Ok(rows.into_iter().map(Submission::from).collect())
}

/// The rows of the batches, up to the first that is not full; without that one, an error.
fn rows(batches: mpsc::Receiver<Result<Batch, Status>>) -> impl Stream<Item = Result<Submission, Status>> {
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

/// An export has the filters of a list.
fn question(request: ExportSubmissionsRequest) -> ListSubmissionsRequest {
    ListSubmissionsRequest {
        page_size: 0,
        page_token: String::new(),
        status: request.status,
        email: request.email,
        submitted_from: request.submitted_from,
        submitted_before: request.submitted_before,
        insights_contains: request.insights_contains,
        text: request.text,
    }
}
