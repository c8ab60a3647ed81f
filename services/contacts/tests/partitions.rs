//! Submissions lie in partitions by month, and queries go to the right ones.

use std::time::Duration;

use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{CreateSubmissionRequest, ListSubmissionsRequest, Submission};
use selvedge_testing::{Database, Served, Site, serve};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

/// A statement that stores rows behind the service's back, `days` before now.
fn rows_at(days: &str) -> String {
    format!(
        "insert into submissions (id, external_id, name, email, message, status, submitted_at)
         select overlay(uuid_v7_floor(at)::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, 'old-' || n,
             'n', 'e', 'm', 'NEW', at
         from generate_series(1, 150) n, lateral (select now() - interval '{days} days' * n as at) times"
    )
}

async fn explain(connection: &mut PgConnection, sql: &str) -> String {
    let rows = sqlx::query(AssertSqlSafe(format!("explain {sql}"))).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0) + "\n").collect()
}

/// Eighteen months with enough rows that plans are what they would be in earnest.
async fn filled() -> Database {
    let database = Database::new(SERVICE).await;
    let mut connection = database.superuser().await;
    let fill = "
        select ensure_submissions_partition(at)
        from generate_series(now() - interval '18 months', now() + interval '1 month', interval '1 month') at;
        insert into submissions (id, name, email, message, status, submitted_at)
        select overlay(uuid_v7_floor(at)::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, 'n', 'e' || n, 'm', 'NEW', at
        from generate_series(1, 40000) n, lateral (select now() - interval '19 minutes' * n as at) times;
        analyze submissions";
    connection.execute(fill).await.unwrap();
    database
}

#[tokio::test]
async fn an_id_and_a_time_lead_to_few_partitions_and_the_newest_page_is_read_in_order() {
    let mut connection = filled().await.superuser().await;
    let all = explain(&mut connection, "select * from submissions").await;
    assert!(all.matches("Scan on submissions_").count() >= 19, "{all}");

    let by_id = explain(
        &mut connection,
        "select * from submissions where id = uuid_v7_floor(now() - interval '40 days')",
    )
    .await;
    // `now()` is not known to the planner: the pruning happens when it runs, and what remains is said there.
    let analyzed: String = {
        let sql = "explain (analyze, costs off, timing off, summary off)
                   select * from submissions where id = uuid_v7_floor('2026-01-10')";
        sqlx::query(sql)
            .fetch_all(&mut connection)
            .await
            .unwrap()
            .iter()
            .map(|row| row.get::<String, _>(0))
            .collect()
    };
    assert!(by_id.contains("Index") && analyzed.matches("Scan").count() <= 1, "{by_id} {analyzed}");

    let month = "select * from submissions where id >= $1 and id < $2 order by id desc limit 21";
    let bounds: (String, String) = sqlx::query_as(
        "select uuid_v7_floor(now() - interval '1 month')::text, uuid_v7_floor(now() + interval '1 day')::text",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    let page = month.replace("$1", &format!("'{}'", bounds.0)).replace("$2", &format!("'{}'", bounds.1));
    let plan = explain(&mut connection, &page).await;
    assert!(plan.contains("Append") && !plan.contains("Merge Append") && !plan.contains("Sort"), "{plan}");
    assert!(!plan.contains("submissions_default"), "{plan}");
    assert!((2..=3).contains(&plan.matches("Index Scan Backward").count()), "{plan}");
}

/// What the service itself sends is what is explained above: it asks for a month first.
#[tokio::test]
async fn the_service_reads_its_newest_page_from_the_newest_partitions_only() {
    let database = Database::new(SERVICE).await;
    let mut connection = database.superuser().await;
    connection.execute(AssertSqlSafe(rows_at("5"))).await.unwrap();
    connection.execute("select empty_submissions_default()").await.unwrap();
    for flush in ["select pg_stat_force_next_flush()", "select 1", "select pg_stat_reset()"] {
        connection.execute(flush).await.unwrap();
    }
    let running = SERVICE.start(&database.config(|_| {})).await.unwrap();
    running.wait_until_ready().await;
    let mut client = SubmissionServiceClient::connect(format!("http://{}", running.address)).await.unwrap();
    let page =
        client.list_submissions(ListSubmissionsRequest { page_size: 2, ..Default::default() }).await.unwrap();
    assert_eq!(page.into_inner().submissions.len(), 2);
    // A backend reports what it scanned when it ends.
    running.stop().await;
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
               where usename = 'contacts_app' and datname = current_database()";
    for _ in 0..200 {
        if sqlx::query_scalar::<_, i64>(cut).fetch_one(&mut connection).await.unwrap() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let touched = scanned(&mut connection).await;
    // Planning and the making of next month's partition count as well; reading all would be more than twenty-five.
    assert!((1..=12).contains(&touched), "{touched} scans of partitions");
}

/// The number of scans of partitions so far.
async fn scanned(connection: &mut PgConnection) -> i64 {
    let sql = "select sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::bigint from pg_stat_user_tables
               where relname like 'submissions_2%'";
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

/// Whoever makes a partition has the lock for that first, and then wants the default partition for itself.
#[tokio::test]
async fn to_empty_the_default_partition_is_in_nobodys_way_while_it_waits() {
    let database = Database::new(SERVICE).await;
    let (mut maker, mut mover) = (database.superuser().await, database.superuser().await);
    maker.execute(AssertSqlSafe(rows_at("5"))).await.unwrap();
    maker
        .execute("begin; select pg_advisory_xact_lock(hashtextextended('contacts.submissions', 0))")
        .await
        .unwrap();
    let moving = tokio::spawn(async move { mover.execute("select empty_submissions_default()").await });
    let waits = "select exists (
                     select from pg_locks join pg_database on pg_database.oid = database
                     where datname = current_database() and locktype = 'advisory' and not granted
                 )";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut maker).await.unwrap() {
        assert!(!moving.is_finished());
    }
    maker
        .execute("set local lock_timeout = '100ms'; lock table submissions_default in access exclusive mode; commit")
        .await
        .unwrap();
    moving.await.unwrap().unwrap();
    assert_eq!(in_default(&mut maker).await, 0);
}

#[tokio::test]
async fn what_slipped_into_the_default_partition_is_moved_and_loses_nothing() {
    let database = Database::new(SERVICE).await;
    let mut connection = database.superuser().await;
    connection.execute(AssertSqlSafe(rows_at("5"))).await.unwrap();
    assert_eq!(in_default(&mut connection).await, 150);
    let sum = "select md5(string_agg(s::text, ',' order by id)) from submissions s";
    let before: String = sqlx::query_scalar(sum).fetch_one(&mut connection).await.unwrap();

    let mut app = database.role("app").await;
    app.execute("select empty_submissions_default()").await.unwrap();

    assert_eq!(in_default(&mut connection).await, 0);
    let after: String = sqlx::query_scalar(sum).fetch_one(&mut connection).await.unwrap();
    assert_eq!(after, before);
    let taken: i64 = sqlx::query_scalar(
        "select count(*) from submissions join submission_external_ids x on x.submission_id = id and x.external_id = submissions.external_id",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(taken, 150);
}

async fn in_default(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from submissions_default").fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn the_service_raises_the_alarm_and_empties_the_default_partition() {
    let database = Database::new(SERVICE).await;
    let mut connection = database.superuser().await;
    connection.execute(AssertSqlSafe(rows_at("5"))).await.unwrap();
    // With a reader in the way it cannot be emptied, and the alarm stays; without one it is.
    for (in_the_way, left) in [(true, 150), (false, 0)] {
        let mut reader = database.superuser().await;
        if in_the_way {
            reader.execute("begin; select count(*) from submissions_default").await.unwrap();
        }
        let running = SERVICE.start(&database.config(|_| {})).await.unwrap();
        running.wait_until_ready().await;
        let alarm = format!("contacts_submissions_in_default_partition {left}");
        let mut metrics = String::new();
        for _ in 0..200 {
            metrics = Site::at(running.admin_address).get("/metrics").await.text();
            if metrics.contains(&alarm) && in_default(&mut connection).await == left {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(metrics.contains(&alarm), "{alarm} in {metrics}");
        assert_eq!(in_default(&mut connection).await, left);
        running.stop().await;
    }
}

#[tokio::test]
async fn rows_that_are_on_their_way_into_the_default_partition_are_not_left_behind() {
    let database = Database::new(SERVICE).await;
    let mut writer = database.role("app").await;
    writer.execute("begin").await.unwrap();
    writer.execute(AssertSqlSafe(rows_at("5"))).await.unwrap();
    let mut mover = database.role("app").await;
    let moved =
        tokio::spawn(
            async move { mover.execute("select ensure_submissions_partition(now())").await.map(drop) },
        );
    let mut watcher = database.superuser().await;
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut watcher).await.unwrap() == 0
        && !moved.is_finished()
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    writer.execute("commit").await.unwrap();
    moved.await.unwrap().unwrap();
    let this_month =
        "select count(*) from submissions_default where submitted_at >= date_trunc('month', now(), 'UTC')";
    assert_eq!(sqlx::query_scalar::<_, i64>(this_month).fetch_one(&mut watcher).await.unwrap(), 0);
}

#[tokio::test]
async fn a_long_reader_sends_a_new_month_to_the_default_partition_and_loses_no_submission() {
    let served = serve(SERVICE).await;
    let mut reader = served.database.superuser().await;
    reader.execute("begin; select count(*) from submissions").await.unwrap();
    let mut client = SubmissionServiceClient::new(served.channel());
    let submission = Submission {
        name: "Ada".into(),
        email: "ada@example.com".into(),
        message: "x".into(),
        submitted_at: Some(prost_types::Timestamp { seconds: 1_000_000_000, nanos: 0 }),
        ..Submission::default()
    };
    let request = CreateSubmissionRequest { submission: Some(submission), ..Default::default() };
    client.create_submission(request).await.unwrap();
    assert_eq!(in_default(&mut served.database.superuser().await).await, 1);
    reader.execute("commit").await.unwrap();
}

#[tokio::test]
async fn many_first_submissions_of_a_month_make_one_partition() {
    let served: Served = serve(SERVICE).await;
    let creates = (0..24).map(|number| {
        let mut client = SubmissionServiceClient::new(served.channel());
        let submission = Submission {
            name: "Ada".into(),
            email: "ada@example.com".into(),
            message: "x".into(),
            submitted_at: Some(prost_types::Timestamp {
                seconds: 1_100_000_000 + number % 3 * 3_000_000,
                nanos: 0,
            }),
            ..Submission::default()
        };
        let request = CreateSubmissionRequest { submission: Some(submission), ..Default::default() };
        tokio::spawn(async move { client.create_submission(request).await })
    });
    for create in creates.collect::<Vec<_>>() {
        create.await.unwrap().unwrap();
    }
    assert_eq!(in_default(&mut served.database.superuser().await).await, 0);
}

/// A writer of documents that has begun and not yet looked at submissions, and somebody who needs a new month.
/// Answers with how it went for both.
async fn writer_and_new_month(database: &Database) -> (Result<(), sqlx::Error>, Result<(), sqlx::Error>) {
    let mut writer = database.role("app").await;
    writer.execute("begin; lock table documents in row exclusive mode").await.unwrap();
    let mut other = database.role("app").await;
    let ensure = tokio::spawn(async move {
        other.execute("select ensure_submissions_partition('2002-03-04')").await.map(drop)
    });
    let mut watcher = database.superuser().await;
    let waits = "select exists (select from pg_stat_activity where wait_event_type = 'Lock'
                     and datname = current_database())";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watcher).await.unwrap() {
        tokio::task::yield_now().await;
    }
    let insert = "insert into documents (id, submission_id, file_name, media_type, size, sha256)
                  select gen_random_uuid(), uuid_v7_floor('2001-02-03'), 'f', 'a/b', 1, sha256('')";
    let written = async {
        writer.execute(insert).await?;
        writer.execute("commit").await.map(drop)
    };
    let written = written.await;
    // A writer that failed still holds its lock.
    drop(writer);
    (written, ensure.await.unwrap())
}

/// With the negative control: without the locks of the referring tables coming first, one of the two fails.
#[tokio::test]
async fn a_new_month_fails_nobody_who_writes_documents() {
    for protected in [true, false] {
        let database = Database::new(SERVICE).await;
        let mut superuser = database.superuser().await;
        let setup = "insert into submissions (id, name, email, message, status, submitted_at)
                     values (uuid_v7_floor('2001-02-03'), 'n', 'e', 'm', 'NEW', '2001-02-03')";
        superuser.execute(setup).await.unwrap();
        if !protected {
            let sql = "select pg_get_functiondef('make_submissions_partition'::regproc)";
            let definition: String = sqlx::query_scalar(sql).fetch_one(&mut superuser).await.unwrap();
            let first = "lock table documents in share row exclusive mode;";
            assert!(definition.contains(first));
            superuser
                .execute(AssertSqlSafe(definition.replace(first, "").replace("300ms", "5s")))
                .await
                .unwrap();
        }
        let (written, ensured) = writer_and_new_month(&database).await;
        assert_eq!(written.is_ok() && ensured.is_ok(), protected, "{written:?} {ensured:?}");
    }
}
