use std::collections::BTreeMap;
use std::time::Duration;

use selvedge_kit::config::Secret;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::time::sleep;
use tonic::transport::{Channel, Endpoint};

use crate::Database;

/// Tables with fewer rows are read as a whole, and rightly so.
const MANY_ROWS: i64 = 500;

/// What a database did, as PostgreSQL itself counts it.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// How often each of the tables that are not small was read from one end to the other.
    pub tables: BTreeMap<String, i64>,
    /// How often each index was looked into.
    pub indexes: BTreeMap<String, i64>,
    /// How many blocks of each table and its indexes were looked at.
    pub blocks: BTreeMap<String, i64>,
}

impl Work {
    /// All that was done so far. A session adds to it when it ends.
    pub async fn so_far(watcher: &mut PgConnection) -> Self {
        watcher.execute("select pg_stat_force_next_flush()").await.expect("the session's own are added");
        let tables =
            format!("select relname::text, seq_scan from pg_stat_user_tables where n_live_tup > {MANY_ROWS}");
        let indexes = "select indexrelname::text, idx_scan from pg_stat_user_indexes".to_owned();
        let blocks = "select relname::text, (coalesce(heap_blks_hit + heap_blks_read, 0)
                          + coalesce(idx_blks_hit + idx_blks_read, 0))::bigint
                      from pg_statio_user_tables";
        Self {
            tables: counts(watcher, tables).await,
            indexes: counts(watcher, indexes).await,
            blocks: counts(watcher, blocks.to_owned()).await,
        }
    }

    /// What was done since then; what was not touched is not named.
    #[must_use]
    pub fn since(&self, then: &Self) -> Self {
        let more = |now: &BTreeMap<String, i64>, then: &BTreeMap<String, i64>| {
            let more = now.iter().map(|(name, count)| (name.clone(), count - then.get(name).unwrap_or(&0)));
            more.filter(|(_, count)| *count > 0).collect()
        };
        Self {
            tables: more(&self.tables, &then.tables),
            indexes: more(&self.indexes, &then.indexes),
            blocks: more(&self.blocks, &then.blocks),
        }
    }

    /// How many blocks of the tables whose names begin so.
    pub fn blocks_of(&self, name: &str) -> i64 {
        self.blocks.iter().filter(|(table, _)| table.starts_with(name)).map(|(_, blocks)| blocks).sum()
    }
}

impl Database {
    /// What the database does for a service that is asked these calls. Page tokens are good for the next one as well.
    pub async fn work(&self, calls: impl AsyncFnOnce(Channel)) -> Work {
        let mut watcher = self.superuser().await;
        let before = Work::so_far(&mut watcher).await;
        let config = self.config(|config| config.tokens.page_token_keys = Some(Secret::new("ab".repeat(32))));
        let running = self.service().start(&config).await.expect("the service starts");
        running.wait_until_ready().await;
        let url = format!("http://{}", running.address);
        calls(Endpoint::from_shared(url).expect("an address makes a URL").connect_lazy()).await;
        running.stop().await;
        // Its sessions add what they did when they end.
        let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                   where usename = $1 and datname = current_database()";
        let user = format!("{}_app", self.service().name);
        while sqlx::query_scalar::<_, i64>(cut).bind(&user).fetch_one(&mut watcher).await.expect("it counts")
            > 0
        {
            sleep(Duration::from_millis(20)).await;
        }
        Work::so_far(&mut watcher).await.since(&before)
    }
}

async fn counts(watcher: &mut PgConnection, sql: String) -> BTreeMap<String, i64> {
    let counts: Vec<(String, i64)> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(watcher).await.expect("PostgreSQL counts");
    counts.into_iter().collect()
}
