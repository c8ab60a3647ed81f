//! What comes between callers and their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::Executor as _;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::database::Store;

/// Cuts connections in the middle of something, and is in the way of statements.
pub(crate) struct Trouble {
    end: Arc<AtomicBool>,
    cut: JoinHandle<usize>,
}

impl Trouble {
    pub(crate) fn begin(store: &Store, seed: u64) -> Self {
        let troubler = store.troubler.clone();
        let end = Arc::new(AtomicBool::new(false));
        let ended = end.clone();
        let cut = tokio::spawn(async move {
            let mut superuser = troubler.lock().await;
            let mut random = StdRng::seed_from_u64(seed);
            let mut cut = 0;
            while !ended.load(Ordering::SeqCst) {
                sleep(Duration::from_millis(random.random_range(1..12))).await;
                if random.random_ratio(1, 6) {
                    let one = "select count(pg_terminate_backend(pid)) from (
                                   select pid from pg_stat_activity
                                   where usename = 'contacts_app' and datname = current_database() and state = 'active'
                                   order by random() limit 1
                               ) as one";
                    let gone: i64 = sqlx::query_scalar(one).fetch_one(&mut *superuser).await.unwrap();
                    cut += usize::try_from(gone).unwrap();
                } else {
                    superuser.execute("begin; lock table notes in share mode").await.unwrap();
                    sleep(Duration::from_millis(random.random_range(1..15))).await;
                    superuser.execute("rollback").await.unwrap();
                }
            }
            cut
        });
        Self { end, cut }
    }

    /// Answers with how many connections were cut.
    pub(crate) async fn end(self) -> usize {
        self.end.store(true, Ordering::SeqCst);
        self.cut.await.unwrap()
    }
}
