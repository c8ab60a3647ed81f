//! What is known about a message before any of its bytes: keys as text, fields by number, zeros as text.

use std::collections::HashMap;

use super::kind::Value;
use super::names::Names;
use super::sink::Text;
use crate::schema::{Cardinality, Field, Message, MessageId, Presence, Schema, WellKnown};
use crate::{Options, wire};

/// All messages and enums of a schema.
#[derive(Debug)]
pub(super) struct Plans {
    pub(super) messages: Box<[Plan]>,
    pub(super) enums: Box<[Names]>,
    /// Messages by their full names, for Any.
    pub(super) by_name: HashMap<Box<str>, usize>,
}

#[derive(Debug)]
pub(super) struct Plan {
    /// By number.
    pub(super) fields: Box<[FieldPlan]>,
    pub(super) well_known: Option<Special>,
    pub(super) is_message_set: bool,
    pub(super) oneofs: usize,
    /// The places of the fields with small numbers; `NONE` for what is no field.
    dense: Box<[u32]>,
    /// From each field on, and from the end, the next one that is written though it is absent.
    next_default: Box<[usize]>,
}

/// A message whose JSON is not that of its fields.
#[derive(Clone, Copy, Debug)]
pub(super) enum Special {
    Any,
    Duration,
    FieldMask,
    ListValue,
    Struct,
    Timestamp,
    Value,
    Wrapper(Value),
}

#[derive(Debug)]
pub(super) struct FieldPlan {
    /// Its name in quotes and a colon; with the comma before it, unless the JSON is for people.
    pub(super) key: Text,
    /// As it is usually encoded.
    pub(super) tag: u32,
    /// As the values of a list are encoded one by one and all at once; 0 for what is never packed.
    pub(super) single_tag: u32,
    pub(super) packed_tag: u32,
    pub(super) value: Value,
    pub(super) cardinality: Cardinality,
    pub(super) oneof: Option<u32>,
    /// What is written for it when it is not there.
    pub(super) default: Option<Text>,
    /// What is not written though it may be there.
    pub(super) hidden: Option<Text>,
    pub(super) is_explicit: bool,
    /// As errors name it.
    pub(super) name: Box<str>,
}

const NONE: u32 = u32::MAX;

impl Plans {
    pub(super) fn new(schema: &Schema, options: &Options) -> Self {
        let enums = schema.enums().map(|(_, declared)| Names::new(declared, options)).collect::<Box<[_]>>();
        let plan = |(_, message): (MessageId, &Message)| Plan::new(message, &enums, options);
        let by_name = schema.messages().map(|(id, message)| (message.name.clone(), id.0 as usize));
        Self { messages: schema.messages().map(plan).collect(), by_name: by_name.collect(), enums }
    }
}

impl Plan {
    fn new(message: &Message, enums: &[Names], options: &Options) -> Self {
        let fields = message.fields.iter().map(|field| FieldPlan::new(field, enums, options));
        let fields = fields.collect::<Box<[_]>>();
        let most = fields.len() * 4 + 64;
        let small = message.fields.iter().map(|field| field.number as usize).filter(|&number| number < most);
        let mut dense = vec![NONE; small.max().map_or(0, |number| number + 1)];
        for (at, field) in (0..).zip(&message.fields) {
            if let Some(place) = dense.get_mut(field.number as usize) {
                *place = at;
            }
        }
        let mut next_default = vec![fields.len(); fields.len() + 1];
        for (at, field) in fields.iter().enumerate().rev() {
            next_default[at] = if field.default.is_some() { at } else { next_default[at + 1] };
        }
        Self {
            well_known: message.well_known.map(Special::of),
            is_message_set: message.is_message_set,
            oneofs: message.oneofs.len(),
            dense: dense.into(),
            next_default: next_default.into(),
            fields,
        }
    }

    /// The place of a field; whether the wire type fits is another question.
    #[inline]
    pub(super) fn place(&self, number: u32) -> Option<usize> {
        match self.dense.get(number as usize) {
            Some(&NONE) => None,
            Some(&place) => Some(place as usize),
            None => self.fields.binary_search_by_key(&number, |field| field.tag >> 3).ok(),
        }
    }

    /// The first of the fields from `from` to `to` that is written though it is absent.
    #[inline]
    pub(super) fn next_default(&self, from: usize, to: usize) -> Option<usize> {
        Some(self.next_default[from]).filter(|&at| at < to)
    }
}

impl Special {
    fn of(known: WellKnown) -> Self {
        match known {
            WellKnown::Any => Self::Any,
            WellKnown::Duration => Self::Duration,
            WellKnown::FieldMask => Self::FieldMask,
            WellKnown::ListValue => Self::ListValue,
            WellKnown::Struct => Self::Struct,
            WellKnown::Timestamp => Self::Timestamp,
            WellKnown::Value => Self::Value,
            WellKnown::Wrapper(kind) => Self::Wrapper(Value::of(kind, None)),
        }
    }
}

impl FieldPlan {
    /// Whether this is how the field may be encoded; otherwise it is an unknown one with the same number.
    #[inline]
    pub(super) fn accepts(&self, tag: u32) -> bool {
        tag == self.single_tag || tag == self.packed_tag
    }

    fn new(field: &Field, enums: &[Names], options: &Options) -> Self {
        let name = if options.proto_names { &field.name } else { &field.json_name };
        let quoted = super::quote(name);
        let key = if options.pretty { format!("{quoted}: ") } else { format!(",{quoted}:") };
        let value = Value::of(field.kind, field.is_delimited.then_some(field.number));
        let zero = match (field.cardinality, field.presence) {
            (Cardinality::Repeated, _) => Some(Text::new("[]")),
            (Cardinality::Map, _) => Some(Text::new("{}")),
            (Cardinality::Singular, Presence::Implicit) => value.zero(enums, options),
            (Cardinality::Singular, _) => None,
        };
        let (default, hidden) = if options.omit_defaults { (None, zero) } else { (zero, None) };
        let single_tag = field.number << 3 | value.wire_type();
        let packable = !matches!(value.wire_type(), wire::LENGTH | wire::START);
        let packable = packable && field.cardinality == Cardinality::Repeated;
        let packed_tag = if packable { field.number << 3 | wire::LENGTH } else { 0 };
        Self {
            key: Text::new(&key),
            tag: if field.is_packed && packable { packed_tag } else { single_tag },
            single_tag,
            packed_tag,
            value,
            cardinality: field.cardinality,
            oneof: field.oneof.and_then(|oneof| u32::try_from(oneof).ok()),
            // An extension that is not there belongs to nobody's idea of the message.
            default: default.filter(|_| !field.is_extension),
            hidden,
            is_explicit: field.presence != Presence::Implicit,
            name: name.clone(),
        }
    }
}
