//! Everything together: from an HTTP request to a message, and from a message to an HTTP response.

use std::sync::Arc;

use crate::bind::{Binder, Binding, Required, read};
use crate::to_json::ToJson;
use crate::to_wire::ToWire;
use crate::{Error, Found, Match, MessageId, Options, Request, Route, Routes, RuleError, Schema};

/// Finds RPCs by HTTP method and path, and turns their messages into JSON and back.
pub struct Transcoder {
    schema: Arc<Schema>,
    options: Options,
    routes: Routes,
    /// By the index of the route.
    bindings: Box<[Binding]>,
    to_json: ToJson,
    to_wire: ToWire,
    required: Required,
}

impl Transcoder {
    /// Compiles all that can be known before the first request.
    pub fn new(schema: Arc<Schema>, options: Options) -> Result<Self, Vec<RuleError>> {
        let routes = Routes::new(&schema)?;
        let bindings = routes.all().iter().map(|route| Binding::new(&schema, &routes, route)).collect();
        let to_json = ToJson::new(&schema, &options);
        let to_wire = ToWire::new(&schema, &options);
        let required = Required::new(&schema);
        Ok(Self { schema, options, routes, bindings, to_json, to_wire, required })
    }

    /// The descriptors.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The routes.
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The options in force.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// See [`Routes::find`].
    pub fn find<'a>(&'a self, http_method: &str, path: &'a str) -> Found<'a> {
        self.routes.find(http_method, path)
    }

    /// Appends the request message of a route. Nothing is appended where it cannot be made.
    ///
    /// The path wins over the body, whose own value of a field that the path binds is left out. `If-Match` is refused by a
    /// route that has no place for it (see [`Route::takes_if_match`]), as it would protect nothing; `Idempotency-Key` is
    /// passed over.
    pub fn request(&self, found: &Match<'_>, request: &Request<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let binder = Binder {
            schema: &self.schema,
            to_wire: &self.to_wire,
            options: &self.options,
            required: &self.required,
        };
        let result = self.bindings[found.route.index].request(binder, found, request, out);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// Appends the JSON of a response message, or of the field of it that the rule names. Nothing is appended where it cannot
    /// be made.
    pub fn response(&self, route: &Route, wire: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let result = match route.response_body {
            Some(field) => self.to_json.field(route.output, field, wire, out),
            None => self.to_json.message(route.output, wire, out),
        };
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// A text, integer, boolean or enum of a message, by the index of the field in each message on the way; none if it is
    /// absent or something else.
    pub fn text_of(&self, message: MessageId, wire: &[u8], path: &[usize]) -> Option<String> {
        read::text(&self.schema, message, wire, path)
    }

    /// The field `etag` of a response.
    pub fn etag_of(&self, route: &Route, wire: &[u8]) -> Option<String> {
        self.bindings[route.index].etag(&self.schema, route, wire)
    }

    /// The path of what a POST to a `Create*` made: that of a `Get*` of the same service with the same response, if all of its
    /// variables stand in the response.
    pub fn location_of(&self, route: &Route, wire: &[u8]) -> Option<String> {
        self.bindings[route.index].location(&self.schema, &self.routes, wire)
    }
}
