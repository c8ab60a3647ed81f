//! Numbers, booleans and enums, as the bits that stand for them on the wire.

use super::fault::{Fault, Parsed, shortened};
use super::numbers::{self, Integer, NotInteger, simple_double, simple_integer, with_short_exponent};
use super::pass::Pass;
use super::plan::{EnumPlan, wire_type};
use super::reader::number_length;
use crate::wire::{FIXED_32, FIXED_64, write_varint};
use crate::{EnumId, Kind};

impl Pass<'_> {
    /// Reads a value; none if it is an unknown name of an enum and such names are ignored.
    #[inline]
    pub(super) fn number(&mut self, kind: Kind) -> Parsed<Option<u64>> {
        match kind {
            Kind::Bool => self.boolean().map(Some),
            Kind::Enum(id) => self.enumerated(id),
            _ if self.reader.peek() == b'"' => {
                let text = self.reader.string("a number")?.read(&mut self.scratch)?;
                from_text(kind, text).map(Some)
            }
            Kind::Double => self.double().map(Some),
            Kind::Float => {
                let text = self.reader.number("a number")?;
                from_text(kind, text).map(Some)
            }
            _ => self.integer(kind).map(Some),
        }
    }

    #[inline]
    fn boolean(&mut self) -> Parsed<u64> {
        let is_true = match self.reader.peek() {
            b't' => true,
            b'f' => false,
            _ => return Err(self.reader.expected("true or false")),
        };
        self.reader.word(if is_true { "true" } else { "false" })?;
        Ok(u64::from(is_true))
    }

    #[inline]
    fn integer(&mut self, kind: Kind) -> Parsed<u64> {
        if let Some((integer, length)) = simple_integer(self.reader.rest()) {
            self.reader.at += length;
            return bits(kind, integer).ok_or_else(|| out_of_range(kind));
        }
        from_text(kind, self.reader.number(name(kind))?)
    }

    #[inline]
    fn double(&mut self) -> Parsed<u64> {
        if let Some((value, length)) = simple_double(self.reader.rest()) {
            self.reader.at += length;
            return Ok(value.to_bits());
        }
        from_text(Kind::Double, self.reader.number("a number")?)
    }

    fn enumerated(&mut self, id: EnumId) -> Parsed<Option<u64>> {
        let plan = &self.plans.enums[id.0 as usize];
        match self.reader.peek() {
            b'"' => {
                let name = self.reader.string("a name")?.read(&mut self.scratch)?;
                match plan.names.get(name) {
                    Some(number) => Ok(Some(enum_bits(number.cast_signed()))),
                    None if self.plans.options.ignore_unknown_enum_names => Ok(None),
                    None => Err(unknown_name(plan, name)),
                }
            }
            b'n' if plan.is_null => self.reader.word("null").map(|()| Some(0)),
            _ => {
                let expected = "a name or a number of an enum";
                enum_number(plan, self.reader.number(expected)?, self.plans.options.ignore_unknown_enum_names)
            }
        }
    }
}

/// The bits of a number or a boolean that stands in text: a string of JSON, the key of a map, a parameter.
pub(super) fn from_text(kind: Kind, text: &str) -> Parsed<u64> {
    let is_number = || number_length(text.as_bytes()) == Some(text.len());
    let wrong = || Fault::new(format!("`{}` is not {}", shortened(text), name(kind)));
    match kind {
        Kind::Bool if text == "true" => Ok(1),
        Kind::Bool if text == "false" => Ok(0),
        Kind::Double => {
            let value = match not_finite(text) {
                Some(value) => return Ok(value.to_bits()),
                None if is_number() => with_short_exponent(text).parse::<f64>().map_err(|_| wrong())?,
                None => return Err(wrong()),
            };
            if value.is_finite() { Ok(value.to_bits()) } else { Err(out_of_range(kind)) }
        }
        Kind::Float => {
            #[expect(clippy::cast_possible_truncation, reason = "there is nothing to lose in them")]
            let value = match not_finite(text) {
                Some(value) => return Ok(u64::from((value as f32).to_bits())),
                None if is_number() => with_short_exponent(text).parse::<f32>().map_err(|_| wrong())?,
                None => return Err(wrong()),
            };
            if value.is_finite() { Ok(u64::from(value.to_bits())) } else { Err(out_of_range(kind)) }
        }
        Kind::Bool | Kind::String | Kind::Bytes | Kind::Enum(_) | Kind::Message(_) => Err(wrong()),
        _ => match simple_integer(text.as_bytes()) {
            Some((integer, length)) if length == text.len() => bits(kind, integer),
            _ if is_number() => match numbers::integer(text) {
                Ok(integer) => bits(kind, integer),
                Err(NotInteger::Fraction) => return Err(wrong()),
                Err(NotInteger::TooLarge) => None,
            },
            _ => return Err(wrong()),
        }
        .ok_or_else(|| out_of_range(kind)),
    }
}

/// The bits of an enum that is given by its number.
pub(super) fn enum_number(plan: &EnumPlan, text: &str, ignore_unknown: bool) -> Parsed<Option<u64>> {
    let number = from_text(Kind::Int32, text)?;
    #[expect(clippy::cast_possible_truncation, reason = "it is an int32 with its sign in front")]
    let value = number.cast_signed() as i32;
    match &plan.closed {
        Some(numbers) if numbers.binary_search(&value).is_err() => {
            if ignore_unknown {
                return Ok(None);
            }
            Err(Fault::new(format!("`{}` has no value {value}", plan.name)))
        }
        _ => Ok(Some(number)),
    }
}

pub(super) fn enum_bits(number: i32) -> u64 {
    i64::from(number).cast_unsigned()
}

pub(super) fn unknown_name(plan: &EnumPlan, name: &str) -> Fault {
    Fault::new(format!("`{}` is not a value of `{}`", shortened(name), plan.name))
}

/// Appends a value without its tag.
#[inline]
pub(super) fn write(kind: Kind, bits: u64, out: &mut Vec<u8>) {
    match wire_type(kind) {
        FIXED_64 => out.extend_from_slice(&bits.to_le_bytes()),
        #[expect(clippy::cast_possible_truncation, reason = "four bytes is all that there is")]
        FIXED_32 => out.extend_from_slice(&(bits as u32).to_le_bytes()),
        _ => write_varint(out, bits),
    }
}

fn not_finite(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

#[inline]
fn bits(kind: Kind, integer: Integer) -> Option<u64> {
    let zigzag = |value: i64| (value << 1 ^ value >> 63).cast_unsigned();
    match kind {
        Kind::Int32 | Kind::Sfixed32 => integer.signed(32).map(i64::cast_unsigned),
        Kind::Int64 | Kind::Sfixed64 => integer.signed(64).map(i64::cast_unsigned),
        Kind::Uint32 | Kind::Fixed32 => integer.unsigned(32),
        Kind::Uint64 | Kind::Fixed64 => integer.unsigned(64),
        Kind::Sint32 => integer.signed(32).map(zigzag),
        Kind::Sint64 => integer.signed(64).map(zigzag),
        _ => None,
    }
}

#[cold]
fn out_of_range(kind: Kind) -> Fault {
    Fault::new(format!("the number is out of the range of {}", name(kind)))
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Double => "a number",
        Kind::Float => "a number of 32 bits",
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "an integer of 32 bits",
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "an integer of 64 bits",
        Kind::Uint32 | Kind::Fixed32 => "an unsigned integer of 32 bits",
        Kind::Uint64 | Kind::Fixed64 => "an unsigned integer of 64 bits",
        Kind::Bool => "true or false",
        Kind::String => "a string",
        Kind::Bytes => "base64",
        Kind::Enum(_) => "a value of an enum",
        Kind::Message(_) => "a message",
    }
}
