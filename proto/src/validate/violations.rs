//! What is wrong with a message.

use std::fmt::{Arguments, Display, Formatter};

use super::path::Path;

/// The most violations that are kept.
const MOST_KEPT: usize = 100;

/// The most bytes of text that are kept: the violations travel in a header, and clients commonly refuse more than 8 KiB
/// of headers.
const MOST_TEXT: usize = 4096;

/// One thing that is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, made of proto field names; empty for the message itself.
    pub field: String,
    /// What is wrong, to be read after the name of the field.
    pub description: String,
}

/// All that is wrong with a message: the first violations in full, the others by number.
#[derive(Debug, Default)]
pub struct Violations {
    kept: Vec<Violation>,
    text: usize,
    more: usize,
}

impl Violations {
    /// Adds a violation, if it stands where it counts.
    pub fn add(&mut self, at: &Path<'_>, description: Arguments<'_>) {
        if at.counts() {
            self.keep(at, description);
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The violations in the order of the fields; if not all were kept, a last one says how many more there are.
    pub fn into_vec(self) -> Vec<Violation> {
        let mut list = self.kept;
        if self.more > 0 {
            let noun = if self.more == 1 { "violation" } else { "violations" };
            list.push(Violation { field: String::new(), description: format!("{} more {noun}", self.more) });
        }
        list
    }

    fn keep(&mut self, at: &Path<'_>, description: Arguments<'_>) {
        if self.more > 0 || self.kept.len() == MOST_KEPT {
            self.more += 1;
            return;
        }
        let key = if at.is_key_itself() { "key " } else { "" };
        let violation = Violation { field: at.to_string(), description: format!("{key}{description}") };
        let text = violation.field.len() + violation.description.len();
        // The first one is always kept: an answer without any would not help.
        if self.text + text > MOST_TEXT && !self.kept.is_empty() {
            self.more += 1;
            return;
        }
        self.text += text;
        self.kept.push(violation);
    }
}

impl Display for Violations {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let Some(first) = self.kept.first() else { return out.write_str("nothing is wrong") };
        let space = if first.field.is_empty() { "" } else { " " };
        write!(out, "{}{space}{}", first.field, first.description)?;
        match self.kept.len() - 1 + self.more {
            0 => Ok(()),
            more => write!(out, " (and {more} more)"),
        }
    }
}

impl std::error::Error for Violations {}
