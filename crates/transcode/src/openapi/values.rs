//! The schema of a single value, as its JSON is under the options.

use serde_json::{Map, Value, json};

use super::numbers::Numbers;
use super::rule_types::{DurationRules, TimestampRules};
use super::rules::FieldRules;
use super::schemas::{Schemas, Side};
use super::strings;
use crate::schema::{EnumId, Kind, WellKnown};

type Object = Map<String, Value>;

impl Schemas<'_> {
    /// The schema of a value of a kind; what JSON Schema cannot say goes to the notes.
    pub(super) fn value(
        &mut self,
        kind: Kind,
        rules: &FieldRules,
        side: Side,
        notes: &mut Vec<String>,
    ) -> Object {
        match kind {
            Kind::String => strings::text(rules.string.as_ref(), notes),
            Kind::Bytes => strings::bytes(rules.bytes.as_ref(), notes),
            Kind::Bool => {
                let mut schema = object(json!({"type": "boolean"}));
                if let Some(constant) = rules.bool.as_ref().and_then(|rules| rules.constant) {
                    schema.insert("const".into(), json!(constant));
                }
                schema
            }
            Kind::Enum(id) => self.enumeration(id, rules, side),
            Kind::Message(id) => match self.schema[id].well_known {
                Some(well_known) => self.well_known(well_known, rules, side, notes),
                None => object(self.reference(id, side)),
            },
            _ => self.number(kind, rules, notes),
        }
    }

    fn number(&self, kind: Kind, rules: &FieldRules, notes: &mut Vec<String>) -> Object {
        let limits = rules.numbers(kind);
        let unsigned = matches!(kind, Kind::Uint32 | Kind::Uint64 | Kind::Fixed32 | Kind::Fixed64);
        let (ty, format) = match kind {
            Kind::Float => ("number", "float"),
            Kind::Double => ("number", "double"),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => ("integer", "int32"),
            Kind::Uint32 | Kind::Fixed32 => ("integer", "uint32"),
            _ if unsigned => ("integer", "uint64"),
            _ => ("integer", "int64"),
        };
        if format.ends_with("64") && !self.options.numbers_for_64_bit {
            return integer_as_text(format, unsigned, &limits, notes);
        }
        let mut schema = object(json!({"type": ty, "format": format}));
        if unsigned {
            schema.insert("minimum".into(), json!(0));
        }
        limit(&mut schema, limits.clone());
        let special = if ty == "number" { limits.special() } else { vec![] };
        if !special.is_empty() {
            return object(json!({"anyOf": [schema, {"type": "string", "enum": special}]}));
        }
        schema
    }

    fn enumeration(&mut self, id: EnumId, rules: &FieldRules, side: Side) -> Object {
        let declared = &self.schema[id];
        if &*declared.name == NULL_VALUE {
            return object(json!({"type": "null"}));
        }
        let allowed = |number: i32| {
            rules.r#enum.as_ref().is_none_or(|rules| {
                rules.constant.is_none_or(|constant| constant == number)
                    && (rules.any_of.is_empty() || rules.any_of.contains(&number))
                    && !rules.none_of.contains(&number)
            })
        };
        if declared.values.iter().all(|value| allowed(value.number)) {
            return object(self.enum_reference(id, side));
        }
        self.enum_schema(id, side, allowed)
    }

    fn well_known(
        &mut self,
        well_known: WellKnown,
        rules: &FieldRules,
        side: Side,
        notes: &mut Vec<String>,
    ) -> Object {
        match well_known {
            WellKnown::Timestamp => {
                notes.extend(rules.timestamp.as_ref().map(time_notes).unwrap_or_default());
                object(json!({"type": "string", "format": "date-time"}))
            }
            WellKnown::Duration => {
                notes.extend(rules.duration.as_ref().map(duration_notes).unwrap_or_default());
                let pattern = r"^-?[0-9]+(\.[0-9]{1,9})?s$";
                object(json!({"type": "string", "pattern": pattern, "examples": ["1.5s"]}))
            }
            WellKnown::FieldMask => {
                notes.push("Names of fields, separated by commas.".to_owned());
                object(json!({"type": "string"}))
            }
            WellKnown::Struct => object(json!({"type": "object", "additionalProperties": true})),
            WellKnown::ListValue => object(json!({"type": "array", "items": {}})),
            WellKnown::Value => {
                notes.push("Any JSON value.".to_owned());
                Object::new()
            }
            WellKnown::Any => self.any(rules),
            WellKnown::Wrapper(kind) => self.value(kind, rules, side, notes),
        }
    }
}

impl Schemas<'_> {
    fn any(&self, rules: &FieldRules) -> Object {
        let mut name = object(json!({"type": "string", "description": "The URL of its type."}));
        let allowed = rules.any.as_ref().map(|rules| &*rules.any_of).unwrap_or_default();
        if !allowed.is_empty() {
            name.insert("enum".into(), json!(allowed));
        }
        let mut schema = object(json!({
            "type": "object",
            "properties": {"@type": name},
            "additionalProperties": true,
        }));
        if !allowed.is_empty() {
            schema.insert("required".into(), json!(["@type"]));
            return schema;
        }
        // What has no type has nothing else.
        schema.insert("if".into(), json!({"minProperties": 1}));
        schema.insert("then".into(), json!({"required": ["@type"]}));
        // Only of a type that is known here.
        if self.schema.message("google.protobuf.Duration").is_some() {
            let example = json!({"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.5s"});
            schema.insert("examples".into(), json!([example]));
        }
        schema
    }
}

pub(super) const NULL_VALUE: &str = "google.protobuf.NullValue";

fn limit(schema: &mut Object, limits: Numbers) {
    let bounds = [
        ("const", limits.constant),
        ("exclusiveMaximum", limits.lt),
        ("maximum", limits.lte),
        ("exclusiveMinimum", limits.gt),
        ("minimum", limits.gte),
    ];
    let bounds =
        bounds.into_iter().filter_map(|(name, bound)| Some((name, bound.filter(|it| !it.is_null())?)));
    schema.extend(bounds.map(|(name, bound)| (name.to_owned(), bound)));
    if !limits.any_of.is_empty() {
        schema.insert("enum".into(), limits.any_of.into());
    }
    if !limits.none_of.is_empty() {
        schema.insert("not".into(), json!({"enum": limits.none_of}));
    }
}

/// A limit says nothing of a text, so that most of it is left to the description.
fn integer_as_text(format: &str, unsigned: bool, limits: &Numbers, notes: &mut Vec<String>) -> Object {
    let least = |bound: &Option<Value>| bound.as_ref().and_then(Value::as_f64);
    let positive =
        least(&limits.gt).is_some_and(|it| it >= 0.0) || least(&limits.gte).is_some_and(|it| it >= 1.0);
    let natural = unsigned || positive || least(&limits.gte).is_some_and(|it| it >= 0.0);
    let pattern = match (positive, natural) {
        (true, _) => "^0*[1-9][0-9]*$",
        (_, true) => "^[0-9]+$",
        _ => "^-?[0-9]+$",
    };
    let text = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>();
    let mut schema = object(json!({"type": "string", "format": format, "pattern": pattern}));
    if let Some(constant) = &limits.constant {
        schema.insert("const".into(), json!(constant.to_string()));
    }
    if !limits.any_of.is_empty() {
        schema.insert("enum".into(), json!(text(&limits.any_of)));
    }
    if !limits.none_of.is_empty() {
        schema.insert("not".into(), json!({"enum": text(&limits.none_of)}));
    }
    let is_said = |bound: &Value| bound.as_f64() == Some(0.0);
    let words = [
        ("Greater than", limits.gt.as_ref().filter(|bound| !is_said(bound))),
        ("At least", limits.gte.as_ref().filter(|bound| !is_said(bound))),
        ("Less than", limits.lt.as_ref()),
        ("At most", limits.lte.as_ref()),
    ];
    notes.extend(words.into_iter().filter_map(|(word, bound)| Some(format!("{word} {}.", bound?))));
    schema
}

fn time_notes(rules: &TimestampRules) -> Vec<String> {
    let bounds =
        [("Before", &rules.lt), ("Not after", &rules.lte), ("After", &rules.gt), ("Not before", &rules.gte)];
    let bounds = bounds.into_iter().filter_map(|(word, bound)| Some(format!("{word} {}.", bound.as_ref()?)));
    let now = [(rules.lt_now, "In the past."), (rules.gt_now, "In the future.")];
    bounds.chain(now.into_iter().filter(|(is, _)| *is).map(|(_, text)| text.to_owned())).collect()
}

fn duration_notes(rules: &DurationRules) -> Vec<String> {
    let bounds = [
        ("Less than", &rules.lt),
        ("At most", &rules.lte),
        ("More than", &rules.gt),
        ("At least", &rules.gte),
    ];
    bounds.into_iter().filter_map(|(word, bound)| Some(format!("{word} {}.", bound.as_ref()?))).collect()
}

/// What `json!` makes of braces.
pub(super) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => unreachable!("not an object: {other}"),
    }
}
