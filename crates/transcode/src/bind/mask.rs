//! The update mask of a PATCH, from the keys of its body.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::wire;
use crate::{Cardinality, Error, Kind, MessageId, Schema};

/// The paths of the fields that a body names, as the wire form of a `FieldMask`.
///
/// What a caller cannot change is left out, so that what was read can be sent back as a whole: what the path binds, what is
/// `OUTPUT_ONLY`, and the message's own `IDENTIFIER` and `etag`. The body was read as this message before.
pub(super) fn of_body(
    schema: &Schema,
    message: MessageId,
    bound: &[&[usize]],
    json: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut paths = Paths { prefix: String::new(), wire: vec![] };
    let keys = Keys { schema, message, bound: bound.to_vec(), is_outermost: true, paths: &mut paths };
    let mut json = serde_json::Deserializer::from_slice(json);
    keys.deserialize(&mut json)
        .map_err(|error| Error::new("", format!("no update mask can be made: {error}")))?;
    Ok(paths.wire)
}

struct Paths {
    /// The message that is being read, with a dot behind it.
    prefix: String,
    wire: Vec<u8>,
}

impl Paths {
    fn add(&mut self, name: &str) {
        wire::write_tag(&mut self.wire, 1, wire::LENGTH);
        wire::write_varint(&mut self.wire, (self.prefix.len() + name.len()) as u64);
        self.wire.extend_from_slice(self.prefix.as_bytes());
        self.wire.extend_from_slice(name.as_bytes());
    }
}

/// Reads the keys of a message, and adds their paths.
struct Keys<'a> {
    schema: &'a Schema,
    message: MessageId,
    /// The fields that the path binds, from here.
    bound: Vec<&'a [usize]>,
    is_outermost: bool,
    paths: &'a mut Paths,
}

/// Whether a message was named as a whole: by `null`, or by an object without keys.
type IsWhole = bool;

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = IsWhole;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<IsWhole, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = IsWhole;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<IsWhole, E> {
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<IsWhole, A::Error> {
        let message = &self.schema[self.message];
        let mut is_whole = true;
        while let Some(key) = map.next_key::<String>()? {
            is_whole = false;
            let named = |field: &crate::Field| *field.name == *key || *field.json_name == *key;
            let index = message.fields.iter().position(named);
            let Some(index) = index.filter(|&index| self.can_change(index)) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let field = &message.fields[index];
            let inner = match field.kind {
                Kind::Message(inner) if field.cardinality == Cardinality::Singular => Some(inner),
                _ => None,
            };
            let Some(inner) = inner.filter(|&inner| self.schema[inner].well_known.is_none()) else {
                map.next_value::<IgnoredAny>()?;
                self.paths.add(&field.name);
                continue;
            };
            let outer = self.paths.prefix.len();
            self.paths.prefix.extend([&field.name, "."]);
            let within = |path: &&[usize]| path.first() == Some(&index);
            let bound = self.bound.iter().copied().filter(within).map(|path| &path[1..]).collect();
            let inside = Keys { message: inner, bound, is_outermost: false, paths: &mut *self.paths, ..self };
            let is_whole = map.next_value_seed(inside)?;
            self.paths.prefix.truncate(outer);
            if is_whole {
                self.paths.add(&field.name);
            }
        }
        Ok(is_whole)
    }
}

impl Keys<'_> {
    fn can_change(&self, index: usize) -> bool {
        let field = &self.schema[self.message].fields[index];
        let is_its_own = self.is_outermost && (field.behavior.identifier || &*field.name == "etag");
        !field.behavior.output_only && !is_its_own && !self.bound.iter().any(|path| **path == [index])
    }
}
