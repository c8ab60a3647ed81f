//! Which route a path leads to, found by trying all of them: the long way, to compare with.

use std::cmp::Ordering;

use selvedge_transcode::{Route, Segment};

/// What must be found.
#[derive(Debug, PartialEq, Eq)]
pub enum Expected {
    /// The index of a route.
    Route(usize),
    /// The path is there with these methods alone.
    Methods(Vec<String>),
    Nothing,
}

/// For a path that is well-formed.
pub fn expected(routes: &[Route], http_method: &str, path: &str) -> Expected {
    let Some(segments) = path.strip_prefix('/') else { return Expected::Nothing };
    let last = segments.rfind('/').map_or(0, |slash| slash + 1);
    let colons = segments.match_indices(':').map(|(at, _)| at).filter(|at| *at >= last);
    let cuts = colons.map(|at| (at, Some(decoded(&segments[at + 1..]))));
    for (end, verb) in cuts.chain([(segments.len(), None)]) {
        let segments = match &segments[..end] {
            "" => vec![],
            segments => segments.split('/').map(decoded).collect(),
        };
        let fits = |route: &&Route| {
            route.template.verb.as_deref() == verb.as_deref() && matches(&route.template.segments, &segments)
        };
        let fitting = routes.iter().filter(fits).collect::<Vec<_>>();
        if fitting.is_empty() {
            continue;
        }
        let best = fitting.iter().filter_map(|route| Some((route, rank(route, http_method)?)));
        let best = best.min_by(|(one, one_rank), (other, other_rank)| {
            more_specific(one, other).then(one_rank.cmp(other_rank))
        });
        return match best {
            Some((best, _)) => Expected::Route(position(routes, best)),
            None => Expected::Methods(fitting.iter().map(|route| route.http_method.to_string()).collect()),
        };
    }
    Expected::Nothing
}

fn position(routes: &[Route], route: &Route) -> usize {
    routes.iter().position(|other| std::ptr::eq(other, route)).expect("it is one of them")
}

fn rank(route: &Route, http_method: &str) -> Option<u8> {
    match &*route.http_method {
        own if own == http_method => Some(0),
        "GET" if http_method == "HEAD" => Some(1),
        "*" => Some(2),
        _ => None,
    }
}

fn matches(template: &[Segment], path: &[String]) -> bool {
    match (template, path) {
        ([], []) => true,
        ([Segment::Rest], rest) => rest.iter().all(|segment| !segment.is_empty()),
        ([Segment::One, template @ ..], [first, path @ ..]) => !first.is_empty() && matches(template, path),
        ([Segment::Literal(text), template @ ..], [first, path @ ..]) => {
            **text == **first && matches(template, path)
        }
        _ => false,
    }
}

fn more_specific(one: &Route, other: &Route) -> Ordering {
    let kinds = |route: &Route| {
        let kind = |segment: &Segment| match segment {
            Segment::Literal(_) => 1,
            Segment::One => 2,
            Segment::Rest => 3,
        };
        route.template.segments.iter().map(kind).collect::<Vec<u8>>()
    };
    kinds(one).cmp(&kinds(other))
}

/// Undoes percent-encoding that is known to be well-formed.
fn decoded(text: &str) -> String {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%' {
            let digits = std::str::from_utf8(&after[..2]).expect("two digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("hexadecimal digits"));
            rest = &after[2..];
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).expect("it is UTF-8")
}
