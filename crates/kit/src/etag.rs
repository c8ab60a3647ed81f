//! Etags: a row's time of change, which its trigger moves on with every change, written so that nobody reads it as a
//! time.

use chrono::{DateTime, Utc};

use crate::{Code, Error, Result};

/// The etag of a row that was last changed at this time.
pub fn of(updated_at: DateTime<Utc>) -> String {
    format!("{:x}", updated_at.timestamp_micros())
}

/// The time that a caller's etag stands for; `None` when the caller does not care. One that we did not make fits no
/// row, and is as stale as any other.
pub fn parse(etag: &str) -> Result<Option<DateTime<Utc>>> {
    if etag.is_empty() {
        return Ok(None);
    }
    let micros = i64::from_str_radix(etag, 16).ok().filter(|micros| format!("{micros:x}") == etag);
    micros.and_then(DateTime::from_timestamp_micros).map(Some).ok_or_else(mismatch)
}

/// What to answer when the row has changed since the caller saw it.
pub fn mismatch() -> Error {
    Error::new(
        Code::Aborted,
        "ETAG_MISMATCH",
        "the resource has changed since this etag was given out; read it again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_leads_back_to_its_time() {
        let now = DateTime::from_timestamp_micros(1_784_000_000_123_456).unwrap();
        assert_eq!(parse(&of(now)).unwrap(), Some(now));
        assert_eq!(parse("").unwrap(), None);
    }

    #[test]
    fn what_we_did_not_make_is_stale() {
        for wrong in ["x", "\"65\"", "+65", "065", "A", "ffffffffffffffffff"] {
            assert_eq!(parse(wrong).unwrap_err().reason(), "ETAG_MISMATCH", "{wrong}");
        }
    }
}
