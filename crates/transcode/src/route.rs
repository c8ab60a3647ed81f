//! From an HTTP method and a path to an RPC: the rules of `google.api.http`, checked and laid out for matching.
//!
//! Of all templates that match a path the most specific one wins, in whatever order they were declared: one with a verb
//! before one without; then, position by position, a literal before `*`, and `*` before `**`. An empty segment matches
//! nothing, so neither does a path that ends in a slash.

mod percent;
mod rules;
mod table;
mod template;

use std::borrow::Cow;
use std::ops::Range;

use crate::{Error, MessageId, Schema};

pub(crate) use percent::{Dialect, decode, encode};
pub(crate) use rules::{header_field, is_text, text_field};

/// All routes of a [`Schema`].
#[derive(Debug)]
pub struct Routes {
    all: Box<[Route]>,
    table: table::Table,
}

/// One way to call an RPC over HTTP.
#[derive(Debug)]
pub struct Route {
    /// The index of the service in [`Schema::services`].
    pub service: usize,
    /// The index of the RPC in the service's methods.
    pub method: usize,
    /// The request.
    pub input: MessageId,
    /// The response.
    pub output: MessageId,
    /// The HTTP method; `*` is any.
    pub http_method: Box<str>,
    /// The paths.
    pub template: Template,
    /// What of the request is the HTTP body.
    pub body: Body,
    /// The field of the response that is the HTTP body; none: all of it.
    pub response_body: Option<usize>,
    /// Whether the RPC takes a stream.
    pub client_streaming: bool,
    /// Whether the RPC answers with a stream.
    pub server_streaming: bool,
    /// Whether the request has a place for the value of `If-Match`.
    pub takes_if_match: bool,
    /// Whether the request has a place for the value of `Idempotency-Key`.
    pub takes_request_id: bool,
    /// Its place in [`Routes::all`].
    pub index: usize,
}

/// The paths of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// As it was written.
    pub text: Box<str>,
    /// What stands between the slashes, that of the variables included.
    pub segments: Box<[Segment]>,
    /// What follows the colon after the last segment.
    pub verb: Option<Box<str>>,
    /// The parts that are fields of the request.
    pub variables: Box<[Variable]>,
}

/// What one part of a path must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This text.
    Literal(Box<str>),
    /// `*`: any text.
    One,
    /// `**`: all that is left, be it nothing.
    Rest,
}

/// A part of a path that is a field of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name in the template, such as `submission.id`.
    pub name: Box<str>,
    /// The index of the field in each message on the way from the request.
    pub path: Box<[usize]>,
    /// Its part of [`Template::segments`].
    pub segments: Range<usize>,
}

/// What of a request is the HTTP body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing; what the path does not say are query parameters.
    None,
    /// All that the path does not say.
    Whole,
    /// A field; the others are query parameters.
    Field(usize),
}

/// A rule that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {method}: {problem}")]
pub struct RuleError {
    /// The file that has it.
    pub file: String,
    /// The full name of the RPC.
    pub method: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What a method and a path lead to.
#[derive(Debug)]
pub enum Found<'a> {
    /// An RPC.
    Route(Match<'a>),
    /// The path is there, but not with this method: the value of `Allow`.
    MethodNotAllowed(String),
    /// Nothing.
    NotFound,
    /// The path is not well-formed.
    Bad(Error),
}

/// A route with what a path says for its variables.
#[derive(Debug)]
pub struct Match<'a> {
    /// The route.
    pub route: &'a Route,
    /// The decoded text of each of [`Template::variables`].
    pub variables: Vec<Cow<'a, str>>,
}

impl Routes {
    /// Checks all rules and lays them out; the errors are those of all rules.
    pub fn new(schema: &Schema) -> Result<Self, Vec<RuleError>> {
        let (all, mut errors) = rules::routes(schema);
        let table = table::Table::new(schema, &all, &mut errors);
        if errors.is_empty() { Ok(Self { all, table }) } else { Err(errors) }
    }

    /// The routes, in the order of the services, RPCs and bindings.
    pub fn all(&self) -> &[Route] {
        &self.all
    }

    /// The route for a method and a path without its query. GET routes answer to HEAD too; OPTIONS finds a route only
    /// where a rule names it or any method, so that who answers it finds what is allowed in [`Found::MethodNotAllowed`].
    pub fn find<'a>(&'a self, http_method: &str, path: &'a str) -> Found<'a> {
        self.table.find(&self.all, http_method, path)
    }
}

impl RuleError {
    pub(crate) fn new(schema: &Schema, service: usize, method: usize, problem: impl Into<String>) -> Self {
        let service = &schema.services()[service];
        Self {
            file: schema.files()[service.file].name.to_string(),
            method: format!("{}.{}", service.name, service.methods[method].name),
            problem: problem.into(),
        }
    }
}

impl Variable {
    /// Whether it may have slashes: then they are what they are, and encoded ones stay encoded.
    pub fn is_multi_segment(&self, template: &Template) -> bool {
        self.segments.len() != 1 || template.segments[self.segments.start] == Segment::Rest
    }
}
