//! From the parts of an HTTP request to one message.

mod body;
mod location;
mod mask;
mod overlay;
mod query;
pub(crate) mod read;
mod required;

use crate::route::{header_field, text_field};
use crate::to_wire::ToWire;
use crate::wire::Malformed;
use crate::{Body, Cardinality, Error, Kind, Match, MessageId, Options, Route, Routes, Schema, WellKnown};
use location::Location;
pub(crate) use location::has_location;
use overlay::{Overlay, Source, Value};
pub(crate) use required::Required;

/// What an HTTP request has beside its method and path.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// What follows the question mark.
    pub query: Option<&'a str>,
    /// The body; an empty one is that of an empty message.
    pub body: &'a [u8],
    /// The etag that `If-Match` names, without its quotes.
    pub if_match: Option<&'a str>,
    /// The value of `Idempotency-Key`.
    pub request_id: Option<&'a str>,
}

/// What binding works with.
#[derive(Clone, Copy)]
pub(crate) struct Binder<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) to_wire: &'a ToWire,
    pub(crate) options: &'a Options,
    pub(crate) required: &'a Required,
}

/// What is known of a route from the start.
#[derive(Debug)]
pub(crate) struct Binding {
    /// Where the value of `If-Match` goes.
    if_match: Option<Vec<usize>>,
    /// Where the value of `Idempotency-Key` goes.
    request_id: Option<usize>,
    /// The field for the mask that is made from the body's keys.
    mask: Option<usize>,
    /// The field of the response that is its etag.
    etag: Option<usize>,
    location: Option<Location>,
}

impl Binding {
    pub(crate) fn new(schema: &Schema, routes: &Routes, route: &Route) -> Self {
        Self {
            if_match: header_field(schema, route.input, route.body, "etag").filter(|_| route.takes_if_match),
            request_id: text_field(&schema[route.input], "request_id"),
            mask: mask_field(schema, route),
            etag: text_field(&schema[route.output], "etag"),
            location: Location::of(schema, routes, route),
        }
    }

    /// The etag of a response.
    pub(crate) fn etag(&self, schema: &Schema, route: &Route, wire: &[u8]) -> Option<String> {
        read::text(schema, route.output, wire, &[self.etag?]).filter(|etag| !etag.is_empty())
    }

    /// The path of what was created.
    pub(crate) fn location(&self, schema: &Schema, routes: &Routes, wire: &[u8]) -> Option<String> {
        self.location.as_ref()?.fill(schema, routes, wire)
    }

    /// Appends the message.
    pub(crate) fn request(
        &self,
        binder: Binder<'_>,
        found: &Match<'_>,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Binder { schema, options, .. } = binder;
        let route = found.route;
        if route.body == Body::None && !request.body.is_empty() && !options.ignore_unexpected_body {
            return Err(Error::new("", "this method takes no body"));
        }
        let start = out.len();
        let mut overlay = self.overlay(binder, found, request)?;
        let body_field = if let Body::Field(field) = route.body { Some(field) } else { None };
        let mut base = vec![];
        if route.body != Body::None && overlay.touches(body_field) {
            body::append(binder, route, request.body, &mut base)?;
            self.compare_headers(schema, route, request, &base)?;
        } else {
            body::append(binder, route, request.body, out)?;
        }
        self.add_mask(binder, found, request.body, &mut overlay)?;
        overlay.write(schema, route.input, &base, out).map_err(malformed)?;
        if out.len() - start > options.max_output {
            return Err(Error::too_large("", "the request is too large"));
        }
        binder.required.check(schema, route.input, &out[start..])
    }

    /// All that is not said by the body.
    fn overlay(
        &self,
        binder: Binder<'_>,
        found: &Match<'_>,
        request: &Request<'_>,
    ) -> Result<Overlay, Error> {
        let route = found.route;
        let mut overlay = match route.body {
            Body::Field(field) => Overlay::with_body(field),
            Body::None | Body::Whole => Overlay::default(),
        };
        for (variable, text) in route.template.variables.iter().zip(&found.variables) {
            set(binder, route.input, &mut overlay, &variable.path, Source::Path, &variable.name, text)?;
        }
        if let Some(query) = request.query {
            query::read(binder, route, query, &mut overlay)?;
        }
        if let Some(text) = request.if_match {
            let path = self.if_match.as_ref();
            let path = path.ok_or_else(|| Error::new(IF_MATCH, "has no meaning for this method"))?;
            set(binder, route.input, &mut overlay, path, Source::Header, IF_MATCH, text)?;
        }
        if let Some((text, field)) = request.request_id.zip(self.request_id) {
            set(binder, route.input, &mut overlay, &[field], Source::Header, IDEMPOTENCY_KEY, text)?;
        }
        Ok(overlay)
    }

    /// Refuses headers that say otherwise than the body.
    fn compare_headers(
        &self,
        schema: &Schema,
        route: &Route,
        request: &Request<'_>,
        base: &[u8],
    ) -> Result<(), Error> {
        let if_match = request.if_match.zip(self.if_match.as_deref());
        let request_id = request.request_id.zip(self.request_id.as_ref().map(std::slice::from_ref));
        for (header, said) in [(IF_MATCH, if_match), (IDEMPOTENCY_KEY, request_id)] {
            let Some((text, path)) = said else { continue };
            let body = read::bytes(schema, route.input, base, path).map_err(malformed)?;
            if body.is_some_and(|body| body != text.as_bytes()) {
                return Err(Error::new(header, "says otherwise than the body"));
            }
        }
        Ok(())
    }

    /// The mask of what a PATCH changes, unless the caller gave one.
    fn add_mask(
        &self,
        binder: Binder<'_>,
        found: &Match<'_>,
        json: &[u8],
        overlay: &mut Overlay,
    ) -> Result<(), Error> {
        let Binder { schema, .. } = binder;
        let route = found.route;
        let (Some(mask), Body::Field(body)) = (self.mask, route.body) else { return Ok(()) };
        let Kind::Message(message) = schema[route.input].fields[body].kind else { return Ok(()) };
        if overlay.get(mask).is_some() {
            return Ok(());
        }
        let inside = |path: &&[usize]| path.first() == Some(&body);
        let bound = route.template.variables.iter().map(|variable| &*variable.path).filter(inside);
        let bound = bound.map(|path| &path[1..]).collect::<Vec<_>>();
        let names_nothing = json.is_empty() || json.trim_ascii() == b"null";
        let mut wire = vec![];
        overlay::write_message(&schema[route.input].fields[mask], &mut wire, |wire| {
            if names_nothing { Ok(()) } else { mask::of_body(binder, message, &bound, json, wire) }
        })?;
        let member = overlay.enter(schema, route.input, &[mask], Source::Body, "update_mask")?;
        member.value = Value::Wire(wire);
        Ok(())
    }
}

const IF_MATCH: &str = "If-Match";
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Says a scalar; what was said of it before must be the same.
fn set(
    binder: Binder<'_>,
    input: MessageId,
    overlay: &mut Overlay,
    path: &[usize],
    source: Source,
    name: &str,
    text: &str,
) -> Result<(), Error> {
    let member = overlay.enter(binder.schema, input, path, source, name)?;
    let mut wire = vec![];
    let message = owner(binder.schema, input, path);
    let place = |error| Error { place: name.to_owned(), ..error };
    binder.to_wire.text(message, path[path.len() - 1], text, &mut wire).map_err(place)?;
    match &member.value {
        Value::New => member.value = Value::Wire(wire),
        Value::Wire(same) if *same == wire => {}
        _ => return Err(Error::new(name, "says otherwise than the path or the query")),
    }
    Ok(())
}

/// The message that has the field at the end of a path.
fn owner(schema: &Schema, input: MessageId, path: &[usize]) -> MessageId {
    path[..path.len() - 1].iter().fold(input, |message, &field| match schema[message].fields[field].kind {
        Kind::Message(inner) => inner,
        _ => message,
    })
}

fn mask_field(schema: &Schema, route: &Route) -> Option<usize> {
    let message = |field: &crate::Field| match field.kind {
        Kind::Message(id) if field.cardinality == Cardinality::Singular => Some(schema[id].well_known),
        _ => None,
    };
    let Body::Field(body) = route.body else { return None };
    let fields = &schema[route.input].fields;
    let mask = fields.iter().position(|field| &*field.name == "update_mask")?;
    let fits = *route.http_method == *"PATCH"
        && message(&fields[mask]) == Some(Some(WellKnown::FieldMask))
        && message(&fields[body]) == Some(None)
        && !route.template.variables.iter().any(|variable| *variable.path == [mask]);
    fits.then_some(mask)
}

fn malformed(error: Malformed) -> Error {
    Error::new("", error.problem())
}
