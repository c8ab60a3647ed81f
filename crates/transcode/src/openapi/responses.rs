//! The answers of an operation: its own statuses, and no others.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::problems::{CODES, REFUSALS};
use super::schemas::{Schemas, Side};
use super::values::object;
use crate::bind::has_location;
use crate::route::{Body, Route, Routes, text_field};

/// Whether an answer has an etag.
pub(super) fn has_etag(schemas: &Schemas<'_>, route: &Route) -> bool {
    text_field(&schemas.schema[route.output], "etag").is_some()
}

/// The answers of an operation by their statuses.
pub(super) fn all(
    schemas: &mut Schemas<'_>,
    routes: &Routes,
    route: &Route,
    has_input: bool,
) -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, success) in successes(schemas, routes, route) {
        responses.insert(status.to_string(), success);
    }
    let is_get = *route.http_method == *"GET";
    if is_get && has_etag(schemas, route) {
        let response = json!({
            "description": "The state that `If-None-Match` names is still the current one.",
            "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
        });
        responses.insert("304".into(), response);
    }
    for (status, description) in refusals(schemas, route, has_input) {
        let refusal = REFUSALS.iter().find(|refusal| refusal.status == status);
        let refusal = refusal.expect("each status that is answered with has a text");
        let mut reference = object(json!({"$ref": format!("#/components/responses/{}", refusal.name)}));
        reference.extend(description.map(|text| ("description".to_owned(), json!(text))));
        responses.insert(status.to_string(), reference.into());
    }
    responses
}

fn successes(schemas: &mut Schemas<'_>, routes: &Routes, route: &Route) -> Vec<(u16, Value)> {
    let schema = schemas.schema;
    let output = &schema[route.output];
    let mut headers = Map::new();
    if has_etag(schemas, route) {
        headers.insert("ETag".into(), json!({"$ref": "#/components/headers/ETag"}));
    }
    let is_created = has_location(schema, routes, route);
    if !is_created && &*output.name == EMPTY {
        return vec![(204, json!({"description": "It is done."}))];
    }
    let body = match route.response_body {
        Some(field) => schemas.alone(&output.fields[field]),
        None => message(schemas, route.output, Side::Output),
    };
    let comment = match route.response_body {
        Some(field) => &output.fields[field].comment,
        None => &output.comment,
    };
    let (summary, _) = schemas.texts.summary(comment);
    let answer = |otherwise: &str, headers: &Map<String, Value>| {
        let description = if summary.is_empty() { otherwise.to_owned() } else { format!("{summary}.") };
        let mut response = object(json!({"description": description}));
        if !headers.is_empty() {
            response.insert("headers".into(), headers.clone().into());
        }
        response.insert("content".into(), json!({"application/json": {"schema": body}}));
        Value::from(response)
    };
    let plain = (200, answer("The answer.", &headers));
    if !is_created {
        return vec![plain];
    }
    // Where the answer lacks what its path is made of, nothing can be said of where it is.
    headers.insert("Location".into(), json!({"$ref": "#/components/headers/Location"}));
    vec![(201, answer("It was created.", &headers)), plain]
}

/// A message as a body, which may be one whose JSON is special.
pub(super) fn message(schemas: &mut Schemas<'_>, id: crate::MessageId, side: Side) -> Value {
    schemas.value(crate::Kind::Message(id), &super::rules::FieldRules::default(), side, &mut vec![]).into()
}

const EMPTY: &str = "google.protobuf.Empty";

/// The statuses of errors with what is said of them here: what the comment of the RPC says, or nothing.
fn refusals(schemas: &Schemas<'_>, route: &Route, has_input: bool) -> BTreeMap<u16, Option<String>> {
    let method = &schemas.schema.services()[route.service].methods[route.method];
    let is_get = *route.http_method == *"GET";
    let names_one = ["Get", "Update", "Delete"].iter().any(|verb| method.name.starts_with(verb));
    let compares = compares(schemas, route);
    let creates = method.name.starts_with("Create") || route.takes_request_id;
    let has_body = route.body != Body::None;
    let generic = [
        // For a header, if nothing else.
        (true, 400),
        (!route.template.variables.is_empty() || (names_one && has_input && !is_a_list(schemas, route)), 404),
        (creates || (compares && !is_get), 409),
        (compares, 412),
        (has_body, 413),
        (has_body, 415),
        (true, 429),
        (true, 500),
        (true, 502),
        (true, 503),
        (true, 504),
    ];
    let generic = generic.into_iter().filter(|(is, _)| *is).map(|(_, status)| (status, None));
    let mut all = generic.collect::<BTreeMap<_, Option<String>>>();
    for &(code, status) in CODES {
        for clause in schemas.texts.clauses(&method.comment, code) {
            let text = all.entry(status).or_default();
            *text = Some(match text.take() {
                Some(before) if before.contains(&clause) => before,
                Some(before) => format!("{before} {clause}"),
                // What the gateway itself refuses stays true beside what the service does.
                None if status == 400 => format!("{} {clause}", REFUSALS[0].description),
                None => clause,
            });
        }
    }
    all
}

/// Whether `If-Match` has a meaning.
pub(super) fn compares(schemas: &Schemas<'_>, route: &Route) -> bool {
    match &*route.http_method {
        "GET" => has_etag(schemas, route),
        _ => route.takes_if_match,
    }
}

/// Whether the whole request only filters, so that there is nothing that could be missing.
fn is_a_list(schemas: &Schemas<'_>, route: &Route) -> bool {
    !schemas.schema[route.input].fields.iter().any(super::schemas::is_asked_for)
}
