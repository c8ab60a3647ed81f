//! The body of a request.

use super::Binder;
use crate::{Body, Cardinality, Error, Kind, Route, WellKnown};

/// Appends what the body says: the message, or a field of it. No body is that of an empty message.
pub(super) fn append(binder: Binder<'_>, route: &Route, json: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let field = match route.body {
        Body::None => return Ok(()),
        Body::Whole if json.is_empty() => return Ok(()),
        Body::Whole => return binder.to_wire.message(route.input, json, out),
        Body::Field(field) => field,
    };
    if !json.is_empty() {
        return binder.to_wire.field(route.input, field, json, out);
    }
    let declared = &binder.schema[route.input].fields[field];
    match declared.kind {
        Kind::Message(message) if declared.cardinality == Cardinality::Singular => {
            match binder.schema[message].well_known {
                None | Some(WellKnown::Struct) => binder.to_wire.field(route.input, field, b"{}", out),
                Some(_) => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
