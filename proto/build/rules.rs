//! Generates the check of each rule for a single value.

use prost_reflect::{EnumDescriptor, Value};

use super::elements::{Type, block};
use super::literals::{check_bounds, list, literal, shown};
use super::options::{FieldRules, known_fields};
use super::patterns::Patterns;

/// A line of Rust, or what is wrong with the rule.
type Check = Result<String, String>;

/// The checks of `value`, a reference, that the rules for its type ask for.
pub(crate) fn rule_checks(
    ty: &Type,
    rules: &FieldRules,
    patterns: &mut Patterns,
) -> Result<Vec<String>, String> {
    let Some((name, typed)) = &rules.typed else { return Ok(Vec::new()) };
    if ty.rules_name() != Some(name) {
        return Err(wrong_type(name, &format!("the type {}", ty.rules_name().unwrap_or("message"))));
    }
    check_bounds(typed)?;
    let mut checks = Vec::new();
    for (rule, value) in known_fields(typed)? {
        if *value == Value::Bool(false) && rule.name() != "const" {
            continue;
        }
        let check = match ty {
            Type::Number(_) => number(rule.name(), value),
            Type::Bool => choice(rule.name(), value, "*value"),
            Type::String => string(rule.name(), value, patterns),
            Type::Bytes => bytes(rule.name(), value),
            Type::Enum(descriptor) => enumeration(descriptor, rule.name(), value),
            Type::Timestamp | Type::Duration => bound(rule.name(), value, "moment"),
            Type::Message => unsupported(),
        };
        checks.push(check.map_err(|error| format!("the rule `{name}.{}` {error}", rule.name()))?);
    }
    Ok(match ty {
        // What is out of range is said elsewhere and would read badly here.
        Type::Timestamp => block("if let Some(moment) = Moment::of(value)", checks),
        Type::Duration => block("if let Some(moment) = Span::of(value)", checks),
        _ => checks,
    })
}

/// The check of a length.
pub(crate) fn count(check: &str, actual: &str, limit: u64, unit: &str) -> String {
    format!("rules::{check}({actual}, {limit}, Unit::{unit}, at, out);")
}

/// The error for rules that stand at a field of another type.
pub(crate) fn wrong_type(rules: &str, actual: &str) -> String {
    format!("the rules `{rules}` do not fit {actual}")
}

fn number(rule: &str, value: &Value) -> Check {
    match rule {
        "const" | "in" | "not_in" => choice(rule, value, "*value"),
        "finite" => Ok(ensure("value.is_finite()", "must be a finite number")),
        _ => bound(rule, value, "*value"),
    }
}

fn bound(rule: &str, value: &Value, actual: &str) -> Check {
    let check = match rule {
        "lt" => "less_than",
        "lte" => "at_most",
        "gt" => "greater_than",
        "gte" => "at_least",
        _ => return unsupported(),
    };
    Ok(format!("rules::{check}({actual}, {}, at, out);", literal(value)?))
}

fn choice(rule: &str, value: &Value, actual: &str) -> Check {
    match (rule, value) {
        ("const", value) => {
            Ok(ensure(&format!("{actual} == {}", literal(value)?), &format!("must be {}", shown(value))))
        }
        ("in", Value::List(choices)) => {
            let condition = format!("[{}].contains(&{actual})", list(choices, literal)?);
            Ok(ensure(&condition, &format!("must be one of {}", list(choices, |it| Ok(shown(it)))?)))
        }
        ("not_in", Value::List(choices)) => {
            let condition = format!("![{}].contains(&{actual})", list(choices, literal)?);
            Ok(ensure(&condition, &format!("must be none of {}", list(choices, |it| Ok(shown(it)))?)))
        }
        _ => unsupported(),
    }
}

fn string(rule: &str, value: &Value, patterns: &mut Patterns) -> Check {
    let characters = "value.chars().count()";
    match (rule, value) {
        ("len", Value::U64(wanted)) => Ok(count("same_len", characters, *wanted, "Characters")),
        ("min_len", Value::U64(limit)) => Ok(count("min_len", characters, *limit, "Characters")),
        ("max_len", Value::U64(limit)) => Ok(count("max_len", characters, *limit, "Characters")),
        ("min_bytes", Value::U64(limit)) => Ok(count("min_len", "value.len()", *limit, "Bytes")),
        ("max_bytes", Value::U64(limit)) => Ok(count("max_len", "value.len()", *limit, "Bytes")),
        ("pattern", Value::String(pattern)) => {
            let condition = format!("{}.is_match(value)", patterns.add(pattern)?);
            Ok(ensure(&condition, &format!("must match the pattern {pattern}")))
        }
        ("prefix", Value::String(it)) => {
            Ok(ensure(&format!("value.starts_with({it:?})"), &format!("must begin with {it:?}")))
        }
        ("suffix", Value::String(it)) => {
            Ok(ensure(&format!("value.ends_with({it:?})"), &format!("must end with {it:?}")))
        }
        ("contains", Value::String(it)) => {
            Ok(ensure(&format!("value.contains({it:?})"), &format!("must contain {it:?}")))
        }
        ("email", _) => Ok(ensure("rules::is_email(value)", "must be a valid email address")),
        ("hostname", _) => Ok(ensure("rules::is_hostname(value)", "must be a valid host name")),
        ("ip", _) => Ok(ensure("rules::is_ip(value)", "must be a valid IP address")),
        ("uuid", _) => Ok(ensure("rules::is_uuid(value)", "must be a valid UUID")),
        _ => choice(rule, value, "value.as_str()"),
    }
}

fn bytes(rule: &str, value: &Value) -> Check {
    match (rule, value) {
        ("len", Value::U64(wanted)) => Ok(count("same_len", "value.len()", *wanted, "Bytes")),
        ("min_len", Value::U64(limit)) => Ok(count("min_len", "value.len()", *limit, "Bytes")),
        ("max_len", Value::U64(limit)) => Ok(count("max_len", "value.len()", *limit, "Bytes")),
        _ => unsupported(),
    }
}

/// The rules have numbers, the descriptions have the names that callers know.
fn enumeration(descriptor: &EnumDescriptor, rule: &str, value: &Value) -> Check {
    let numbers = match (rule, value) {
        ("defined_only", _) => {
            let numbers: Vec<_> = descriptor.values().map(|value| value.number()).collect();
            let description = format!("must be a value of {}", descriptor.name());
            return Ok(ensure(&format!("{numbers:?}.contains(value)"), &description));
        }
        ("const" | "in" | "not_in", Value::List(numbers)) => numbers.as_slice(),
        ("const" | "in" | "not_in", number) => std::slice::from_ref(number),
        _ => return unsupported(),
    };
    let names = list(numbers, |number| {
        let value = number.as_i32().and_then(|number| descriptor.get_value(number));
        Ok(value.ok_or("has a number that its enum does not declare")?.name().to_owned())
    })?;
    let (not, phrase) = match rule {
        "const" => ("", "must be"),
        "in" => ("", "must be one of"),
        _ => ("!", "must be none of"),
    };
    Ok(ensure(&format!("{not}[{}].contains(value)", list(numbers, literal)?), &format!("{phrase} {names}")))
}

fn ensure(condition: &str, description: &str) -> String {
    format!("rules::ensure({condition}, {description:?}, at, out);")
}

fn unsupported() -> Check {
    Err("is not supported".to_owned())
}
