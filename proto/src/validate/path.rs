//! Where in a message a value stands.

use std::fmt::{Display, Write};

use super::mask::Mask;

/// The most characters of a map key that a path shows: keys are the caller's text.
const SHOWN_OF_KEY: usize = 20;

/// Where in a message a value stands. A path lives on the stack and points to its parent; it becomes text, such as
/// `items[3].labels["blue"]`, only when there is a violation to report.
#[derive(Clone, Copy)]
#[must_use = "a path is only a place"]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Root,
    Field(&'static str),
    /// A oneof with the names of its members.
    Oneof(&'static str, &'static [&'static str]),
    Index(usize),
    /// A text key of a map or of a `google.protobuf.Struct`.
    Key(&'a str),
    /// Any other key of a map.
    PlainKey(&'a dyn Display),
    /// The key of the entry that the parent names, not its value.
    KeyItself,
    /// Below this step only what the mask names is checked.
    Masked(&'a Mask<'a>),
}

impl<'a> Path<'a> {
    pub(super) fn root() -> Self {
        Self { parent: None, step: Step::Root }
    }

    fn step(&'a self, step: Step<'a>) -> Self {
        Self { parent: Some(self), step }
    }

    /// The field of this message.
    pub fn field(&'a self, name: &'static str) -> Self {
        self.step(Step::Field(name))
    }

    /// The oneof of this message, with the names of its members.
    pub fn oneof(&'a self, name: &'static str, members: &'static [&'static str]) -> Self {
        self.step(Step::Oneof(name, members))
    }

    /// The item of this list.
    pub fn index(&'a self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    /// The value of this map under a text key.
    pub fn key(&'a self, key: &'a str) -> Self {
        self.step(Step::Key(key))
    }

    /// The value of this map under a key that is a number or a boolean.
    pub fn plain_key(&'a self, key: &'a dyn Display) -> Self {
        self.step(Step::PlainKey(key))
    }

    /// The key of this map entry itself.
    pub fn key_itself(&'a self) -> Self {
        self.step(Step::KeyItself)
    }

    /// The same place, below which only what the mask names is checked.
    pub fn masked(&'a self, mask: &'a Mask<'a>) -> Self {
        self.step(Step::Masked(mask))
    }

    /// Whether a violation here counts.
    pub(super) fn counts(&self) -> bool {
        let mut below = Vec::new();
        let mut place = Some(self);
        while let Some(path) = place {
            match path.step {
                Step::Masked(mask) if !mask.names(below.iter().rev().copied()) => return false,
                step => below.push(step),
            }
            place = path.parent;
        }
        true
    }

    pub(super) fn is_key_itself(&self) -> bool {
        matches!(self.step, Step::KeyItself)
    }
}

impl Display for Path<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut steps = Vec::new();
        let mut place = Some(self);
        while let Some(path) = place {
            steps.push(path.step);
            place = path.parent;
        }
        let mut first = true;
        for step in steps.into_iter().rev() {
            match step {
                Step::Field(name) | Step::Oneof(name, _) => {
                    let dot = if first { "" } else { "." };
                    write!(out, "{dot}{name}")?;
                }
                Step::Index(index) => write!(out, "[{index}]")?,
                Step::PlainKey(key) => write!(out, "[{key}]")?,
                Step::Key(key) => write_key(out, key)?,
                Step::Root | Step::KeyItself | Step::Masked(_) => continue,
            }
            first = false;
        }
        Ok(())
    }
}

/// Writes the beginning of a key in quotes, with control characters escaped.
fn write_key(out: &mut impl Write, key: &str) -> std::fmt::Result {
    let cut = key.char_indices().nth(SHOWN_OF_KEY).map_or(key.len(), |(at, _)| at);
    let dots = if cut < key.len() { "…" } else { "" };
    write!(out, "[\"{}{dots}\"]", key[..cut].escape_debug())
}
