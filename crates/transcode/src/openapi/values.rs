//! The schema of a single value, as its JSON is under the options.

use std::fmt::Display;

use prost_types::{Duration, Timestamp};
use serde_json::{Map, Value, json};

use super::examples;
use super::numbers::Numbers;
use super::patterns;
use super::rule_types::{DurationRules, TimestampRules};
use super::rules::FieldRules;
use super::schemas::{Schemas, Side};
use super::strings;
use super::texts::sentence;
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

    pub(super) fn number(&self, kind: Kind, rules: &FieldRules, notes: &mut Vec<String>) -> Object {
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
                object(json!({"type": "string", "pattern": patterns::field_mask()}))
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
    let is_outside = limits.is_outside();
    let side = |bounds: [(&str, Option<Value>); 2]| {
        let bounds = bounds.into_iter().filter_map(|(name, bound)| Some((name.to_owned(), bound?)));
        bounds.filter(|(_, bound)| !bound.is_null()).collect::<Object>()
    };
    let upper = side([("exclusiveMaximum", limits.lt), ("maximum", limits.lte)]);
    let lower = side([("exclusiveMinimum", limits.gt), ("minimum", limits.gte)]);
    if is_outside {
        schema.insert("anyOf".into(), json!([upper, lower]));
    } else {
        schema.extend(upper);
        schema.extend(lower);
    }
    schema.extend(limits.constant.filter(|it| !it.is_null()).map(|it| ("const".to_owned(), it)));
    if !limits.any_of.is_empty() {
        schema.insert("enum".into(), limits.any_of.into());
    }
    if !limits.none_of.is_empty() {
        schema.insert("not".into(), json!({"enum": limits.none_of}));
    }
}

/// A limit says nothing of a text, so that most of it is left to the description.
fn integer_as_text(format: &str, unsigned: bool, limits: &Numbers, notes: &mut Vec<String>) -> Object {
    let is_outside = limits.is_outside();
    let least = |bound: &Option<Value>| bound.as_ref().and_then(Value::as_f64).filter(|_| !is_outside);
    let positive =
        least(&limits.gt).is_some_and(|it| it >= 0.0) || least(&limits.gte).is_some_and(|it| it >= 1.0);
    let natural = unsigned || positive || least(&limits.gte).is_some_and(|it| it >= 0.0);
    let pattern = match (positive, natural, unsigned) {
        (true, _, true) => "^[1-9][0-9]{0,19}$",
        (true, _, false) => "^[1-9][0-9]{0,18}$",
        (_, true, false) => "^(0|[1-9][0-9]{0,18})$",
        _ => patterns::integer(!unsigned),
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
    // Where the schema cannot say what is meant, an example can.
    if [&limits.gt, &limits.gte, &limits.lt, &limits.lte].into_iter().any(Option::is_some) {
        let mut number = object(json!({"type": "integer"}));
        limit(&mut number, limits.clone());
        let example = examples::of_value(&number.into(), "");
        schema.extend(example.map(|number| ("examples".to_owned(), json!([number.to_string()]))));
    }
    // The pattern says these.
    let is_said = |bound: &&Value| !is_outside && bound.as_f64() == Some(0.0);
    let lower = [
        ("greater than", limits.gt.as_ref().filter(|bound| !is_said(bound))),
        ("at least", limits.gte.as_ref().filter(|bound| !is_said(bound))),
    ];
    let upper = [("less than", limits.lt.as_ref()), ("at most", limits.lte.as_ref())];
    notes.extend(bounds(lower, upper, is_outside));
    schema
}

fn time_notes(rules: &TimestampRules) -> Vec<String> {
    let lower = [("after", rules.gt.as_ref()), ("not before", rules.gte.as_ref())];
    let upper = [("before", rules.lt.as_ref()), ("not after", rules.lte.as_ref())];
    let order = |time: &Timestamp| (time.seconds, time.nanos);
    let mut notes = bounds(lower, upper, is_above(lower, upper, order));
    let now = [(rules.lt_now, "In the past."), (rules.gt_now, "In the future.")];
    notes.extend(now.into_iter().filter(|(is, _)| *is).map(|(_, text)| text.to_owned()));
    notes
}

fn duration_notes(rules: &DurationRules) -> Vec<String> {
    let lower = [("more than", rules.gt.as_ref()), ("at least", rules.gte.as_ref())];
    let upper = [("less than", rules.lt.as_ref()), ("at most", rules.lte.as_ref())];
    let order = |duration: &Duration| (duration.seconds, duration.nanos);
    bounds(lower, upper, is_above(lower, upper, order))
}

/// A bound with the word for its kind, of which a rule has one.
type Bound<'a, T> = [(&'static str, Option<&'a T>); 2];

fn is_above<T>(lower: Bound<'_, T>, upper: Bound<'_, T>, order: impl Fn(&T) -> (i64, i32)) -> bool {
    let first = |bound: Bound<'_, T>| bound.into_iter().find_map(|(_, value)| value.map(&order));
    first(lower).zip(first(upper)).is_some_and(|(lower, upper)| lower > upper)
}

/// Bounds as sentences; as one where what passes is on either side of them.
fn bounds<T: Display>(lower: Bound<'_, T>, upper: Bound<'_, T>, is_outside: bool) -> Vec<String> {
    let clauses = |bound: Bound<'_, T>| bound.map(|(word, value)| Some(format!("{word} {}", value?)));
    let [lower, upper] = [lower, upper].map(|bound| clauses(bound).into_iter().flatten().next());
    match (lower, upper) {
        (Some(lower), Some(upper)) if is_outside => vec![sentence(&format!("{upper}, or {lower}"))],
        (lower, upper) => [lower, upper].into_iter().flatten().map(|clause| sentence(&clause)).collect(),
    }
}

/// What `json!` makes of braces.
pub(super) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => unreachable!("not an object: {other}"),
    }
}
