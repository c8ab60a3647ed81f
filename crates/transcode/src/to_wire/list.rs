//! Repeated fields.

use super::fault::{Fault, Parsed};
use super::pass::Pass;
use super::plan::FieldPlan;
use super::scalars;
use crate::wire::{close, open};

impl<'p> Pass<'p> {
    /// Reads a list and appends each element with its tag.
    pub(super) fn list(&mut self, field: &'p FieldPlan) -> Parsed {
        let mut index = 0;
        let mut more = self.begin_list()?;
        while more {
            self.list_element(field).map_err(|fault| fault.in_element(index))?;
            index += 1;
            more = self.reader.another(b']')?;
        }
        Ok(())
    }

    /// Reads a list and appends all elements as one block; no block for none.
    pub(super) fn packed(&mut self, field: &'p FieldPlan) -> Parsed {
        let before = self.out.len();
        let mut more = self.begin_list()?;
        field.tag.write(self.out);
        let opened = open(self.out);
        let mut index = 0;
        while more {
            self.packed_element(field).map_err(|fault| fault.in_element(index))?;
            index += 1;
            more = self.reader.another(b']')?;
        }
        if self.out.len() == opened {
            self.out.truncate(before);
        } else {
            close(self.out, opened);
        }
        Ok(())
    }

    /// Whether there is anything in the list that begins here.
    fn begin_list(&mut self) -> Parsed<bool> {
        if !self.reader.take(b'[') {
            return Err(self.reader.expected("a list"));
        }
        self.reader.space();
        Ok(!self.reader.take(b']'))
    }

    #[inline]
    fn list_element(&mut self, field: &'p FieldPlan) -> Parsed {
        self.element()?;
        self.refuse_null(field)?;
        self.single(field, false).map(drop)
    }

    #[inline]
    fn packed_element(&mut self, field: &'p FieldPlan) -> Parsed {
        self.element()?;
        self.refuse_null(field)?;
        if let Some(bits) = self.number(field.kind)? {
            scalars::write(field.kind, bits, self.out);
        }
        Ok(())
    }

    /// In lists and maps there is nothing that a `null` could clear.
    #[inline]
    pub(super) fn refuse_null(&self, field: &FieldPlan) -> Parsed {
        if self.reader.peek() == b'n' && !field.takes_null && self.reader.rest().starts_with(b"null") {
            return Err(Fault::new("null is not allowed inside of a list or a map"));
        }
        Ok(())
    }
}
