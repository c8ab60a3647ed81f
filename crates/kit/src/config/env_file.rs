//! Files of `NAME=value` lines, where a value is everything to the end of its line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::sources::read;

/// The lines of an env file that are ours.
#[derive(Debug, Default)]
pub(super) struct EnvFile {
    values: BTreeMap<String, Line>,
}

#[derive(Debug)]
struct Line {
    number: usize,
    value: String,
}

impl EnvFile {
    /// Reads a file. `known` are the names that options have; one like ours that is not among them is an error.
    pub(super) fn read(path: &Path, known: &BTreeSet<String>) -> Result<Self, String> {
        let text =
            read(path).map_err(|error| format!("the env file {} cannot be read: {error}", path.display()))?;
        Self::parse(&text, known).map_err(|error| format!("the env file {}, {error}", path.display()))
    }

    fn parse(text: &str, known: &BTreeSet<String>) -> Result<Self, String> {
        let mut values: BTreeMap<String, Line> = BTreeMap::new();
        for (number, line) in text.split('\n').enumerate().map(|(index, line)| (index + 1, line)) {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            // The line itself is not repeated: it may be the continuation of a secret.
            let (name, value) =
                line.split_once('=').ok_or_else(|| format!("line {number}: is not NAME=value"))?;
            check_name(name).map_err(|error| format!("line {number}: {error}"))?;
            if !name.starts_with("SELVEDGE_") && !name.starts_with("OTEL_") {
                continue;
            }
            if name.starts_with("SELVEDGE_") && !known.contains(name) {
                return Err(format!("line {number}: there is no option {name}{}", suggestion(name, known)));
            }
            if let Some(earlier) = values.get(name) {
                return Err(format!("line {number}: {name} is already set in line {}", earlier.number));
            }
            values.insert(name.to_owned(), Line { number, value: value.to_owned() });
        }
        Ok(Self { values })
    }

    /// The value of a name; an empty one counts as none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|line| line.value.as_str()).filter(|value| !value.is_empty())
    }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    if name.starts_with("export ") || name.starts_with("export\t") {
        return Err("write NAME=value without `export`; this file is not a shell script");
    }
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if name.is_empty() || !name.bytes().all(word) {
        return Err(
            "is not NAME=value: what stands before the `=` is not a name (no spaces around it, either)",
        );
    }
    Ok(())
}

/// The name that was probably meant.
fn suggestion(name: &str, known: &BTreeSet<String>) -> String {
    let closest = known.iter().map(|known| (distance(name, known), known)).min();
    match closest {
        Some((distance, closest)) if distance <= 4 => format!("; did you mean {closest}?"),
        _ => "; see --help for those that there are".to_owned(),
    }
}

/// How many letters must be inserted, removed or replaced to get from one to the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<EnvFile, String> {
        let known = ["SELVEDGE_PORT", "SELVEDGE_DATABASE_URL", "SELVEDGE_DATABASE_PASSWORD"];
        EnvFile::parse(text, &known.map(str::to_owned).into())
    }

    #[test]
    fn values_are_literal_to_the_end_of_the_line() {
        for value in [
            "#ThawZin2k77!",
            "DevSecurePass123!@#",
            "a b  ",
            " a",
            "\"q\"",
            "'q'",
            "$HOME",
            "a=b",
            "a\\n",
            "é",
            "a # b",
        ] {
            for end in ["", "\n", "\r\n", "\nSELVEDGE_PORT=1\n"] {
                let file = parse(&format!("SELVEDGE_DATABASE_PASSWORD={value}{end}")).unwrap();
                assert_eq!(file.get("SELVEDGE_DATABASE_PASSWORD"), Some(value));
            }
        }
    }

    #[test]
    fn blank_lines_comments_and_names_of_others_are_skipped() {
        let file =
            parse("# a comment with = in it\n\n  \t\r\nDATABASE_URL=theirs\nOTEL_FOO=x\nSELVEDGE_PORT=\n")
                .unwrap();
        assert_eq!(file.get("DATABASE_URL"), None);
        assert_eq!(file.get("OTEL_FOO"), Some("x"));
        assert_eq!(file.get("SELVEDGE_PORT"), None, "an empty value is none");
    }

    #[test]
    fn wrong_lines_are_named_by_number_and_not_repeated() {
        for wrong in [
            "Tiger",
            "=Tiger",
            "export SELVEDGE_PORT=Tiger",
            "export X=Tiger",
            "SELVEDGE_PORT =Tiger",
            " X=Tiger",
        ] {
            let error = parse(&format!("# first\n{wrong}\n")).unwrap_err();
            assert!(error.starts_with("line 2: ") && !error.contains("Tiger"), "{error}");
        }
        assert!(parse("export X=1").unwrap_err().contains("without `export`"));
        let twice = parse("SELVEDGE_PORT=1\n\nSELVEDGE_PORT=2").unwrap_err();
        assert_eq!(twice, "line 3: SELVEDGE_PORT is already set in line 1");
    }

    #[test]
    fn typing_errors_are_noticed() {
        let error = parse("SELVEDGE_DATABSE_URL=Tiger").unwrap_err();
        assert_eq!(
            error,
            "line 1: there is no option SELVEDGE_DATABSE_URL; did you mean SELVEDGE_DATABASE_URL?"
        );
        let error = parse("SELVEDGE_SOMETHING_ELSE=Tiger").unwrap_err();
        assert!(error.contains("see --help") && !error.contains("Tiger"), "{error}");
        assert_eq!([distance("", "ab"), distance("kitten", "sitting"), distance("same", "same")], [2, 3, 0]);
    }
}
