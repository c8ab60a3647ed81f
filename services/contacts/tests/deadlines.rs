//! A caller that leaves, or has no more time, leaves no statement behind.

use std::time::Duration;

use selvedge_contacts::SERVICE;
use selvedge_kit::db::Options;
use selvedge_kit::{Context, Db};
use selvedge_proto::contacts::v1::visitor_service_client::VisitorServiceClient;
use selvedge_proto::contacts::v1::{GetVisitorCountRequest, IncrementVisitorCountRequest};
use selvedge_testing::{Database, Served, serve_with};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use tonic::{Code, Request};

/// Far above what a test takes, far below what would be a coincidence.
const BOUND: Duration = Duration::from_secs(20);

fn increment() -> IncrementVisitorCountRequest {
    IncrementVisitorCountRequest { counter: "visitor_count".into() }
}

/// Waits until as many statements of the application wait for the row that somebody else holds. They can only stop
/// waiting by ending; what the service looks at by itself is not among them.
async fn wait_for_active(connection: &mut PgConnection, wanted: i64) -> i64 {
    let sql = "select count(*) from pg_stat_activity
               where usename = 'contacts_app' and state = 'active' and datname = current_database()
                   and wait_event_type = 'Lock'";
    let mut active = -1;
    for _ in 0..200 {
        active = sqlx::query_scalar(sql).fetch_one(&mut *connection).await.unwrap();
        if active == wanted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    active
}

/// A service with two connections, and somebody who holds the counter's row.
async fn blocked() -> (Served, PgConnection) {
    let served = serve_with(SERVICE, |config| config.database.pool.size = Some(2)).await;
    let mut holder = served.database.superuser().await;
    holder.execute("begin; select * from visitors for update").await.unwrap();
    (served, holder)
}

#[tokio::test]
async fn when_the_time_is_up_the_statement_is_cancelled_and_the_pool_is_free() {
    let (served, mut holder) = blocked().await;
    let mut watcher = served.database.superuser().await;
    let callers = (0..2).map(|_| {
        let mut client = VisitorServiceClient::new(served.channel());
        let mut request = Request::new(increment());
        request.set_timeout(Duration::from_millis(200));
        tokio::spawn(async move { client.increment_visitor_count(request).await.unwrap_err() })
    });
    for caller in callers.collect::<Vec<_>>() {
        let status = tokio::time::timeout(BOUND, caller).await.unwrap().unwrap();
        assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}");
    }
    assert_eq!(wait_for_active(&mut watcher, 0).await, 0, "the statements must be gone");
    // Both connections serve again although the row is still held.
    let mut client = VisitorServiceClient::new(served.channel());
    for _ in 0..4 {
        client.get_visitor_count(GetVisitorCountRequest { counter: "visitor_count".into() }).await.unwrap();
    }
    holder.execute("rollback").await.unwrap();
    let count = client.increment_visitor_count(increment()).await.unwrap().into_inner().count;
    assert_eq!(count, 1, "none of the cancelled increments may have counted");
}

#[tokio::test]
async fn when_the_caller_leaves_the_statement_is_cancelled() {
    let (served, _holder) = blocked().await;
    let mut watcher = served.database.superuser().await;
    let mut client = VisitorServiceClient::new(served.channel());
    let caller = tokio::spawn(async move { client.increment_visitor_count(increment()).await });
    assert_eq!(wait_for_active(&mut watcher, 1).await, 1);
    caller.abort();
    assert_eq!(wait_for_active(&mut watcher, 0).await, 0);
}

/// The negative control: without the cancel, the statement and its connection stay as long as the row is held.
#[tokio::test]
async fn without_the_protection_abandoned_statements_stay() {
    for (protected, left) in [(true, 0), (false, 1)] {
        let database = Database::new(SERVICE).await;
        let mut holder = database.superuser().await;
        holder.execute("begin; select * from visitors for update").await.unwrap();
        let mut options = Options::new(&database.config(|_| {}).database, "contacts").unwrap();
        options.pool_size = 1;
        options.acquire_timeout = Duration::from_secs(1);
        options.cancel_abandoned = protected;
        let db = Db::new(options);

        let mut watcher = database.superuser().await;
        let mut abandoned = tokio::spawn({
            let db = db.clone();
            async move { sqlx::query("update visitors set count = 0").execute(&db).await.map(drop) }
        });
        assert_eq!(wait_for_active(&mut watcher, 1).await, 1);
        abandoned.abort();
        assert!((&mut abandoned).await.is_err());
        if protected {
            assert_eq!(wait_for_active(&mut watcher, left).await, left);
            sqlx::query("select 1").execute(&db).await.unwrap();
        } else {
            let refused = sqlx::query("select 1").execute(&db).await;
            assert!(matches!(refused, Err(sqlx::Error::PoolTimedOut)), "{refused:?}");
            assert_eq!(wait_for_active(&mut watcher, left).await, left);
        }
        holder.execute("rollback").await.unwrap();
    }
}

#[tokio::test]
async fn an_abandoned_transaction_is_rolled_back_before_its_connection_serves_again() {
    let database = Database::new(SERVICE).await;
    let mut options = Options::new(&database.config(|_| {}).database, "contacts").unwrap();
    options.pool_size = 1;
    let db = Db::new(options);
    let mut transaction = db.begin().await.unwrap();
    sqlx::query("update visitors set count = 77").execute(&mut *transaction).await.unwrap();
    drop(transaction);
    let (count, xid): (i64, Option<String>) =
        sqlx::query_as("select count, pg_current_xact_id_if_assigned()::text from visitors")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!((count, xid), (0, None));
}

#[tokio::test]
async fn postgresql_itself_ends_a_transaction_at_the_callers_deadline() {
    let database = Database::new(SERVICE).await;
    let db = Db::new(Options::new(&database.config(|_| {}).database, "contacts").unwrap());
    let deadline = std::time::Instant::now() + Duration::from_millis(300);
    let call = Context { deadline: Some(deadline), ..Context::default() };
    let ended = call.scope(async {
        let mut transaction = db.begin().await.unwrap();
        sqlx::query("select pg_sleep(60)").execute(&mut *transaction).await
    });
    let error = tokio::time::timeout(BOUND, Box::pin(ended)).await.unwrap().unwrap_err();
    assert_eq!(
        error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(),
        Some("57014")
    );
}

#[tokio::test]
async fn the_statement_timeout_is_the_ceiling() {
    let database = Database::new(SERVICE).await;
    let config =
        database.config(|config| config.database.pool.statement_timeout = Duration::from_millis(300));
    let db = Db::new(Options::new(&config.database, "contacts").unwrap());
    let ended = tokio::time::timeout(BOUND, sqlx::query("select pg_sleep(60)").execute(&db)).await.unwrap();
    let error = selvedge_kit::Error::from(ended.unwrap_err());
    assert_eq!(error.reason(), "STATEMENT_TIMEOUT");
}

#[tokio::test]
async fn a_callers_deadline_does_not_raise_the_ceiling() {
    let database = Database::new(SERVICE).await;
    let config =
        database.config(|config| config.database.pool.statement_timeout = Duration::from_millis(300));
    let db = Db::new(Options::new(&config.database, "contacts").unwrap());
    let call = Context { deadline: Some(std::time::Instant::now() + BOUND * 10), ..Context::default() };
    let ended = call.scope(async {
        let mut transaction = db.begin().await.unwrap();
        sqlx::query("select pg_sleep(60)").execute(&mut *transaction).await
    });
    tokio::time::timeout(BOUND, Box::pin(ended)).await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_transaction_in_which_a_statement_failed_cannot_be_committed() {
    let database = Database::new(SERVICE).await;
    let db = Db::new(Options::new(&database.config(|_| {}).database, "contacts").unwrap());
    let mut transaction = db.begin().await.unwrap();
    sqlx::query("update visitors set count = 5").execute(&mut *transaction).await.unwrap();
    sqlx::query("update visitors set count = -1").execute(&mut *transaction).await.unwrap_err();
    // Nor after another failure, one that the server never hears of: JSON has no such keys.
    let no_json = sqlx::types::Json(std::collections::BTreeMap::from([((1, 2), 3)]));
    let unsent = sqlx::query("select $1").bind(no_json).execute(&mut *transaction).await.unwrap_err();
    assert!(matches!(unsent, sqlx::Error::Encode(_)), "{unsent:?}");
    transaction.commit().await.unwrap_err();
    let count: i64 = sqlx::query_scalar("select count from visitors").fetch_one(&db).await.unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn a_cancel_works_although_its_own_connection_was_cut() {
    let (served, _holder) = blocked().await;
    let mut watcher = served.database.superuser().await;
    for _ in 0..2 {
        let mut client = VisitorServiceClient::new(served.channel());
        let caller = tokio::spawn(async move { client.increment_visitor_count(increment()).await });
        assert_eq!(wait_for_active(&mut watcher, 1).await, 1);
        caller.abort();
        assert_eq!(wait_for_active(&mut watcher, 0).await, 0);
        let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                   where query like 'select pg_cancel_backend%' and datname = current_database()";
        assert_eq!(sqlx::query_scalar::<_, i64>(cut).fetch_one(&mut watcher).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn connections_that_broke_are_replaced_and_the_others_tested() {
    let database = Database::new(SERVICE).await;
    let config = database.config(|config| config.database.pool.size = Some(5));
    let db = Db::new(Options::new(&config.database, "contacts").unwrap());
    // Fill the pool, then cut every connection of it.
    let all: Vec<_> = futures_of(&db, 5).await;
    drop(all);
    let mut killer = database.superuser().await;
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
               where usename = 'contacts_app' and datname = current_database()";
    let cut: i64 = sqlx::query_scalar(cut).fetch_one(&mut killer).await.unwrap();
    assert_eq!(cut, 5);
    killer.close().await.unwrap();
    let mut failures = 0;
    for _ in 0..20 {
        failures += usize::from(sqlx::query("select 1").execute(&db).await.is_err());
    }
    assert!(failures <= 1, "{failures} of 5 broken connections were handed out");
}

async fn futures_of(db: &Db, number: usize) -> Vec<selvedge_kit::db::Connection> {
    let mut all = vec![];
    for _ in 0..number {
        all.push(db.acquire().await.unwrap());
    }
    all
}
