//! The update mask of a PATCH, from the keys of its body.

use super::Binder;
use crate::wire;
use crate::{Error, Kind, MessageId, Schema};

/// Appends the paths of the fields that a body names, as the wire form of a `FieldMask`.
///
/// What a caller cannot change is left out, so that what was read can be sent back as a whole: what the path binds, what is
/// `OUTPUT_ONLY`, and the message's own `IDENTIFIER` and `etag`.
pub(super) fn of_body(
    binder: Binder<'_>,
    message: MessageId,
    bound: &[&[usize]],
    json: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    for path in binder.to_wire.paths(message, json)? {
        let is_bound = bound.iter().any(|bound| path.starts_with(bound));
        if let Some(name) = name(binder.schema, message, &path).filter(|_| !is_bound) {
            wire::write_tag(out, 1, wire::LENGTH);
            wire::write_varint(out, name.len() as u64);
            out.extend_from_slice(name.as_bytes());
        }
    }
    Ok(())
}

/// The path as a mask has it; none where a caller cannot change what is there.
fn name(schema: &Schema, mut message: MessageId, path: &[usize]) -> Option<String> {
    let mut name = String::new();
    for &index in path {
        let field = &schema[message].fields[index];
        let is_its_own = name.is_empty() && (field.behavior.identifier || &*field.name == "etag");
        if field.behavior.output_only || is_its_own {
            return None;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&field.name);
        if let Kind::Message(inner) = field.kind {
            message = inner;
        }
    }
    Some(name)
}
