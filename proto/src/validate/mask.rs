//! What of an update request is checked.
//!
//! An update request carries a resource and an `update_mask` that names the fields to change. Fields that the mask does
//! not name are often left out, so that their rules must not be held against them: `PATCH {"status": "CLOSED"}` is
//! valid although a name is required. Therefore, in every message with a field `update_mask` of type
//! `google.protobuf.FieldMask`, violations below its one other message field count only if
//!
//! - the mask names the field, a parent of it or a child of it, or contains `*`; or
//! - it is the resource's identifier (`field_behavior = IDENTIFIER`) or its `etag`, which say what to update and are
//!   used whatever the mask says; or
//! - the mask is absent or empty: it narrows nothing then, so that a service which takes it for "all fields" never sees
//!   an unchecked one.
//!
//! Paths in a mask are made of proto field names. Keys and indices are not compared: below a named map, list or
//! `google.protobuf.Struct` everything counts. A oneof is named by each of its members.

use prost_types::FieldMask;

use super::path::Step;

/// The mask of an update request.
pub struct Mask<'a> {
    paths: &'a [String],
    always: &'static [&'static str],
}

impl<'a> Mask<'a> {
    /// The mask of a request, with the fields of its resource that are checked whatever it says.
    pub fn new(mask: Option<&'a FieldMask>, always: &'static [&'static str]) -> Self {
        Self { paths: mask.map_or(&[], |mask| &mask.paths), always }
    }

    /// Whether a violation counts that stands at the end of these steps, which begin below the resource.
    pub(super) fn names<'s>(&self, steps: impl Iterator<Item = Step<'s>> + Clone) -> bool {
        let fields = steps
            .filter(|step| !matches!(step, Step::Masked(_)))
            .take_while(|step| matches!(step, Step::Field(_) | Step::Oneof(..)));
        let Some(first) = fields.clone().next() else { return true };
        self.paths.is_empty()
            || self.always.iter().any(|name| is_named(first, name))
            || self.paths.iter().any(|path| {
                path == "*" || path.split('.').zip(fields.clone()).all(|(name, step)| is_named(step, name))
            })
    }
}

fn is_named(step: Step<'_>, name: &str) -> bool {
    match step {
        Step::Field(field) => field == name,
        Step::Oneof(oneof, members) => oneof == name || members.contains(&name),
        _ => false,
    }
}
