//! The counts of submissions, held against what is there.

use std::collections::BTreeMap;
use std::time::Duration;

use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{
    DeleteSubmissionRequest, GetSubmissionStatsRequest, SubmissionStats, SubmissionStatus,
};
use selvedge_testing::{Served, serve, violated};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::Code;
use tonic::transport::Channel;

type Client = SubmissionServiceClient<Channel>;

/// Rows over ninety days, spread so that every edge of a day in any zone has some on both sides.
const FILL: &str = "
    insert into submissions (id, external_id, name, email, message, status, submitted_at)
    select overlay(uuid_v7_floor(at)::text placing lpad(to_hex(n), 12, '0') from 25)::uuid,
        case when n % 7 = 0 then 'old-' || n end,
        'n', 'N' || n || '@' || (array['Example.com', 'mill.example', 'd' || n % 150 || '.example'])[1 + n % 3], 'm',
        (array['NEW', 'CONTACTED', 'QUALIFIED', 'CLOSED', 'SPAM'])[1 + n % 5], at
    from generate_series(1, 9000) n,
        lateral (select timestamptz '2026-03-31 23:59:59.999+00' - interval '14 minutes 23.7 seconds' * n as at) times";

async fn filled() -> (Served, Client, PgConnection) {
    let served = serve(SERVICE).await;
    let mut superuser = served.database.superuser().await;
    superuser.execute("select ensure_submissions_partition(make_timestamptz(2026, m, 1, 0, 0, 0)) from generate_series(1, 3) m")
        .await
        .unwrap();
    superuser.execute(FILL).await.unwrap();
    let client = Client::new(served.channel());
    (served, client, superuser)
}

fn request(zone: &str, first_day: &str, last_day: &str) -> GetSubmissionStatsRequest {
    GetSubmissionStatsRequest {
        time_zone: zone.into(),
        first_day: first_day.into(),
        last_day: last_day.into(),
    }
}

/// The same, counted row by row.
async fn counted(connection: &mut PgConnection, request: &GetSubmissionStatsRequest) -> SubmissionStats {
    let zone = if request.time_zone.is_empty() { "UTC" } else { &request.time_zone };
    let edge = |day: &str, infinite: &str| if day.is_empty() { infinite.to_owned() } else { day.to_owned() };
    let (first, last) = (edge(&request.first_day, "-infinity"), edge(&request.last_day, "infinity"));
    let by = |what: &str| {
        format!(
            "select {what}, count(*) from (
                 select *, (submitted_at at time zone '{zone}')::date as day, lower(split_part(email, '@', 2)) as domain
                 from submissions
             ) as rows
             where day between '{first}' and '{last}' group by 1"
        )
    };
    let mut rows = BTreeMap::new();
    for what in ["day::text", "status", "domain"] {
        let all: Vec<(String, i64)> =
            sqlx::query_as(AssertSqlSafe(by(what))).fetch_all(&mut *connection).await.unwrap();
        rows.insert(what, all);
    }
    let mut stats =
        SubmissionStats { total: rows["status"].iter().map(|(_, count)| count).sum(), ..Default::default() };
    let statuses: BTreeMap<_, _> = rows["status"].iter().cloned().collect();
    for status in 1..=5 {
        let status = SubmissionStatus::try_from(status).unwrap();
        let count = statuses.get(&status.as_str_name()["SUBMISSION_STATUS_".len()..]).copied().unwrap_or(0);
        stats.by_status.push(selvedge_proto::contacts::v1::StatusCount { status: status.into(), count });
    }
    let days: BTreeMap<_, _> = rows["day::text"].iter().cloned().collect();
    stats.by_day =
        days.into_iter().map(|(day, count)| selvedge_proto::contacts::v1::DayCount { day, count }).collect();
    let mut domains = rows["domain"].clone();
    domains.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    stats.other_email_domains = domains.iter().skip(100).map(|(_, count)| count).sum();
    stats.by_email_domain = domains
        .into_iter()
        .take(100)
        .map(|(email_domain, count)| selvedge_proto::contacts::v1::EmailDomainCount { email_domain, count })
        .collect();
    stats
}

async fn compare(client: &mut Client, connection: &mut PgConnection, when: &str) {
    for request in [
        request("", "", ""),
        request("Europe/Berlin", "", ""),
        // The night in which the clocks go forward.
        request("Europe/Berlin", "2026-03-28", "2026-03-30"),
        request("Asia/Kathmandu", "2026-02-01", "2026-02-28"),
        request("America/St_Johns", "2026-02-10", "2026-02-10"),
        request("Pacific/Chatham", "2026-03-31", ""),
        request("America/Port-au-Prince", "", "2026-01-31"),
        request("Etc/GMT+12", "2026-01-05", "2026-03-05"),
        request("UTC", "2026-02-01", "2026-02-01"),
        request("UTC", "2020-01-01", "2020-12-31"),
        request("UTC", "0001-01-01", "9999-12-31"),
        request("UTC", "", "1960-01-01"),
        request("Asia/Tokyo", "9999-12-31", ""),
    ] {
        let stats = client.get_submission_stats(request.clone()).await.unwrap().into_inner();
        let expected = counted(connection, &request).await;
        assert_eq!(stats, expected, "{when}: {request:?}");
    }
}

async fn folded(connection: &mut PgConnection) -> bool {
    for _ in 0..600 {
        let left = sqlx::query_scalar::<_, i64>("select count(*) from submission_deltas");
        if left.fetch_one(&mut *connection).await.unwrap() == 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

#[tokio::test]
async fn counts_are_what_is_there_before_and_after_they_are_folded() {
    let (_served, mut client, mut superuser) = filled().await;
    compare(&mut client, &mut superuser, "at first").await;
    assert!(folded(&mut superuser).await);
    compare(&mut client, &mut superuser, "folded").await;

    let changes = "
        update submissions set status = 'SPAM', email = 'x@spam.example' where external_id is not null;
        update submissions set name = 'other' where status = 'NEW';
        delete from submissions where status = 'CLOSED'";
    superuser.execute(changes).await.unwrap();
    compare(&mut client, &mut superuser, "changed").await;
    let id = "select id::text from submissions limit 1";
    let id: String = sqlx::query_scalar(id).fetch_one(&mut superuser).await.unwrap();
    client.delete_submission(DeleteSubmissionRequest { id, ..Default::default() }).await.unwrap();
    compare(&mut client, &mut superuser, "one less").await;
    assert!(folded(&mut superuser).await);
    compare(&mut client, &mut superuser, "folded again").await;

    superuser.execute("truncate submissions cascade").await.unwrap();
    compare(&mut client, &mut superuser, "emptied").await;
}

/// The negative control: it is the triggers that make it so.
#[tokio::test]
async fn without_the_triggers_the_counts_are_wrong() {
    let served = serve(SERVICE).await;
    let mut superuser = served.database.superuser().await;
    superuser.execute("alter table submissions disable trigger submissions_count_new").await.unwrap();
    superuser.execute(FILL).await.unwrap();
    let mut client = Client::new(served.channel());
    let stats = client.get_submission_stats(request("", "", "")).await.unwrap().into_inner();
    assert_eq!(stats.total, 0);
}

#[tokio::test]
async fn rows_that_are_moved_to_their_month_are_counted_once() {
    let served = serve(SERVICE).await;
    let mut superuser = served.database.superuser().await;
    superuser.execute(FILL).await.unwrap();
    superuser.execute("select empty_submissions_default()").await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from submissions_default")
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    assert_eq!(left, 0);
    compare(&mut Client::new(served.channel()), &mut superuser, "moved").await;
}

#[tokio::test]
async fn what_was_there_before_the_counts_is_counted() {
    let (served, _, mut superuser) = filled().await;
    for direction in ["down", "up"] {
        let file = format!("migrations/0005_submission_counts.{direction}.sql");
        let sql = std::fs::read_to_string(file).unwrap();
        superuser.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    superuser.execute("grant select on all tables in schema contacts to contacts_app").await.unwrap();
    compare(&mut Client::new(served.channel()), &mut superuser, "migrated").await;
}

#[tokio::test]
async fn bad_questions_are_the_callers_error() {
    let served = serve(SERVICE).await;
    let mut client = Client::new(served.channel());
    for (request, field) in [
        (request("Europe/Nowhere", "", ""), "time_zone"),
        (request("Foo/Bar+3", "", ""), "time_zone"),
        (request("'; drop table submissions", "", ""), "time_zone"),
        (request("CET", "", ""), "time_zone"),
        (request("Etc/GMT+99", "", ""), "time_zone"),
        (request("", "2026-02-30", ""), "first_day"),
        (request("", "26-02-01", ""), "first_day"),
        (request("", "", "2026-13-01"), "last_day"),
        (request("", "2026-02-02", "2026-02-01"), "first_day"),
    ] {
        let status = client.get_submission_stats(request.clone()).await.unwrap_err();
        assert_eq!(
            (status.code(), violated(&status)),
            (Code::InvalidArgument, vec![field.to_owned()]),
            "{request:?}"
        );
    }
    let empty = client.get_submission_stats(request("", "", "")).await.unwrap().into_inner();
    assert_eq!((empty.total, empty.by_status.len(), empty.by_day.len()), (0, 5, 0));
}
