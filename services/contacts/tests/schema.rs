//! Who may do what in the database, and the way there and back.

use selvedge_contacts::SERVICE;
use selvedge_kit::schema::{App, Schema, provision};
use selvedge_testing::Database;
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;

async fn refused(connection: &mut PgConnection, sql: &'static str) {
    let error = connection.execute(sql).await.expect_err(sql);
    let state = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .map(std::borrow::Cow::into_owned);
    assert_eq!(state.as_deref(), Some("42501"), "{sql}: {error}");
}

#[tokio::test]
async fn the_app_role_reads_and_writes_rows_and_nothing_else() {
    let database = Database::new(SERVICE).await;
    let mut app = database.role("app").await;
    app.execute("select * from submissions; update visitors set count = 1; select ensure_submissions_partition(now())")
        .await
        .unwrap();
    for sql in [
        "create table mine (id int)",
        "alter table visitors add column x int",
        "drop table visitors",
        "truncate visitors",
        "create schema other",
        "create role other",
        "select * from migrations",
        "delete from shared_migrations",
        "set role contacts_owner",
        "create table public.x (id int)",
    ] {
        refused(&mut app, sql).await;
    }
    let (superuser, bypass, limit): (bool, bool, i32) = sqlx::query_as(
        "select rolsuper, rolbypassrls, rolconnlimit from pg_roles where rolname = 'contacts_app'",
    )
    .fetch_one(&mut app)
    .await
    .unwrap();
    assert!(!superuser && !bypass && limit > 0);
}

#[tokio::test]
async fn the_read_role_looks_and_does_not_touch() {
    let database = Database::new(SERVICE).await;
    let mut read = database.role("read").await;
    read.execute("select * from submissions; select * from visitors").await.unwrap();
    for sql in [
        "update visitors set count = 1",
        "delete from submissions",
        "select ensure_submissions_partition(now())",
    ] {
        refused(&mut read, sql).await;
    }
}

#[tokio::test]
async fn one_service_cannot_see_the_schema_of_another() {
    let database = Database::new(SERVICE).await;
    let mut superuser = database.superuser().await;
    provision(&mut superuser, "neighbours", &App { password: None, connection_limit: 5 }).await.unwrap();
    superuser
        .execute("set role neighbours_owner; create table neighbours.secrets (id int); reset role")
        .await
        .unwrap();

    let mut app = database.role("app").await;
    for sql in ["select * from neighbours.secrets", "insert into neighbours.secrets values (1)"] {
        refused(&mut app, sql).await;
    }
    // The control: the neighbour's own role can, so it is the schema that refuses and not the statement.
    superuser
        .execute("set session authorization neighbours_app; select * from neighbours.secrets")
        .await
        .unwrap();
    refused(&mut superuser, "select * from contacts.visitors").await;
}

#[tokio::test]
async fn migrations_go_down_and_up_again() {
    let database = Database::new(SERVICE).await;
    let mut schema =
        Schema::open(SERVICE.name, (SERVICE.migrations)(), &database.superuser_options()).await.unwrap();
    let all = schema.status().await.unwrap();
    assert!(all.iter().all(|step| step.applied) && all.len() >= 2);
    assert_eq!(schema.up().await.unwrap(), 0);

    let last = schema.down(1).await.unwrap();
    assert_eq!(last.iter().map(|step| step.version).collect::<Vec<_>>(), [all.last().unwrap().version]);
    assert_eq!(schema.pending().await.unwrap().len(), 1);

    assert_eq!(schema.down(100).await.unwrap().len(), all.len() - 1);
    let left = "select string_agg(relname, ', ') from pg_class
                where relnamespace = 'contacts'::regnamespace and relkind in ('r', 'p')
                    and relname not like '%migrations' and relname not in ('idempotency_keys', 'seedings')";
    let left: Option<String> =
        sqlx::query_scalar(left).fetch_one(&mut database.superuser().await).await.unwrap();
    assert_eq!(left, None);

    assert_eq!(schema.up().await.unwrap(), all.len());
    database.role("app").await.execute("select * from submissions, visitors").await.unwrap();
}

/// In psql, for example, where the tables are `contacts.submissions` and so on.
#[tokio::test]
async fn whoever_writes_with_another_search_path_has_the_same_triggers() {
    let database = Database::new(SERVICE).await;
    let mut superuser = database.superuser().await;
    superuser.execute("set search_path = public").await.unwrap();
    for sql in [
        "insert into contacts.submissions (id, external_id, name, email, message, status, submitted_at)
         values (contacts.uuid_v7_floor('2026-01-02'), 'old-1', 'n', 'e@example.com', 'm', 'NEW', '2026-01-02')",
        "insert into contacts.documents (id, submission_id, file_name, media_type, size, sha256)
         select gen_random_uuid(), id, 'f', 'a/b', 1, sha256('') from contacts.submissions",
        "update contacts.submissions set status = 'CLOSED', document_insights = '{}'",
        "select contacts.empty_submissions_default()",
        "delete from contacts.submissions",
        "truncate contacts.submissions cascade",
    ] {
        superuser.execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

#[tokio::test]
async fn migrating_at_the_same_time_is_safe() {
    let database = Database::new(SERVICE).await;
    let options = database.superuser_options();
    Schema::open(SERVICE.name, (SERVICE.migrations)(), &options).await.unwrap().down(100).await.unwrap();
    let migrations = (0..4).map(|_| {
        let options = options.clone();
        tokio::spawn(async move {
            Schema::open(SERVICE.name, (SERVICE.migrations)(), &options)
                .await
                .unwrap()
                .up()
                .await
                .map_err(|error| error.to_string())
        })
    });
    for migration in migrations.collect::<Vec<_>>() {
        migration.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn sample_data_goes_into_an_empty_database_only() {
    let served = selvedge_testing::serve(SERVICE).await;
    let db = served.running().db().clone();
    let seeded = (SERVICE.seed)(db.clone()).await.unwrap();
    assert!(seeded > 100);
    assert_eq!((SERVICE.seed)(db).await.unwrap(), 0);
}
