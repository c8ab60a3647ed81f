//! The fields that must be there (`required` of proto2), without which a receiver takes no message at all.
//!
//! They are looked for in the finished request, as the path, the query and the body bring them together.

use std::collections::HashMap;

use super::read;
use crate::wire::{self, Groups, Malformed};
use crate::{Cardinality, Error, Field, Kind, MessageId, Presence, Schema};

/// Which messages have such fields, in themselves or in what is in them; by their ids.
#[derive(Debug)]
pub(crate) struct Required(Box<[bool]>);

impl Required {
    pub(crate) fn new(schema: &Schema) -> Self {
        let mut found = vec![false; schema.messages().count()];
        loop {
            let before = found.clone();
            for (id, message) in schema.messages() {
                let inside = |field: &Field| matches!(field.kind, Kind::Message(id) if before[id.0 as usize]);
                let needs = |field: &Field| field.presence == Presence::Required || inside(field);
                found[id.0 as usize] = message.fields.iter().any(needs);
            }
            if found == before {
                return Self(found.into());
            }
        }
    }

    /// Refuses a message that lacks one.
    pub(super) fn check(&self, schema: &Schema, message: MessageId, wire: &[u8]) -> Result<(), Error> {
        match self.missing(schema, message, wire) {
            Ok(None) => Ok(()),
            Ok(Some(place)) => Err(Error::new(place, "is required")),
            Err(error) => Err(super::malformed(error)),
        }
    }

    /// The place of the first that is missing.
    fn missing(
        &self,
        schema: &Schema,
        message: MessageId,
        mut rest: &[u8],
    ) -> Result<Option<String>, Malformed> {
        if !self.0[message.0 as usize] {
            return Ok(None);
        }
        let fields = &schema[message].fields;
        // How often each field was there.
        let mut seen = HashMap::<u32, usize>::new();
        // What is in single messages: of several parts, each has something of it.
        let mut parts = HashMap::<u32, Vec<u8>>::new();
        while !rest.is_empty() {
            let tag = wire::tag(&mut rest)?;
            let place = fields.binary_search_by_key(&(tag >> 3), |field| field.number);
            let field = place.ok().map(|at| &fields[at]);
            let Some((field, Kind::Message(inner))) = field.map(|field| (field, field.kind)) else {
                wire::skip(tag, &mut rest)?;
                seen.extend(field.map(|field| (field.number, 1)));
                continue;
            };
            let content = match tag & 7 {
                wire::START => Groups::default().read(tag, &mut rest)?,
                _ => wire::bytes(&mut rest)?,
            };
            let count = seen.entry(field.number).or_default();
            *count += 1;
            if field.cardinality == Cardinality::Singular {
                parts.entry(field.number).or_default().extend_from_slice(content);
            } else if let Some(place) = self.missing_in(schema, field, inner, *count - 1, content)? {
                return Ok(Some(place));
            }
        }
        for field in fields {
            if field.presence == Presence::Required && !seen.contains_key(&field.number) {
                return Ok(Some(field.json_name.to_string()));
            }
            if let (Kind::Message(inner), Some(content)) = (field.kind, parts.get(&field.number))
                && let Some(place) = self.missing_in(schema, field, inner, 0, content)?
            {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// The same in a member of a message.
    fn missing_in(
        &self,
        schema: &Schema,
        field: &Field,
        inner: MessageId,
        index: usize,
        content: &[u8],
    ) -> Result<Option<String>, Malformed> {
        let Some(place) = self.missing(schema, inner, content)? else { return Ok(None) };
        let name = &field.json_name;
        Ok(Some(match field.cardinality {
            Cardinality::Singular => format!("{name}.{place}"),
            Cardinality::Repeated => format!("{name}[{index}].{place}"),
            Cardinality::Map => {
                let key = read::text(schema, inner, content, &[0]).unwrap_or_default();
                // Nobody who sends JSON has heard of entries that have a `value`.
                format!("{name}[{key:?}].{}", place.strip_prefix("value.").unwrap_or(&place))
            }
        }))
    }
}
