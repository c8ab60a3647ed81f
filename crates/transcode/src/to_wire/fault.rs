//! What is wrong with JSON, and where. The place is only put together while the fault travels out.

use crate::Error;

/// What reading gives: the value, or what was wrong, in one word of memory.
pub(super) type Parsed<T = ()> = Result<T, Fault>;

/// A fault on its way out.
#[derive(Debug)]
pub(super) struct Fault(Box<Report>);

#[derive(Debug)]
struct Report {
    problem: String,
    too_large: bool,
    /// The innermost first: `.name`, `[3]`, `["key"]`.
    steps: Vec<String>,
}

impl Fault {
    #[cold]
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self(Box::new(Report { problem: problem.into(), too_large: false, steps: vec![] }))
    }

    #[cold]
    pub(super) fn too_large(problem: impl Into<String>) -> Self {
        let mut fault = Self::new(problem);
        fault.0.too_large = true;
        fault
    }

    /// The fault is inside of a field.
    #[cold]
    pub(super) fn in_field(mut self, name: &str) -> Self {
        // The brackets of an extension already set it apart.
        let dot = if name.starts_with('[') { "" } else { "." };
        self.0.steps.push(format!("{dot}{name}"));
        self
    }

    /// The fault is inside of an element of a list.
    #[cold]
    pub(super) fn in_element(mut self, index: usize) -> Self {
        self.0.steps.push(format!("[{index}]"));
        self
    }

    /// The fault is inside of an entry of a map.
    #[cold]
    pub(super) fn in_entry(mut self, key: &str) -> Self {
        self.0.steps.push(format!("[{:?}]", shortened(key)));
        self
    }

    #[cold]
    pub(super) fn into_error(self) -> Error {
        let Report { problem, too_large, steps } = *self.0;
        let place = steps.iter().rev().map(String::as_str).collect::<String>();
        let place = place.strip_prefix('.').map(str::to_owned).unwrap_or(place);
        if too_large { Error::too_large(place, problem) } else { Error::new(place, problem) }
    }
}

/// Text of the caller's, so that a message with it stays short.
pub(super) fn shortened(text: &str) -> &str {
    const LONGEST: usize = 100;
    &text[..text.floor_char_boundary(LONGEST)]
}
