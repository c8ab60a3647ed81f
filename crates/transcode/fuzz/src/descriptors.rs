//! Descriptors that are made up as the inputs say.

use prost::encoding::{WireType, encode_key, encode_varint, int32};

/// The messages that protobuf's own implementations are tested with.
pub const CONFORMANCE: &[u8] = include_bytes!("../../testdata/conformance.binpb");

/// The message [`service`] brings along: small, so that little of a run goes into linking it.
pub const SMALL: &str = ".Small";

/// A set with one file, which has [`SMALL`] and one service, of which each RPC takes and gives a message and has a rule: the
/// HTTP method, the path and the body.
pub fn service(message: &str, rules: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut service = vec![];
    text(1, "S", &mut service);
    for (at, (method, path, body)) in rules.iter().enumerate() {
        let mut custom = vec![];
        text(1, method, &mut custom);
        text(2, path, &mut custom);
        let mut rule = vec![];
        nested(8, &custom, &mut rule);
        text(7, body, &mut rule);
        let mut options = vec![];
        nested(72_295_728, &rule, &mut options);
        let mut rpc = vec![];
        text(1, &format!("M{at}"), &mut rpc);
        text(2, message, &mut rpc);
        text(3, message, &mut rpc);
        nested(4, &options, &mut rpc);
        nested(2, &rpc, &mut service);
    }
    let mut file = vec![];
    text(1, "fuzz.proto", &mut file);
    nested(4, &small(), &mut file);
    nested(6, &service, &mut file);
    text(12, "proto3", &mut file);
    let mut set = vec![];
    nested(1, &file, &mut set);
    set
}

fn small() -> Vec<u8> {
    let [optional, repeated] = [1, 3];
    let [int, string, inner] = [5, 9, 11];
    let mut message = vec![];
    text(1, "Small", &mut message);
    for (number, name, label, kind, oneof) in [
        (1, "id", optional, string, None),
        (2, "name", optional, string, None),
        (3, "number", optional, int, None),
        (4, "inner", optional, inner, None),
        (5, "list", repeated, string, None),
        (6, "one", optional, string, Some(0)),
        (7, "two", optional, int, Some(0)),
    ] {
        let mut field = vec![];
        text(1, name, &mut field);
        for (place, value) in [(3, Some(number)), (4, Some(label)), (5, Some(kind)), (9, oneof)] {
            if let Some(value) = value {
                int32::encode(place, &value, &mut field);
            }
        }
        if kind == inner {
            text(6, SMALL, &mut field);
        }
        nested(2, &field, &mut message);
    }
    let mut oneof = vec![];
    text(1, "choice", &mut oneof);
    nested(8, &oneof, &mut message);
    message
}

fn text(number: u32, value: &str, out: &mut Vec<u8>) {
    nested(number, value.as_bytes(), out);
}

fn nested(number: u32, value: &[u8], out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(value.len() as u64, out);
    out.extend_from_slice(value);
}
