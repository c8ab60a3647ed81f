//! One reading of JSON along the plans, with its limits.

use std::ops::Range;

use super::ToWire;
use super::any::Types;
use super::fault::{Fault, Parsed};
use super::reader::Reader;

/// A reading and what it has written.
pub(super) struct Pass<'p> {
    pub(super) plans: &'p ToWire,
    pub(super) reader: Reader<'p>,
    pub(super) out: &'p mut Vec<u8>,
    /// How much deeper it may go.
    depth: u32,
    /// How many more elements there may be.
    elements: u32,
    /// How long what is written may become, together with what was there before.
    longest: usize,
    /// What escaped text says, for as long as it is looked at.
    pub(super) scratch: Vec<u8>,
    /// Where the types are of those `Any` that do not begin with theirs.
    pub(super) types: Types,
    /// The keys of the maps that are being read: where each is in `out`, and where it is in the JSON.
    pub(super) keys: Vec<(Range<usize>, usize)>,
}

impl<'p> Pass<'p> {
    pub(super) fn new(plans: &'p ToWire, json: &'p str, out: &'p mut Vec<u8>) -> Self {
        let options = &plans.options;
        // JSON is mostly the longer form, twice as long or so.
        out.reserve((json.len() / 2).min(options.max_output));
        Self {
            plans,
            reader: Reader { json, at: 0 },
            depth: options.max_depth,
            elements: options.max_elements,
            longest: out.len().saturating_add(options.max_output),
            out,
            scratch: vec![],
            types: Types::default(),
            keys: vec![],
        }
    }

    /// Into a message, list or value; to be followed by [`Self::shallower`].
    #[inline]
    pub(super) fn deeper(&mut self) -> Parsed {
        match self.depth.checked_sub(1) {
            Some(depth) => self.depth = depth,
            None => return Err(too_deep(self.plans.options.max_depth)),
        }
        Ok(())
    }

    #[inline]
    pub(super) fn shallower(&mut self) {
        self.depth += 1;
    }

    /// Counts an element of a list or a map that is about to be read.
    #[inline]
    pub(super) fn element(&mut self) -> Parsed {
        match self.elements.checked_sub(1) {
            Some(elements) => self.elements = elements,
            None => return Err(too_many(self.plans.options.max_elements)),
        }
        self.check_length()
    }

    /// Nothing but white space may follow.
    pub(super) fn finish(&mut self) -> Parsed {
        self.check_length()?;
        if self.plans.options.ignore_trailing_text {
            return Ok(());
        }
        self.reader.space();
        if self.reader.rest().is_empty() { Ok(()) } else { Err(self.reader.syntax("the end")) }
    }

    #[inline]
    fn check_length(&self) -> Parsed {
        if self.out.len() <= self.longest { Ok(()) } else { Err(too_long(self.plans.options.max_output)) }
    }
}

#[cold]
fn too_deep(limit: u32) -> Fault {
    Fault::new(format!("there are more than {limit} levels of objects and lists inside each other"))
}

#[cold]
fn too_many(limit: u32) -> Fault {
    Fault::too_large(format!("more than {limit} elements"))
}

#[cold]
fn too_long(limit: usize) -> Fault {
    Fault::too_large(format!("more than {limit} bytes as a message"))
}
