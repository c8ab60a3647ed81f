//! What a request says outside of its body: in the path, in the query, and in headers.

use serde_json::{Map, Value, json};

use super::paths::{Path, names};
use super::responses;
use super::schemas::{Schemas, Side, declared_order, is_asked_for};
use super::values::object;
use crate::MessageId;
use crate::route::{Body, Route, header_field, text_field};
use crate::schema::{Cardinality, Field, Kind, Message, WellKnown};

/// The parameters of an operation.
pub(super) fn all(schemas: &mut Schemas<'_>, route: &Route, path: &Path, reads_etag: bool) -> Vec<Value> {
    let mut parameters = in_path(schemas, route, path);
    let headers = said_by_headers(schemas, route);
    let mut query = Query { route, headers, found: vec![], entered: vec![] };
    if route.body != Body::Whole {
        query.message(schemas, route.input, &[], "", true);
    }
    parameters.extend(query.found);
    let headers = [
        (reads_etag, "IfNoneMatch"),
        (responses::compares(schemas, route), "IfMatch"),
        (route.takes_request_id, "IdempotencyKey"),
    ];
    let headers = headers.into_iter().filter(|(taken, _)| *taken);
    parameters.extend(headers.map(|(_, name)| json!({"$ref": format!("#/components/parameters/{name}")})));
    parameters
}

/// The headers that an operation may take.
pub(super) fn headers() -> Value {
    json!({
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of an earlier answer. While it is still the current one, the answer is 304 without a body.",
            "schema": {"type": "string"},
        },
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` of the state that the request is about. If that is not the current one any more, the answer is 412 and nothing changes.",
            "schema": {"type": "string"},
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Makes the request safe to repeat: one with the same key is answered with what the first one did. It has the same meaning as the request id.",
            "schema": {"type": "string"},
        },
    })
}

/// The fields that a header of an operation may say, by their paths from the request.
pub(super) fn said_by_headers(schemas: &Schemas<'_>, route: &Route) -> Vec<(Vec<usize>, &'static str)> {
    let schema = schemas.schema;
    let writes = &*route.http_method != "GET";
    let etag = header_field(schema, route.input, route.body, "etag");
    let etag = etag.filter(|_| writes && responses::compares(schemas, route));
    let request_id = text_field(&schema[route.input], "request_id").map(|field| vec![field]);
    let said = [(etag, "If-Match"), (request_id, "Idempotency-Key")];
    said.into_iter().filter_map(|(path, header)| Some((path?, header))).collect()
}

/// What is said of a field that must come, one way or the other.
pub(super) fn or_header(header: &str) -> String {
    format!("It must be given, here or as `{header}`.")
}

fn in_path(schemas: &mut Schemas<'_>, route: &Route, path: &Path) -> Vec<Value> {
    let mut parameters = vec![];
    for parameter in &path.parameters {
        let mut made = object(json!({"name": parameter.name, "in": "path", "required": true}));
        let variable = parameter.variable.map(|index| &route.template.variables[index]);
        let field = variable.map(|variable| field_at(schemas, route.input, &variable.path));
        let mut schema = object(json!({"type": "string", "minLength": 1}));
        match (variable, field) {
            (Some(_), Some(field)) if parameter.is_whole => {
                let mut notes = vec![];
                schema = as_text(schemas.values(field, Side::Input, &mut notes));
                schemas.tell(field, &notes, &mut made);
            }
            (Some(variable), Some(field)) => {
                let name = names(schemas.schema, schemas.options, route.input, &variable.path).join(".");
                let pattern = pattern_of(route, path, parameter.variable);
                let note = format!("Part of `{name}`, which is `{pattern}`.");
                schemas.tell(field, &[note], &mut made);
                made.shift_remove("deprecated");
            }
            _ => {}
        }
        if parameter.is_rest {
            let note = "It may have several segments: slashes in it are not encoded.";
            let description =
                made.get("description").and_then(Value::as_str).map(|text| format!("{text} {note}"));
            made.insert("description".into(), json!(description.unwrap_or_else(|| note.to_owned())));
            made.insert("x-multi-segment".into(), json!(true));
            if parameter.is_whole {
                schema.shift_remove("minLength");
            }
        }
        made.insert("schema".into(), schema.into());
        parameters.push(made.into());
    }
    parameters
}

/// The part of the path that is a variable, such as `shelves/{shelvesId}/books/{booksId}`.
fn pattern_of(route: &Route, path: &Path, variable: Option<usize>) -> String {
    let segments = variable.map_or(0..0, |index| route.template.variables[index].segments.clone());
    let text = path.text.trim_start_matches('/');
    let text =
        route.template.verb.as_ref().and_then(|_| text.rsplit_once(':')).map_or(text, |(text, _)| text);
    // A `**` may have become several parameters.
    let is_open = segments.end == route.template.segments.len();
    let count = if is_open { usize::MAX } else { segments.len() };
    text.split('/').skip(segments.start).take(count).collect::<Vec<_>>().join("/")
}

fn field_at<'a>(schemas: &Schemas<'a>, mut message: MessageId, path: &[usize]) -> &'a Field {
    let schema = schemas.schema;
    let (last, way) = path.split_last().expect("a variable names at least one field");
    for &index in way {
        if let Kind::Message(id) = schema[message].fields[index].kind {
            message = id;
        }
    }
    &schema[message].fields[*last]
}

/// Gathers the query parameters: all that is neither in the path nor in the body.
struct Query<'a> {
    route: &'a Route,
    /// The fields that a header may say as well.
    headers: Vec<(Vec<usize>, &'static str)>,
    found: Vec<Value>,
    /// The messages around the current field; one inside of itself would never end.
    entered: Vec<MessageId>,
}

impl Query<'_> {
    fn message(
        &mut self,
        schemas: &mut Schemas<'_>,
        id: MessageId,
        way: &[usize],
        prefix: &str,
        required: bool,
    ) {
        self.entered.push(id);
        let schema = schemas.schema;
        let message = &schema[id];
        for (index, field) in declared_order(message) {
            let is_excluded = self.is_excluded(message, way, index);
            let way = [way, &[index]].concat();
            let in_path = self.route.template.variables.iter().any(|variable| *variable.path == *way);
            let in_body = way.len() == 1 && self.route.body == Body::Field(index);
            if in_path || in_body || is_excluded || field.behavior.output_only {
                continue;
            }
            let Some(name) = name_of(schemas, message, index) else { continue };
            let name = format!("{prefix}{name}");
            let asked = required && is_asked_for(field);
            let header = self.headers.iter().find(|(said, _)| *said == way).map(|(_, header)| *header);
            let inner = match (field.kind, field.cardinality) {
                (Kind::Message(inner), Cardinality::Singular) if schema[inner].well_known.is_none() => {
                    Some(inner)
                }
                _ => None,
            };
            match inner {
                Some(inner) if self.entered.contains(&inner) => {}
                Some(inner) => self.message(schemas, inner, &way, &format!("{name}."), asked),
                None => {
                    let note = header.filter(|_| asked).map(or_header);
                    let required = asked && header.is_none();
                    self.found.extend(one(schemas, self.route, field, &name, required, note));
                }
            }
        }
        self.entered.pop();
    }

    /// Whether the path or the body says another member of the same oneof.
    fn is_excluded(&self, message: &Message, way: &[usize], index: usize) -> bool {
        let Some(oneof) = message.fields[index].oneof else { return false };
        let paths = self.route.template.variables.iter().map(|variable| &*variable.path);
        let body =
            if let Body::Field(field) = &self.route.body { Some(std::slice::from_ref(field)) } else { None };
        let mut members = paths.chain(body).filter_map(|path| path.strip_prefix(way)?.first());
        members.any(|&member| member != index && message.fields[member].oneof == Some(oneof))
    }
}

/// The name by which a parameter leads to a field: that of the proto where the one in JSON would be read as a path, as a key,
/// or as another field; none leads to an extension.
fn name_of(schemas: &Schemas<'_>, message: &Message, index: usize) -> Option<String> {
    let leads_there = |name: &String| !name.contains(['.', '[']) && message.parameter(name) == Some(index);
    let field = &message.fields[index];
    [schemas.name(field), field.name.to_string()].into_iter().find(leads_there)
}

fn one(
    schemas: &mut Schemas<'_>,
    route: &Route,
    field: &Field,
    name: &str,
    required: bool,
    note: Option<String>,
) -> Option<Value> {
    if !can_be_text(schemas, field) {
        return None;
    }
    let mut notes = note.into_iter().collect::<Vec<_>>();
    let mut schema = as_text(schemas.values(field, Side::Input, &mut notes));
    let is_json = schemas.well_known_of(field).is_some_and(is_any);
    if is_json {
        notes.push("Given as JSON.".to_owned());
    }
    if let Some(values) = schema.get_mut("additionalProperties").filter(|_| has_json(schemas, field)) {
        notes.push("Each value is given as JSON.".to_owned());
        let media_type = json!({"type": "string", "contentMediaType": "application/json"});
        let content = std::mem::replace(values, media_type);
        values["contentSchema"] = content;
    }
    let derived = is_derived_mask(schemas, route, field);
    if derived {
        notes.push("When left out, the fields that the body has.".to_owned());
    }
    let mut made = object(json!({"name": name, "in": "query"}));
    schemas.tell(field, &notes, &mut made);
    if required && !derived {
        made.insert("required".into(), json!(true));
    }
    match field.cardinality {
        Cardinality::Singular => {}
        Cardinality::Repeated => drop(made.insert("explode".into(), json!(true))),
        Cardinality::Map => {
            made.insert("style".into(), json!("deepObject"));
            made.insert("explode".into(), json!(true));
        }
    }
    if is_json {
        made.insert("content".into(), json!({"application/json": {"schema": schema}}));
    } else {
        made.insert("schema".into(), schema.into());
    }
    Some(made.into())
}

/// The schema of a parameter, of which only the name can be text where JSON has `null`.
fn as_text(mut schema: Map<String, Value>) -> Map<String, Value> {
    if schema.get("type") == Some(&json!("null")) {
        return object(json!({"type": "string", "const": "NULL_VALUE"}));
    }
    for within in ["items", "additionalProperties"] {
        if let Some(Value::Object(values)) = schema.get_mut(within) {
            *values = as_text(std::mem::take(values));
        }
    }
    schema
}

/// Whether the value, each of the values, or each value of the map can be a parameter.
fn can_be_text(schemas: &Schemas<'_>, field: &Field) -> bool {
    let schema = schemas.schema;
    let kind = match (field.cardinality, field.kind) {
        (Cardinality::Map, Kind::Message(entry)) => {
            schema[entry].field(2).map_or(field.kind, |value| value.kind)
        }
        (Cardinality::Repeated, Kind::Message(_)) => return false,
        (_, kind) => kind,
    };
    match kind {
        Kind::Message(id) => schema[id].well_known.is_some_and(|it| it != WellKnown::Any),
        _ => true,
    }
}

/// Whether a value may be anything, so that its text is its JSON.
fn is_any(well_known: WellKnown) -> bool {
    matches!(well_known, WellKnown::Struct | WellKnown::Value | WellKnown::ListValue)
}

/// Whether the values of a map may be anything.
fn has_json(schemas: &Schemas<'_>, field: &Field) -> bool {
    let Kind::Message(entry) = field.kind else { return false };
    let value = schemas.schema[entry].field(2).filter(|_| field.cardinality == Cardinality::Map);
    value.and_then(|value| schemas.well_known_of(value)).is_some_and(is_any)
}

/// Whether a PATCH makes the mask itself when there is none.
fn is_derived_mask(schemas: &Schemas<'_>, route: &Route, field: &Field) -> bool {
    &*route.http_method == "PATCH"
        && *field.name == *"update_mask"
        && field.cardinality == Cardinality::Singular
        && schemas.well_known_of(field) == Some(WellKnown::FieldMask)
        && matches!(route.body, Body::Field(body) if is_message(&schemas.schema[route.input].fields[body], schemas))
}

fn is_message(field: &Field, schemas: &Schemas<'_>) -> bool {
    matches!(field.kind, Kind::Message(id) if schemas.schema[id].well_known.is_none())
        && field.cardinality == Cardinality::Singular
}

/// Whether the body of a route may leave out whatever it does not change.
pub(super) fn is_partial(schemas: &Schemas<'_>, route: &Route) -> bool {
    schemas.schema[route.input].fields.iter().any(|field| is_derived_mask(schemas, route, field))
}
