//! Path templates as OpenAPI has them: a parameter is one segment, and two templates that differ only in the names of
//! their parameters are the same.

use std::collections::{HashMap, HashSet};

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
    let mut parameters = routes.iter().map(|route| parameters(schema, options, route)).collect::<Vec<_>>();
    part_rests(routes, &mut parameters);
    let shapes = routes.iter().zip(&parameters).map(|(route, parameters)| shape(route, parameters));
    let shapes = shapes.collect::<Vec<_>>();
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

/// A `**` where another route has a `*` is reached by what has more segments than that: it becomes as many parameters as it
/// takes to be another path.
fn part_rests(routes: &[&Route], parameters: &mut [Vec<PathParameter>]) {
    let is_rest = |route: &Route| route.template.segments.last() == Some(&Segment::Rest);
    let (rests, others): (Vec<_>, Vec<_>) = (0..routes.len()).partition(|&at| is_rest(routes[at]));
    let mut taken = HashSet::new();
    for at in others {
        taken.insert((&routes[at].http_method, shape(routes[at], &parameters[at])));
    }
    for at in rests {
        while !taken.insert((&routes[at].http_method, shape(routes[at], &parameters[at]))) {
            let Some(last) = parameters[at].last_mut() else { break };
            last.is_whole = false;
            let first = PathParameter { is_rest: false, ..last.clone() };
            let before = parameters[at].len() - 1;
            parameters[at].insert(before, first);
        }
    }
}

/// The path without the names of its parameters.
fn shape(route: &Route, parameters: &[PathParameter]) -> String {
    text(route, &vec![""; parameters.len()])
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

/// The path with these names for its parameters; those that are left at its end share the last segment.
fn text(route: &Route, names: &[&str]) -> String {
    let mut text = String::new();
    let mut names = names.iter();
    let template = &route.template;
    for (at, segment) in template.segments.iter().enumerate() {
        let count = match segment {
            Segment::Literal(literal) => {
                text.push('/');
                literal_text(literal, at + 1 == template.segments.len(), &mut text);
                0
            }
            Segment::One => 1,
            Segment::Rest => names.len(),
        };
        for name in names.by_ref().take(count) {
            text.push_str("/{");
            text.push_str(name);
            text.push('}');
        }
    }
    if let Some(verb) = &template.verb {
        text.push(':');
        literal_text(verb, true, &mut text);
    }
    text
}

/// Only what cannot stand in a path is encoded, and a colon where it would begin a verb.
fn literal_text(literal: &str, is_last: bool, out: &mut String) {
    for letter in literal.chars() {
        match letter {
            ':' if is_last => out.push_str("%3A"),
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
