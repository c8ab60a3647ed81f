//! The protos of `testdata/openapi`, which have everything, and their document.

use protox::Compiler;
use protox::file::{ChainFileResolver, DescriptorSetFileResolver, GoogleFileResolver, IncludeFileResolver};
use selvedge_transcode::openapi::{self, ErrorFormat, Info};
use selvedge_transcode::{Options, Routes, Schema};
use serde_json::Value;

const CONFORMANCE: &[u8] = include_bytes!("../../testdata/conformance.binpb");

pub(crate) fn schema() -> Schema {
    let mut resolver = ChainFileResolver::new();
    resolver.add(IncludeFileResolver::new(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/openapi").into()));
    resolver.add(IncludeFileResolver::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto").into()));
    resolver.add(DescriptorSetFileResolver::decode(CONFORMANCE).expect("a descriptor set"));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file("library.proto").unwrap_or_else(|error| panic!("{error:?}"));
    Schema::decode(&[&compiler.encode_file_descriptor_set()]).expect("what protox made fits together")
}

pub(crate) fn document(schema: &Schema, options: &Options) -> Value {
    let routes = Routes::new(schema).unwrap_or_else(|errors| panic!("{errors:?}"));
    openapi::document(schema, &routes, options, &info())
}

pub(crate) fn info() -> Info {
    Info {
        title: "Library".to_owned(),
        version: "1.2.3".to_owned(),
        description: "Books.".to_owned(),
        servers: vec![],
        errors: ErrorFormat::Problem,
    }
}
