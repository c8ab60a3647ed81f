//! What is in the catalog, and whether it would be missed.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::Result;

/// Where the data in the catalog came from.
#[derive(Debug, PartialEq, Eq)]
pub enum Held {
    /// There is none.
    Nothing,
    /// It is the sample data, as it was made.
    Seed,
    /// It is an earlier import, as it was brought in.
    Import {
        /// The SHA-256 of the file.
        sha256: Vec<u8>,
        /// When that was.
        at: DateTime<Utc>,
    },
    /// Somebody has made it, or changed what was brought in.
    Changed,
}

/// Looks what is there now.
pub async fn held(connection: &mut PgConnection) -> Result<Held> {
    let empty = sqlx::query_scalar!(
        r#"select not exists (
               select from jsonb_each(data_fingerprint()) as tables (name, figures) where figures -> 0 <> '0'::jsonb
           ) as "empty!""#
    );
    if empty.fetch_one(&mut *connection).await? {
        return Ok(Held::Nothing);
    }
    let last = sqlx::query!(
        r#"select kind, sha256, imported_at, fingerprint = data_fingerprint() as "unchanged!"
           from imports order by id desc limit 1"#
    );
    Ok(match last.fetch_optional(connection).await? {
        Some(last) if last.unchanged => match last.sha256 {
            Some(sha256) => Held::Import { sha256, at: last.imported_at },
            None => Held::Seed,
        },
        _ => Held::Changed,
    })
}
