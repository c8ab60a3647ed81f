//! Keeps the counts of submissions short: folds the changes that the triggers note into them.

use std::time::Duration;

use selvedge_kit::{Db, Error, Kit};

const FOLD_PERIOD: Duration = Duration::from_secs(5);

/// Changes folded by one statement at most, so that none of them runs long.
const FOLD_BATCH: i64 = 10_000;

pub(super) fn tend(kit: &mut Kit) {
    let db = kit.db.clone();
    kit.every(FOLD_PERIOD, "fold the counts of submissions", move || fold(db.clone()));
}

/// Whoever counts meanwhile sees each change once: before in one place, after in the other.
async fn fold(db: Db) -> Result<(), Error> {
    loop {
        let folded = sqlx::query_scalar!(
            r#"with folded as (
                   delete from submission_deltas
                   where ctid = any(array(select ctid from submission_deltas limit $1 for update skip locked))
                   returning quarter, status, email_domain, count
               ), by_status as (
                   insert into submission_status_counts as known (quarter, status, count)
                   select quarter, status, sum(count) from folded
                   group by quarter, status
                   order by quarter, status
                   on conflict on constraint submission_status_counts_pkey
                   do update set count = known.count + excluded.count
               ), by_domain as (
                   insert into submission_domain_counts as known (day, email_domain, count)
                   select date_trunc('day', quarter, 'UTC') as day, email_domain, sum(count) from folded
                   group by day, email_domain
                   order by day, email_domain
                   on conflict on constraint submission_domain_counts_pkey
                   do update set count = known.count + excluded.count
               )
               select count(*) as "count!" from folded"#,
            FOLD_BATCH
        )
        // A plan made while there was nothing to fold would read everything for each batch.
        .persistent(false);
        let folded = folded.fetch_one(&db).await?;
        if folded > 0 {
            forget_the_gone(&db).await?;
        }
        if folded < FOLD_BATCH {
            return Ok(());
        }
    }
}

/// A domain may be somebody's name, so it goes when its last submission does.
async fn forget_the_gone(db: &Db) -> Result<(), Error> {
    sqlx::query!(
        "with status as (delete from submission_status_counts where count = 0)
         delete from submission_domain_counts where count = 0"
    )
    .execute(db)
    .await?;
    Ok(())
}
