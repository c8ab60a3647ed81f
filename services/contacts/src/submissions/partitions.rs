//! The partitions of submissions, one for each month that has any.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike as _, Months, Utc};
use selvedge_kit::{Code, Db, Error, Kit};

/// How often to look whether something slipped, and whether next month's partition is there.
const TEND_PERIOD: Duration = Duration::from_mins(1);

/// How long not to try again where somebody's long statement was in the way: each try holds up every list behind it.
const PAUSE: Duration = Duration::from_secs(30);

/// Remembers which months have a partition, so that making sure of it costs nothing but the first time.
pub(crate) struct Partitions {
    db: Db,
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
    pub(crate) fn new(db: Db) -> Self {
        Self { db, known: Mutex::default() }
    }

    /// Makes the partition for this time, if need be.
    ///
    /// When somebody's long statement is in the way, the row may go into the default partition, from where it is moved
    /// later: a slow list for a while is better than a lost submission.
    pub(crate) async fn ensure(&self, at: DateTime<Utc>) -> Result<(), Error> {
        let month = (at.year(), at.month());
        {
            let known = self.known();
            if known.there.contains(&month) || known.not_before.is_some_and(|then| Instant::now() < then) {
                return Ok(());
            }
        }
        match ensure_unless_slipped(&self.db, at).await {
            Ok(true) => {
                self.known().there.insert(month);
            }
            Ok(false) => {}
            Err(error) if [Code::Aborted, Code::DeadlineExceeded].contains(&error.code()) => {
                tracing::warn!(%error, "a partition could not be made now");
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

/// Leaves a month alone, and says so, of which the default partition has rows: to move them may take longer than a
/// caller waits.
async fn ensure_unless_slipped(db: &Db, at: DateTime<Utc>) -> Result<bool, Error> {
    // A statement of its own: it holds the default partition for a moment, and whoever makes a month wants it alone.
    let slipped = sqlx::query_scalar!(
        r#"select exists (
               select from submissions_default
               where id >= uuid_v7_floor(date_trunc('month', $1, 'UTC'))
                   and id < uuid_v7_floor(
                       (date_trunc('month', $1 at time zone 'UTC') + interval '1 month') at time zone 'UTC')
           ) as "slipped!""#,
        at
    );
    if slipped.fetch_one(db).await? {
        return Ok(false);
    }
    ensure(db, at).await?;
    Ok(true)
}

async fn ensure(db: &Db, at: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!("select ensure_submissions_partition($1)", at).execute(db).await?;
    Ok(())
}

/// Keeps an eye on the partitions while the service runs: makes next month's ahead of time, raises the alarm when
/// something is in the default partition, and puts it where it belongs.
pub(crate) fn tend(kit: &mut Kit) {
    let slipped = Arc::new(AtomicI64::new(0));
    kit.gauge(
        "contacts.submissions.in_default_partition",
        "Submissions that came before their month's partition; more than 0 for long is an alarm.",
        &slipped,
        |slipped| slipped.load(Ordering::Relaxed),
    );
    let db = kit.db.clone();
    kit.every(TEND_PERIOD, "tend the partitions of submissions", move || {
        tend_once(db.clone(), slipped.clone())
    });
}

async fn tend_once(db: Db, slipped: Arc<AtomicI64>) -> Result<(), Error> {
    // The alarm comes first, as all that follows may find somebody in its way.
    let found = count_slipped(&db).await?;
    slipped.store(found, Ordering::Relaxed);
    if found > 0 {
        tracing::error!(rows = found, "submissions are in the default partition");
        empty_default(&db).await?;
        slipped.store(count_slipped(&db).await?, Ordering::Relaxed);
    }
    let now = Utc::now();
    ensure(&db, now).await?;
    ensure(&db, now + Months::new(1)).await
}

/// Month by month, each in a transaction of its own, so that none of them is in the way for longer than it must.
async fn empty_default(db: &Db) -> Result<(), Error> {
    let months = sqlx::query_scalar!(
        r#"select distinct date_trunc('month', submitted_at, 'UTC') as "month!" from submissions_default"#
    );
    for month in months.fetch_all(db).await? {
        let mut transaction = db.begin().await?;
        // However many there are, they are moved at last.
        sqlx::query!("set local statement_timeout = '10min'").execute(&mut *transaction).await?;
        sqlx::query!("select ensure_submissions_partition($1)", month).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}

async fn count_slipped(db: &Db) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from submissions_default"#).fetch_one(db).await?)
}
