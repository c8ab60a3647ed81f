//! Text and bytes, with what the rules ask of them.

use serde_json::{Map, Value, json};

use super::patterns;
use super::rule_types::{BytesRules, Format, StringRules};

/// The schema of a text; what JSON Schema cannot say goes to the notes.
pub(super) fn text(rules: Option<&StringRules>, notes: &mut Vec<String>) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".into(), json!("string"));
    let Some(rules) = rules else { return schema };
    let mut patterns = vec![];
    if let Some(format) = rules.format {
        format_of(format, &mut schema, &mut patterns);
    }
    lengths(rules, &mut schema, notes);
    if let Some(pattern) = &rules.pattern {
        match patterns::for_json_schema(pattern) {
            Some(pattern) => patterns.push(pattern),
            None => notes.push(format!("It matches the pattern `{pattern}`.")),
        }
    }
    patterns.extend(rules.prefix.as_ref().map(|it| format!("^{}", patterns::escape(it))));
    patterns.extend(rules.suffix.as_ref().map(|it| format!("{}$", patterns::escape(it))));
    patterns.extend(rules.contains.as_ref().map(|it| patterns::escape(it)));
    if let Some(constant) = &rules.constant {
        schema.insert("const".into(), json!(constant));
    }
    if !rules.any_of.is_empty() {
        schema.insert("enum".into(), json!(rules.any_of));
    }
    let mut not = vec![];
    if !rules.none_of.is_empty() {
        not.push(json!({"enum": rules.none_of}));
    }
    not.extend(rules.not_contains.as_ref().map(|it| json!({"pattern": patterns::escape(it)})));
    match not.len() {
        0 => {}
        1 => drop(schema.insert("not".into(), not.remove(0))),
        _ => drop(schema.insert("not".into(), json!({"anyOf": not}))),
    }
    if patterns.len() == 1 {
        schema.insert("pattern".into(), json!(patterns[0]));
    } else if patterns.len() > 1 {
        let all = patterns.iter().map(|pattern| json!({"pattern": pattern}));
        schema.insert("allOf".into(), all.collect());
    }
    schema
}

fn lengths(rules: &StringRules, schema: &mut Map<String, Value>, notes: &mut Vec<String>) {
    let least = rules.len.or(rules.min_len);
    let most = rules.len.or(rules.max_len);
    // A character has one to four bytes: what follows for the length is not all that is asked for.
    let least_bytes = rules.len_bytes.or(rules.min_bytes);
    let most_bytes = rules.len_bytes.or(rules.max_bytes);
    if let Some(bytes) = least_bytes {
        notes.push(format!("At least {bytes} bytes of UTF-8."));
    }
    if let Some(bytes) = most_bytes {
        notes.push(format!("At most {bytes} bytes of UTF-8."));
    }
    if let Some(least) = least.max(least_bytes.map(|bytes| bytes.div_ceil(4))) {
        schema.insert("minLength".into(), json!(least));
    }
    if let Some(most) = [most, most_bytes].into_iter().flatten().min() {
        schema.insert("maxLength".into(), json!(most));
    }
}

fn format_of(format: Format, schema: &mut Map<String, Value>, patterns: &mut Vec<String>) {
    let name = match format {
        Format::Email(true) => "email",
        Format::Hostname(true) => "hostname",
        Format::Ipv4(true) => "ipv4",
        Format::Ipv6(true) => "ipv6",
        Format::Uri(true) => "uri",
        Format::UriReference(true) => "uri-reference",
        Format::Uuid(true) => "uuid",
        Format::Ip(true) => {
            schema.insert("anyOf".into(), json!([{"format": "ipv4"}, {"format": "ipv6"}]));
            return;
        }
        Format::TrimmedUuid(true) => {
            patterns.push("^[0-9a-fA-F]{32}$".to_owned());
            return;
        }
        _ => return,
    };
    schema.insert("format".into(), json!(name));
}

/// Whether few texts pass.
pub(super) fn has_form(rules: &StringRules) -> bool {
    let texts = [&rules.constant, &rules.pattern, &rules.prefix, &rules.suffix, &rules.contains];
    let has_length = rules.len.or(rules.len_bytes).is_some();
    rules.format.is_some() || has_length || !rules.any_of.is_empty() || texts.into_iter().any(Option::is_some)
}

/// Whether the empty text breaks the rules.
pub(super) fn refuse_empty(rules: &StringRules) -> bool {
    let is_some = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let least = [rules.len, rules.min_len, rules.len_bytes, rules.min_bytes];
    // An empty reference is one, to where it stands.
    let format = rules.format.is_some_and(|format| !matches!(format, Format::UriReference(_)));
    format
        || least.into_iter().flatten().any(|least| least > 0)
        || [&rules.constant, &rules.prefix, &rules.suffix, &rules.contains].into_iter().any(is_some)
        || rules.pattern.as_ref().is_some_and(|pattern| !patterns::matches_nothing(pattern))
        || (!rules.any_of.is_empty() && rules.any_of.iter().all(|text| !text.is_empty()))
        || rules.none_of.iter().any(String::is_empty)
}

/// The schema of bytes, whose lengths become those of their base64.
pub(super) fn bytes(rules: Option<&BytesRules>, notes: &mut Vec<String>) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".into(), json!("string"));
    schema.insert("format".into(), json!("byte"));
    schema.insert("contentEncoding".into(), json!("base64"));
    let Some(rules) = rules else { return schema };
    notes.extend(rules.len.map(|len| format!("Exactly {len} bytes.")));
    notes.extend(rules.min_len.map(|least| format!("At least {least} bytes.")));
    notes.extend(rules.max_len.map(|most| format!("At most {most} bytes.")));
    if let Some(least) = rules.len.or(rules.min_len) {
        // Padding may be left out.
        schema.insert("minLength".into(), json!((least * 4).div_ceil(3)));
    }
    if let Some(most) = rules.len.or(rules.max_len) {
        schema.insert("maxLength".into(), json!(most.div_ceil(3) * 4));
    }
    schema
}
