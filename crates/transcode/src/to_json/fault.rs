//! What stops a message from being written, and where.

use std::fmt::Display;

use super::plan::FieldPlan;
use crate::Error;
use crate::wire::Malformed;

/// An error in a box, because it is rare and every step of the way could give one.
#[derive(Debug)]
pub(super) struct Fault(Box<Error>);

pub(super) type Step = Result<(), Fault>;

impl Fault {
    #[cold]
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self(Box::new(Error::new("", problem)))
    }

    #[cold]
    pub(super) fn too_large(problem: &str) -> Self {
        Self(Box::new(Error::too_large("", problem)))
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.0.too_large
    }

    pub(super) fn into_error(self) -> Error {
        *self.0
    }

    /// Says which field it is in.
    #[cold]
    pub(super) fn inside(self, field: &FieldPlan) -> Self {
        self.below(&field.name)
    }

    /// Says which element it is in.
    #[cold]
    pub(super) fn within(self, element: impl Display) -> Self {
        self.below(&format!("[{element}]"))
    }

    /// Takes back which field it is in, for a field that is not seen in JSON.
    #[cold]
    pub(super) fn outside(mut self, field: &FieldPlan) -> Self {
        if let Some(place) = self.0.place.strip_prefix(&*field.name) {
            self.0.place = String::from(place.trim_start_matches('.'));
        }
        self
    }

    fn below(mut self, outer: &str) -> Self {
        let inner = &self.0.place;
        let dot = if inner.is_empty() || inner.starts_with('[') { "" } else { "." };
        self.0.place = format!("{outer}{dot}{inner}");
        self
    }
}

impl From<Malformed> for Fault {
    #[cold]
    fn from(malformed: Malformed) -> Self {
        Self::new(malformed.problem())
    }
}
