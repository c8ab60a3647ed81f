//! All submissions in one stream.

use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use selvedge_kit::db::Transaction;
use selvedge_kit::{Db, Error};
use selvedge_proto::contacts::v1::{ExportSubmissionsRequest, ListSubmissionsRequest, Submission};
use sqlx::QueryBuilder;
use tokio::sync::OwnedSemaphorePermit;
use tonic::Status;

use super::Row;
use super::filter::Filter;

/// As many rows as `FETCH` takes at once.
const BATCH: usize = 500;
const FETCH: &str = "fetch 500 from exported";

/// Streams what the filters let through, through a cursor: it sees the table as it was when it was opened, and neither
/// side ever has more than a batch in memory. Each fetch is a short statement, however long the whole takes.
pub(super) async fn export(
    db: &Db,
    request: ExportSubmissionsRequest,
    place: OwnedSemaphorePermit,
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
    query.build().persistent(false).execute(&mut *transaction).await?;
    let batches = stream::try_unfold(Some((transaction, place)), fetch);
    Ok(batches.map_ok(|rows| stream::iter(rows.into_iter().map(Ok))).try_flatten().boxed())
}

type Open = (Transaction, OwnedSemaphorePermit);

async fn fetch(open: Option<Open>) -> Result<Option<(Vec<Submission>, Option<Open>)>, Status> {
    let Some((mut transaction, place)) = open else { return Ok(None) };
    let rows: Vec<Row> =
        sqlx::query_as(FETCH).persistent(false).fetch_all(&mut *transaction).await.map_err(Error::from)?;
    let more = rows.len() == BATCH;
    let open = if more {
        Some((transaction, place))
    } else {
        transaction.commit().await?;
        None
    };
    Ok(Some((rows.into_iter().map(Submission::from).collect(), open)))
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
