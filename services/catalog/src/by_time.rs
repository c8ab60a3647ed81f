//! Where pages end in lists that are ordered by time.

use chrono::{DateTime, Utc};
use selvedge_kit::Error;
use selvedge_kit::page::{self, Cursor};

/// Of the row of this time and id.
pub(crate) fn cursor(time: DateTime<Utc>, id: i64) -> Cursor {
    Cursor::new(&time.timestamp_micros().to_string(), id)
}

/// The time of such a cursor.
pub(crate) fn time(cursor: &Cursor) -> Result<DateTime<Utc>, Error> {
    let time = cursor.key().parse().ok().and_then(DateTime::from_timestamp_micros);
    time.ok_or_else(page::not_ours)
}
