//! Turns the values of rules into Rust and into text.

use std::cmp::Ordering;

use prost_reflect::{DynamicMessage, ReflectMessage, Value};

/// The value as a Rust literal.
pub(crate) fn literal(value: &Value) -> Result<String, String> {
    Ok(match value {
        Value::I32(number) => format!("{number}i32"),
        Value::I64(number) => format!("{number}i64"),
        Value::U32(number) => format!("{number}u32"),
        Value::U64(number) => format!("{number}u64"),
        Value::F32(number) if number.is_finite() => format!("{number:?}f32"),
        Value::F64(number) if number.is_finite() => format!("{number:?}f64"),
        Value::F32(_) | Value::F64(_) => return Err("has a number that is not finite".to_owned()),
        Value::Bool(flag) => flag.to_string(),
        Value::String(text) => format!("{text:?}"),
        Value::Message(time) => {
            let (seconds, nanos) = time_parts(time)?;
            let name = if time.descriptor().name() == "Timestamp" { "Moment" } else { "Span" };
            format!("{name}({seconds}, {nanos})")
        }
        _ => return Err("has a value of an unexpected type".to_owned()),
    })
}

/// The value as descriptions show it.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::I32(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::U32(number) => number.to_string(),
        Value::U64(number) => number.to_string(),
        Value::F32(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => format!("{:?}", other.as_str().unwrap_or_default()),
    }
}

/// Values, each turned into text, with commas between them.
pub(crate) fn list(
    values: &[Value],
    text: impl Fn(&Value) -> Result<String, String>,
) -> Result<String, String> {
    Ok(values.iter().map(text).collect::<Result<Vec<_>, _>>()?.join(", "))
}

/// Refuses a lower bound that does not lie below the upper one: protovalidate gives it a meaning of its own ("outside
/// of"), and nobody writes it on purpose.
pub(crate) fn check_bounds(rules: &DynamicMessage) -> Result<(), String> {
    let bound = |names: [&str; 2]| {
        let is_set = |name: &&str| rules.has_field_by_name(name);
        names.iter().copied().find(is_set).and_then(|name| rules.get_field_by_name(name))
    };
    match (bound(["gt", "gte"]), bound(["lt", "lte"])) {
        (Some(lower), Some(upper)) if compare(&lower, &upper) != Some(Ordering::Less) => {
            Err("the lower bound must lie below the upper one".to_owned())
        }
        _ => Ok(()),
    }
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::I32(left), Value::I32(right)) => left.partial_cmp(right),
        (Value::I64(left), Value::I64(right)) => left.partial_cmp(right),
        (Value::U32(left), Value::U32(right)) => left.partial_cmp(right),
        (Value::U64(left), Value::U64(right)) => left.partial_cmp(right),
        (Value::F32(left), Value::F32(right)) => left.partial_cmp(right),
        (Value::F64(left), Value::F64(right)) => left.partial_cmp(right),
        (Value::Message(left), Value::Message(right)) => {
            time_parts(left).ok()?.partial_cmp(&time_parts(right).ok()?)
        }
        _ => None,
    }
}

fn time_parts(time: &DynamicMessage) -> Result<(i64, i32), String> {
    let seconds = time.get_field_by_name("seconds").and_then(|value| value.as_i64());
    let nanos = time.get_field_by_name("nanos").and_then(|value| value.as_i32());
    seconds.zip(nanos).ok_or_else(|| "has a value that is not a time".to_owned())
}
