//! The partitions of submissions, one for each month that has any.

use std::collections::HashMap;
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
    known: Mutex<HashMap<(i32, u32), Known>>,
}

#[derive(Clone, Copy)]
enum Known {
    There,
    NotBefore(Instant),
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
        match self.known().get(&month) {
            Some(Known::There) => return Ok(()),
            Some(Known::NotBefore(then)) if Instant::now() < *then => return Ok(()),
            _ => {}
        }
        let known = match ensure(&self.db, at).await {
            Ok(()) => Known::There,
            Err(error) if error.code() == Code::Aborted => {
                tracing::warn!(%error, "a partition could not be made now");
                Known::NotBefore(Instant::now() + PAUSE)
            }
            Err(error) => return Err(error),
        };
        self.known().insert(month, known);
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, HashMap<(i32, u32), Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        sqlx::query!("select empty_submissions_default()").execute(&db).await?;
        slipped.store(count_slipped(&db).await?, Ordering::Relaxed);
    }
    let now = Utc::now();
    ensure(&db, now).await?;
    ensure(&db, now + Months::new(1)).await
}

async fn count_slipped(db: &Db) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from submissions_default"#).fetch_one(db).await?)
}
