//! What can be wrong with a message.

/// A message that cannot be turned into its other form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}{problem}", place, if place.is_empty() { "" } else { ": " })]
pub struct Error {
    /// Where: a path such as `film.actors[3].name`, or the name of a query parameter; empty for the whole.
    pub place: String,
    /// What is wrong, in words for the one who sent it.
    pub problem: String,
    /// Whether it is only too much of something.
    pub too_large: bool,
}

impl Error {
    pub(crate) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into(), too_large: false }
    }

    pub(crate) fn too_large(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { too_large: true, ..Self::new(place, problem) }
    }
}
