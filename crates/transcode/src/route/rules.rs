//! From the rules of the RPCs to routes. Whatever is wrong is gathered, so that all of it is known at once.

use super::template::{self, Parsed};
use super::{Body, Route, RuleError, Segment, Template, Variable};
use crate::{Cardinality, HttpRule, Kind, Message, MessageId, Pattern, Schema, WellKnown};

type Checked<T> = Result<T, String>;

/// The routes, and what is wrong with them. One that is wrong is there too if it has a path, with which others may collide.
pub(super) fn routes(schema: &Schema) -> (Box<[Route]>, Vec<RuleError>) {
    let mut routes = vec![];
    let mut errors = vec![];
    for (service, declared) in schema.services().iter().enumerate() {
        for (method, declared) in declared.methods.iter().enumerate() {
            let Some(rule) = &declared.http else { continue };
            let nested =
                rule.additional_bindings.iter().any(|binding| !binding.additional_bindings.is_empty());
            if nested {
                let problem = "an additional binding has additional bindings of its own";
                errors.push(RuleError::new(schema, service, method, problem));
            }
            for rule in std::iter::once(rule).chain(&rule.additional_bindings) {
                let mut problems = vec![];
                match route(schema, service, method, rule, &mut problems) {
                    Ok(route) => routes.push(Route { index: routes.len(), ..route }),
                    Err(problem) => problems.push(problem),
                }
                let error = |problem| RuleError::new(schema, service, method, problem);
                errors.extend(problems.into_iter().map(error));
            }
        }
    }
    (routes.into(), errors)
}

fn route(
    schema: &Schema,
    service: usize,
    method: usize,
    rule: &HttpRule,
    problems: &mut Vec<String>,
) -> Checked<Route> {
    let declared = &schema.services()[service].methods[method];
    let (http_method, text) = pattern(rule)?;
    let parsed = template::parse(text).map_err(|problem| format!("`{text}` {problem}"))?;
    let mut keep = |problem: String| problems.push(format!("`{http_method} {text}`: {problem}"));
    let variables = variables(schema, declared.input, &parsed, &mut keep);
    if !rule.body.is_empty() && matches!(http_method, "GET" | "HEAD" | "DELETE") {
        keep(format!("the rule has a body, and a {http_method} has none"));
    }
    let body = body(&schema[declared.input], rule, &variables).unwrap_or_else(|problem| {
        keep(problem);
        Body::None
    });
    let response_body = response_body(&schema[declared.output], rule).unwrap_or_else(|problem| {
        keep(problem);
        None
    });
    // What a create makes has no state before.
    let compares = !declared.name.starts_with("Create");
    Ok(Route {
        service,
        method,
        input: declared.input,
        output: declared.output,
        http_method: http_method.into(),
        template: Template {
            text: text.into(),
            segments: parsed.segments.into(),
            verb: parsed.verb,
            variables: variables.into(),
        },
        body,
        response_body,
        client_streaming: declared.client_streaming,
        server_streaming: declared.server_streaming,
        takes_if_match: compares && header_field(schema, declared.input, body, "etag").is_some(),
        takes_request_id: text_field(&schema[declared.input], "request_id").is_some(),
        index: 0,
    })
}

/// Where the value of `If-Match` goes: the field of the request, or that of the message which is the body.
pub(crate) fn header_field(schema: &Schema, input: MessageId, body: Body, name: &str) -> Option<Vec<usize>> {
    let own = text_field(&schema[input], name).map(|field| vec![field]);
    own.or_else(|| {
        let Body::Field(outer) = body else { return None };
        let field = &schema[input].fields[outer];
        let Kind::Message(inner) = field.kind else { return None };
        let inner = text_field(&schema[inner], name)?;
        (field.cardinality == Cardinality::Singular).then(|| vec![outer, inner])
    })
}

/// The singular string field with a name.
pub(crate) fn text_field(message: &Message, name: &str) -> Option<usize> {
    let is_it = |field: &crate::Field| {
        &*field.name == name && field.kind == Kind::String && field.cardinality == Cardinality::Singular
    };
    message.fields.iter().position(is_it)
}

fn pattern(rule: &HttpRule) -> Checked<(&str, &str)> {
    let (method, path) = match rule.pattern.as_ref().ok_or("a rule has no method and path")? {
        Pattern::Get(path) => ("GET", path),
        Pattern::Put(path) => ("PUT", path),
        Pattern::Post(path) => ("POST", path),
        Pattern::Delete(path) => ("DELETE", path),
        Pattern::Patch(path) => ("PATCH", path),
        Pattern::Custom(custom) => (custom.kind.as_str(), &custom.path),
    };
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(format!("the custom kind `{method}` is not an HTTP method"));
    }
    Ok((method, path))
}

fn variables(
    schema: &Schema,
    input: MessageId,
    parsed: &Parsed,
    keep: &mut impl FnMut(String),
) -> Vec<Variable> {
    let mut variables = Vec::<Variable>::new();
    for (name, segments) in &parsed.variables {
        let path = match variable(schema, input, name) {
            Ok(path) => path,
            Err(problem) => {
                keep(format!("variable `{name}` {problem}"));
                continue;
            }
        };
        for other in &variables {
            if other.path == path {
                keep(format!("variable `{name}` is there twice"));
            } else if exclude_each_other(schema, input, &other.path, &path) {
                keep(format!("variables `{}` and `{name}` are of one oneof", other.name));
            }
        }
        variables.push(Variable { name: name.clone(), path, segments: segments.clone() });
    }
    variables
}

fn variable(schema: &Schema, input: MessageId, name: &str) -> Checked<Box<[usize]>> {
    let mut message = Some(input);
    let mut path = vec![];
    let mut names = name.split('.').peekable();
    while let Some(name) = names.next() {
        let inside = message.ok_or_else(|| format!("asks for `{name}` in what is not a message"))?;
        let inside = &schema[inside];
        let place = inside.fields.iter().position(|field| &*field.name == name);
        let place = place.ok_or_else(|| format!("names no field: `{}` has no `{name}`", inside.name))?;
        let field = &inside.fields[place];
        match field.cardinality {
            Cardinality::Singular => {}
            Cardinality::Repeated => return Err(format!("goes to `{name}`, which is repeated")),
            Cardinality::Map => return Err(format!("goes to `{name}`, which is a map")),
        }
        message = match field.kind {
            Kind::Message(id) => Some(id),
            _ => None,
        };
        let well_known = message.and_then(|id| schema[id].well_known);
        match (message, names.peek()) {
            (Some(_), None) if !well_known.is_some_and(is_text) => {
                return Err(format!("goes to `{name}`, which is a message"));
            }
            (Some(_), Some(_)) if well_known.is_some() => {
                return Err(format!("goes into `{name}`, whose fields have no JSON of their own"));
            }
            _ => path.push(place),
        }
    }
    Ok(path.into())
}

/// Whether a message is a single text in JSON, or nearly so.
pub(crate) fn is_text(well_known: WellKnown) -> bool {
    matches!(
        well_known,
        WellKnown::Timestamp | WellKnown::Duration | WellKnown::FieldMask | WellKnown::Wrapper(_)
    )
}

fn exclude_each_other(schema: &Schema, input: MessageId, one: &[usize], other: &[usize]) -> bool {
    let mut message = &schema[input];
    for (one, other) in one.iter().zip(other) {
        if one != other {
            let oneof = message.fields[*one].oneof;
            return oneof.is_some() && oneof == message.fields[*other].oneof;
        }
        let Kind::Message(id) = message.fields[*one].kind else { return false };
        message = &schema[id];
    }
    false
}

fn body(input: &Message, rule: &HttpRule, variables: &[Variable]) -> Checked<Body> {
    let name = rule.body.as_str();
    match name {
        "" => return Ok(Body::None),
        "*" => return Ok(Body::Whole),
        _ => {}
    }
    let field = input.fields.iter().position(|field| &*field.name == name);
    let field = field.ok_or_else(|| format!("the body names no field: `{}` has no `{name}`", input.name))?;
    if variables.iter().any(|variable| *variable.path == [field]) {
        return Err(format!("the body `{name}` is bound by the path"));
    }
    let oneof = input.fields[field].oneof;
    let excluding = |variable: &&Variable| {
        variable.path[0] != field && oneof.is_some() && input.fields[variable.path[0]].oneof == oneof
    };
    match variables.iter().find(excluding) {
        Some(variable) => Err(format!("the body `{name}` and variable `{}` are of one oneof", variable.name)),
        None => Ok(Body::Field(field)),
    }
}

fn response_body(output: &Message, rule: &HttpRule) -> Checked<Option<usize>> {
    let name = rule.response_body.as_str();
    if name.is_empty() {
        return Ok(None);
    }
    let field = output.fields.iter().position(|field| &*field.name == name);
    field
        .map(Some)
        .ok_or_else(|| format!("the response body names no field: `{}` has no `{name}`", output.name))
}

impl Template {
    /// Whether every part that is not fixed is a field.
    pub(crate) fn can_be_filled(&self) -> bool {
        let is_fixed = |segment: &Segment| matches!(segment, Segment::Literal(_));
        self.segments.iter().enumerate().all(|(at, segment)| {
            is_fixed(segment) || self.variables.iter().any(|variable| variable.segments.contains(&at))
        })
    }
}
