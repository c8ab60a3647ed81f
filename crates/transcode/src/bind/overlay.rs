//! What the path, the query and the headers say of a request, as a tree of its fields.
//!
//! It is written over what the body says: a field that is said here is left out there, so that no receiver, whether it takes
//! the first or the last of two, reads anything else; and what several parameters say of one message ends up in one message.

use std::collections::HashSet;

use crate::wire::{self, Groups, Malformed};
use crate::{Error, Field, Kind, Message, MessageId, Schema};

/// The fields of one message of which something is said.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    members: Vec<Member>,
}

#[derive(Debug)]
pub(super) struct Member {
    field: usize,
    pub(super) source: Source,
    pub(super) value: Value,
}

/// Who says something of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Path,
    Query,
    Header,
    Body,
}

#[derive(Debug)]
pub(super) enum Value {
    /// Nothing so far.
    New,
    /// Tags and values.
    Wire(Vec<u8>),
    /// The entries of a map, with the keys that are taken.
    Map(Vec<u8>, HashSet<Vec<u8>>),
    /// Fields of a message.
    Inside(Overlay),
}

impl Overlay {
    /// One where a field is the body: only the path and the headers may say something of what is in it.
    pub(super) fn with_body(field: usize) -> Self {
        let value = Value::Inside(Self::default());
        Self { members: vec![Member { field, source: Source::Body, value }] }
    }

    /// Whether anything is said of what the body says: of all fields, or of those in one.
    pub(super) fn touches(&self, body: Option<usize>) -> bool {
        match body {
            None => !self.members.is_empty(),
            Some(field) => self.get(field).is_some_and(Member::has_something),
        }
    }

    pub(super) fn get(&self, field: usize) -> Option<&Member> {
        self.members.iter().find(|member| member.field == field)
    }

    /// The place of a field by its path from the message; `name` is for errors.
    pub(super) fn enter(
        &mut self,
        schema: &Schema,
        mut message: MessageId,
        path: &[usize],
        source: Source,
        name: &str,
    ) -> Result<&mut Member, Error> {
        let mut inside = self;
        let (&last, way) = path.split_last().expect("a path has a field at its end");
        for &field in way {
            let member = inside.member(&schema[message], field, source, name)?;
            let Kind::Message(next) = schema[message].fields[field].kind else {
                return Err(Error::new(name, "goes into what is not a message"));
            };
            if matches!(member.value, Value::New) {
                member.value = Value::Inside(Self::default());
            }
            inside = match &mut member.value {
                Value::Inside(inside) => inside,
                _ => return Err(Error::new(name, "is in a message that is given as a whole as well")),
            };
            message = next;
        }
        inside.member(&schema[message], last, source, name)
    }

    fn member(
        &mut self,
        message: &Message,
        field: usize,
        source: Source,
        name: &str,
    ) -> Result<&mut Member, Error> {
        if let Some(at) = self.members.iter().position(|member| member.field == field) {
            if source == Source::Query && self.members[at].source == Source::Body {
                return Err(Error::new(name, "is not a parameter: it is the body"));
            }
            return Ok(&mut self.members[at]);
        }
        let oneof = message.fields[field].oneof;
        let excludes = |other: &&Member| message.fields[other.field].oneof == oneof;
        if let Some(other) = self.members.iter().find(|other| oneof.is_some() && excludes(other)) {
            let other = &message.fields[other.field].name;
            return Err(Error::new(name, format!("excludes `{other}`, which is given as well")));
        }
        Ok(self.members.push_mut(Member { field, source, value: Value::New }))
    }

    /// Appends what is said here and, of what `base` says, the rest.
    pub(super) fn write(
        &self,
        schema: &Schema,
        message: MessageId,
        base: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let fields = &schema[message].fields;
        let mut written = vec![false; self.members.len()];
        let mut rest = base;
        while !rest.is_empty() {
            let before = rest;
            let tag = wire::tag(&mut rest)?;
            let field = fields.binary_search_by_key(&(tag >> 3), |field| field.number).ok();
            let at = field.and_then(|field| self.members.iter().position(|member| member.field == field));
            match (at, at.map(|at| &self.members[at].value)) {
                (Some(at), Some(Value::Inside(inside))) if inside.touches(None) => {
                    let content = match tag & 7 {
                        wire::START => Groups::default().read(tag, &mut rest)?,
                        _ => wire::bytes(&mut rest)?,
                    };
                    self.members[at].write(schema, message, content, out)?;
                    written[at] = true;
                    continue;
                }
                (Some(at), _) if self.members[at].has_something() => {
                    wire::skip(tag, &mut rest)?;
                    continue;
                }
                _ => wire::skip(tag, &mut rest)?,
            }
            if at.is_some() || !field.is_some_and(|field| self.excludes(&schema[message], field)) {
                out.extend_from_slice(&before[..before.len() - rest.len()]);
            }
        }
        let left =
            self.members.iter().zip(written).filter(|(member, written)| !written && member.has_something());
        left.map(|(member, _)| member).try_for_each(|member| member.write(schema, message, &[], out))
    }

    /// Whether another field of the same oneof is said here.
    fn excludes(&self, message: &Message, field: usize) -> bool {
        let oneof = message.fields[field].oneof;
        oneof.is_some()
            && self
                .members
                .iter()
                .any(|other| other.has_something() && message.fields[other.field].oneof == oneof)
    }
}

impl Member {
    /// Whether anything was said: that the body is somewhere says nothing.
    fn has_something(&self) -> bool {
        match &self.value {
            Value::New => false,
            Value::Inside(inside) => inside.touches(None),
            Value::Wire(_) | Value::Map(..) => true,
        }
    }

    fn write(
        &self,
        schema: &Schema,
        message: MessageId,
        base: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let inside = match &self.value {
            Value::New => return Ok(()),
            Value::Wire(wire) | Value::Map(wire, _) => {
                out.extend_from_slice(wire);
                return Ok(());
            }
            Value::Inside(inside) => inside,
        };
        let field = &schema[message].fields[self.field];
        let Kind::Message(message) = field.kind else { return Ok(()) };
        write_message(field, out, |out| inside.write(schema, message, base, out))
    }
}

/// Writes a field that is a message, between whatever marks its beginning and its end.
pub(super) fn write_message<E>(
    field: &Field,
    out: &mut Vec<u8>,
    content: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    if field.is_delimited {
        wire::write_tag(out, field.number, wire::START);
        content(out)?;
        wire::write_tag(out, field.number, wire::END);
    } else {
        wire::write_tag(out, field.number, wire::LENGTH);
        let opened = wire::open(out);
        content(out)?;
        wire::close(out, opened);
    }
    Ok(())
}
