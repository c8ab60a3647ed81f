//! A search in insights: as many matches in a small table and in a large one.

use std::time::Instant;

use futures::future::try_join;
use selvedge_proto::contacts::v1::ListSubmissionsRequest;
use selvedge_testing::{Database, Served};
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;
use tokio::time::sleep;

use super::rows::{MATCHES, SOUGHT, campaign_insights};
use super::{POLL, Rows, Submissions, drop_database, serve_full};
use crate::table::{Table, median, note, thousands};
use crate::{Result, Size};

const SMALL: u64 = 1_000;
const MOST_CALLS: u64 = 100;
/// They open the connections, find nothing in memory, and do not count.
const FIRST_CALLS: u64 = 10;

struct Contender {
    name: String,
    served: Served,
    client: Submissions,
}

pub(super) async fn run(size: Size) -> Result<()> {
    let what = format!(
        "insights: ListSubmissions with insights_contains, one client, all {MATCHES} matches on a page"
    );
    let calls = (size.rows / 100).min(MOST_CALLS);
    let mut table = Table::new(what, "call");
    let (small, large) = try_join(start(SMALL), start(size.rows)).await?;
    let mut contenders = [small, large];
    for _ in 0..size.rounds {
        let mut seconds = [vec![], vec![]];
        for _ in 0..calls {
            for (contender, seconds) in contenders.iter_mut().zip(&mut seconds) {
                seconds.push(search(&mut contender.client).await?);
            }
        }
        for (contender, seconds) in contenders.iter().zip(&seconds) {
            table.add(&contender.name, median(seconds));
        }
    }
    table.print();
    let calls = u64::from(size.rounds) * calls + FIRST_CALLS;
    for Contender { name, served, .. } in contenders {
        let database = served.stop().await;
        note(&format!("scans in the tables of {name}, for {calls} calls:"));
        for (of, count) in scans(&database).await? {
            note(&format!("  {of:<46} {:>14}", thousands(count.unsigned_abs())));
        }
        drop_database(&database).await?;
    }
    Ok(())
}

async fn start(count: u64) -> Result<Contender> {
    let served = serve_full(Rows::new(count)).await?;
    wait_until_alone(&mut served.database.superuser().await, &["contacts_app"]).await?;
    served.database.superuser().await.execute("select pg_stat_reset()").await?;
    let mut client = Submissions::new(served.channel());
    for _ in 0..FIRST_CALLS {
        search(&mut client).await?;
    }
    Ok(Contender { name: format!("{} rows", thousands(count)), served, client })
}

/// How often the partitions of submissions were read from end to end, and each of their indexes was looked into. The
/// planner does so as well: it asks the primary key how far the ids go.
async fn scans(database: &Database) -> Result<Vec<(String, i64)>> {
    let mut superuser = database.superuser().await;
    wait_until_alone(&mut superuser, &[]).await?;
    let scans = sqlx::query_as(
        "with months as (
             select inhrelid as id from pg_inherits
             where inhparent = 'submissions'::regclass and inhrelid <> 'submissions_default'::regclass
         )
         select 'the whole of a month', sum(seq_scan)::bigint from pg_stat_user_tables
         where relid in (select id from months)
         union all
         (select of.relname, sum(idx_scan)::bigint
          from pg_stat_user_indexes as index
          join pg_inherits on inhrelid = indexrelid
          join pg_class as of on of.oid = inhparent
          where relid in (select id from months)
          group by of.relname
          order by of.relname)",
    );
    Ok(scans.fetch_all(&mut superuser).await?)
}

/// Waits until nobody but these roles is connected: a session adds to the statistics when it ends.
async fn wait_until_alone(connection: &mut PgConnection, but_for: &[&str]) -> Result<()> {
    let others = "select exists (select from pg_stat_activity where datname = current_database() and usename <> all($1)
                      and backend_type = 'client backend' and pid <> pg_backend_pid())";
    while sqlx::query_scalar(others).bind(but_for).fetch_one(&mut *connection).await? {
        sleep(POLL).await;
    }
    Ok(())
}

/// How long it took, in seconds.
async fn search(client: &mut Submissions) -> Result<f64> {
    let request = ListSubmissionsRequest {
        page_size: 100,
        insights_contains: Some(campaign_insights(SOUGHT)),
        ..Default::default()
    };
    let began = Instant::now();
    let found = client.list_submissions(request).await?.into_inner().submissions.len();
    let took = began.elapsed().as_secs_f64();
    if u64::try_from(found)? != MATCHES {
        return Err(format!("the search found {found} submissions").into());
    }
    Ok(took)
}
