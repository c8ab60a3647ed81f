//! The JSON of single values and of lists.

use super::fault::{Fault, Step};
use super::kind::Value;
use super::plan::FieldPlan;
use super::writer::Writer;
use crate::wire;

impl<'a> Writer<'a> {
    /// Reads a value behind its tag and writes it; `false` if it is a number that a closed enum does not have.
    #[inline]
    pub(super) fn value(&mut self, value: Value, rest: &mut &[u8]) -> Result<bool, Fault> {
        match value {
            Value::String => self.sink.string(wire::bytes(rest)?)?,
            Value::Message(id) => {
                let content = wire::bytes(rest)?;
                self.message(id, &[content])?;
            }
            Value::Int32 | Value::Enum(_) | Value::Sfixed32 | Value::Sint32 => {
                let number = match value {
                    Value::Sfixed32 => i32::from_le_bytes(wire::fixed(rest)?),
                    #[expect(clippy::cast_possible_truncation, reason = "that is how the wire says it")]
                    Value::Sint32 => wire::zigzag(wire::varint(rest)? & u64::from(u32::MAX)) as i32,
                    _ => low(wire::varint(rest)?).cast_signed(),
                };
                match value {
                    Value::Enum(id) => return self.enum_value(id, number),
                    _ => self.sink.signed(i64::from(number))?,
                }
            }
            Value::Double => self.sink.double(f64::from_le_bytes(wire::fixed(rest)?))?,
            Value::Float => self.sink.float(f32::from_le_bytes(wire::fixed(rest)?))?,
            Value::Bool => self.boolean(wire::varint(rest)? != 0)?,
            Value::Int64 => self.signed_64(wire::varint(rest)?.cast_signed())?,
            Value::Sint64 => self.signed_64(wire::zigzag(wire::varint(rest)?))?,
            Value::Sfixed64 => self.signed_64(i64::from_le_bytes(wire::fixed(rest)?))?,
            Value::Uint64 => self.unsigned_64(wire::varint(rest)?)?,
            Value::Fixed64 => self.unsigned_64(u64::from_le_bytes(wire::fixed(rest)?))?,
            Value::Uint32 => self.sink.unsigned(u64::from(low(wire::varint(rest)?)))?,
            Value::Fixed32 => self.sink.unsigned(u64::from(u32::from_le_bytes(wire::fixed(rest)?)))?,
            Value::Bytes => self.sink.base64(wire::bytes(rest)?)?,
            Value::Group(id, tag) => {
                let content = self.groups.read(tag, rest)?;
                self.message(id, &[content])?;
            }
        }
        Ok(true)
    }

    /// Writes a value that is not there where there must be one.
    pub(super) fn zero(&mut self, value: Value) -> Step {
        match value {
            Value::Enum(id) => self.sink.text(self.plans.enums[id].first()),
            Value::Message(id) | Value::Group(id, _) => self.message(id, &[]),
            // No bytes of a number, or no length of a text.
            _ => self.value(value, &mut [0; 8].as_slice()).map(drop),
        }
    }

    /// Whether a value is a number that a closed enum does not have; such a field is an unknown one.
    pub(super) fn is_unlisted(&self, value: Value, mut rest: &[u8]) -> Result<bool, Fault> {
        let Value::Enum(id) = value else { return Ok(false) };
        let number = low(wire::varint(&mut rest)?).cast_signed();
        Ok(self.plans.enums[id].is_closed && self.plans.enums[id].get(number).is_none())
    }

    fn enum_value(&mut self, id: usize, number: i32) -> Result<bool, Fault> {
        let names = &self.plans.enums[id];
        match names.get(number) {
            Some(text) => self.sink.text(text)?,
            None if names.is_closed => return Ok(false),
            None => self.sink.signed(i64::from(number))?,
        }
        Ok(true)
    }

    pub(super) fn boolean(&mut self, value: bool) -> Step {
        if value { self.sink.head(b"true", 4) } else { self.sink.head(b"false", 5) }
    }

    fn signed_64(&mut self, number: i64) -> Step {
        if !self.quotes_64_bit {
            return self.sink.signed(number);
        }
        self.sink.byte(b'"')?;
        self.sink.signed(number)?;
        self.sink.byte(b'"')
    }

    fn unsigned_64(&mut self, number: u64) -> Step {
        if !self.quotes_64_bit {
            return self.sink.unsigned(number);
        }
        self.sink.byte(b'"')?;
        self.sink.unsigned(number)?;
        self.sink.byte(b'"')
    }

    /// A list whose values follow each other; `tag` is that of the first.
    pub(super) fn list_in_order(&mut self, field: &'a FieldPlan, mut tag: u32, rest: &mut &[u8]) -> Step {
        let start = self.open()?;
        let mut index = 0;
        loop {
            self.items(field, tag, rest, &mut index)?;
            // Most fields have small numbers, and most lists one way to encode their values.
            if let Some((&next, tail)) = rest.split_first()
                && next < 0x80
                && u32::from(next) == tag
            {
                *rest = tail;
                continue;
            }
            let mut ahead = *rest;
            if ahead.is_empty() {
                break;
            }
            tag = wire::tag(&mut ahead)?;
            if !field.accepts(tag) {
                break;
            }
            *rest = ahead;
        }
        self.close(start, b'[', b']')
    }

    /// The values of a list that are behind one tag.
    pub(super) fn items(
        &mut self,
        field: &'a FieldPlan,
        tag: u32,
        rest: &mut &[u8],
        index: &mut usize,
    ) -> Step {
        if tag == field.single_tag {
            return self.item(field, rest, index);
        }
        let mut packed = wire::bytes(rest)?;
        while !packed.is_empty() {
            self.item(field, &mut packed, index)?;
        }
        Ok(())
    }

    #[inline]
    fn item(&mut self, field: &'a FieldPlan, rest: &mut &[u8], index: &mut usize) -> Step {
        self.count()?;
        let before = self.sink.at();
        self.separate()?;
        match self.value(field.value, rest) {
            Ok(true) => *index += 1,
            Ok(false) => self.sink.rewind(before),
            Err(fault) => return Err(fault.within(*index).inside(field)),
        }
        Ok(())
    }
}

/// Numbers of 32 bits are the lower half of what the wire says.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "that is the point")]
fn low(number: u64) -> u32 {
    number as u32
}
