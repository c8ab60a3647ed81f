use selvedge_testing::Served;

/// Returns when somebody waits for a lock that somebody else has.
pub(crate) async fn until_somebody_waits(served: &Served) {
    let mut watcher = served.database.superuser().await;
    let waits = "select exists (select from pg_stat_activity where wait_event_type = 'Lock'
                     and datname = current_database())";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watcher).await.unwrap() {
        tokio::task::yield_now().await;
    }
}
