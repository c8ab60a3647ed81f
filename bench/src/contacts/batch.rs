//! A thousand submissions in one call, in a thousand calls, and without the service.

use chrono::Utc;
use selvedge_kit::convert;
use selvedge_proto::contacts::v1::BatchCreateSubmissionsRequest;
use sqlx::postgres::PgConnection;

use super::rows::{mint_id, status_column};
use super::{Rows, Submissions, create_all, discard, fresh, serve_empty};
use crate::table::Table;
use crate::{Result, Size};

const BATCH: u64 = 1_000;
/// A single batch is over too soon to be measured well.
const BATCHES: u64 = 10;

pub(super) async fn run(size: Size) -> Result<()> {
    let mut table = Table::new("batch: a thousand submissions, in each way", "row");
    let served = serve_empty().await;
    let mut client = Submissions::new(served.channel());
    let mut connection = served.database.role("app").await;
    let rows = Rows::new(size.rows);
    // One after the other takes so long that a few must do.
    let (many, few) = (BATCH.min(size.rows / 10), BATCH.min(size.rows / 10) / 5);
    // The partition of this month, and the connections.
    create_all(&client, rows, few, 64).await?;
    for _ in 0..size.rounds {
        table.time("BatchCreateSubmissions", BATCH * BATCHES, batches(&mut client, rows)).await?;
        table.time("CreateSubmission, 64 in flight", many, create_all(&client, rows, many, 64)).await?;
        table.time("CreateSubmission, one after the other", few, create_all(&client, rows, few, 1)).await?;
        table.time("insert .. select from unnest", BATCH * BATCHES, inserts(&mut connection, rows)).await?;
    }
    table.print();
    discard(served).await
}

async fn batches(client: &mut Submissions, rows: Rows) -> Result<()> {
    for batch in 0..BATCHES {
        let submissions: Vec<_> = (0..BATCH).map(|number| fresh(rows, batch * BATCH + number)).collect();
        let request = BatchCreateSubmissionsRequest { submissions, request_id: String::new() };
        let stored = client.batch_create_submissions(request).await?.into_inner().submissions.len();
        if u64::try_from(stored)? != BATCH {
            return Err(format!("{stored} submissions of a batch were stored").into());
        }
    }
    Ok(())
}

/// The same rows by the same role, with nothing but the database: it cannot be done faster with this table.
async fn inserts(connection: &mut PgConnection, rows: Rows) -> Result<()> {
    for batch in 0..BATCHES {
        let now = Utc::now();
        let submissions: Vec<_> = (0..BATCH).map(|number| fresh(rows, batch * BATCH + number)).collect();
        let ids: Vec<_> = (0..BATCH).map(|_| mint_id(now, rand::random())).collect();
        let insights =
            submissions.iter().map(|it| convert::json(it.document_insights.clone().unwrap_or_default()));
        let insert = sqlx::query(
            "insert into submissions (id, name, email, message, status, submitted_at, document_insights)
             select id, name, email, message, status, $6, insights
             from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $7::jsonb[])
                 as new (id, name, email, message, status, insights)",
        )
        .bind(ids)
        .bind(submissions.iter().map(|it| it.name.as_str()).collect::<Vec<_>>())
        .bind(submissions.iter().map(|it| it.email.as_str()).collect::<Vec<_>>())
        .bind(submissions.iter().map(|it| it.message.as_str()).collect::<Vec<_>>())
        .bind(submissions.iter().map(|it| status_column(it.status())).collect::<Vec<_>>())
        .bind(now)
        .bind(insights.collect::<Vec<_>>());
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}
