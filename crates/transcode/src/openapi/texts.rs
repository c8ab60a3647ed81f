//! Comments of the protos as texts of the document.

use std::collections::HashMap;

use super::problems::CODES;
use crate::options::Options;
use crate::schema::Schema;

/// Knows the fields that comments speak of.
pub(super) struct Texts<'a> {
    /// The names of fields in JSON by those in the protos, where they differ.
    names: HashMap<&'a str, &'a str>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(schema: &'a Schema, options: &Options) -> Self {
        let mut names = HashMap::new();
        if !options.proto_names {
            let fields = schema.messages().flat_map(|(_, message)| &message.fields);
            names.extend(
                fields.filter(|field| !field.is_extension).map(|field| (&*field.name, &*field.json_name)),
            );
        }
        Self { names }
    }

    /// A comment with what else there is to say; nothing if there is nothing.
    pub(super) fn describe(&self, comment: &str, notes: &[String]) -> Option<String> {
        let comment = self.rename(comment);
        let texts = std::iter::once(comment.as_str()).chain(notes.iter().map(String::as_str));
        let texts = texts.filter(|text| !text.is_empty()).collect::<Vec<_>>();
        (!texts.is_empty()).then(|| texts.join(" "))
    }

    /// A comment on one line.
    pub(super) fn inline(&self, comment: &str) -> String {
        self.rename(comment).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The first sentence without its full stop, and the rest.
    pub(super) fn summary(&self, comment: &str) -> (String, String) {
        let text = self.rename(comment);
        let end = sentence_end(&text);
        let first = text[..end].split_whitespace().collect::<Vec<_>>().join(" ");
        // A clause about a code is said of the answer with that code.
        let clause = first.match_indices("; ").find(|(at, _)| begins_with_code(&first[at + 2..]));
        let first = clause.map_or(first.as_str(), |(at, _)| &first[..at]);
        (first.trim_end_matches('.').to_owned(), text[end..].trim().to_owned())
    }

    /// The clauses of a comment that name a code, such as `NOT_FOUND when there is none with this id`.
    pub(super) fn clauses(&self, comment: &str, code: &str) -> Vec<String> {
        let text = self.inline(comment);
        let clauses = text.split("; ").flat_map(|clause| clause.split_inclusive(". "));
        let names_it = |clause: &&str| {
            clause
                .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                .any(|word| word == code)
        };
        clauses.filter(names_it).map(|clause| sentence(clause.trim())).collect()
    }

    /// Fields in backticks get the names that they have in JSON.
    fn rename(&self, text: &str) -> String {
        let mut renamed = String::with_capacity(text.len());
        for (at, part) in text.split('`').enumerate() {
            if at > 0 {
                renamed.push('`');
            }
            let is_path = at % 2 == 1 && part.split('.').all(|name| self.names.contains_key(name));
            if is_path {
                let names = part.split('.').map(|name| self.names[name]);
                renamed.push_str(&names.collect::<Vec<_>>().join("."));
            } else {
                renamed.push_str(part);
            }
        }
        unwrap_lines(&renamed)
    }
}

/// Lines that only end because the proto's do are joined, as a reader's window has a width of its own.
fn unwrap_lines(text: &str) -> String {
    let mut unwrapped = String::with_capacity(text.len());
    let is_block = |line: &str| {
        line.starts_with([' ', '\t', '-', '*', '#', '>', '|']) || line.starts_with("```") || is_numbered(line)
    };
    let mut in_code = false;
    for line in text.lines() {
        let joins = !in_code
            && !line.is_empty()
            && !is_block(line)
            && !unwrapped.is_empty()
            && !unwrapped.ends_with('\n');
        if joins {
            unwrapped.push(' ');
        } else if !unwrapped.is_empty() && !unwrapped.ends_with('\n') {
            unwrapped.push('\n');
        }
        in_code ^= line.starts_with("```");
        unwrapped.push_str(line);
        if line.is_empty() {
            unwrapped.push('\n');
        }
    }
    unwrapped
}

fn is_numbered(line: &str) -> bool {
    line.split_once(". ").is_some_and(|(number, _)| number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Where the first sentence ends: before a space or a line that a capital letter follows.
fn sentence_end(text: &str) -> usize {
    let paragraph = text.find("\n\n").unwrap_or(text.len());
    let ends = text[..paragraph].match_indices(". ").map(|(at, _)| at + 1);
    let begins = |at: &usize| !text[at + 1..].starts_with(|letter: char| letter.is_lowercase());
    ends.into_iter().find(begins).unwrap_or(paragraph)
}

fn begins_with_code(clause: &str) -> bool {
    CODES.iter().any(|(code, _)| clause.strip_prefix(code).is_some_and(|rest| rest.starts_with(' ')))
}

/// A clause with a capital and a full stop.
pub(super) fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let capital = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{capital}{}.", letters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_becomes_a_summary_and_a_description() {
        let texts = Texts { names: HashMap::from([("request_id", "requestId")]) };
        let comment = "Stores a new one and\nanswers with it, e.g. now. Not later.\n\nWith a `request_id`\nit may be\nrepeated.\n\n- one\n- two";
        let (summary, rest) = texts.summary(comment);
        assert_eq!(summary, "Stores a new one and answers with it, e.g. now");
        assert_eq!(rest, "Not later.\n\nWith a `requestId` it may be repeated.\n\n- one\n- two");
    }

    #[test]
    fn a_clause_is_found_by_its_code() {
        let texts = Texts { names: HashMap::new() };
        let comment =
            "Answers with one; NOT_FOUND when there is none. If stale, the call is ABORTED with\nno change.";
        assert_eq!(texts.clauses(comment, "NOT_FOUND"), ["NOT_FOUND when there is none."]);
        assert_eq!(texts.clauses(comment, "ABORTED"), ["If stale, the call is ABORTED with no change."]);
        assert!(texts.clauses(comment, "FOUND").is_empty());
    }
}
