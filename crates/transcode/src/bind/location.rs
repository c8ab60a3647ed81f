//! Where a created resource is: the path of the RPC that gets it, filled from the response.

use crate::bind::read;
use crate::route::{Dialect, encode};
use crate::{Cardinality, Found, Route, Routes, Schema, Segment};

/// The route of the resource, with the field of the response for each of its variables.
#[derive(Debug)]
pub(super) struct Location {
    route: usize,
    fields: Box<[usize]>,
}

impl Location {
    /// For a `Create*` by POST: the `Get*` of the same service with the same response, all of whose variables stand in it.
    pub(super) fn of(schema: &Schema, routes: &Routes, create: &Route) -> Option<Self> {
        let methods = &schema.services()[create.service].methods;
        let name = |route: &Route| &*methods[route.method].name;
        let resource = name(create).strip_prefix("Create")?;
        if *create.http_method != *"POST" || create.client_streaming || create.server_streaming {
            return None;
        }
        let is_get = |route: &&Route| {
            route.service == create.service
                && route.output == create.output
                && *route.http_method == *"GET"
                && name(route).starts_with("Get")
                && route.template.verb.is_none()
                && route.template.can_be_filled()
        };
        let candidates = routes.all().iter().filter(is_get);
        let qualified = candidates.filter_map(|route| Some((route, fields(schema, route)?)));
        let (route, fields) =
            qualified.min_by_key(|(route, _)| name(route).strip_prefix("Get") != Some(resource))?;
        Some(Self { route: route.index, fields })
    }

    /// The path, if the response has what it needs.
    pub(super) fn fill(&self, schema: &Schema, routes: &Routes, wire: &[u8]) -> Option<String> {
        let route = &routes.all()[self.route];
        let template = &route.template;
        let mut path = String::new();
        let mut at = 0;
        while let Some(segment) = template.segments.get(at) {
            path.push('/');
            if let Some(index) = template.variables.iter().position(|variable| variable.segments.start == at)
            {
                let variable = &template.variables[index];
                let is_multi = variable.is_multi_segment(template);
                let dialect = if is_multi { Dialect::Segments } else { Dialect::Segment };
                encode(&read::text(schema, route.output, wire, &[self.fields[index]])?, dialect, &mut path);
                at = variable.segments.end;
            } else {
                let Segment::Literal(text) = segment else { return None };
                encode(text, Dialect::Segment, &mut path);
                at += 1;
            }
        }
        // A value that its variable cannot have leads somewhere else. So do dots, which clients resolve before they ask, and
        // which have no encoded form that would keep them from it.
        let has_dots = path.split('/').any(|segment| matches!(segment, "." | ".."));
        let leads_back =
            matches!(routes.find("GET", &path), Found::Route(found) if found.route.index == route.index);
        (leads_back && !has_dots).then_some(path)
    }
}

/// Whether what a route makes is found somewhere else afterwards.
pub(crate) fn has_location(schema: &Schema, routes: &Routes, route: &Route) -> bool {
    Location::of(schema, routes, route).is_some()
}

/// The fields of the response that have the names of the variables.
fn fields(schema: &Schema, route: &Route) -> Option<Box<[usize]>> {
    let output = &schema[route.output];
    let field = |name: &str| {
        let is_it = |field: &crate::Field| {
            *field.name == *name && field.cardinality == Cardinality::Singular && read::has_text(field.kind)
        };
        output.fields.iter().position(is_it)
    };
    let last = |name: &str| name.rsplit('.').next().and_then(field);
    route.template.variables.iter().map(|variable| last(&variable.name)).collect()
}
