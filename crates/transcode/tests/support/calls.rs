//! HTTP requests, and the messages that they become.

use std::sync::Arc;

use selvedge_transcode::{Found, Match, Options, Request, Schema, ToJson, Transcoder};

use super::wire::assert_nothing_twice;

/// A transcoder, with a way to read what it made.
pub(crate) struct Calls {
    pub(crate) transcoder: Transcoder,
    reader: ToJson,
}

impl Calls {
    pub(crate) fn new(schema: Schema, options: Options) -> Self {
        let reader = Options { omit_defaults: true, proto_names: true, ..Options::default() };
        let reader = ToJson::new(&schema, &reader);
        let transcoder = Transcoder::new(Arc::new(schema), options).expect("the rules can be served");
        Self { transcoder, reader }
    }

    pub(crate) fn find<'a>(&'a self, method: &str, path: &'a str) -> Match<'a> {
        match self.transcoder.find(method, path) {
            Found::Route(found) => found,
            other => panic!("{method} {path}: {other:?}"),
        }
    }

    /// The request message as compact JSON without defaults, or what is wrong.
    pub(crate) fn call(&self, method: &str, url: &str, body: &str) -> Result<String, String> {
        self.call_with(method, url, Request { body: body.as_bytes(), ..Request::default() })
    }

    pub(crate) fn call_with(&self, method: &str, url: &str, request: Request<'_>) -> Result<String, String> {
        let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        let found = self.find(method, path);
        let mut wire = vec![];
        let request = Request { query, ..request };
        if let Err(error) = self.transcoder.request(&found, &request, &mut wire) {
            assert!(wire.is_empty(), "nothing is left of what failed");
            return Err(error.to_string());
        }
        assert_nothing_twice(self.transcoder.schema(), found.route.input, &wire);
        let mut json = vec![];
        self.reader.message(found.route.input, &wire, &mut json).expect("what was made can be read");
        Ok(String::from_utf8(json).expect("JSON is UTF-8"))
    }
}
