//! Examples: values that a schema allows, made from the schema itself.

use serde_json::{Map, Value, json};

use super::names::SCHEMAS;
use super::samples::{string, such_as};

/// What an example is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A request: the least that makes sense.
    Request,
    /// An answer: all that can be there.
    Answer,
}

/// Adds examples to all bodies of an operation.
pub(super) fn add(operation: &mut Map<String, Value>, schemas: &Map<String, Value>) {
    let request = operation.get_mut("requestBody").and_then(|body| body.get_mut("content"));
    add_to_content(request, schemas, Purpose::Request);
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for response in responses.into_iter().flat_map(Map::values_mut) {
        add_to_content(response.get_mut("content"), schemas, Purpose::Answer);
    }
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten().filter_map(Value::as_object_mut) {
        let is_required = parameter.get("required") == Some(&json!(true));
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let description = parameter.get("description").and_then(Value::as_str).unwrap_or_default();
        let hint = such_as(description).map(str::to_owned);
        let Some(Value::Object(schema)) = parameter.get("schema") else { continue };
        if !is_required && hint.is_none() {
            continue;
        }
        let mut schema = schema.clone();
        schema.insert("description".into(), json!(hint.map(|hint| format!("such as `{hint}`"))));
        let example = Maker { schemas, purpose: Purpose::Request }.make(&schema.into(), &name, 0);
        parameter.extend(example.map(|example| ("example".to_owned(), example)));
    }
}

/// An example for a schema that refers to no other.
pub(super) fn of_value(schema: &Value, name: &str) -> Option<Value> {
    Maker { schemas: &Map::new(), purpose: Purpose::Answer }.make(schema, name, 0)
}

fn add_to_content(content: Option<&mut Value>, schemas: &Map<String, Value>, purpose: Purpose) {
    let media_types = content.and_then(Value::as_object_mut);
    for media_type in media_types.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        let example =
            media_type.get("schema").and_then(|schema| Maker { schemas, purpose }.make(schema, "", 0));
        media_type.extend(example.map(|example| ("example".to_owned(), example)));
    }
}

/// Messages inside of each other, at most, before what may be left out is.
const MAX_DEPTH: usize = 4;

struct Maker<'a> {
    schemas: &'a Map<String, Value>,
    purpose: Purpose,
}

impl Maker<'_> {
    /// A value for a schema; none if none is easily found.
    fn make(&self, schema: &Value, name: &str, depth: usize) -> Option<Value> {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return self.make(self.schemas.get(target.strip_prefix(SCHEMAS)?)?, name, depth + 1);
        }
        if let Some(value) = schema.get("const") {
            return Some(value.clone());
        }
        if let Some(first) = schema.get("examples").and_then(|examples| examples.get(0)) {
            return Some(first.clone());
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            // The first one usually says that nothing was said.
            let refused = schema.pointer("/not/enum").and_then(Value::as_array);
            let allowed = |value: &&Value| refused.is_none_or(|refused| !refused.contains(value));
            let meaning = |value: &&Value| **value != json!(0) && !ends_unspecified(value);
            let mut allowed = values.iter().filter(allowed);
            return allowed.clone().find(meaning).or(allowed.next()).cloned();
        }
        let ty = schema.get("type").and_then(|ty| ty.as_str().or_else(|| ty.get(0)?.as_str()));
        if ty.is_none()
            && let Some(Value::Array(choices)) = schema.get("anyOf")
        {
            let mut first = choices.first()?.clone();
            // What is said of all of them is said of the first.
            if let (Some(first), Some(description)) = (first.as_object_mut(), schema.get("description")) {
                first.entry("description").or_insert_with(|| description.clone());
            }
            return self.make(&first, name, depth);
        }
        match ty {
            None => Some(json!("anything")),
            Some("null") => Some(Value::Null),
            Some("boolean") => Some(json!(true)),
            Some("integer") => integer(schema),
            Some("number") => number(schema),
            Some("string") => string(schema, name),
            Some("array") => self.array(schema, name, depth),
            Some("object") => self.object(schema, depth),
            Some(_) => None,
        }
    }

    fn array(&self, schema: &Value, name: &str, depth: usize) -> Option<Value> {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        let is_unique = schema.get("uniqueItems") == Some(&json!(true));
        if depth > MAX_DEPTH && least == 0 {
            return Some(json!([]));
        }
        if schema.get("maxItems") == Some(&json!(0)) {
            return Some(json!([]));
        }
        let Some(item) = self.make(schema.get("items")?, singular(name), depth + 1) else {
            return (least == 0).then(|| json!([]));
        };
        if is_unique && least > 1 {
            return None;
        }
        Some(vec![item; usize::try_from(least.max(1)).ok()?].into())
    }

    fn object(&self, schema: &Value, depth: usize) -> Option<Value> {
        let mut made = Map::new();
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        // Of each oneof there is the first member.
        let oneofs = oneofs(schema);
        let is_other =
            |name: &str| oneofs.iter().any(|(members, _)| members.iter().skip(1).any(|it| *it == name));
        let is_first =
            |name: &str| oneofs.iter().any(|(members, asked)| *asked && members.first() == Some(&name));
        let is_required = |name: &str| required.iter().any(|it| it == name) || is_first(name);
        // A body that needs nothing shows what it may have.
        let optional = if self.purpose == Purpose::Request && !required.is_empty() { 0 } else { usize::MAX };
        let optional = if self.purpose == Purpose::Request && required.is_empty() { 2 } else { optional };
        let mut chosen = 0;
        for (name, property) in properties {
            let unwanted = match self.purpose {
                Purpose::Request => {
                    ["readOnly", "x-immutable"].iter().any(|it| property.get(it).is_some()) || name == "etag"
                }
                Purpose::Answer => property.get("writeOnly").is_some(),
            } || property.get("deprecated").is_some();
            let choose = is_required(name)
                || (!unwanted && depth <= MAX_DEPTH && chosen < optional && !is_other(name));
            if !choose {
                continue;
            }
            match self.make(property, name, depth + 1) {
                Some(value) => {
                    chosen += usize::from(!is_required(name));
                    made.insert(name.clone(), value);
                }
                None if is_required(name) => return None,
                None => {}
            }
        }
        self.entries(schema, &mut made, depth)?;
        Some(made.into())
    }

    /// Those of a map.
    fn entries(&self, schema: &Value, made: &mut Map<String, Value>, depth: usize) -> Option<()> {
        let least = schema.get("minProperties").and_then(Value::as_u64).unwrap_or(0);
        let Some(Value::Object(values)) = schema.get("additionalProperties") else { return Some(()) };
        if least > 1 || (depth > MAX_DEPTH && least == 0) {
            return (least == 0).then_some(());
        }
        let value = self.make(&values.clone().into(), "", depth + 1)?;
        let keys = schema.get("propertyNames");
        let key = match keys.and_then(|keys| keys.get("format")).and_then(Value::as_str) {
            Some("int32" | "uint32" | "int64" | "uint64") => "1".to_owned(),
            _ => self.make(keys.unwrap_or(&json!({"type": "string"})), "key", depth)?.as_str()?.to_owned(),
        };
        made.insert(key, value);
        Some(())
    }
}

/// The members of each oneof, and whether one of them must be there.
pub(super) fn oneofs(schema: &Value) -> Vec<(Vec<&str>, bool)> {
    let one = schema.get("oneOf").into_iter();
    let all = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    let groups = one.chain(all.filter_map(|part| part.get("oneOf"))).filter_map(Value::as_array);
    groups
        .map(|choices| {
            let members = choices.iter().filter_map(|choice| choice.pointer("/required/0")?.as_str());
            let members = members.collect::<Vec<_>>();
            let is_required = members.len() == choices.len();
            (members, is_required)
        })
        .collect()
}

fn ends_unspecified(value: &Value) -> bool {
    value.as_str().is_some_and(|name| name.ends_with("_UNSPECIFIED"))
}

fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

/// A bound of a number; of two sides, that of the upper one.
fn bound<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.pointer("/anyOf/1").and_then(|side| side.get(name)).or_else(|| schema.get(name))
}

fn integer(schema: &Value) -> Option<Value> {
    let bound = |name: &str| bound(schema, name).and_then(Value::as_i64);
    let above = bound("exclusiveMinimum").map(|bound| bound.saturating_add(1));
    let least = bound("minimum").max(above);
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|bound| bound.saturating_sub(1)));
    let first = 1.max(least.unwrap_or(1)).min(most.unwrap_or(i64::MAX));
    allowed(schema, (0..8).map(|step| json!(first.saturating_add(step))))
}

fn number(schema: &Value) -> Option<Value> {
    let bound = |name: &str| bound(schema, name).and_then(Value::as_f64);
    let least = bound("minimum").or(bound("exclusiveMinimum"));
    let most = bound("maximum").or(bound("exclusiveMaximum"));
    let value = match (least, most) {
        (Some(least), Some(most)) => f64::midpoint(least, most),
        (Some(least), None) => least.abs() + 1.5,
        (None, Some(most)) => most.min(0.0) - 1.5,
        (None, None) => 1.5,
    };
    allowed(schema, [json!(value)].into_iter())
}

/// The first of these that is not ruled out.
pub(super) fn allowed(schema: &Value, mut values: impl Iterator<Item = Value>) -> Option<Value> {
    let refused = schema.pointer("/not/enum").and_then(Value::as_array);
    values.find(|value| refused.is_none_or(|refused| !refused.contains(value)))
}
