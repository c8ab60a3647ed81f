//! Generates the checks of a list or map: its presence, its length, what is in it.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};

use super::elements::{Type, block, element_checks};
use super::fields::if_non_zero;
use super::names::field_name;
use super::options::{FieldRules, Ignore, known_fields};
use super::patterns::Patterns;
use super::rules::{count, wrong_type};

/// The checks of a list and its items.
pub(crate) fn list_checks(
    field: &FieldDescriptor,
    rules: &FieldRules,
    patterns: &mut Patterns,
) -> Result<Vec<String>, String> {
    let ty = Type::of(&field.kind())?;
    let mut items = FieldRules::default();
    let mut checks = Vec::new();
    for (rule, value) in typed(rules, "repeated")? {
        match (rule.name(), value) {
            ("min_items", Value::U64(limit)) => checks.push(count("min_len", "value.len()", *limit, "Items")),
            ("max_items", Value::U64(limit)) => checks.push(count("max_len", "value.len()", *limit, "Items")),
            ("unique", Value::Bool(true)) => {
                let order = ty.order().ok_or("the rule `unique` does not fit items that are messages")?;
                checks.push(format!("rules::unique(value, {order}, at, out);"));
            }
            ("unique", Value::Bool(false)) => {}
            ("items", Value::Message(rules)) => items = inner("items", rules)?,
            (name, _) => return Err(format!("the rule `repeated.{name}` is not supported")),
        }
    }
    if rules.ignore == Ignore::Always {
        items.ignore = Ignore::Always;
    }
    let mut each = element_checks(&ty, &items, true, patterns).map_err(|error| format!("items: {error}"))?;
    if !each.is_empty() {
        each.insert(0, "let at = &at.index(index);".to_owned());
        each = block("for (index, value) in value.iter().enumerate()", each);
    }
    Ok(collection(field, rules, checks, each))
}

/// The checks of a map, its keys and its values.
pub(crate) fn map_checks(
    field: &FieldDescriptor,
    rules: &FieldRules,
    patterns: &mut Patterns,
) -> Result<Vec<String>, String> {
    let Kind::Message(entry) = field.kind() else { return Err("a map without entries".to_owned()) };
    let (key, value) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
    let (mut keys, mut values) = (FieldRules::default(), FieldRules::default());
    let mut checks = Vec::new();
    for (rule, value) in typed(rules, "map")? {
        match (rule.name(), value) {
            ("min_pairs", Value::U64(limit)) => {
                checks.push(count("min_len", "value.len()", *limit, "Entries"));
            }
            ("max_pairs", Value::U64(limit)) => {
                checks.push(count("max_len", "value.len()", *limit, "Entries"));
            }
            ("keys", Value::Message(rules)) => keys = inner("keys", rules)?,
            ("values", Value::Message(rules)) => values = inner("values", rules)?,
            (name, _) => return Err(format!("the rule `map.{name}` is not supported")),
        }
    }
    if rules.ignore == Ignore::Always {
        (keys.ignore, values.ignore) = (Ignore::Always, Ignore::Always);
    }
    let of_key =
        element_checks(&Type::of(&key)?, &keys, true, patterns).map_err(|error| format!("keys: {error}"))?;
    let of_value = element_checks(&Type::of(&value)?, &values, true, patterns)
        .map_err(|error| format!("values: {error}"))?;
    let mut each = Vec::new();
    if !(of_key.is_empty() && of_value.is_empty()) {
        let step = if key == Kind::String { "key" } else { "plain_key" };
        let mut body = vec![format!("let at = &at.{step}(key);")];
        let mut key_body = vec!["let (at, value) = (&at.key_itself(), key);".to_owned()];
        key_body.extend(of_key);
        body.extend(block("", key_body));
        body.extend(of_value);
        each = block("for (key, value) in value", body);
    }
    Ok(collection(field, rules, checks, each))
}

/// Puts the checks of a list or map and those of what is in it together.
fn collection(
    field: &FieldDescriptor,
    rules: &FieldRules,
    checks: Vec<String>,
    each: Vec<String>,
) -> Vec<String> {
    let value = format!("&self.{}", field_name(field.name()));
    let (is_required, checks) = match rules.ignore {
        Ignore::Never => (rules.required, checks),
        Ignore::IfZero if checks.is_empty() => (rules.required, checks),
        Ignore::IfZero => (rules.required, block("if !value.is_empty()", checks)),
        Ignore::Always => (false, Vec::new()),
    };
    if_non_zero(&value, "value.is_empty()", is_required, [checks, each].concat())
}

/// The rules of a list or map, which must be of its type.
fn typed<'r>(rules: &'r FieldRules, wanted: &str) -> Result<Vec<(FieldDescriptor, &'r Value)>, String> {
    match &rules.typed {
        None => Ok(Vec::new()),
        Some((name, typed)) if name == wanted => known_fields(typed),
        Some((name, _)) => Err(wrong_type(name, &format!("a {wanted} field"))),
    }
}

/// The rules for items, keys or values, which are always present.
fn inner(what: &str, rules: &DynamicMessage) -> Result<FieldRules, String> {
    let rules = FieldRules::read(rules).map_err(|error| format!("{what}: {error}"))?;
    if rules.required {
        return Err(format!("{what}: the rule `required` does not fit what is always there"));
    }
    Ok(rules)
}
