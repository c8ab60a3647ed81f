//! How the reports are brought up to date.

use std::time::Duration;

use chrono::{DateTime, Utc};
use selvedge_kit::{Db, Error, Kit};

/// How often to look how old they are.
const LOOK_PERIOD: Duration = Duration::from_mins(1);

/// Brings them up to date every five minutes, however many replicas there are.
pub(super) fn tend(kit: &mut Kit) {
    let db = kit.db.clone();
    kit.every(LOOK_PERIOD, "bring the reports up to date", move || refresh_if_old(db.clone()));
}

async fn refresh_if_old(db: Db) -> Result<(), Error> {
    let old = sqlx::query_scalar!(
        r#"select refreshed_at < now() - interval '5 minutes' as "old!" from report_refreshes"#
    );
    if old.fetch_one(&db).await? {
        refresh(&db).await?;
    }
    Ok(())
}

/// Brings them up to date now, and answers with of when they are; `None` where somebody else is at it.
pub(super) async fn refresh(db: &Db) -> Result<Option<DateTime<Utc>>, Error> {
    let mut transaction = db.begin().await?;
    // It reads everything, which may take longer than any other statement should.
    sqlx::query!("set local statement_timeout = '30min'").execute(&mut *transaction).await?;
    let refreshed = sqlx::query_scalar!("select refresh_reports()").fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(refreshed)
}
