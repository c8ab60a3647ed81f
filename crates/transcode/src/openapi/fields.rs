//! The schema of a field: its value, how many of it, and what is said of it.

use serde_json::{Map, Value, json};

use super::examples;
use super::patterns;
use super::rule_types::{EnumRules, StringRules};
use super::rules::FieldRules;
use super::schemas::{Schemas, Side, is_asked_for};
use super::strings;
use super::values::{NULL_VALUE, object};
use crate::schema::{Cardinality, Field, Kind, Presence, WellKnown};

type Object = Map<String, Value>;

impl Schemas<'_> {
    /// The schema of a field as a property.
    pub(super) fn property(&mut self, field: &Field, side: Side) -> Value {
        let mut notes = vec![];
        let mut schema = self.values(field, side, &mut notes);
        if self.may_be_null(field, side) {
            schema = nullable(schema);
        }
        self.tell(field, &notes, &mut schema);
        if side == Side::Output && !schema.contains_key("format") {
            schema.extend(self.shown(field).map(|example| ("examples".to_owned(), json!([example]))));
        }
        if side == Side::Patch && (field.behavior.immutable || field.behavior.identifier) {
            schema.insert("x-immutable".into(), json!(true));
        }
        match side {
            Side::Output if field.behavior.input_only => drop(schema.insert("writeOnly".into(), json!(true))),
            _ if field.behavior.output_only => drop(schema.insert("readOnly".into(), json!(true))),
            _ => {}
        }
        schema.into()
    }

    /// Whether a field may be `null` instead of being left out.
    pub(super) fn may_be_null(&self, field: &Field, side: Side) -> bool {
        let is_wrapper = matches!(self.well_known_of(field), Some(WellKnown::Wrapper(_)))
            && field.cardinality == Cardinality::Singular;
        let may_be_cleared = side == Side::Patch && !field.behavior.output_only;
        !is_asked_for(field) && (may_be_cleared || (is_wrapper && side != Side::Output))
    }

    /// Whether `null` is a value of the field.
    pub(super) fn is_null_a_value(&self, field: &Field) -> bool {
        match field.kind {
            Kind::Enum(id) => &*self.schema[id].name == NULL_VALUE,
            _ => self.well_known_of(field) == Some(WellKnown::Value),
        }
    }

    /// The schema of a field that is an answer by itself, in which its absence is `null`.
    pub(super) fn alone(&mut self, field: &Field) -> Value {
        match self.property(field, Side::Output) {
            Value::Object(schema) if field.presence == Presence::Explicit => nullable(schema).into(),
            schema => schema,
        }
    }

    /// The schema of a field without what is said of it.
    pub(super) fn values(&mut self, field: &Field, side: Side, notes: &mut Vec<String>) -> Object {
        let mut rules = FieldRules::of(field);
        if side == Side::Output || field.behavior.output_only {
            rules = rules.form(self.is_written_empty(field, &rules));
        }
        notes.extend(rules.cel.iter().map(|rule| rule.message.clone()).filter(|text| !text.is_empty()));
        if rules.required && field.presence == Presence::Implicit {
            rules.refuse_zero();
        }
        let schema = match field.cardinality {
            Cardinality::Singular => self.value(field.kind, &rules, side, notes),
            Cardinality::Repeated => self.list(field, &rules, side, notes),
            Cardinality::Map => self.map(field, &rules, side, notes),
        };
        self.or_zero(schema, &rules, field.cardinality, field.kind)
    }

    /// Whether an answer may have the empty text, as a field without a value does, or one that is spared the rules.
    fn is_written_empty(&self, field: &Field, rules: &FieldRules) -> bool {
        match field.presence {
            Presence::Implicit => !self.options.omit_defaults,
            Presence::Explicit | Presence::Required => rules.spare_zero(),
        }
    }

    /// What passes beside the values that fulfil the rules where these spare the zero.
    fn or_zero(&self, schema: Object, rules: &FieldRules, cardinality: Cardinality, kind: Kind) -> Object {
        if !rules.spare_zero() || rules.required || !rules.refuse_zero_of(cardinality, kind) {
            return schema;
        }
        let zero = match (cardinality, kind) {
            (Cardinality::Repeated, _) => json!({"type": "array", "const": []}),
            (Cardinality::Map, _) => json!({"type": "object", "const": {}}),
            (_, Kind::String | Kind::Bytes) => json!({"type": "string", "const": ""}),
            (_, Kind::Bool) => json!({"type": "boolean", "const": false}),
            (_, Kind::Enum(id)) => self.enum_schema(id, Side::Output, |number| number == 0).into(),
            (_, kind) => {
                let mut plain = self.number(kind, &FieldRules::default(), &mut vec![]);
                let is_text = plain.get("type") == Some(&json!("string"));
                plain.insert("const".into(), if is_text { json!("0") } else { json!(0) });
                plain.into()
            }
        };
        object(json!({"anyOf": [schema, zero]}))
    }

    /// What a text with a form of its own looks like, which the schema of an answer does not say.
    fn shown(&mut self, field: &Field) -> Option<Value> {
        let rules = FieldRules::of(field);
        let has_form = rules.string.as_ref().is_some_and(strings::has_form);
        if !has_form || field.cardinality != Cardinality::Singular {
            return None;
        }
        let mut schema = self.value(field.kind, &rules, Side::Input, &mut vec![]);
        self.tell(field, &[], &mut schema);
        examples::of_value(&schema.into(), &field.name).filter(|example| example != "")
    }

    /// Adds what is said of a field.
    pub(super) fn tell(&self, field: &Field, notes: &[String], schema: &mut Object) {
        if let Some(description) = self.texts.describe(&field.comment, notes) {
            schema.insert("description".into(), json!(description));
        }
        if field.deprecated {
            schema.insert("deprecated".into(), json!(true));
        }
    }

    fn list(&mut self, field: &Field, rules: &FieldRules, side: Side, notes: &mut Vec<String>) -> Object {
        let none = FieldRules::default();
        let own = rules.repeated.as_deref();
        let items = own.and_then(|rules| rules.items.as_deref()).unwrap_or(&none);
        // The values of a list are whole, even in a partial update.
        let side = if side == Side::Patch { Side::Input } else { side };
        let values = self.value(field.kind, items, side, notes);
        let items = self.or_zero(values, items, Cardinality::Singular, field.kind);
        let mut schema = object(json!({"type": "array", "items": items}));
        let Some(own) = own else { return schema };
        schema.extend(own.min_items.map(|least| ("minItems".to_owned(), json!(least))));
        schema.extend(own.max_items.map(|most| ("maxItems".to_owned(), json!(most))));
        schema.extend(own.unique.then(|| ("uniqueItems".to_owned(), json!(true))));
        schema
    }

    fn map(&mut self, field: &Field, rules: &FieldRules, side: Side, notes: &mut Vec<String>) -> Object {
        let Kind::Message(entry) = field.kind else { unreachable!("the entries of a map are messages") };
        let entry = &self.schema[entry];
        let none = FieldRules::default();
        let own = rules.map.as_deref();
        let side = if side == Side::Patch { Side::Input } else { side };
        let kind = |number| entry.field(number).map_or(Kind::String, |field| field.kind);
        let rules = own.and_then(|rules| rules.values.as_deref()).unwrap_or(&none);
        let values = self.value(kind(2), rules, side, notes);
        let values = self.or_zero(values, rules, Cardinality::Singular, kind(2));
        let mut schema = object(json!({"type": "object"}));
        let keys = own.and_then(|rules| rules.keys.as_deref()).and_then(|rules| rules.string.as_ref());
        let keys = match kind(1) {
            Kind::String => keys.map(|rules| strings::text(Some(rules), notes)),
            Kind::Bool => Some(object(json!({"enum": ["true", "false"]}))),
            kind => {
                let (format, pattern) = match kind {
                    Kind::Uint32 | Kind::Fixed32 => ("uint32", patterns::short_integer(false)),
                    Kind::Uint64 | Kind::Fixed64 => ("uint64", patterns::integer(false).to_owned()),
                    Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                        ("int64", patterns::integer(true).to_owned())
                    }
                    _ => ("int32", patterns::short_integer(true)),
                };
                Some(object(json!({"format": format, "pattern": pattern})))
            }
        };
        schema.extend(keys.map(|keys| ("propertyNames".to_owned(), keys.into())));
        schema.insert("additionalProperties".into(), values.into());
        let Some(own) = own else { return schema };
        schema.extend(own.min_pairs.map(|least| ("minProperties".to_owned(), json!(least))));
        schema.extend(own.max_pairs.map(|most| ("maxProperties".to_owned(), json!(most))));
        schema
    }

    pub(super) fn well_known_of(&self, field: &Field) -> Option<WellKnown> {
        match field.kind {
            Kind::Message(id) => self.schema[id].well_known,
            _ => None,
        }
    }
}

impl FieldRules {
    /// Whether a field that is left out breaks them, as its zero does.
    pub(super) fn refuse_absence(&self, field: &Field) -> bool {
        field.presence == Presence::Implicit
            && !self.spare_zero()
            && self.refuse_zero_of(field.cardinality, field.kind)
    }

    /// Whether the zero of what they are for breaks them.
    fn refuse_zero_of(&self, cardinality: Cardinality, kind: Kind) -> bool {
        let some = |least: Option<u64>| least.is_some_and(|least| least > 0);
        match (cardinality, kind) {
            (Cardinality::Repeated, _) => self.repeated.as_ref().is_some_and(|rules| some(rules.min_items)),
            (Cardinality::Map, _) => self.map.as_ref().is_some_and(|rules| some(rules.min_pairs)),
            (_, Kind::String) => self.string.as_ref().is_some_and(strings::refuse_empty),
            (_, Kind::Bytes) => {
                self.bytes.as_ref().is_some_and(|rules| some(rules.len) || some(rules.min_len))
            }
            (_, Kind::Bool) => self.bool.as_ref().is_some_and(|rules| rules.constant == Some(true)),
            (_, Kind::Enum(_)) => self.r#enum.as_ref().is_some_and(|rules| {
                rules.constant.is_some_and(|constant| constant != 0)
                    || (!rules.any_of.is_empty() && !rules.any_of.contains(&0))
                    || rules.none_of.contains(&0)
            }),
            (_, kind) => self.numbers(kind).refuse_zero(),
        }
    }

    /// Adds what being required means where a zero is the same as nothing.
    fn refuse_zero(&mut self) {
        let string = self.string.get_or_insert_with(StringRules::default);
        string.min_len = string.min_len.max(Some(1));
        self.r#enum.get_or_insert_with(EnumRules::default).none_of.push(0);
        let repeated = self.repeated.get_or_insert_with(Box::default);
        repeated.min_items = repeated.min_items.max(Some(1));
        let map = self.map.get_or_insert_with(Box::default);
        map.min_pairs = map.min_pairs.max(Some(1));
        let bytes = self.bytes.get_or_insert_default();
        bytes.min_len = bytes.min_len.max(Some(1));
        self.bool.get_or_insert_default().constant = Some(true);
    }
}

/// The same, or `null`.
fn nullable(mut schema: Object) -> Object {
    let nothing = json!({"type": "null"});
    if schema.is_empty() || schema.get("type") == Some(&nothing["type"]) {
        return schema;
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf")
        && choices.iter().all(|choice| choice.get("type").is_some())
    {
        choices.push(nothing);
        return schema;
    }
    let ty = schema.get("type").cloned();
    match ty {
        Some(ty) if !schema.contains_key("const") && !schema.contains_key("anyOf") => {
            schema.insert("type".into(), json!([ty, "null"]));
            if let Some(Value::Array(values)) = schema.get_mut("enum") {
                values.push(Value::Null);
            }
            schema
        }
        _ => object(json!({"anyOf": [schema, nothing]})),
    }
}
