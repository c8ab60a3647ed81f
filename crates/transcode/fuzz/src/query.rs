//! Queries, paths and bodies: refused, or a message in which nothing is there twice and the path is what it is.
//!
//! The first line of an input is a path with its query, the rest is the body.

use std::sync::{Arc, LazyLock};

use selvedge_transcode::{Found, Options, Request, Schema, ToJson, Transcoder};

use super::descriptors::{self, CONFORMANCE};
use super::twice::assert_nothing_twice;

const MESSAGE: &str = ".protobuf_test_messages.proto3.TestAllTypesProto3";

static TRANSCODER: LazyLock<(Transcoder, ToJson)> = LazyLock::new(|| {
    let path = "/{optional_string}/{optional_nested_message.a}/{recursive_message.oneof_uint32}";
    let rules = [
        ("GET", path, ""),
        ("PUT", path, "*"),
        ("PATCH", path, "recursive_message"),
        ("POST", path, "repeated_nested_message"),
    ];
    let own = descriptors::service(MESSAGE, &rules);
    let schema = Schema::decode(&[CONFORMANCE, &own]).expect("the descriptors fit together");
    let to_json = ToJson::new(&schema, &Options::default());
    (Transcoder::new(Arc::new(schema), Options::default()).expect("the rules can be served"), to_json)
});

pub fn run(input: &[u8]) {
    let (line, body) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    let Ok(line) = std::str::from_utf8(line) else { return };
    let (path, query) = line.split_once('?').map_or((line, None), |(path, query)| (path, Some(query)));
    let (transcoder, to_json) = &*TRANSCODER;
    for method in ["GET", "PUT", "PATCH", "POST"] {
        let Found::Route(found) = transcoder.find(method, path) else { continue };
        let mut wire = vec![];
        let request = Request { query, body, ..Request::default() };
        if let Err(error) = transcoder.request(&found, &request, &mut wire) {
            assert!(wire.is_empty() && !error.problem.is_empty());
            continue;
        }
        let schema = transcoder.schema();
        assert_nothing_twice(schema, found.route.input, &wire);
        for (variable, text) in found.route.template.variables.iter().zip(&found.variables) {
            let said = transcoder.text_of(found.route.input, &wire, &variable.path);
            // A zero may be left out, and a number may be written in other ways.
            let same = |said: &str| said == text || said.parse::<f64>() == text.parse::<f64>();
            assert!(said.as_deref().is_none_or(same), "{}: {said:?} instead of {text}", variable.name);
        }
        let mut json = vec![];
        match to_json.message(found.route.input, &wire, &mut json) {
            Ok(()) => drop(serde_json::from_slice::<serde::de::IgnoredAny>(&json).expect("JSON")),
            // A mask in a query may have names that JSON cannot express.
            Err(error) => assert!(error.too_large || error.place.ends_with("ask"), "{error}"),
        }
    }
}
