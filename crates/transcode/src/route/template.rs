//! The grammar of path templates.
//!
//! ```text
//! Template = "/" Segments [ Verb ] ;
//! Segments = Segment { "/" Segment } ;
//! Segment  = "*" | "**" | LITERAL | Variable ;
//! Variable = "{" FieldPath [ "=" Segments ] "}" ;
//! FieldPath = IDENT { "." IDENT } ;
//! Verb     = ":" LITERAL ;
//! ```

use std::ops::Range;

use super::Segment;
use super::percent::{self, Dialect};

/// A template whose variables are not yet fields.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) segments: Vec<Segment>,
    pub(crate) verb: Option<Box<str>>,
    pub(crate) variables: Vec<(Box<str>, Range<usize>)>,
}

/// More than any path needs; matching goes as deep as the longest template.
const MAX_SEGMENTS: usize = 64;

pub(crate) fn parse(text: &str) -> Result<Parsed, String> {
    let mut rest = text.strip_prefix('/').ok_or("does not begin with `/`")?;
    let mut parsed = Parsed { segments: vec![], verb: None, variables: vec![] };
    loop {
        rest = match rest.strip_prefix('{') {
            Some(inner) => variable(inner, &mut parsed)?,
            None => plain(rest, &mut parsed)?,
        };
        match rest.strip_prefix('/') {
            Some(next) => rest = next,
            None => break,
        }
    }
    if let Some(verb) = rest.strip_prefix(':') {
        parsed.verb = Some(literal(verb).map_err(|problem| format!("has a verb that {problem}"))?);
    } else if !rest.is_empty() {
        return Err(format!("has `{rest}` where a slash, a verb or the end should be"));
    }
    let last = parsed.segments.len() - 1;
    match parsed.segments.iter().position(|segment| *segment == Segment::Rest) {
        _ if last >= MAX_SEGMENTS => Err(format!("has more than {MAX_SEGMENTS} segments")),
        Some(at) if at < last => Err("has `**` before the end".to_owned()),
        _ => Ok(parsed),
    }
}

/// Reads what follows an opening brace, and gives what follows the closing one.
fn variable<'a>(inner: &'a str, parsed: &mut Parsed) -> Result<&'a str, String> {
    let (inside, rest) = inner.split_once('}').ok_or("has a `{` without its `}`")?;
    if inside.contains('{') {
        return Err("has a variable inside of another".to_owned());
    }
    let (name, pattern) = inside.split_once('=').unwrap_or((inside, "*"));
    if !name.split('.').all(is_identifier) {
        return Err(format!("has a variable named `{name}`, which is not a path of fields"));
    }
    let first = parsed.segments.len();
    for part in pattern.split('/') {
        parsed.segments.push(segment(part)?);
    }
    parsed.variables.push((name.into(), first..parsed.segments.len()));
    Ok(rest)
}

/// Reads a segment that is not a variable. A colon in the last one begins the verb; elsewhere it is part of the text.
fn plain<'a>(rest: &'a str, parsed: &mut Parsed) -> Result<&'a str, String> {
    let colon = if rest.starts_with('*') { rest.find(':') } else { rest.rfind(':') };
    let end = rest.find('/').or(colon).unwrap_or(rest.len());
    let (part, rest) = rest.split_at(end);
    parsed.segments.push(segment(part)?);
    Ok(rest)
}

fn segment(part: &str) -> Result<Segment, String> {
    match part {
        "*" => Ok(Segment::One),
        "**" => Ok(Segment::Rest),
        other => {
            Ok(Segment::Literal(literal(other).map_err(|problem| format!("has a segment that {problem}"))?))
        }
    }
}

fn literal(text: &str) -> Result<Box<str>, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    let is_forbidden =
        |letter: char| "/{}*?#".contains(letter) || letter.is_whitespace() || letter.is_control();
    match text.chars().find(|&letter| is_forbidden(letter)) {
        Some(letter) => Err(format!("has `{letter}` in `{text}`")),
        None => Ok(percent::decode(text, Dialect::Segment)?.into()),
    }
}

fn is_identifier(name: &str) -> bool {
    let mut letters = name.bytes();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
}
