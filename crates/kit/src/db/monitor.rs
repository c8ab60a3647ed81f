//! Looks at the database at regular times, on a connection of its own, so that a full pool does not look like a dead
//! database.

use std::time::{Duration, Instant, SystemTime};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Row as _};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, info, warn};

use super::{Db, within};

/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);
/// Every so many looks the size is measured, for which PostgreSQL visits every file of the database.
const LOOKS_PER_MEASURE: u64 = 30;
/// A database that does not answer within this time is down.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Connections that nobody used for this long are closed, but for one.
const IDLE: Duration = Duration::from_mins(10);

/// What the last look at the database found.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether it answered.
    pub up: bool,
    /// How long the answer took.
    pub latency: Duration,
    /// When that was.
    pub checked_at: SystemTime,
    /// The size of the database in bytes, as last measured.
    pub size_bytes: i64,
    /// The connections to the database, those of others included.
    pub connections: i64,
}

pub(super) struct Monitor {
    connect: PgConnectOptions,
    health: watch::Sender<Health>,
}

impl Monitor {
    pub(super) fn new(connect: PgConnectOptions) -> Self {
        let unknown = Health {
            up: false,
            latency: Duration::ZERO,
            checked_at: SystemTime::UNIX_EPOCH,
            size_bytes: 0,
            connections: 0,
        };
        Self { connect, health: watch::Sender::new(unknown) }
    }

    pub(super) fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }
}

pub(super) async fn watch(db: &Db) {
    let monitor = &db.0.monitor;
    let mut connection = None;
    let mut looks = 0;
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let was = monitor.health();
        let measure = looks % LOOKS_PER_MEASURE == 0;
        let started = Instant::now();
        let found = within(ANSWER_WITHIN, look(&monitor.connect, &mut connection, measure)).await;
        let mut health =
            Health { up: false, latency: started.elapsed(), checked_at: SystemTime::now(), ..was };
        match found {
            Ok((connections, size)) => {
                looks += 1;
                health =
                    Health { up: true, connections, size_bytes: size.unwrap_or(was.size_bytes), ..health };
            }
            Err(reason) => {
                if was.up {
                    warn!(reason, "the database is down");
                    // What the pool holds is probably broken as well; it tests its connections before the next use.
                    db.0.pool.manager().suspect();
                } else {
                    debug!(reason, "the database is still down");
                }
            }
        }
        if health.up && !was.up {
            info!(latency_ms = health.latency.as_secs_f64() * 1e3, "the database is up");
        }
        monitor.health.send_replace(health);
        tend_pool(db).await;
    }
}

async fn look(
    connect: &PgConnectOptions,
    connection: &mut Option<PgConnection>,
    measure: bool,
) -> Result<(i64, Option<i64>), sqlx::Error> {
    // Taken out while in use: a look that is given up leaves no half-read answer behind.
    let mut live = match connection.take() {
        Some(live) => live,
        None => connect.connect().await?,
    };
    let sql = "select pg_stat_get_db_numbackends(oid)::bigint, case when $1 then pg_database_size(oid) end
               from pg_database where datname = current_database()";
    let row = sqlx::query(sql).bind(measure).fetch_one(&mut live).await?;
    *connection = Some(live);
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Closes what has been idle for long, and keeps at least one connection open, so that the first request after a quiet
/// night does not pay for it.
async fn tend_pool(db: &Db) {
    let pool = &db.0.pool;
    let mut open = pool.status().size;
    pool.retain(|_, metrics| {
        let keep = open <= 1 || metrics.last_used() < IDLE;
        open -= usize::from(!keep);
        keep
    });
    if open == 0 && db.health().up {
        // A failure shows in the next look.
        if let Err(error) = db.acquire().await {
            debug!(%error, "could not open a connection ahead of time");
        }
    }
}
