//! All templates in one tree, in which a path is looked up segment by segment.
//!
//! Below a node only two others can go on with a path: that of its next segment as a literal, and that of `*`. So the work
//! does not grow with the number of routes, but with the number of templates that begin like the same path; and no node is
//! visited twice.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::percent::{self, Dialect};
use super::{Found, Match, Route, RuleError, Segment, Template};
use crate::{Error, Schema};

#[derive(Debug, Default)]
pub(super) struct Table {
    root: Node,
    verbs: HashSet<Box<str>>,
    /// Bytes of the longest verb when each is percent-encoded, so that no more of a path is searched for one.
    longest_verb: usize,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    one: Option<Box<Node>>,
    /// The routes that end here.
    here: Ends,
    /// The routes that end here with `**`.
    rest: Ends,
}

/// Indices of routes that differ in their methods alone.
#[derive(Debug, Default)]
struct Ends {
    without_verb: Vec<usize>,
    by_verb: HashMap<Box<str>, Vec<usize>>,
}

impl Table {
    /// Lays out the routes; those that collide are added to the errors.
    pub(super) fn new(schema: &Schema, routes: &[Route], errors: &mut Vec<RuleError>) -> Self {
        let mut table = Self::default();
        for (index, route) in routes.iter().enumerate() {
            let ends = table.ends(&route.template);
            let same = ends.iter().map(|&other| &routes[other]).find(|o| o.http_method == route.http_method);
            if let Some(same) = same {
                let service = &schema.services()[same.service];
                let problem = format!(
                    "`{} {}` collides with `{}` of {}.{}",
                    route.http_method,
                    route.template.text,
                    same.template.text,
                    service.name,
                    service.methods[same.method].name
                );
                errors.push(RuleError::new(schema, route.service, route.method, problem));
            }
            ends.push(index);
        }
        table
    }

    /// The place of a template, made if it is not there.
    fn ends(&mut self, template: &Template) -> &mut Vec<usize> {
        let mut node = &mut self.root;
        let mut is_rest = false;
        for segment in &template.segments {
            match segment {
                Segment::Literal(text) => node = node.literals.entry(text.clone()).or_default(),
                Segment::One => node = node.one.get_or_insert_default(),
                Segment::Rest => is_rest = true,
            }
        }
        let ends = if is_rest { &mut node.rest } else { &mut node.here };
        let Some(verb) = &template.verb else { return &mut ends.without_verb };
        self.verbs.insert(verb.clone());
        self.longest_verb = self.longest_verb.max(verb.len() * "%00".len());
        ends.by_verb.entry(verb.clone()).or_default()
    }

    pub(super) fn find<'a>(&self, routes: &'a [Route], http_method: &str, path: &'a str) -> Found<'a> {
        if path.contains('%')
            && let Err(problem) = percent::decode(path, Dialect::Segment)
        {
            return Found::Bad(Error::new("", format!("the path {problem}")));
        }
        let Some(segments) = path.strip_prefix('/') else { return Found::NotFound };
        // A verb that some route has is one; an id with a colon comes percent-encoded.
        for (end, verb) in self.verbs_of(segments) {
            let found = self.find_with_verb(routes, http_method, &segments[..end], Some(&verb));
            if !matches!(found, Found::NotFound) {
                return found;
            }
        }
        self.find_with_verb(routes, http_method, segments, None)
    }

    /// Where a path can be cut into segments and a verb, the longest verb first.
    fn verbs_of<'a>(&self, segments: &'a str) -> impl Iterator<Item = (usize, Cow<'a, str>)> {
        let last = segments.rfind('/').map_or(0, |slash| slash + 1);
        let first = segments.len().saturating_sub(self.longest_verb + 1).max(last);
        let colons = segments.as_bytes()[first..].iter().enumerate().filter(|(_, byte)| **byte == b':');
        colons.filter_map(move |(at, _)| {
            let verb = percent::decode(&segments[first + at + 1..], Dialect::Segment).ok()?;
            self.verbs.contains(&*verb).then_some((first + at, verb))
        })
    }

    fn find_with_verb<'a>(
        &self,
        routes: &'a [Route],
        http_method: &str,
        segments: &'a str,
        verb: Option<&str>,
    ) -> Found<'a> {
        let rest = (!segments.is_empty()).then_some(segments);
        if segments.starts_with('/') || segments.ends_with('/') || segments.contains("//") {
            return Found::NotFound;
        }
        let with_method = &mut |ends: &[usize]| {
            let with = |method: &str| ends.iter().find(|&&end| *routes[end].http_method == *method);
            let get = || if http_method == "HEAD" { with("GET") } else { None };
            with(http_method).or_else(get).or_else(|| with("*")).copied()
        };
        if let Some(index) = self.root.search(rest, verb, with_method) {
            let route = &routes[index];
            return match captures(&route.template, segments) {
                Ok(variables) => Found::Route(Match { route, variables }),
                Err(error) => Found::Bad(error),
            };
        }
        let mut allowed = BTreeSet::new();
        self.root.search(rest, verb, &mut |ends| {
            allowed.extend(ends.iter().map(|&end| &*routes[end].http_method));
            None
        });
        if allowed.is_empty() {
            return Found::NotFound;
        }
        if allowed.contains("GET") {
            allowed.insert("HEAD");
        }
        allowed.insert("OPTIONS");
        Found::MethodNotAllowed(allowed.into_iter().collect::<Vec<_>>().join(", "))
    }
}

impl Node {
    /// The first place that is accepted, the most specific ones first.
    fn search(
        &self,
        rest: Option<&str>,
        verb: Option<&str>,
        accept: &mut impl FnMut(&[usize]) -> Option<usize>,
    ) -> Option<usize> {
        let Some(rest) = rest else {
            return accept(self.here.of(verb)).or_else(|| accept(self.rest.of(verb)));
        };
        let (segment, after) = match rest.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (rest, None),
        };
        let literal = || self.literals.get(&*percent::decode(segment, Dialect::Segment).ok()?);
        if !self.literals.is_empty()
            && let Some(node) = literal()
            && let Some(found) = node.search(after, verb, accept)
        {
            return Some(found);
        }
        let below = self.one.as_ref().and_then(|node| node.search(after, verb, accept));
        below.or_else(|| accept(self.rest.of(verb)))
    }
}

impl Ends {
    fn of(&self, verb: Option<&str>) -> &[usize] {
        match verb {
            None => &self.without_verb,
            Some(verb) => self.by_verb.get(verb).map_or(&[], Vec::as_slice),
        }
    }
}

/// The decoded text of each variable of a template that matches.
fn captures<'a>(template: &Template, segments: &'a str) -> Result<Vec<Cow<'a, str>>, Error> {
    let mut captured = Vec::with_capacity(template.variables.len());
    let mut at = 0;
    let mut rest = segments;
    for variable in &template.variables {
        rest = skip(rest, variable.segments.start - at);
        let last = template.segments.get(variable.segments.end - 1);
        let after = if last == Some(&Segment::Rest) { "" } else { skip(rest, variable.segments.len()) };
        let text = &rest[..rest.len() - after.len()];
        let text = if after.is_empty() { text } else { text.strip_suffix('/').unwrap_or(text) };
        let is_multi = variable.is_multi_segment(template);
        let dialect = if is_multi { Dialect::Segments } else { Dialect::Segment };
        let problem = |problem| Error::new(&*variable.name, problem);
        captured.push(percent::decode(text, dialect).map_err(problem)?);
        (rest, at) = (after, variable.segments.end);
    }
    Ok(captured)
}

/// What follows the first segments.
fn skip(mut rest: &str, segments: usize) -> &str {
    for _ in 0..segments {
        rest = rest.split_once('/').map_or("", |(_, after)| after);
    }
    rest
}
