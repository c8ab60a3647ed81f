//! Texts that a schema allows, as people would write them.

use serde_json::{Value, json};

use super::examples::allowed;
use super::patterns;

/// A text for a schema; none if none is easily found.
pub(super) fn string(schema: &Value, name: &str) -> Option<Value> {
    let length =
        |name: &str| schema.get(name).and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok());
    let (least, most) = (length("minLength").unwrap_or(0), length("maxLength").unwrap_or(usize::MAX));
    let patterns = patterns_of(schema);
    let fits = |text: &String| {
        (least..=most).contains(&text.chars().count())
            && patterns
                .iter()
                .all(|pattern| regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match(text)))
            && allowed(schema, [json!(text)].into_iter()).is_some()
            && schema.pointer("/not/pattern").is_none()
    };
    let described = schema.get("description").and_then(Value::as_str).and_then(such_as);
    let format = schema
        .get("format")
        .and_then(Value::as_str)
        .or_else(|| schema.pointer("/anyOf/0/format").and_then(Value::as_str));
    let from_format = match format {
        Some("date-time") => return Some(json!("2026-01-31T09:30:00Z")),
        Some("uuid") => Some("01980f2e-7c3a-7b52-9d41-5f6e8a2b1c0d"),
        Some("email") => Some("ada@example.com"),
        Some("hostname") => Some("www.example.com"),
        Some("ipv4") => Some("192.0.2.1"),
        Some("ipv6") => Some("2001:db8::1"),
        Some("uri") => Some("https://example.com/"),
        Some("uri-reference") => Some("/example"),
        Some("byte") => return Some(json!(base64_of_length(least, most)?)),
        Some("int64" | "uint64") => Some("42"),
        _ => None,
    };
    let made = patterns.first().and_then(|pattern| patterns::example(pattern, least.max(1)));
    let made = made.filter(|text| !text.is_empty());
    let filled = Some("text".chars().cycle().take(least.max(4).min(most).min(1000)).collect());
    let known = known(name).map(str::to_owned);
    let candidates = match from_format {
        Some(text) => vec![Some(text.to_owned())],
        None => vec![described.map(str::to_owned), known, made, filled, Some(String::new())],
    };
    candidates.into_iter().flatten().find(fits).map(Value::String)
}

fn patterns_of(schema: &Value) -> Vec<&str> {
    let all = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    let own = schema.get("pattern").into_iter();
    own.chain(all.filter_map(|part| part.get("pattern"))).filter_map(Value::as_str).collect()
}

/// `AAAA`, as long as it must be.
fn base64_of_length(least: usize, most: usize) -> Option<String> {
    let length = least.max(4).div_ceil(4) * 4;
    (length <= most && length <= 4096).then(|| "c2Vs".repeat(length / 4))
}

/// What a description gives as an example of its own.
pub(super) fn such_as(description: &str) -> Option<&str> {
    let (_, rest) = description.split_once("such as `").or_else(|| description.split_once("e.g. `"))?;
    rest.split_once('`').map(|(example, _)| example)
}

/// Words that are easier on the eye than `text`.
fn known(name: &str) -> Option<&'static str> {
    let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase().replace('_', "");
    Some(match last.as_str() {
        "name" | "displayname" | "fullname" => "Ada Lovelace",
        "title" => "A title",
        "message" | "text" | "body" | "content" => "Good morning!",
        "description" | "comment" | "note" => "A few words about it.",
        "email" => "ada@example.com",
        "emaildomain" => "example.com",
        "city" => "London",
        "country" | "countrycode" | "regioncode" => "GB",
        "language" | "languagecode" => "en",
        "currency" | "currencycode" => "EUR",
        "url" | "uri" | "website" => "https://example.com/",
        "filename" => "report.pdf",
        "mediatype" | "mimetype" | "contenttype" => "application/pdf",
        "etag" => "65d1c0a2b8f3e",
        "timezone" => "Europe/London",
        "tag" | "label" => "important",
        "pagetoken" | "nextpagetoken" => "MjAyNi0wMS0zMQ",
        "key" => "key",
        name if name.ends_with("id") => "4711",
        _ => return None,
    })
}
