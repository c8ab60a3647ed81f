//! The query: each parameter is a field that neither the path nor the body says.

use std::collections::HashSet;

use super::Binder;
use super::overlay::{Overlay, Source, Value};
use crate::route::{Dialect, decode, is_text};
use crate::wire;
use crate::{Body, Cardinality, Error, Field, Kind, MessageId, Route, WellKnown};

/// Reads all parameters into an overlay.
pub(super) fn read(
    binder: Binder<'_>,
    route: &Route,
    query: &str,
    overlay: &mut Overlay,
) -> Result<(), Error> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    for (count, pair) in pairs.enumerate() {
        if count >= binder.options.max_elements as usize {
            return Err(Error::too_large("", "there are too many query parameters"));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name, Dialect::Form).map_err(|problem| Error::new(name, problem))?;
        let value = decode(value, Dialect::Form).map_err(|problem| Error::new(&*name, problem))?;
        if route.body == Body::Whole {
            if !binder.options.ignore_unknown_parameters {
                return Err(Error::new(&*name, "is not a parameter: the whole request is the body"));
            }
            continue;
        }
        match target(binder, route.input, &name)? {
            Some(target) => parameter(binder, route.input, &target, &name, &value, overlay)?,
            None if binder.options.ignore_unknown_parameters => {}
            None => return Err(Error::new(&*name, "is not a parameter")),
        }
    }
    Ok(())
}

/// What the name of a parameter stands for.
struct Target<'n> {
    path: Vec<usize>,
    /// The message that has the field at the end of the path.
    message: MessageId,
    /// The key of a map.
    key: Option<&'n str>,
}

/// Finds a parameter by its name, of which each part may be as the proto or as JSON has it; none: there is no such field.
fn target<'n>(binder: Binder<'_>, input: MessageId, name: &'n str) -> Result<Option<Target<'n>>, Error> {
    let schema = binder.schema;
    let (fields, key) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((fields, key)) => (fields, Some(key)),
        None => (name, None),
    };
    let mut target = Target { path: vec![], message: input, key };
    let mut parts = fields.split('.').peekable();
    while let Some(part) = parts.next() {
        if target.path.len() >= binder.options.max_depth as usize {
            return Err(Error::new(name, "goes too deep"));
        }
        let message = &schema[target.message];
        let Some(index) = message.parameter(part) else { return Ok(None) };
        let field = &message.fields[index];
        target.path.push(index);
        if parts.peek().is_none() {
            break;
        }
        target.message = match field.kind {
            Kind::Message(_) if field.cardinality == Cardinality::Map => {
                return Err(Error::new(name, format!("`{part}` is a map: write `{part}[key]`")));
            }
            Kind::Message(_) if field.cardinality == Cardinality::Repeated => {
                return Err(Error::new(
                    name,
                    format!("`{part}` is a list of messages, which no parameter can be"),
                ));
            }
            Kind::Message(inner) if schema[inner].well_known.is_none() => inner,
            _ => return Ok(None),
        };
    }
    Ok(Some(target))
}

fn parameter(
    binder: Binder<'_>,
    input: MessageId,
    target: &Target<'_>,
    name: &str,
    value: &str,
    overlay: &mut Overlay,
) -> Result<(), Error> {
    let index = target.path[target.path.len() - 1];
    let field = &binder.schema[target.message].fields[index];
    let member = overlay.enter(binder.schema, input, &target.path, Source::Query, name)?;
    if member.source == Source::Path {
        return Err(Error::new(name, "is not a parameter: the path says it"));
    }
    match (field.cardinality, target.key) {
        (Cardinality::Map, Some(key)) => {
            if matches!(member.value, Value::New) {
                member.value = Value::Map(vec![], HashSet::new());
            }
            let Value::Map(wire, keys) = &mut member.value else { unreachable!("a map is a map each time") };
            return entry(binder, field, (key, value), name, wire, keys);
        }
        (Cardinality::Map, None) => return Err(Error::new(name, format!("is a map: write `{name}[key]`"))),
        (_, Some(_)) => return Err(Error::new(name, "has a key, but is not a map")),
        (Cardinality::Repeated, None) if matches!(field.kind, Kind::Message(_)) => {
            return Err(Error::new(name, "is a list of messages, which no parameter can be"));
        }
        (Cardinality::Singular, None) if !matches!(member.value, Value::New) => {
            return Err(Error::new(name, "is given twice"));
        }
        (Cardinality::Repeated | Cardinality::Singular, None) => {}
    }
    if matches!(member.value, Value::New) {
        member.value = Value::Wire(vec![]);
    }
    let Value::Wire(wire) = &mut member.value else { unreachable!("the same field is the same each time") };
    let written = scalar(binder, target.message, index, value, wire);
    written.map(drop).map_err(|error| Error { place: name.to_owned(), ..error })
}

fn entry(
    binder: Binder<'_>,
    field: &Field,
    (key, value): (&str, &str),
    name: &str,
    out: &mut Vec<u8>,
    keys: &mut HashSet<Vec<u8>>,
) -> Result<(), Error> {
    let Kind::Message(message) = field.kind else { unreachable!("the entries of a map are messages") };
    let place = |error| Error { place: name.to_owned(), ..error };
    let before = out.len();
    wire::write_tag(out, field.number, wire::LENGTH);
    let opened = wire::open(out);
    scalar(binder, message, 0, key, out).map_err(place)?;
    if !keys.insert(out[opened..].to_vec()) {
        return Err(Error::new(name, "is given twice"));
    }
    if scalar(binder, message, 1, value, out).map_err(place)? {
        wire::close(out, opened);
    } else {
        out.truncate(before);
    }
    Ok(())
}

/// Appends a field from its text; `false` if that is passed over. A message whose JSON may be anything is given as JSON.
fn scalar(
    binder: Binder<'_>,
    message: MessageId,
    index: usize,
    text: &str,
    out: &mut Vec<u8>,
) -> Result<bool, Error> {
    if let Kind::Message(value) = binder.schema[message].fields[index].kind {
        match binder.schema[value].well_known {
            None => return Err(Error::new("", "is a message: name its fields")),
            Some(WellKnown::Struct | WellKnown::Value | WellKnown::ListValue) => {
                return binder.to_wire.field(message, index, text.as_bytes(), out).map(|()| true);
            }
            Some(well_known) if !is_text(well_known) => return Err(Error::new("", "cannot be a parameter")),
            Some(_) => {}
        }
    }
    binder.to_wire.text(message, index, text, out)
}
