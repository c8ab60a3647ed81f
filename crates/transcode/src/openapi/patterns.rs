//! Regular expressions: those of the rules are in RE2's dialect, those of JSON Schema in JavaScript's.

use regex_syntax::hir::{Class, Hir, HirKind};

/// The same expression for JSON Schema, or nothing if it has what JavaScript has not.
pub(super) fn for_json_schema(pattern: &str) -> Option<String> {
    let other =
        ["(?i", "(?s", "(?m", "(?U", "(?x", "(?-", "(?u", "[[:", r"\Q", r"\C", r"\x{", r"\a", r"\<", r"\>"];
    let is_foreign = other.iter().any(|it| pattern.contains(it)) || has_short_property(pattern);
    let translated = || pattern.replace(r"\A", "^").replace(r"\z", "$").replace("(?P<", "(?<");
    (!is_foreign).then(translated)
}

/// `\pL`, which JavaScript writes as `\p{L}` and reads only in a mode that is not everywhere.
fn has_short_property(pattern: &str) -> bool {
    pattern.contains(r"\p") || pattern.contains(r"\P")
}

/// An integer of 64 bits, as far as the number of its digits goes, without zeros that say nothing.
pub(super) fn integer(is_signed: bool) -> &'static str {
    if is_signed { "^(0|-?[1-9][0-9]{0,18})$" } else { "^(0|[1-9][0-9]{0,19})$" }
}

/// An integer of 32 bits.
pub(super) fn short_integer(is_signed: bool) -> String {
    if is_signed {
        format!("^(0|-?({})|{})$", up_to(&i32::MAX.to_string()), i32::MIN)
    } else {
        format!("^(0|{})$", up_to(&u32::MAX.to_string()))
    }
}

/// All from 1 to a number: those with fewer digits, those with a lower digit after the same beginning, and itself.
fn up_to(most: &str) -> String {
    let mut choices = vec![format!("[1-9][0-9]{{0,{}}}", most.len() - 2)];
    for (at, digit) in most.bytes().enumerate() {
        let least = if at == 0 { b'1' } else { b'0' };
        if digit > least {
            let range = format!("[{}-{}]", char::from(least), char::from(digit - 1));
            choices.push(format!("{}{range}[0-9]{{{}}}", &most[..at], most.len() - at - 1));
        }
    }
    choices.push(most.to_owned());
    choices.join("|")
}

/// The paths of a mask, each of them names as JSON has them, or `*` for all fields.
pub(super) fn field_mask() -> String {
    let name = "[a-zA-Z][a-zA-Z0-9]*";
    let path = format!(r"(\*|{name}(\.{name})*)");
    format!("^({path}(,{path})*)?$")
}

/// An expression for a text.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$/".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// Whether the empty text matches; one that cannot be read is taken to match.
pub(super) fn matches_nothing(pattern: &str) -> bool {
    regex_syntax::parse(pattern).map_or(true, |hir| hir.properties().minimum_len() == Some(0))
}

/// A short text that matches, if one is easily found.
pub(super) fn example(pattern: &str, least: usize) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut text = String::new();
    write(&hir, least, &mut text);
    Some(text)
}

/// More than a person reads.
const MAX_REPEATS: u32 = 256;

fn write(hir: &Hir, least: usize, out: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            let holds = |letter: char| {
                class.ranges().iter().any(|range| range.start() <= letter && letter <= range.end())
            };
            let first = class.ranges().first().map(regex_syntax::hir::ClassUnicodeRange::start);
            out.extend("axA1 ".chars().find(|&letter| holds(letter)).or(first));
        }
        HirKind::Class(Class::Bytes(class)) => {
            out.extend(class.ranges().first().map(|range| char::from(range.start())));
        }
        HirKind::Repetition(repetition) => {
            let wanted =
                u32::try_from(least.saturating_sub(out.chars().count())).unwrap_or(MAX_REPEATS).max(1);
            let times =
                wanted.max(repetition.min).min(repetition.max.unwrap_or(MAX_REPEATS)).min(MAX_REPEATS);
            // Optional parts are left out, but for one that is all there is.
            let times = if repetition.max == Some(1) { repetition.min } else { times };
            (0..times).for_each(|_| write(&repetition.sub, least, out));
        }
        HirKind::Capture(capture) => write(&capture.sub, least, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, least, out)),
        HirKind::Alternation(parts) => {
            let longer = parts.iter().find(|part| part.properties().minimum_len() > Some(0));
            if let Some(part) = longer.or(parts.first()) {
                write(part, least, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_translated_or_left_to_the_text() {
        assert_eq!(for_json_schema(r"\A(?P<year>[0-9]+)\z").as_deref(), Some("^(?<year>[0-9]+)$"));
        assert_eq!(for_json_schema("(?i)abc"), None);
        assert_eq!(for_json_schema(r"^\pL+$"), None);
        assert_eq!(escape("a.b/c"), r"a\.b\/c");
    }

    #[test]
    fn an_integer_ends_where_its_bits_do() {
        let matches = |pattern: &str, number: i64| {
            regex::Regex::new(pattern).expect(pattern).is_match(&number.to_string())
        };
        let (signed, unsigned) = (short_integer(true), short_integer(false));
        for edge in
            [0, 1, 9, 10, 999_999_999, 1_000_000_000, 1_999_999_999, i64::from(i32::MAX), i64::from(u32::MAX)]
        {
            for number in [edge - 1, edge, edge + 1, -edge - 2, -edge - 1, -edge] {
                assert_eq!(matches(&signed, number), i32::try_from(number).is_ok(), "{number}");
                assert_eq!(matches(&unsigned, number), u32::try_from(number).is_ok(), "{number}");
            }
        }
    }

    #[test]
    fn what_is_made_for_an_expression_matches_it() {
        let patterns = [
            "^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$",
            "^[0-9a-f]{64}$",
            "^(|[0-9]{4}-[0-9]{2}-[0-9]{2})$",
            "^[!-~]*$",
            "^(|UTC|Etc/GMT[+-]([0-9]|1[0-4])|[A-Za-z]+(/[A-Za-z_-]+)+)$",
            r"^\d{3}(-\d{2})?$",
        ];
        for pattern in patterns {
            let example = example(pattern, 1).expect(pattern);
            assert!(regex::Regex::new(pattern).expect(pattern).is_match(&example), "{pattern}: {example}");
            assert!(!example.is_empty(), "{pattern}");
        }
        assert!(matches_nothing("^[!-~]*$") && !matches_nothing("^a$"));
    }
}
