//! Single values of a message, read from its wire form.

use crate::wire::{self, Groups, Malformed};
use crate::{Cardinality, Kind, MessageId, Schema};

/// A scalar as text; none if it is absent, or cannot be such a text.
pub(crate) fn text(schema: &Schema, message: MessageId, wire: &[u8], path: &[usize]) -> Option<String> {
    let (kind, value) = value(schema, message, wire, path).ok()??;
    Some(match (kind, value) {
        (Kind::String, Value::Bytes(bytes)) => std::str::from_utf8(bytes).ok()?.to_owned(),
        (Kind::Bool, Value::Number(number)) => (number != 0).to_string(),
        // Negative numbers of 32 bits are as long as those of 64.
        (Kind::Int32 | Kind::Sfixed32, Value::Number(number)) => low(number).cast_signed().to_string(),
        (Kind::Int64 | Kind::Sfixed64, Value::Number(number)) => number.cast_signed().to_string(),
        (Kind::Uint32 | Kind::Fixed32, Value::Number(number)) => low(number).to_string(),
        (Kind::Uint64 | Kind::Fixed64, Value::Number(number)) => number.to_string(),
        (Kind::Sint32, Value::Number(number)) => wire::zigzag(u64::from(low(number))).to_string(),
        (Kind::Sint64, Value::Number(number)) => wire::zigzag(number).to_string(),
        (Kind::Enum(id), Value::Number(number)) => {
            let number = low(number).cast_signed();
            schema[id].name_of(number).map_or_else(|| number.to_string(), str::to_owned)
        }
        _ => return None,
    })
}

/// The value of a singular text field of a message, or of one in it.
pub(super) fn bytes<'w>(
    schema: &Schema,
    message: MessageId,
    wire: &'w [u8],
    path: &[usize],
) -> Result<Option<&'w [u8]>, Malformed> {
    Ok(match value(schema, message, wire, path)? {
        Some((_, Value::Bytes(bytes))) => Some(bytes),
        _ => None,
    })
}

/// Whether [`text`] can read a field.
pub(crate) fn has_text(kind: Kind) -> bool {
    !matches!(kind, Kind::Double | Kind::Float | Kind::Bytes | Kind::Message(_))
}

enum Value<'w> {
    Number(u64),
    Bytes(&'w [u8]),
}

/// The last of the values of a field, wherever a message was split.
fn value<'w>(
    schema: &Schema,
    message: MessageId,
    mut wire: &'w [u8],
    path: &[usize],
) -> Result<Option<(Kind, Value<'w>)>, Malformed> {
    let Some((&index, below)) = path.split_first() else { return Ok(None) };
    let field = schema[message].fields.get(index).filter(|field| field.cardinality == Cardinality::Singular);
    let Some(field) = field else { return Ok(None) };
    let mut last = None;
    while !wire.is_empty() {
        let tag = wire::tag(&mut wire)?;
        if tag >> 3 != field.number {
            wire::skip(tag, &mut wire)?;
            continue;
        }
        let found = match tag & 7 {
            wire::VARINT => Value::Number(wire::varint(&mut wire)?),
            wire::FIXED_64 => Value::Number(u64::from_le_bytes(wire::fixed(&mut wire)?)),
            wire::FIXED_32 => Value::Number(u32::from_le_bytes(wire::fixed(&mut wire)?).into()),
            wire::LENGTH if !field.is_delimited => Value::Bytes(wire::bytes(&mut wire)?),
            wire::START if field.is_delimited => Value::Bytes(Groups::default().read(tag, &mut wire)?),
            _ => {
                wire::skip(tag, &mut wire)?;
                continue;
            }
        };
        last = match (field.kind, found) {
            (Kind::Message(inner), Value::Bytes(content)) => value(schema, inner, content, below)?.or(last),
            (kind, found) if below.is_empty() => Some((kind, found)),
            _ => last,
        };
    }
    Ok(last)
}

fn low(number: u64) -> u32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
