//! The benches of the contacts service.

mod batch;
mod create;
mod documents;
mod import;
mod insights;
mod rows;
mod stats;

use std::future::ready;
use std::time::Duration;

use clap::{Args, ValueEnum};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{CreateSubmissionRequest, Submission};
use selvedge_testing::{Database, Served, serve_with};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;

use crate::{Result, Size, table};
use rows::{COLUMNS, Rows};

type Submissions = SubmissionServiceClient<Channel>;

/// Far longer than any of them takes.
const LIMIT: Duration = Duration::from_hours(2);

/// How long a call may take, and wait for a connection.
const PATIENCE: Duration = Duration::from_mins(5);

const POLL: Duration = Duration::from_millis(100);
const MEBIBYTE: usize = 1 << 20;

/// What to measure of the contacts service.
#[derive(Args)]
pub(crate) struct Contacts {
    /// Only this bench
    bench: Option<Bench>,
    #[command(flatten)]
    size: Size,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// A thousand submissions in one call, and in a thousand
    Batch,
    /// One stream, and `\copy`
    Import,
    /// A search in insights, in a small and in a large table
    Insights,
    /// The counts that are kept, and counting
    Stats,
    /// Documents of one submission, and of many
    Documents,
    /// What the counts cost a create
    Create,
}

impl Contacts {
    pub(crate) async fn run(self) -> Result<()> {
        table::print_header(self.size)?;
        for bench in Bench::value_variants() {
            if self.bench.is_none_or(|only| only == *bench) {
                timeout(LIMIT, bench.run(self.size))
                    .await
                    .map_err(|_| format!("{bench:?} was not done within {LIMIT:?}"))??;
            }
        }
        Ok(())
    }
}

impl Bench {
    async fn run(self, size: Size) -> Result<()> {
        match self {
            Self::Batch => batch::run(size).await,
            Self::Import => import::run(size).await,
            Self::Insights => insights::run(size).await,
            Self::Stats => stats::run(size).await,
            Self::Documents => documents::run(size).await,
            Self::Create => create::run(size).await,
        }
    }
}

/// A service with an empty database. Whatever the machine is busy with makes it slow, and not fail.
async fn serve_empty() -> Served {
    serve_with(SERVICE, |config| {
        config.database.pool.acquire_timeout = PATIENCE;
        config.limits.default_deadline = PATIENCE;
    })
    .await
}

/// A service whose table is full, at rest: analyzed, and with its counts folded.
async fn serve_full(rows: Rows) -> Result<Served> {
    let served = serve_empty().await;
    let mut superuser = served.database.superuser().await;
    ensure_partitions(&mut superuser, rows).await?;
    let mut copy = superuser.copy_in_raw(&format!("copy submissions ({COLUMNS}) from stdin")).await?;
    let mut lines = String::with_capacity(2 * MEBIBYTE);
    for number in 0..rows.count {
        rows.write_line(number, &mut lines);
        if lines.len() > MEBIBYTE {
            copy.send(lines.as_bytes()).await?;
            lines.clear();
        }
    }
    copy.send(lines.as_bytes()).await?;
    copy.finish().await?;
    wait_until_folded(&mut superuser).await?;
    superuser.execute("vacuum analyze").await?;
    superuser.execute("checkpoint").await?;
    Ok(served)
}

async fn ensure_partitions(connection: &mut PgConnection, rows: Rows) -> Result<()> {
    for month in rows.months() {
        sqlx::query("select ensure_submissions_partition($1)").bind(month).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Waits until the service has folded all that was noted about submissions into its counts.
async fn wait_until_folded(connection: &mut PgConnection) -> Result<()> {
    while sqlx::query_scalar("select exists (select from submission_deltas)")
        .fetch_one(&mut *connection)
        .await?
    {
        sleep(POLL).await;
    }
    Ok(())
}

/// Ends the service and removes its database, so that what comes next finds the machine as this did.
async fn discard(served: Served) -> Result<()> {
    let database = served.stop().await;
    drop_database(&database).await
}

async fn drop_database(database: &Database) -> Result<()> {
    let mut elsewhere = database.superuser_options().database("postgres").connect().await?;
    elsewhere.execute(AssertSqlSafe(format!("drop database {} with (force)", database.name()))).await?;
    elsewhere.execute("checkpoint").await?;
    Ok(())
}

/// Creates so many submissions, a call each, of which so many are under way at any time.
async fn create_all(client: &Submissions, rows: Rows, count: u64, in_flight: usize) -> Result<()> {
    let calls = (0..count).map(|number| {
        let request =
            CreateSubmissionRequest { submission: Some(fresh(rows, number)), request_id: String::new() };
        let mut client = client.clone();
        async move { client.create_submission(request).await }
    });
    stream::iter(calls).buffer_unordered(in_flight).try_for_each(|_| ready(Ok(()))).await?;
    Ok(())
}

/// A submission that is sent now.
fn fresh(rows: Rows, number: u64) -> Submission {
    Submission { submitted_at: None, ..rows.submission(number % rows.count) }
}
