//! Between the types of the wire and those of the database.

use chrono::{DateTime, Utc};
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Timestamp, Value};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{Error, Result};

/// The id in a field whose constraint is `string.uuid`; an empty one passes that in an update, so it is checked here.
pub fn id(field: &str, text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(|_| Error::invalid(field, "must be a UUID"))
}

/// A time as the wire has it.
pub fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: time.timestamp(), nanos: time.timestamp_subsec_nanos().cast_signed() }
}

/// A time as the database has it: to the microsecond, later digits cut off.
pub fn time(field: &str, timestamp: &Timestamp) -> Result<DateTime<Utc>> {
    u32::try_from(timestamp.nanos)
        .ok()
        .and_then(|nanos| DateTime::from_timestamp(timestamp.seconds, nanos / 1000 * 1000))
        .ok_or_else(|| Error::invalid(field, "must be a time between the years 1 and 9999"))
}

/// An object as the database has it. That its numbers are finite is checked by the request's constraints.
pub fn json(object: Struct) -> Json {
    Json::Object(object.fields.into_iter().map(|(name, value)| (name, json_value(value))).collect())
}

fn json_value(value: Value) -> Json {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(value)) => value.into(),
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::StructValue(object)) => json(object),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(json_value).collect(),
        Some(Kind::NumberValue(number)) => json_number(number),
    }
}

/// Whole numbers are written without a fraction, as whoever looks into the database would.
#[expect(clippy::cast_possible_truncation, reason = "only where the number is whole and small")]
fn json_number(number: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        Json::from(number as i64)
    } else {
        Json::from(number)
    }
}

/// An object as the wire has it. What is not an object (the column's constraint rules it out) becomes an empty one.
pub fn object(json: Json) -> Struct {
    match json {
        Json::Object(fields) => {
            Struct { fields: fields.into_iter().map(|(name, value)| (name, value_of(value))).collect() }
        }
        _ => Struct::default(),
    }
}

fn value_of(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(value),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(values) => {
            Kind::ListValue(ListValue { values: values.into_iter().map(value_of).collect() })
        }
        Json::Object(_) => Kind::StructValue(object(json)),
    };
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_come_back_as_they_went() {
        let there =
            json!({"a": [1, 2.5, "x", null, true, {"b": {}}], "big": 1e300, "negative": -3, "empty": []});
        assert_eq!(json(object(there.clone())), there);
    }

    #[test]
    fn times_keep_their_microseconds() {
        let time_in = Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 };
        let kept = timestamp(time("t", &time_in).unwrap());
        assert_eq!(kept, Timestamp { seconds: 1_700_000_000, nanos: 123_456_000 });
        let before_1970 = Timestamp { seconds: -1, nanos: 999_999_000 };
        assert_eq!(timestamp(time("t", &before_1970).unwrap()), before_1970);
        assert!(time("t", &Timestamp { seconds: i64::MAX, nanos: 0 }).is_err());
        assert!(time("t", &Timestamp { seconds: 0, nanos: -1 }).is_err());
    }

    #[test]
    fn ids_are_checked_where_the_wire_lets_them_be_empty() {
        assert!(id("id", "").is_err());
        assert!(id("id", "01890a5d-ac96-774b-bcce-b302099a8057").is_ok());
    }
}
