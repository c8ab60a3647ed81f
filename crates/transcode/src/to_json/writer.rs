//! The JSON of a message, field by field.

use super::fault::{Fault, Step};
use super::plan::{FieldPlan, Plan, Plans};
use super::sink::{Sink, Text};
use crate::Options;
use crate::schema::Cardinality;
use crate::wire::{self, Groups};

/// A message on its way.
pub(super) struct Writer<'a> {
    pub(super) plans: &'a Plans,
    pub(super) sink: Sink,
    pub(super) groups: Groups,
    pub(super) is_pretty: bool,
    pub(super) quotes_64_bit: bool,
    /// How many messages and lists there may be inside of each other, and how many more.
    max_depth: u32,
    depth: u32,
    /// How many more elements there may be. (Were it as small as the depth beside it, both would be read at once right
    /// after one of them was written, for which processors have to wait.)
    elements: usize,
    /// How many bytes may still turn out not to be in order after they were taken for it: as many as there are, so that
    /// a message that is disorderly at every depth does not cost more with each of them.
    patience: usize,
    /// How many messages around this one are taken to be in order.
    trusted: u32,
}

impl<'a> Writer<'a> {
    pub(super) fn new(plans: &'a Plans, options: &Options, wire: &[u8], out: Vec<u8>) -> Self {
        Self {
            plans,
            sink: Sink::new(out, wire.len() * 3 + 64, options.max_output),
            groups: Groups::default(),
            is_pretty: options.pretty,
            quotes_64_bit: !options.numbers_for_64_bit,
            max_depth: options.max_depth,
            depth: options.max_depth,
            elements: options.max_elements as usize,
            patience: wire.len(),
            trusted: 0,
        }
    }

    /// A message that came in one piece, or in several to be merged.
    pub(super) fn message(&mut self, id: usize, pieces: &[&[u8]]) -> Step {
        let plan = &self.plans.messages[id];
        if let Some(special) = plan.well_known {
            return self.special(plan, special, pieces);
        }
        let start = self.open()?;
        self.fields(plan, pieces)?;
        self.close(start, b'{', b'}')
    }

    /// The fields of a message, each with a comma before it.
    pub(super) fn fields(&mut self, plan: &'a Plan, pieces: &[&[u8]]) -> Step {
        if let [wire] = pieces
            && self.patience > 0
            && !plan.is_message_set
        {
            let (at, depth, elements) = (self.sink.at(), self.depth, self.elements);
            self.trusted += 1;
            let written = self.in_order(plan, wire);
            self.trusted -= 1;
            match written {
                Ok(true) => return Ok(()),
                Err(fault) if fault.is_too_large() => return Err(fault),
                // What is wrong with a message is known when all of its pieces are.
                Ok(false) | Err(_) => {}
            }
            self.sink.rewind(at);
            (self.depth, self.elements) = (depth, elements);
            self.patience = self.patience.saturating_sub(wire.len().max(1));
            if self.patience == 0 && self.trusted > 0 {
                // The outermost of those that were taken to be in order starts again, and nothing is taken for it any more.
                return Err(Fault::new("fields are not in order"));
            }
        }
        self.gathered(plan, pieces)
    }

    /// Takes it for granted that the fields come in the order of their numbers, each once and in one place, as all
    /// encoders write them; says whether it was so.
    fn in_order(&mut self, plan: &'a Plan, mut rest: &[u8]) -> Result<bool, Fault> {
        let mut next = 0;
        let mut oneofs = 0_u64;
        while !rest.is_empty() {
            let tag = wire::tag(&mut rest)?;
            let place = match plan.fields.get(next) {
                Some(field) if field.tag == tag => next,
                _ => match plan.place(tag >> 3).filter(|&place| plan.fields[place].accepts(tag)) {
                    None => {
                        wire::skip(tag, &mut rest)?;
                        continue;
                    }
                    Some(place) if place < next => return Ok(false),
                    Some(place) => {
                        self.defaults(plan, next, place)?;
                        place
                    }
                },
            };
            let field = &plan.fields[place];
            if let Some(oneof) = field.oneof {
                let before = oneofs;
                oneofs |= 1_u64.checked_shl(oneof).unwrap_or(0);
                if oneofs == before {
                    return Ok(false);
                }
            }
            if !self.field_in_order(field, tag, &mut rest)? {
                return Ok(false);
            }
            next = place + 1;
        }
        self.defaults(plan, next, plan.fields.len())?;
        Ok(true)
    }

    #[inline]
    fn field_in_order(&mut self, field: &'a FieldPlan, tag: u32, rest: &mut &[u8]) -> Result<bool, Fault> {
        let start = self.sink.at();
        if self.is_pretty {
            self.separate()?;
        }
        self.sink.text(&field.key)?;
        let value = self.sink.at();
        match field.cardinality {
            Cardinality::Singular => match self.value(field.value, rest) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(fault) => return Err(fault.inside(field)),
            },
            Cardinality::Repeated => self.list_in_order(field, tag, rest)?,
            Cardinality::Map => self.map_in_order(field, rest)?,
        }
        self.hide(field, start, value);
        Ok(true)
    }

    /// The fields from `from` to `to`, which are absent.
    #[inline]
    pub(super) fn defaults(&mut self, plan: &'a Plan, mut from: usize, to: usize) -> Step {
        while let Some(at) = plan.next_default(from, to) {
            let field = &plan.fields[at];
            if let Some(default) = &field.default {
                self.begin(&field.key)?;
                self.sink.text(default)?;
            }
            from = at + 1;
        }
        Ok(())
    }

    /// Takes a field back that is not to be seen, now that its value is written.
    #[inline]
    pub(super) fn hide(&mut self, field: &FieldPlan, start: usize, value: usize) {
        if let Some(hidden) = &field.hidden
            && self.sink.ends_with(value, hidden)
        {
            self.sink.rewind(start);
        }
    }

    /// Writes a key.
    #[inline]
    pub(super) fn begin(&mut self, key: &Text) -> Step {
        if self.is_pretty {
            self.separate()?;
        }
        self.sink.text(key)
    }

    /// What stands before each element; before the first, the bracket takes the place of the comma later.
    #[inline]
    pub(super) fn separate(&mut self) -> Step {
        self.sink.byte(b',')?;
        if self.is_pretty { self.new_line() } else { Ok(()) }
    }

    #[cold]
    fn new_line(&mut self) -> Step {
        self.sink.byte(b'\n')?;
        for _ in self.depth..self.max_depth {
            self.sink.bytes(b"  ")?;
        }
        Ok(())
    }

    /// Begins an object or a list; says where.
    #[inline]
    pub(super) fn open(&mut self) -> Result<usize, Fault> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return Err(Fault::too_large("values are nested too deeply"));
        };
        self.depth = depth;
        Ok(self.sink.at())
    }

    #[inline]
    pub(super) fn close(&mut self, start: usize, first: u8, last: u8) -> Step {
        self.depth += 1;
        if self.sink.at() == start {
            return self.sink.head(&[first, last], 2);
        }
        self.sink.replace(start, first);
        if self.is_pretty {
            self.new_line()?;
        }
        self.sink.byte(last)
    }

    /// Counts an element of a list or of a map.
    #[inline]
    pub(super) fn count(&mut self) -> Step {
        let Some(elements) = self.elements.checked_sub(1) else {
            return Err(Fault::too_large("there are more elements than are allowed"));
        };
        self.elements = elements;
        Ok(())
    }
}
