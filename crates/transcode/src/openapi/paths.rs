//! Path templates as OpenAPI has them: a parameter is one segment, and two templates that differ only in the names of
//! their parameters are the same.

use std::collections::HashMap;

use crate::route::{Dialect, Route, Segment, encode};
use crate::schema::{Kind, Schema};
use crate::{MessageId, Options};

/// A path with its parameters in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) text: String,
    pub(super) parameters: Vec<PathParameter>,
}

/// A segment that is not fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathParameter {
    pub(super) name: String,
    /// The index in the template's variables.
    pub(super) variable: Option<usize>,
    /// Whether it is all of that variable.
    pub(super) is_whole: bool,
    /// Whether it may have slashes.
    pub(super) is_rest: bool,
}

/// The paths of routes, in the order of the routes.
pub(super) fn paths(schema: &Schema, options: &Options, routes: &[&Route]) -> Vec<Path> {
    let parameters = routes.iter().map(|route| parameters(schema, options, route)).collect::<Vec<_>>();
    let shapes = routes.iter().map(|route| text(route, &[])).collect::<Vec<_>>();
    let mut best = HashMap::<(&str, usize), &str>::new();
    for (shape, parameters) in shapes.iter().zip(&parameters) {
        for (at, parameter) in parameters.iter().enumerate() {
            let name = best.entry((shape, at)).or_insert(&parameter.name);
            if depth(&parameter.name) < depth(name) {
                *name = &parameter.name;
            }
        }
    }
    let one = |((route, shape), parameters): ((&&Route, &String), &Vec<PathParameter>)| {
        let mut named = parameters.clone();
        for (at, parameter) in named.iter_mut().enumerate() {
            best[&(shape.as_str(), at)].clone_into(&mut parameter.name);
        }
        make_unique(&mut named);
        let names = named.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>();
        Path { text: text(route, &names), parameters: named }
    };
    routes.iter().zip(&shapes).zip(&parameters).map(one).collect()
}

fn depth(name: &str) -> usize {
    name.matches('.').count()
}

fn make_unique(parameters: &mut [PathParameter]) {
    for at in 1..parameters.len() {
        let plain = parameters[at].name.clone();
        let mut number = 2;
        while parameters[..at].iter().any(|earlier| earlier.name == parameters[at].name) {
            parameters[at].name = format!("{plain}{number}");
            number += 1;
        }
    }
}

/// The path with these names for its parameters, or none.
fn text(route: &Route, names: &[&str]) -> String {
    let mut text = String::new();
    let mut names = names.iter();
    for segment in &route.template.segments {
        text.push('/');
        match segment {
            Segment::Literal(literal) => literal_text(literal, &mut text),
            Segment::One | Segment::Rest => {
                text.push('{');
                text.push_str(names.next().unwrap_or(&""));
                text.push('}');
            }
        }
    }
    if let Some(verb) = &route.template.verb {
        text.push(':');
        literal_text(verb, &mut text);
    }
    text
}

/// Only what cannot stand in a path is encoded.
fn literal_text(literal: &str, out: &mut String) {
    for letter in literal.chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() || "-_.~!$&'()+,;=:@".contains(letter) => {
                out.push(letter);
            }
            letter => encode(letter.encode_utf8(&mut [0; 4]), Dialect::Segment, out),
        }
    }
}

fn parameters(schema: &Schema, options: &Options, route: &Route) -> Vec<PathParameter> {
    let template = &route.template;
    let mut parameters = vec![];
    for (at, segment) in template.segments.iter().enumerate() {
        if matches!(segment, Segment::Literal(_)) {
            continue;
        }
        let is_rest = *segment == Segment::Rest;
        let variable = template.variables.iter().position(|variable| variable.segments.contains(&at));
        let whole = variable.map(|index| &template.variables[index]);
        let whole = whole.filter(|variable| variable.segments.len() == 1);
        let before = at.checked_sub(1).and_then(|before| match &template.segments[before] {
            Segment::Literal(literal) => Some(literal),
            _ => None,
        });
        let name = match (whole, before) {
            (Some(variable), _) => names(schema, options, route.input, &variable.path).join("."),
            // As Google's own descriptions of its APIs name them.
            (None, Some(literal)) => identifier(literal, if is_rest { "Path" } else { "Id" }),
            (None, None) => format!("segment{}", parameters.len() + 1),
        };
        parameters.push(PathParameter { name, variable, is_whole: whole.is_some(), is_rest });
    }
    parameters
}

fn identifier(literal: &str, suffix: &str) -> String {
    let letters = literal.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' });
    format!("{}{suffix}", letters.collect::<String>())
}

/// The names in JSON of the fields on a way.
pub(super) fn names<'a>(
    schema: &'a Schema,
    options: &Options,
    mut message: MessageId,
    path: &[usize],
) -> Vec<&'a str> {
    let mut names = vec![];
    for &index in path {
        let field = &schema[message].fields[index];
        names.push(if options.proto_names { &*field.name } else { &*field.json_name });
        if let Kind::Message(id) = field.kind {
            message = id;
        }
    }
    names
}
