//! One operation of the document: a way to call an RPC.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::names::without_package;
use super::paths::Path;
use super::schemas::{Schemas, Side, asks_for_something};
use super::values::object;
use super::{parameters, responses};
use crate::route::{Body, Route, Routes};
use crate::schema::{Kind, MessageId, Service};

/// A schema of a body that is like no other.
pub(super) struct OwnBody {
    pub(super) name: String,
    pub(super) schema: Value,
}

/// Makes the operation of a route.
pub(super) fn operation(
    schemas: &mut Schemas<'_>,
    routes: &Routes,
    route: &Route,
    path: &Path,
    id: &str,
    bodies: &mut Vec<OwnBody>,
) -> Map<String, Value> {
    let schema = schemas.schema;
    let service = &schema.services()[route.service];
    let method = &service.methods[route.method];
    let (summary, description) = schemas.texts.summary(&method.comment);
    let mut made = object(json!({
        "tags": [tag(schemas, service)],
        "operationId": id,
    }));
    made.insert("summary".into(), json!(if summary.is_empty() { words(&method.name) } else { summary }));
    if !description.is_empty() {
        made.insert("description".into(), json!(description));
    }
    if method.deprecated {
        made.insert("deprecated".into(), json!(true));
    }
    let reads_etag = *route.http_method == *"GET" && responses::has_etag(schemas, route);
    let parameters = parameters::all(schemas, route, path, reads_etag);
    let has_input = !parameters.is_empty() || route.body != Body::None;
    if !parameters.is_empty() {
        made.insert("parameters".into(), parameters.into());
    }
    if let Some(body) = body(schemas, route, bodies) {
        made.insert("requestBody".into(), body);
    }
    made.insert("responses".into(), responses::all(schemas, routes, route, has_input).into());
    made
}

/// The name of the group of a service's operations.
pub(super) fn tag(schemas: &Schemas<'_>, service: &Service) -> String {
    let short = |service: &Service| without_package(schemas.schema, &service.name).to_owned();
    let own = short(service);
    let is_clear = schemas.schema.services().iter().filter(|other| short(other) == own).count() == 1;
    if is_clear { own } else { service.name.to_string() }
}

/// The ids of the operations of routes, in the order of the routes. The first binding of each RPC chooses first, so that an
/// RPC that is really called `Make_2` keeps its name.
pub(super) fn ids(schemas: &Schemas<'_>, routes: &[&Route]) -> Vec<String> {
    let is_same = |one: &Route, other: &Route| (one.service, one.method) == (other.service, other.method);
    let before = routes.iter().enumerate().map(|(at, route)| {
        let earlier = routes[..at].iter().filter(|other| is_same(other, route));
        earlier.count()
    });
    let before = before.collect::<Vec<_>>();
    let mut ids = vec![String::new(); routes.len()];
    let mut used = HashSet::new();
    for is_first in [true, false] {
        for (at, route) in routes.iter().enumerate().filter(|(at, _)| (before[*at] == 0) == is_first) {
            let service = &schemas.schema.services()[route.service];
            let method = &service.methods[route.method].name;
            let mut id = format!("{}_{method}", tag(schemas, service).replace('.', "_"));
            if !is_first {
                id.push_str(&format!("_{}", before[at] + 1));
            }
            while !used.insert(id.clone()) {
                id.push('_');
            }
            ids[at] = id;
        }
    }
    ids
}

/// `GetSubmission` as `Get submission`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

fn body(schemas: &mut Schemas<'_>, route: &Route, bodies: &mut Vec<OwnBody>) -> Option<Value> {
    let schema = schemas.schema;
    let side = if parameters::is_partial(schemas, route) { Side::Patch } else { Side::Input };
    let paths = route.template.variables.iter().map(|variable| &*variable.path);
    let (message, bound, field) = match route.body {
        Body::None => return None,
        Body::Whole => (Some(route.input), paths.collect::<Vec<_>>(), None),
        Body::Field(index) => {
            let field = &schema[route.input].fields[index];
            let inner = match field.kind {
                Kind::Message(id) if field.cardinality == crate::Cardinality::Singular => Some(id),
                _ => None,
            };
            let within = paths.filter_map(|path| path.split_first().filter(|(first, _)| **first == index));
            (inner, within.map(|(_, rest)| rest).collect(), Some(field))
        }
    };
    let message = message.filter(|&id| schema[id].well_known.is_none());
    let own = message.map(|id| own_schema(schemas, route, id, side, &bound));
    // Without one, the request is that of an empty object: valid only where nothing is asked for.
    let asked = match &own {
        Some(own) => asks_for_something(own),
        None => field.is_some_and(super::schemas::is_asked_for),
    };
    let made = match (message.zip(own), field) {
        (Some((id, own)), _) => {
            if own == schemas.message(id, side, &[]) {
                schemas.reference(id, side)
            } else {
                let method = &schema.services()[route.service].methods[route.method];
                let name = own_name(&format!("{}Body", method.name), &own, bodies);
                json!({"$ref": format!("{}{name}", super::names::SCHEMAS)})
            }
        }
        (None, Some(field)) => schemas.property(field, side),
        (None, None) => responses::message(schemas, route.input, side),
    };
    let mut body = Map::new();
    if let Some(description) = field.and_then(|field| schemas.texts.describe(&field.comment, &[])) {
        body.insert("description".into(), json!(description));
    }
    if asked || side == Side::Patch {
        body.insert("required".into(), json!(true));
    }
    body.insert("content".into(), json!({"application/json": {"schema": made}}));
    Some(body.into())
}

/// The schema of a message as a body: what the path or a header may say need not be there.
fn own_schema(
    schemas: &mut Schemas<'_>,
    route: &Route,
    id: MessageId,
    side: Side,
    bound: &[&[usize]],
) -> Value {
    let mut own = object(schemas.message(id, side, bound));
    for (path, header) in parameters::said_by_headers(schemas, route) {
        let field = match (route.body, path.as_slice()) {
            (Body::Whole, &[field]) => field,
            (Body::Field(body), &[outer, field]) if outer == body => field,
            _ => continue,
        };
        let name = schemas.name(&schemas.schema[id].fields[field]);
        let Some(Value::Array(required)) = own.get_mut("required") else { continue };
        let Some(at) = required.iter().position(|asked| *asked == *name) else { continue };
        required.remove(at);
        if required.is_empty() {
            own.shift_remove("required");
        }
        let property = &mut own["properties"][&name];
        let comment = property["description"].as_str().map(|comment| format!("{comment} "));
        property["description"] =
            json!(format!("{}{}", comment.unwrap_or_default(), parameters::or_header(header)));
    }
    own.into()
}

/// Keeps a schema under its name; two that are the same are one.
fn own_name(wanted: &str, schema: &Value, bodies: &mut Vec<OwnBody>) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    loop {
        match bodies.iter().find(|body| body.name == name) {
            Some(same) if same.schema == *schema => return name,
            Some(_) => {
                name = format!("{wanted}{number}");
                number += 1;
            }
            None => {
                bodies.push(OwnBody { name: name.clone(), schema: schema.clone() });
                return name;
            }
        }
    }
}
