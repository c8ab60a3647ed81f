//! A second pair of eyes on messages.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use selvedge_transcode::{Cardinality, Kind, MessageId, Schema};

/// Fails if a field that has one value has two, in the message or in those in it.
pub(crate) fn assert_nothing_twice(schema: &Schema, message: MessageId, mut wire: &[u8]) {
    let mut seen = vec![];
    while !wire.is_empty() {
        let (number, wire_type) = decode_key(&mut wire).expect("a key");
        let field = schema[message].field(number).expect("a field of the message");
        let length = match wire_type {
            WireType::Varint => decode_varint(&mut wire).map(|_| 0).expect("a varint"),
            WireType::SixtyFourBit => 8,
            WireType::ThirtyTwoBit => 4,
            WireType::LengthDelimited => decode_varint(&mut wire).expect("a length"),
            WireType::StartGroup => {
                skip_field(wire_type, number, &mut wire, DecodeContext::default()).expect("it has an end");
                0
            }
            WireType::EndGroup => panic!("nothing began that ends"),
        };
        let (value, rest) = wire.split_at(usize::try_from(length).expect("a length that fits"));
        wire = rest;
        if let (Kind::Message(inner), WireType::LengthDelimited) = (field.kind, wire_type) {
            assert_nothing_twice(schema, inner, value);
        }
        let place = field.oneof.map_or_else(|| field.name.to_string(), |oneof| format!("oneof {oneof}"));
        if field.cardinality == Cardinality::Singular {
            assert!(!seen.contains(&place), "{place} of {} is there twice", schema[message].name);
            seen.push(place);
        }
    }
}
