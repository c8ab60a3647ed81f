//! The schemas of messages and enums: made when somebody refers to them, named when all of them are known.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};

use super::examples::oneofs;
use super::rules::{FieldRules, is_required_oneof};
use super::texts::Texts;
use super::values::object;
use crate::options::Options;
use crate::schema::{Enum, EnumId, Field, Kind, Message, MessageId, Schema};

/// Where a message stands, as its JSON is not the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Side {
    /// An answer: what is always written is always there.
    Output,
    /// A request: what must be there is required, and nothing else may be there.
    Input,
    /// The body of a PATCH: as a request, with nothing required but by proto2, and `null` where a field may be cleared.
    Patch,
}

/// What a reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Target {
    Message(MessageId, Side),
    Enum(EnumId, Side),
}

/// All schemas that a document refers to.
pub(super) struct Schemas<'a> {
    pub(super) schema: &'a Schema,
    pub(super) options: &'a Options,
    pub(super) texts: &'a Texts<'a>,
    /// In the order in which they were first asked for; their places are what references hold until they have names.
    pub(super) targets: Vec<Target>,
    places: HashMap<Target, usize>,
    pending: VecDeque<Target>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(schema: &'a Schema, options: &'a Options, texts: &'a Texts<'a>) -> Self {
        Self { schema, options, texts, targets: vec![], places: HashMap::new(), pending: VecDeque::new() }
    }

    /// The name of a field in JSON under the options.
    pub(super) fn name(&self, field: &Field) -> String {
        if self.options.proto_names { field.name.to_string() } else { field.json_name.to_string() }
    }

    /// A reference to the schema of a message.
    pub(super) fn reference(&mut self, id: MessageId, side: Side) -> Value {
        self.refer(Target::Message(id, side))
    }

    /// A reference to the schema of an enum.
    pub(super) fn enum_reference(&mut self, id: EnumId, side: Side) -> Value {
        let side = if side == Side::Patch { Side::Input } else { side };
        self.refer(Target::Enum(id, side))
    }

    fn refer(&mut self, target: Target) -> Value {
        let place = *self.places.entry(target).or_insert_with(|| {
            self.targets.push(target);
            self.pending.push_back(target);
            self.targets.len() - 1
        });
        json!({"$ref": place})
    }

    /// The schemas of all that was referred to, and of what they refer to themselves, in the order of their places.
    pub(super) fn definitions(&mut self) -> Vec<Value> {
        let mut definitions = vec![];
        while let Some(target) = self.pending.pop_front() {
            definitions.push(match target {
                Target::Message(id, side) => self.message(id, side, &[]),
                Target::Enum(id, side) => self.enum_schema(id, side, |_| true).into(),
            });
        }
        definitions
    }

    /// The schema of a message some fields of which may come with the path, so that they need not be there.
    pub(super) fn message(&mut self, id: MessageId, side: Side, bound: &[&[usize]]) -> Value {
        let schema = self.schema;
        let message = &schema[id];
        let mut properties = Map::new();
        let mut required = vec![];
        for (index, field) in declared_order(message) {
            let inner =
                bound.iter().filter_map(|path| path.split_first()).filter(|(first, _)| **first == index);
            let inner = inner.map(|(_, rest)| rest).collect::<Vec<_>>();
            let name = self.name(field);
            let is_bound = inner.iter().any(|rest| rest.is_empty());
            let within = match field.kind {
                Kind::Message(inside) if !inner.is_empty() && !is_bound => {
                    Some(self.message(inside, side, &inner))
                }
                _ => None,
            };
            // What the path says a part of is there, and needs only what else is asked of it.
            let is_required = match &within {
                Some(within) => asks_for_something(within),
                None => !is_bound && self.is_required(field, side),
            };
            if is_required {
                required.push(json!(name));
            }
            let mut property = within.unwrap_or_else(|| self.property(field, side));
            if is_bound && let Some(property) = property.as_object_mut() {
                property.insert("readOnly".into(), json!(true));
            }
            properties.insert(name, property);
        }
        let mut made = object(json!({"type": "object"}));
        if let Some(description) = self.texts.describe(&message.comment, &[]) {
            made.insert("description".into(), json!(description));
        }
        if message.deprecated {
            made.insert("deprecated".into(), json!(true));
        }
        if !properties.is_empty() {
            made.insert("properties".into(), properties.into());
        }
        if !required.is_empty() {
            made.insert("required".into(), required.into());
        }
        self.oneofs(message, side, bound, &mut made);
        if side != Side::Output && !self.options.ignore_unknown_fields {
            made.insert("additionalProperties".into(), json!(false));
        }
        made.into()
    }

    /// At most one member of each oneof, or exactly one where that is asked for and the path says none.
    fn oneofs(&self, message: &Message, side: Side, bound: &[&[usize]], made: &mut Map<String, Value>) {
        let mut all = vec![];
        for oneof in &message.oneofs {
            let is_bound = bound.iter().filter_map(|path| path.first()).any(|it| oneof.fields.contains(it));
            let is_required = side == Side::Input && !is_bound && is_required_oneof(&oneof.rules);
            if oneof.fields.len() < 2 && !is_required {
                continue;
            }
            let members = oneof.fields.iter().map(|&field| &message.fields[field]);
            let mut choices = members.map(|field| self.choice(field, side)).collect::<Vec<_>>();
            if !is_required {
                let any = choices.iter().cloned().map(|choice| {
                    let mut choice = object(choice);
                    choice.shift_remove("title");
                    choice
                });
                let none = json!({"anyOf": any.collect::<Vec<_>>()});
                choices.push(json!({"title": format!("no {}", oneof.name), "not": none}));
            }
            all.push(json!(choices));
        }
        if all.len() == 1 {
            made.insert("oneOf".into(), all.remove(0));
        } else if !all.is_empty() {
            let all = all.into_iter().map(|choices| json!({"oneOf": choices}));
            made.insert("allOf".into(), all.collect());
        }
    }

    /// That a member of a oneof is there. One that is `null` is not, unless `null` is what it is.
    fn choice(&self, field: &Field, side: Side) -> Value {
        let name = self.name(field);
        let mut choice = json!({"title": name, "required": [name]});
        if self.may_be_null(field, side) && !self.is_null_a_value(field) {
            choice["properties"] = json!({name: {"not": {"type": "null"}}});
        }
        choice
    }

    /// The schema of an enum, or of some of its values.
    pub(super) fn enum_schema(
        &self,
        id: EnumId,
        side: Side,
        allowed: impl Fn(i32) -> bool,
    ) -> Map<String, Value> {
        let schema = self.schema;
        let declared = &schema[id];
        let numbers = self.options.enums_as_numbers;
        let with_aliases = side != Side::Output && !numbers;
        let values = values_of(declared, with_aliases).filter(|value| allowed(value.number));
        let values = values.collect::<Vec<_>>();
        let line = |value: &&crate::EnumValue| {
            let comment = self.texts.inline(&value.comment);
            match (numbers, comment.as_str()) {
                (false, "") => None,
                (false, comment) => Some(format!("- `{}`: {comment}", value.name)),
                (true, "") => Some(format!("- {}: `{}`", value.number, value.name)),
                (true, comment) => Some(format!("- {}: `{}`: {comment}", value.number, value.name)),
            }
        };
        let lines = values.iter().filter_map(line).collect::<Vec<_>>().join("\n");
        let comment = self.texts.describe(&declared.comment, &[]);
        let description = [comment.unwrap_or_default(), lines];
        let description = description.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
        let names = || values.iter().map(|value| json!(value.name));
        let ty =
            if numbers { json!({"type": "integer", "format": "int32"}) } else { json!({"type": "string"}) };
        let mut made = object(ty);
        if !description.is_empty() {
            made.insert("description".into(), json!(description.join("\n\n")));
        }
        if numbers {
            made.insert("enum".into(), values.iter().map(|value| json!(value.number)).collect());
            made.insert("x-enum-varnames".into(), names().collect());
        } else {
            made.insert("enum".into(), names().collect());
        }
        made
    }

    /// Whether an object without this field is not what it should be.
    pub(super) fn is_required(&self, field: &Field, side: Side) -> bool {
        use crate::schema::Presence;
        match side {
            Side::Output if field.behavior.input_only => false,
            Side::Output => match field.presence {
                // An extension that is not there is not even known of.
                Presence::Implicit => !self.options.omit_defaults && !field.is_extension,
                Presence::Required => true,
                Presence::Explicit => false,
            },
            Side::Input => is_asked_for(field),
            // Without it there is no message that could be sent on.
            Side::Patch => field.presence == Presence::Required,
        }
    }
}

/// Whether an empty object is not what it should be.
pub(super) fn asks_for_something(schema: &Value) -> bool {
    schema.get("required").is_some() || oneofs(schema).iter().any(|(_, is_required)| *is_required)
}

/// Whether a request must have it.
pub(super) fn is_asked_for(field: &Field) -> bool {
    use crate::schema::Presence;
    let rules = FieldRules::of(field);
    let asked = field.behavior.required || rules.required || field.presence == Presence::Required;
    !field.behavior.output_only && (asked || rules.refuse_absence(field))
}

/// The values of an enum. A second name for the same number is read, but never written.
fn values_of(declared: &Enum, with_aliases: bool) -> impl Iterator<Item = &crate::EnumValue> {
    declared.values.iter().enumerate().filter_map(move |(at, value)| {
        let is_first = || declared.values[..at].iter().all(|earlier| earlier.number != value.number);
        (with_aliases || is_first()).then_some(value)
    })
}

/// The fields as a reader of the proto meets them, with their places in [`Message::fields`].
pub(super) fn declared_order(message: &Message) -> Vec<(usize, &Field)> {
    let mut fields = message.fields.iter().enumerate().collect::<Vec<_>>();
    fields.sort_by_key(|(_, field)| field.declared);
    fields
}
