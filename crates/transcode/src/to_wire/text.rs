//! Fields whose values are given as plain text: variables of a path, parameters of a query.

use super::fault::{Fault, Parsed};
use super::plan::{FieldPlan, Layout, Tag, wire_type};
use super::single::write_bytes;
use super::{ToWire, known, mask, scalars, times};
use crate::wire::{close, open, write_varint};
use crate::{Error, Kind, MessageId, WellKnown};

impl ToWire {
    /// Appends a field with the value that a text stands for, without the quotes of JSON; of a repeated field, one
    /// element. Nothing is appended for zeros that are not written. `false`: the text is a name that an enum does not have,
    /// which is passed over by option. The error has no place.
    ///
    /// The key and the value of a map are the fields of its entry, which is a message like any other.
    pub fn text(
        &self,
        message: MessageId,
        field_index: usize,
        text: &str,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let field = &self.plan(message).fields[field_index];
        self.text_field(field, text, out).map_err(Fault::into_error)
    }

    fn text_field(&self, field: &FieldPlan, text: &str, out: &mut Vec<u8>) -> Parsed<bool> {
        if field.layout == Layout::Map {
            return Err(Fault::new("a map is not given as text"));
        }
        let omit_zero = field.is_implicit && field.layout == Layout::Singular;
        match field.kind {
            Kind::String if omit_zero && text.is_empty() => {}
            Kind::String => {
                field.tag.write(out);
                write_varint(out, text.len() as u64);
                out.extend_from_slice(text.as_bytes());
            }
            Kind::Bytes => write_bytes(field, text, omit_zero, out)?,
            Kind::Message(id) => self.text_message(field, id, text, out)?,
            kind => {
                let Some(bits) = self.text_bits(kind, text)? else { return Ok(false) };
                if bits != 0 || !omit_zero {
                    tag_of_one(field).write(out);
                    scalars::write(kind, bits, out);
                }
            }
        }
        Ok(true)
    }

    fn text_bits(&self, kind: Kind, text: &str) -> Parsed<Option<u64>> {
        let Kind::Enum(id) = kind else { return scalars::from_text(kind, text).map(Some) };
        let plan = &self.enums[id.0 as usize];
        let ignore_unknown = self.options.ignore_unknown_enum_names;
        if let Some(number) = plan.names.get(text) {
            return Ok(Some(scalars::enum_bits(number.cast_signed())));
        }
        // No name begins like a number.
        if text.starts_with(|letter: char| letter == '-' || letter.is_ascii_digit()) {
            return scalars::enum_number(plan, text, ignore_unknown);
        }
        if ignore_unknown { Ok(None) } else { Err(scalars::unknown_name(plan, text)) }
    }

    fn text_message(&self, field: &FieldPlan, id: MessageId, text: &str, out: &mut Vec<u8>) -> Parsed {
        let plan = self.plan(id);
        field.tag.write(out);
        let opened = field.end.is_none().then(|| open(out));
        match plan.well_known {
            Some(WellKnown::Timestamp) => times::write_timestamp(text, out)?,
            Some(WellKnown::Duration) => times::write_duration(text, out)?,
            Some(WellKnown::FieldMask) => mask::write(text, true, out)?,
            Some(WellKnown::Wrapper(_)) => _ = self.text_field(known::part(plan, 0)?, text, out)?,
            _ => return Err(Fault::new("a message is not given as text")),
        }
        match (field.end, opened) {
            (Some(end), _) => end.write(out),
            (None, Some(opened)) => close(out, opened),
            (None, None) => {}
        }
        Ok(())
    }
}

/// Outside of a block each value has a tag of its own.
fn tag_of_one(field: &FieldPlan) -> Tag {
    match field.layout {
        Layout::Packed => Tag::new(field.number, wire_type(field.kind)),
        _ => field.tag,
    }
}
