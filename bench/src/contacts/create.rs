//! What it costs a create that submissions are counted.

use sqlx::Executor as _;

use super::{Rows, Submissions, create_all, discard, serve_empty};
use crate::table::{Table, thousands};
use crate::{Result, Size};

const IN_FLIGHT: usize = 64;

pub(super) async fn run(size: Size) -> Result<()> {
    let calls = (size.rows / 10).min(10_000);
    let what = format!("create: {} CreateSubmissions, {IN_FLIGHT} in flight", thousands(calls));
    let mut table = Table::new(what, "call");
    let served = serve_empty().await;
    let client = Submissions::new(served.channel());
    let mut superuser = served.database.superuser().await;
    let rows = Rows::new(size.rows);
    // The partition of this month, and the connections.
    create_all(&client, rows, calls, IN_FLIGHT).await?;
    for _ in 0..size.rounds {
        table.time("as it is", calls, create_all(&client, rows, calls, IN_FLIGHT)).await?;
        superuser.execute("alter table submissions disable trigger submissions_count_new").await?;
        table.time("without counting", calls, create_all(&client, rows, calls, IN_FLIGHT)).await?;
        superuser.execute("alter table submissions enable trigger submissions_count_new").await?;
    }
    table.print();
    discard(served).await
}
