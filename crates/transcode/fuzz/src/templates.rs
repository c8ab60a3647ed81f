//! Templates and paths: each template is refused or can be matched, and a path leads where it should.
//!
//! The last line of an input is a method and a path, the others are rules.

use selvedge_transcode::{Found, Match, Routes, Schema};

use super::descriptors::{self, SMALL};
use super::matching::{self, Expected};

/// More rules than this only cost time.
const MAX_RULES: usize = 20;

pub fn run(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let mut lines = input.lines().filter_map(|line| line.split_once(' ')).collect::<Vec<_>>();
    let Some((method, path)) = lines.pop() else { return };
    let rules = lines.into_iter().take(MAX_RULES).map(|(method, path)| (method, path, ""));
    let own = descriptors::service(SMALL, &rules.collect::<Vec<_>>());
    let schema = Schema::decode(&[&own]).expect("rules do not matter here");
    let routes = match Routes::new(&schema) {
        Ok(routes) => routes,
        Err(errors) => {
            assert!(!errors.is_empty() && errors.iter().all(|error| error.file == "fuzz.proto"));
            return;
        }
    };
    let found = routes.find(method, path);
    if matches!(found, Found::Bad(_)) {
        assert!(path.contains('%'), "nothing is encoded in {path}");
        return;
    }
    let expected = matching::expected(routes.all(), method, path);
    match (found, expected) {
        (Found::NotFound, Expected::Nothing) => {}
        (Found::MethodNotAllowed(allow), Expected::Methods(methods)) => {
            let allowed = allow.split(", ").collect::<Vec<_>>();
            assert!(methods.iter().all(|method| allowed.contains(&&**method)), "{allow}");
            assert!(allowed.contains(&"OPTIONS"), "{allow}");
            assert!(method == "OPTIONS" || !allowed.contains(&method), "{allow}");
        }
        (Found::Route(found), Expected::Route(index)) => {
            assert!(
                std::ptr::eq(found.route, &raw const routes.all()[index]),
                "{path}: {}",
                found.route.template.text
            );
            assert_way_back(&routes, method, &found);
        }
        (found, expected) => panic!("{method} {path}: {found:?} instead of {expected:?}"),
    }
}

/// What a path says for the variables leads to the same route, and says the same.
fn assert_way_back(routes: &Routes, method: &str, found: &Match<'_>) {
    let template = &found.route.template;
    let mut segments = template.segments.iter().map(|segment| match segment {
        selvedge_transcode::Segment::Literal(text) => encoded(text, false),
        // What matched is not known where there is no variable; neither is what it would lead to.
        _ => String::new(),
    });
    let mut path = String::new();
    let mut at = 0;
    for (variable, text) in template.variables.iter().zip(&found.variables) {
        segments
            .by_ref()
            .take(variable.segments.start - at)
            .for_each(|segment| path += &format!("/{segment}"));
        segments.by_ref().take(variable.segments.len()).for_each(drop);
        at = variable.segments.end;
        if !text.is_empty() {
            path += &format!("/{}", encoded(text, variable.is_multi_segment(template)));
        }
    }
    segments.for_each(|segment| path += &format!("/{segment}"));
    if path.contains("//") || path.is_empty() || path.ends_with('/') {
        return;
    }
    if let Some(verb) = &template.verb {
        path += &format!(":{}", encoded(verb, false));
    }
    match routes.find(method, &path) {
        Found::Route(again) => {
            assert!(std::ptr::eq(again.route, found.route), "{path} leads to {}", again.route.template.text);
            assert_eq!(again.variables, found.variables, "{path}");
        }
        other => panic!("{path}: {other:?}"),
    }
}

/// As http.proto has clients do it; where there may be slashes, the encoded ones are encoded already.
fn encoded(text: &str, is_multi: bool) -> String {
    let mut encoded = String::new();
    for (at, letter) in text.char_indices() {
        let is_encoded = || text[at..].get(..3).is_some_and(|slash| slash.eq_ignore_ascii_case("%2f"));
        if letter.is_ascii_alphanumeric()
            || "-_.~".contains(letter)
            || is_multi && (letter == '/' || is_encoded())
        {
            encoded.push(letter);
        } else {
            letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| encoded += &format!("%{byte:02x}"));
        }
    }
    encoded
}
