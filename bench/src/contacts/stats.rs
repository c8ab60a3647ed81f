//! `GetSubmissionStats`, and counting the table itself.

use std::time::Instant;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use selvedge_proto::contacts::v1::GetSubmissionStatsRequest;
use selvedge_testing::Served;
use sqlx::postgres::PgConnection;

use super::{Rows, Submissions, discard, serve_full};
use crate::table::{Table, median, thousands};
use crate::{Result, Size};

const RECENT_DAYS: u64 = 30;
const CALLS: u32 = 10;

/// What is asked of the table: each reads what it needs once. The ids lead to the partitions of the days.
const COUNTS: [&str; 3] = [
    "select status, count(*) from submissions
     where id >= uuid_v7_floor($1) and id < uuid_v7_floor($2) group by 1",
    "select (submitted_at at time zone 'UTC')::date::text, count(*) from submissions
     where id >= uuid_v7_floor($1) and id < uuid_v7_floor($2) group by 1",
    "select email_domain_of(email), count(*) from submissions
     where id >= uuid_v7_floor($1) and id < uuid_v7_floor($2) group by 1 order by 2 desc",
];

pub(super) async fn run(size: Size) -> Result<()> {
    let rows = Rows::new(size.rows);
    let served = serve_full(rows).await?;
    let days = |days| Utc::now().date_naive() - Days::new(days);
    // The rows end with yesterday.
    let recent = format!("stats: by status, day and domain, of the last {RECENT_DAYS} days");
    compare(&served, size, &recent, days(RECENT_DAYS), days(1)).await?;
    let all = format!("stats: by status, day and domain, of all {} rows", thousands(rows.count));
    compare(&served, size, &all, days(1000), days(1)).await?;
    discard(served).await
}

async fn compare(served: &Served, size: Size, what: &str, first: NaiveDate, last: NaiveDate) -> Result<()> {
    let mut table = Table::new(what, "answer");
    let mut client = Submissions::new(served.channel());
    let mut connection = served.database.role("app").await;
    ask(&mut client, first, last).await?;
    count(&mut connection, first, last).await?;
    for _ in 0..size.rounds {
        let (mut counted, mut asked) = (vec![], vec![]);
        for _ in 0..CALLS {
            let (true_total, seconds) = count(&mut connection, first, last).await?;
            counted.push(seconds);
            let (total, seconds) = ask(&mut client, first, last).await?;
            asked.push(seconds);
            if total != true_total {
                return Err(format!("the stats have {total} submissions, the table has {true_total}").into());
            }
        }
        table.add("three scans, one connection", median(&counted));
        table.add("GetSubmissionStats, one client", median(&asked));
    }
    table.print();
    Ok(())
}

/// The total, and how many seconds it took.
async fn ask(client: &mut Submissions, first: NaiveDate, last: NaiveDate) -> Result<(i64, f64)> {
    let request = GetSubmissionStatsRequest {
        time_zone: String::new(),
        first_day: first.to_string(),
        last_day: last.to_string(),
    };
    let began = Instant::now();
    let stats = client.get_submission_stats(request).await?.into_inner();
    Ok((stats.total, began.elapsed().as_secs_f64()))
}

/// The same, of the table itself.
async fn count(connection: &mut PgConnection, first: NaiveDate, last: NaiveDate) -> Result<(i64, f64)> {
    let midnight = |day: NaiveDate| -> DateTime<Utc> { day.and_time(NaiveTime::MIN).and_utc() };
    let began = Instant::now();
    let mut total = 0;
    for sql in COUNTS {
        let counts = sqlx::query_as(sql).bind(midnight(first)).bind(midnight(last + Days::new(1)));
        let counts: Vec<(String, i64)> = counts.fetch_all(&mut *connection).await?;
        total = counts.iter().map(|(_, count)| count).sum();
    }
    Ok((total, began.elapsed().as_secs_f64()))
}
