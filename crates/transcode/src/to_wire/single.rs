//! One value with its tag.

use super::fault::{Fault, Parsed, shortened};
use super::pass::Pass;
use super::plan::FieldPlan;
use super::{base64, escapes, scalars};
use crate::Kind;
use crate::wire::{END, LENGTH, START, VARINT, close, open, write_tag, write_varint};

impl<'p> Pass<'p> {
    /// Reads one value and appends it with its tag. Tells whether there was one; an unknown name of an enum is none if
    /// such names are ignored.
    #[inline]
    pub(super) fn single(&mut self, field: &'p FieldPlan, omit_zero: bool) -> Parsed<bool> {
        match field.kind {
            Kind::String => self.text(field, omit_zero)?,
            Kind::Message(_) => self.nested(field)?,
            Kind::Bytes => self.bytes(field, omit_zero)?,
            kind => {
                let Some(bits) = self.number(kind)? else { return Ok(false) };
                if bits != 0 || !omit_zero {
                    field.tag.write(self.out);
                    scalars::write(kind, bits, self.out);
                }
            }
        }
        Ok(true)
    }

    #[inline]
    fn text(&mut self, field: &FieldPlan, omit_empty: bool) -> Parsed {
        let text = self.reader.string("a string")?;
        if omit_empty && text.raw.is_empty() {
            return Ok(());
        }
        field.tag.write(self.out);
        if text.is_escaped {
            let opened = open(self.out);
            escapes::write(text.raw, self.out)?;
            close(self.out, opened);
        } else {
            write_varint(self.out, text.raw.len() as u64);
            self.out.extend_from_slice(text.raw.as_bytes());
        }
        Ok(())
    }

    fn bytes(&mut self, field: &FieldPlan, omit_empty: bool) -> Parsed {
        let text = self.reader.string("a string of base64")?.read(&mut self.scratch)?;
        write_bytes(field, text, omit_empty, self.out)
    }

    fn nested(&mut self, field: &'p FieldPlan) -> Parsed {
        let Kind::Message(id) = field.kind else { return Err(Fault::new("it is no message")) };
        let plan = self.plans.plan(id);
        if let Some(end) = field.end {
            field.tag.write(self.out);
            self.message(plan)?;
            end.write(self.out);
            return Ok(());
        }
        if field.in_message_set {
            write_tag(self.out, 1, START);
            write_tag(self.out, 2, VARINT);
            write_varint(self.out, u64::from(field.number));
            write_tag(self.out, 3, LENGTH);
        } else {
            field.tag.write(self.out);
        }
        let opened = open(self.out);
        self.message(plan)?;
        close(self.out, opened);
        if field.in_message_set {
            write_tag(self.out, 1, END);
        }
        Ok(())
    }
}

/// Appends a field of bytes that are given as base64.
pub(super) fn write_bytes(field: &FieldPlan, text: &str, omit_empty: bool, out: &mut Vec<u8>) -> Parsed {
    if omit_empty && text.is_empty() {
        return Ok(());
    }
    let wrong = || Fault::new(format!("`{}` is not base64", shortened(text)));
    let length = base64::decoded_length(text.as_bytes()).ok_or_else(wrong)?;
    field.tag.write(out);
    write_varint(out, length as u64);
    base64::decode(text.as_bytes(), out).ok_or_else(wrong)
}
