//! Statements are answered where they are waited for: each runtime has connections of its own, as far as there may be more.

use std::sync::Arc;

use selvedge_contacts::SERVICE;
use selvedge_kit::Db;
use selvedge_kit::db::Options;
use selvedge_testing::Database;
use sqlx::Executor as _;
use tokio::runtime::{Builder, Runtime};

/// The process that serves the next statement.
async fn process(db: &Db) -> i32 {
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(db).await.unwrap()
}

/// The same, asked from another runtime.
async fn process_from(runtime: &Arc<Runtime>, db: &Db) -> i32 {
    let (runtime, db) = (runtime.clone(), db.clone());
    tokio::task::spawn_blocking(move || runtime.block_on(process(&db))).await.unwrap()
}

fn pool(database: &Database, size: usize) -> Db {
    let mut options = Options::new(&database.config(|_| {}).database, "contacts").unwrap();
    options.pool_size = size;
    Db::new(options)
}

/// Whether a second runtime has a connection of its own, and both keep what they have.
async fn apart(db: &Db) -> bool {
    let other = Arc::new(Builder::new_current_thread().enable_all().build().unwrap());
    let (here, there) = (process(db).await, process_from(&other, db).await);
    for _ in 0..3 {
        assert_eq!((process(db).await, process_from(&other, db).await), (here, there));
    }
    Arc::into_inner(other).unwrap().shutdown_background();
    here != there
}

#[tokio::test]
async fn each_runtime_has_a_connection_of_its_own() {
    let database = Database::new(SERVICE).await;
    assert!(apart(&pool(&database, 4)).await);
}

#[tokio::test]
async fn where_there_may_be_no_more_connections_they_are_shared() {
    let database = Database::new(SERVICE).await;
    assert!(!apart(&pool(&database, 1)).await);
    // It is PostgreSQL that allows no more.
    let limit =
        "do $$ begin execute format('alter database %I connection limit 1', current_database()); end $$";
    database.superuser().await.execute(limit).await.unwrap();
    assert!(!apart(&pool(&database, 4)).await);
}
