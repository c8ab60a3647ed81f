//! Protos that are written inside of the tests.

use std::path::PathBuf;

use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver};
use selvedge_transcode::Schema;

/// The schema of a file `test.proto` of the package `test`; the usual imports are there.
pub(crate) fn schema(definitions: &str) -> Schema {
    Schema::decode(&[&descriptors(definitions)]).expect("what protox made fits together")
}

/// The same as an encoded set, of which it is the last file.
pub(crate) fn descriptors(definitions: &str) -> Vec<u8> {
    // Only proto2 has that word.
    let syntax = if definitions.contains(" required ") { "proto2" } else { "proto3" };
    let source = format!("syntax = \"{syntax}\";{HEAD}{definitions}");
    let mut resolver = ChainFileResolver::new();
    resolver.add(Inline(source));
    resolver.add(GoogleFileResolver::new());
    resolver
        .add(IncludeFileResolver::new(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto"))));
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file("test.proto").unwrap_or_else(|error| panic!("{error:?}\n{definitions}"));
    compiler.encode_file_descriptor_set()
}

const HEAD: &str = r#"
    package test;
    import "google/api/annotations.proto";
    import "google/api/field_behavior.proto";
    import "google/protobuf/any.proto";
    import "google/protobuf/duration.proto";
    import "google/protobuf/empty.proto";
    import "google/protobuf/field_mask.proto";
    import "google/protobuf/struct.proto";
    import "google/protobuf/timestamp.proto";
    import "google/protobuf/wrappers.proto";
"#;

struct Inline(String);

impl FileResolver for Inline {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name == "test.proto" {
            File::from_source(name, &self.0)
        } else {
            Err(protox::Error::file_not_found(name))
        }
    }
}
