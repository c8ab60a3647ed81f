//! The OpenAPI 3.1 document of all that is served over REST, as JSON is under the options in force.
//!
//! It is made from the descriptors alone: comments are descriptions, `google.api.field_behavior` and `buf.validate` are what
//! a request must fulfil. A message or an enum that looks different in requests and answers has a schema for each.

mod examples;
mod fields;
mod names;
mod numbers;
mod operations;
mod parameters;
mod paths;
mod patterns;
mod problems;
mod responses;
mod rule_types;
mod rules;
mod samples;
mod schemas;
mod strings;
mod texts;
mod values;

use serde_json::{Map, Value, json};

use crate::options::Options;
use crate::route::{Route, Routes};
use crate::schema::Schema;
use names::Names;
use problems::REFUSALS;
use schemas::Schemas;
use texts::Texts;
use values::object;

/// What a document says that the descriptors do not.
#[derive(Clone, Debug)]
pub struct Info {
    /// The name of the API.
    pub title: String,
    /// Its version.
    pub version: String,
    /// What it is, in Markdown; what holds for all operations is added to it.
    pub description: String,
    /// The URLs it is served at; none: where the document is.
    pub servers: Vec<String>,
    /// How errors look.
    pub errors: ErrorFormat,
}

/// How errors look to those who do not ask for one format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorFormat {
    /// `application/problem+json`
    #[default]
    Problem,
    /// `google.rpc.Status` as JSON
    Status,
}

/// The document.
pub fn document(schema: &Schema, routes: &Routes, options: &Options, info: &Info) -> Value {
    let texts = Texts::new(schema, options);
    let mut schemas = Schemas::new(schema, options, &texts);
    let served = routes.all().iter().filter(|route| is_served(route)).collect::<Vec<_>>();
    let mut bodies = vec![];
    let mut operations = vec![];
    let ids = operations::ids(&schemas, &served);
    for ((route, path), id) in served.iter().zip(paths::paths(schema, options, &served)).zip(ids) {
        let operation = operations::operation(&mut schemas, routes, route, &path, &id, &mut bodies);
        operations.push((path.text, &*route.http_method, operation));
    }

    let mut definitions = schemas.definitions();
    let mut taken = bodies.iter().map(|body| body.name.as_str()).collect::<Vec<_>>();
    taken.push("Problem");
    let names = Names::new(schema, &schemas.targets, &definitions, &taken);
    for definition in &mut definitions {
        names.resolve(definition);
    }
    let mut components = names.components(definitions);
    for mut body in bodies {
        names.resolve(&mut body.schema);
        components.insert(body.name, body.schema);
    }
    components.insert("Problem".into(), problems::schema(info.errors));
    let components = components.into_iter().collect::<Map<_, _>>();

    let mut paths = Map::new();
    for (path, http_method, operation) in operations {
        let mut operation = Value::Object(operation);
        names.resolve(&mut operation);
        let Value::Object(mut operation) = operation else { unreachable!("it was an object") };
        examples::add(&mut operation, &components);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        place(item, http_method, operation.into());
    }
    let text = Value::from(paths.clone()).to_string();
    let is_used = |kind: &str, name: &str| text.contains(&format!("\"#/components/{kind}/{name}\""));
    let refusals = REFUSALS.iter().filter(|refusal| is_used("responses", refusal.name));
    let refusals = refusals.map(|refusal| (refusal.name.to_owned(), refusal.response(info.errors)));
    let used = |kind: &str, all: Value| {
        object(all).into_iter().filter(|(name, _)| is_used(kind, name)).collect::<Map<_, _>>()
    };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": info.title,
            "version": info.version,
            "description": description(schema, routes, options, info),
        },
        "servers": servers(info),
        "tags": tags(&schemas, &served),
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": refusals.collect::<Map<_, _>>(),
            "parameters": used("parameters", parameters::headers()),
            "headers": used("headers", headers()),
        },
    })
}

/// The document as YAML.
pub fn to_yaml(document: &Value) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(document, options).expect("JSON has nothing that YAML lacks")
}

/// Whether a route is part of the document: streams are served over gRPC alone.
fn is_served(route: &Route) -> bool {
    !route.client_streaming && !route.server_streaming
}

/// Puts an operation where its HTTP method has its place; what OpenAPI has no place for is kept beside them.
fn place(item: &mut Value, http_method: &str, operation: Value) {
    match http_method {
        "GET" | "PUT" | "POST" | "DELETE" | "OPTIONS" | "HEAD" | "PATCH" | "TRACE" => {
            item[http_method.to_ascii_lowercase()] = operation;
        }
        other => item["x-additionalOperations"][other] = operation,
    }
}

fn description(schema: &Schema, routes: &Routes, options: &Options, info: &Info) -> String {
    let mut parts = vec![];
    if !info.description.is_empty() {
        parts.push(info.description.clone());
    }
    let names = if options.proto_names { "JSON's own names for them" } else { "the names in the protos" };
    parts.push(format!(
        "Requests may give fields by {names} too, and enums by name or number. Unknown values of an enum are answered as \
         numbers. `x-server-timeout` (seconds) limits how long an answer may take; `traceparent` is continued, and each \
         answer has one, with an `x-request-id`. Any request can be refused for what it is to HTTP: 405 with `Allow`, 408, \
         414, 431. Every GET takes `If-None-Match` and `If-Match`; where the answer has no \
         `ETag`, it is 304 for a `*` in the one and 412 for an etag in the other. A service may refuse with 401, 403, 404, 409, \
         499 or 501 where its operation does not say so."
    ));
    let mut streams = vec![];
    for route in routes.all().iter().filter(|route| !is_served(route)) {
        let service = &schema.services()[route.service];
        let name = format!("`{}.{}`", service.name, service.methods[route.method].name);
        if !streams.contains(&name) {
            streams.push(name);
        }
    }
    if !streams.is_empty() {
        parts.push(format!("Served over gRPC alone, as they stream: {}.", streams.join(", ")));
    }
    parts.join("\n\n")
}

fn servers(info: &Info) -> Value {
    match info.servers.as_slice() {
        [] => json!([{"url": "/"}]),
        servers => servers.iter().map(|url| json!({"url": url})).collect(),
    }
}

fn tags(schemas: &Schemas<'_>, served: &[&Route]) -> Value {
    let services = schemas.schema.services().iter().enumerate();
    let services = services.filter(|(index, _)| served.iter().any(|route| route.service == *index));
    let tag = |(_, service): (usize, &crate::Service)| match schemas.texts.describe(&service.comment, &[]) {
        Some(description) => json!({"name": operations::tag(schemas, service), "description": description}),
        None => json!({"name": operations::tag(schemas, service)}),
    };
    services.map(tag).collect()
}

fn headers() -> Value {
    json!({
        "ETag": {
            "description": "Names this state of the resource, for `If-Match` and `If-None-Match`.",
            "schema": {"type": "string"},
        },
        "Location": {
            "description": "The path of what was created.",
            "schema": {"type": "string", "format": "uri-reference"},
        },
    })
}
