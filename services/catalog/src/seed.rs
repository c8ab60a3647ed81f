//! Sample data, so that a new installation has something to show: a chain of two stores, and fourteen months of business.

mod films;
mod names;
mod people;
mod rentals;
mod stories;
mod words;

use chrono::{DateTime, SubsecRound as _, Utc};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use selvedge_kit::{Db, Error};

/// Always the same data; only the times follow the calendar.
const SEED: u64 = 0x5e17_ed6e;

/// Fills empty tables; leaves any others alone.
pub(crate) async fn seed(db: Db) -> Result<u64, Error> {
    seed_at(&db, Utc::now().trunc_subsecs(0)).await
}

/// All of it, or nothing.
async fn seed_at(db: &Db, now: DateTime<Utc>) -> Result<u64, Error> {
    let mut transaction = db.begin().await?;
    // Two at once would both find the tables empty.
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('catalog.seed', 0))")
        .execute(&mut *transaction)
        .await?;
    let empty = sqlx::query_scalar!(
        r#"select not (exists (select from films) or exists (select from customers) or exists (select from stores)
               or exists (select from languages) or exists (select from categories) or exists (select from actors)
               or exists (select from countries)) as "empty!""#
    );
    if !empty.fetch_one(&mut *transaction).await? {
        return Ok(0);
    }
    let mut rng = StdRng::seed_from_u64(SEED);
    let (films, film_rows) = films::seed(&mut transaction, &mut rng).await?;
    let (people, people_rows) = people::seed(&mut transaction, &mut rng, now).await?;
    let rental_rows = rentals::seed(&mut transaction, &mut rng, &films, &people, now).await?;
    sqlx::query_scalar!("select refresh_reports()").fetch_one(&mut *transaction).await?;
    sqlx::query!("insert into imports (kind, fingerprint) select 'seed', data_fingerprint()")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(film_rows + people_rows + rental_rows)
}

/// As many as there are rows in memory.
fn count<T>(rows: &[T]) -> u64 {
    rows.len() as u64
}
