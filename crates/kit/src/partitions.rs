//! Tables that are partitioned by month: each month that has any rows gets its partition in time.
//!
//! The schema does the work, as its owner: `ensure_<table>_partition(timestamptz)` makes the partition of a month and moves
//! in what `<table>_default` caught for it. Both come with the table's migration.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike as _, Months, Utc};
use sqlx::AssertSqlSafe;

use crate::{Code, Db, Kit, Result};

/// How often to look whether something slipped, and whether next month's partition is there.
const TEND_PERIOD: Duration = Duration::from_mins(1);

/// How long not to try again where somebody's long statement was in the way: each try holds up every list behind it.
const PAUSE: Duration = Duration::from_secs(30);

/// A table that is partitioned by month.
#[derive(Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The column that says which month a row belongs to.
    pub time: &'static str,
    /// The column that it is partitioned by: the time, or an id that carries it.
    pub key: &'static str,
    /// The function that makes the least key of a time; empty where the key is the time.
    pub floor: &'static str,
    /// The metric that says how many rows are in the default partition.
    pub metric: &'static str,
}

/// Remembers which months have a partition, so that making sure of it costs nothing but the first time.
pub struct Partitions {
    db: Db,
    table: Table,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The months that have a partition.
    there: HashSet<(i32, u32)>,
    /// When to try to make one again. It counts for all months: what is in the way of one is in the way of the next.
    not_before: Option<Instant>,
}

impl Partitions {
    /// Those of a table.
    pub fn new(db: Db, table: Table) -> Self {
        Self { db, table, known: Mutex::default() }
    }

    /// Makes the partition for this time, if need be.
    ///
    /// When somebody's long statement is in the way, the row may go into the default partition, from where it is moved
    /// later: a slow list for a while is better than a lost row.
    pub async fn ensure(&self, at: DateTime<Utc>) -> Result<()> {
        let month = (at.year(), at.month());
        {
            let known = self.known();
            if known.there.contains(&month) || known.not_before.is_some_and(|then| Instant::now() < then) {
                return Ok(());
            }
        }
        match self.table.ensure_unless_slipped(&self.db, at).await {
            Ok(true) => {
                self.known().there.insert(month);
            }
            Ok(false) => {}
            Err(error) if [Code::Aborted, Code::DeadlineExceeded].contains(&error.code()) => {
                tracing::warn!(table = self.table.name, %error, "a partition could not be made now");
                self.known().not_before = Some(Instant::now() + PAUSE);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps an eye on the partitions of a table while the service runs: makes next month's ahead of time, raises the alarm
/// when something is in the default partition, and puts it where it belongs.
pub fn tend(kit: &mut Kit, table: Table) {
    let slipped = Arc::new(AtomicI64::new(0));
    kit.gauge(
        table.metric,
        "Rows that came before their month's partition; more than 0 for long is an alarm.",
        &slipped,
        |slipped| slipped.load(Ordering::Relaxed),
    );
    let db = kit.db.clone();
    kit.every(TEND_PERIOD, "tend partitions", move || table.tend_once(db.clone(), slipped.clone()));
}

impl Table {
    async fn tend_once(self, db: Db, slipped: Arc<AtomicI64>) -> Result<()> {
        // The alarm comes first, as all that follows may find somebody in its way.
        let found = self.count_slipped(&db).await?;
        slipped.store(found, Ordering::Relaxed);
        if found > 0 {
            tracing::error!(table = self.name, rows = found, "rows are in the default partition");
            self.empty_default(&db).await?;
            slipped.store(self.count_slipped(&db).await?, Ordering::Relaxed);
        }
        let now = Utc::now();
        self.ensure(&db, now).await?;
        self.ensure(&db, now + Months::new(1)).await
    }

    /// Leaves a month alone, and says so, of which the default partition has rows: to move them may take longer than a
    /// caller waits.
    async fn ensure_unless_slipped(self, db: &Db, at: DateTime<Utc>) -> Result<bool> {
        let Self { name, key, floor, .. } = self;
        // A statement of its own: it holds the default partition for a moment, and whoever makes a month wants it alone.
        let sql = format!(
            "select exists (
                 select from {name}_default
                 where {key} >= {floor}(date_trunc('month', $1, 'UTC'))
                     and {key} < {floor}(
                         (date_trunc('month', $1 at time zone 'UTC') + interval '1 month') at time zone 'UTC')
             )"
        );
        if sqlx::query_scalar(AssertSqlSafe(sql)).bind(at).fetch_one(db).await? {
            return Ok(false);
        }
        self.ensure(db, at).await?;
        Ok(true)
    }

    async fn ensure(self, db: &Db, at: DateTime<Utc>) -> Result<()> {
        sqlx::query(AssertSqlSafe(self.ensure_sql())).bind(at).execute(db).await?;
        Ok(())
    }

    fn ensure_sql(self) -> String {
        format!("select ensure_{}_partition($1)", self.name)
    }

    /// Month by month, each in a transaction of its own, so that none of them is in the way for longer than it must.
    async fn empty_default(self, db: &Db) -> Result<()> {
        let Self { name, time, .. } = self;
        let months = format!("select distinct date_trunc('month', {time}, 'UTC') from {name}_default");
        let months: Vec<DateTime<Utc>> = sqlx::query_scalar(AssertSqlSafe(months)).fetch_all(db).await?;
        for month in months {
            let mut transaction = db.begin().await?;
            // However many there are, they are moved at last.
            sqlx::query("set local statement_timeout = '10min'").execute(&mut *transaction).await?;
            sqlx::query(AssertSqlSafe(self.ensure_sql())).bind(month).execute(&mut *transaction).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    async fn count_slipped(self, db: &Db) -> Result<i64> {
        let sql = format!("select count(*) from {}_default", self.name);
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(db).await?)
    }
}
