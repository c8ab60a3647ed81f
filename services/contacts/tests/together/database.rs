//! What the calls come to in PostgreSQL.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use selvedge_contacts::SERVICE;
use selvedge_kit::batch::Limits;
use selvedge_kit::db::Options;
use selvedge_kit::idempotency::{self, Repeatable};
use selvedge_kit::{Code, Db, Error, Result, ResultExt as _};
use selvedge_testing::Database;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, PgExecutor};
use tokio::time::sleep;

use super::calls::{Call, READABLE, Row, TAKEN, TOO_LARGE, What, readable};

/// What a batch, or the work that it is given, could do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    AnswersInAnotherOrder,
    /// What fails leaves behind what came before the failure.
    RowsAreLeftBehind,
    RequestIdsAreForgotten,
    LanesAreForgotten,
}

/// Notes in a database, and a record of the statements.
pub(crate) struct Store {
    // Kept for all of the rounds, as it takes long to prove a password.
    superuser: tokio::sync::Mutex<PgConnection>,
    pub(crate) troubler: Arc<tokio::sync::Mutex<PgConnection>>,
    db: Db,
    /// The lanes of the calls of each statement.
    statements: Mutex<Vec<Vec<&'static str>>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
    numbers: AtomicI32,
}

impl Store {
    pub(crate) async fn new() -> Arc<Self> {
        let database = Database::new(SERVICE).await;
        let sql = format!(
            "create table notes (
                 id bigint generated always as identity (start 1000), number int not null, key int,
                 value int not null, constraint notes_pkey primary key (id), constraint notes_key unique (key),
                 constraint notes_value check (value < {TOO_LARGE}));
             grant select, insert on notes to contacts_app;
             create table readable (id bigint primary key, value int not null);
             grant select on readable to contacts_app"
        );
        let mut superuser = database.superuser().await;
        superuser.execute(AssertSqlSafe(sql)).await.unwrap();
        for id in READABLE {
            let insert = sqlx::query("insert into readable values ($1, $2)").bind(id).bind(readable(id));
            insert.execute(&mut superuser).await.unwrap();
        }
        let config = database.config(|_| {}).database;
        let db = Db::new(Options::new(&config, SERVICE.name).unwrap());
        let (statements, running, most_running, numbers) = Default::default();
        let troubler = Arc::new(tokio::sync::Mutex::new(database.superuser().await));
        let superuser = tokio::sync::Mutex::new(superuser);
        Arc::new(Self { superuser, troubler, db, statements, running, most_running, numbers })
    }

    /// Numbers that no other calls have: what becomes of them very late is not mistaken for another's.
    pub(crate) fn numbers(&self, count: i32) -> std::ops::Range<i32> {
        let first = self.numbers.fetch_add(count, Ordering::SeqCst);
        first..first + count
    }

    /// As it is before a round.
    pub(crate) async fn empty(&self) {
        let sql = format!(
            "truncate notes, idempotency_keys; insert into notes (number, key, value) values (-1, {TAKEN}, 1)"
        );
        self.superuser.lock().await.execute(AssertSqlSafe(sql)).await.unwrap();
        self.statements.lock().unwrap().clear();
        self.most_running.store(0, Ordering::SeqCst);
    }

    pub(crate) async fn rows(&self) -> Vec<Row> {
        let rows = sqlx::query_as("select id, number, key, value from notes");
        rows.fetch_all(&mut *self.superuser.lock().await).await.unwrap()
    }

    /// Waits until nothing of what was abandoned is under way.
    pub(crate) async fn settle(&self) {
        let mut watcher = self.superuser.lock().await;
        let busy = "select count(*) from pg_stat_activity
                    where usename = 'contacts_app' and datname = current_database() and state <> 'idle'";
        for _ in 0..1000 {
            if sqlx::query_scalar::<_, i64>(busy).fetch_one(&mut *watcher).await.unwrap() == 0 {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("never: nothing is under way");
    }

    /// What is wrong with the statements themselves; answers with how many there were, and how many of them were for
    /// several callers.
    pub(crate) fn violations_of(&self, limits: Limits, wrong: &mut Vec<String>) -> (usize, usize) {
        let statements = self.statements.lock().unwrap();
        for lanes in statements.iter() {
            if lanes.iter().any(|lane| *lane != lanes[0]) {
                wrong.push(format!("a statement has several lanes: {lanes:?}"));
            }
            if lanes.len() > limits.calls {
                wrong.push(format!("a statement has {} calls, of at most {}", lanes.len(), limits.calls));
            }
        }
        let most = self.most_running.load(Ordering::SeqCst);
        if most > limits.in_flight {
            wrong.push(format!("there were {most} statements at once, of at most {}", limits.in_flight));
        }
        (statements.len(), statements.iter().filter(|lanes| lanes.len() > 1).count())
    }

    /// The statement of these calls.
    pub(crate) async fn serve(
        self: Arc<Self>,
        calls: Vec<Call>,
        fault: Option<Fault>,
    ) -> Result<Vec<Result<i64>>> {
        self.statements.lock().unwrap().push(calls.iter().map(|call| call.lane).collect());
        let _running = Running::begin(&self);
        let mut answers = serve(&self.db, &calls, fault).await?;
        if fault == Some(Fault::AnswersInAnotherOrder) {
            answers.rotate_left(1);
        }
        // A connection that is cut in the middle of a statement undoes it. Now and then the cut comes after the commit.
        if rand::random_ratio(1, 40) {
            return Err(Error::new(Code::Unavailable, "ANSWER_LOST", "it was done, and nobody heard of it"));
        }
        Ok(answers)
    }
}

/// Counts a statement until it ends or is abandoned.
struct Running<'a>(&'a Store);

impl<'a> Running<'a> {
    fn begin(store: &'a Store) -> Self {
        let running = store.running.fetch_add(1, Ordering::SeqCst) + 1;
        store.most_running.fetch_max(running, Ordering::SeqCst);
        Self(store)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Reads what is to be read, and stores all of the new ones or, where one of them is in the way, none.
async fn serve(db: &Db, calls: &[Call], fault: Option<Fault>) -> Result<Vec<Result<i64>>> {
    let of = |inserts: bool| -> Vec<usize> {
        let is = |number: &usize| matches!(calls[*number].what, What::Insert { .. }) == inserts;
        (0..calls.len()).filter(is).collect()
    };
    let mut answers: HashMap<usize, Result<i64>> = HashMap::new();
    let reads = of(false);
    if !reads.is_empty() {
        let found = read(db, &reads.iter().map(|number| &calls[*number]).collect::<Vec<_>>()).await?;
        answers.extend(reads.into_iter().zip(found.into_iter().map(Ok)));
    }
    let inserts = of(true);
    let new: Vec<&Call> = inserts.iter().map(|number| &calls[*number]).collect();
    let forgetful = fault == Some(Fault::RequestIdsAreForgotten);
    let requests: Vec<Option<&Repeatable>> =
        new.iter().map(|call| call.request.as_ref().filter(|_| !forgetful)).collect();
    let stored: Vec<Result<i64>> = if new.is_empty() {
        vec![]
    } else if fault == Some(Fault::RowsAreLeftBehind) {
        let mut stored = vec![];
        for call in new {
            stored.push(Ok(insert(db, &[call]).await?[0]));
        }
        stored
    } else if requests.iter().all(Option::is_none) {
        insert(db, &new).await?.into_iter().map(Ok).collect()
    } else {
        idempotency::once_each(db, &requests, async |transaction, numbers| {
            insert(&mut **transaction, &numbers.iter().map(|number| new[*number]).collect::<Vec<_>>()).await
        })
        .await?
    };
    answers.extend(inserts.into_iter().zip(stored));
    Ok((0..calls.len()).filter_map(|number| answers.remove(&number)).collect())
}

async fn read(db: &Db, calls: &[&Call]) -> Result<Vec<i64>> {
    let ids: Vec<i64> =
        calls.iter().map(|call| if let What::Read(id) = call.what { id } else { 0 }).collect();
    let rows: Vec<(i64, i32)> =
        sqlx::query_as("select id, value from readable where id = any($1)").bind(&ids).fetch_all(db).await?;
    let found: HashMap<i64, i32> = rows.into_iter().collect();
    Ok(ids.iter().map(|id| found.get(id).map_or(-1, |value| i64::from(*value))).collect())
}

/// Those that want a key ask for it in the order of the keys, so that two statements do not wait for each other.
async fn insert(executor: impl PgExecutor<'_>, calls: &[&Call]) -> Result<Vec<i64>> {
    let notes = calls.iter().map(|call| match call.what {
        What::Insert { key, value } => (key, value),
        What::Read(_) => (None, 0),
    });
    let (keys, values): (Vec<Option<i32>>, Vec<i32>) = notes.unzip();
    let stored: Vec<(i32, i64)> = sqlx::query_as(
        "insert into notes (number, key, value)
         select number, key, value from unnest($1::int[], $2::int[], $3::int[]) as new (number, key, value)
         order by key returning number, id",
    )
    .bind(calls.iter().map(|call| call.number).collect::<Vec<_>>())
    .bind(keys)
    .bind(values)
    .fetch_all(executor)
    .await
    .on_constraint("notes_key", || Error::new(Code::AlreadyExists, "KEY_TAKEN", "somebody has the key"))
    .on_constraint("notes_value", || {
        Error::new(Code::InvalidArgument, "VALUE_TOO_LARGE", "it is too large")
    })?;
    let by_number: HashMap<i32, i64> = stored.into_iter().collect();
    Ok(calls.iter().filter_map(|call| by_number.get(&call.number).copied()).collect())
}
