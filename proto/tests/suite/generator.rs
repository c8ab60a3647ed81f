//! What the build refuses: rules that it does not know or that do not fit, with the place where they stand.

#[path = "../../build/collections.rs"]
mod collections;
#[path = "../../build/elements.rs"]
mod elements;
#[path = "../../build/fields.rs"]
mod fields;
#[path = "../../build/literals.rs"]
mod literals;
#[path = "../../build/masks.rs"]
mod masks;
#[path = "../../build/names.rs"]
mod names;
#[path = "../../build/options.rs"]
mod options;
#[path = "../../build/patterns.rs"]
mod patterns;
#[path = "../../build/rules.rs"]
mod rules;
#[path = "../../build/validators.rs"]
mod validators;

use prost_reflect::DescriptorPool;

/// Compiles a proto, which may use what its head imports, and generates its validators.
fn generate(body: &str) -> Result<String, String> {
    let head = r#"
        syntax = "proto3";
        package t.v1;
        import "buf/validate/validate.proto";
        import "google/api/field_behavior.proto";
        import "google/protobuf/api.proto";
        import "google/protobuf/duration.proto";
        import "google/protobuf/field_mask.proto";
        import "google/protobuf/timestamp.proto";
        import "google/protobuf/wrappers.proto";
    "#;
    compile(&format!("{head}{body}")).and_then(|pool| validators::generate(&pool))
}

fn compile(proto: &str) -> Result<DescriptorPool, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    std::fs::write(folder.path().join("t.proto"), proto).map_err(|error| error.to_string())?;
    let api = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut compiler = protox::Compiler::new([folder.path(), api]).map_err(|error| error.to_string())?;
    compiler.include_imports(true).open_file("t.proto").map_err(|error| error.to_string())?;
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice())
        .map_err(|error| error.to_string())
}

/// Why the build refuses a message `M` with this field or these fields.
fn refused(fields: &str) -> String {
    let error = generate(&format!("message M {{ {fields} }} enum E {{ ZERO = 0; }}")).expect_err(fields);
    error.strip_prefix("t.proto: message t.v1.M").unwrap_or_else(|| panic!("no place: {error}")).to_owned()
}

#[test]
fn rules_must_fit_the_type_of_their_field() {
    let cases = [
        ("int32", "string.min_len = 1", "the rules `string` do not fit the type int32"),
        ("int32", "int64.gt = 1", "the rules `int64` do not fit the type int32"),
        ("sint32", "int32.gt = 1", "the rules `int32` do not fit the type sint32"),
        ("string", "bytes.min_len = 1", "the rules `bytes` do not fit the type string"),
        ("bytes", "string.min_len = 1", "the rules `string` do not fit the type bytes"),
        ("bool", "enum.const = 1", "the rules `enum` do not fit the type bool"),
        ("E", "int32.gt = 1", "the rules `int32` do not fit the type enum"),
        ("M", "string.min_len = 1", "the rules `string` do not fit the type message"),
        (
            "google.protobuf.Timestamp",
            "duration.gt = {}",
            "the rules `duration` do not fit the type timestamp",
        ),
        (
            "google.protobuf.Duration",
            "timestamp.gt = {}",
            "the rules `timestamp` do not fit the type duration",
        ),
        ("google.protobuf.StringValue", "int32.gt = 1", "the rules `int32` do not fit the type string"),
        ("string", "repeated.min_items = 1", "the rules `repeated` do not fit the type string"),
        ("repeated string", "string.min_len = 1", "the rules `string` do not fit a repeated field"),
        ("repeated string", "map.min_pairs = 1", "the rules `map` do not fit a repeated field"),
        (
            "repeated string",
            "repeated.items.int32.gt = 1",
            "items: the rules `int32` do not fit the type string",
        ),
        ("repeated M", "repeated.unique = true", "the rule `unique` does not fit items that are messages"),
        ("map<string, M>", "string.min_len = 1", "the rules `string` do not fit a map field"),
        ("map<string, M>", "map.keys.int32.gt = 1", "keys: the rules `int32` do not fit the type string"),
        (
            "map<string, M>",
            "map.values.int32.gt = 1",
            "values: the rules `int32` do not fit the type message",
        ),
    ];
    for (ty, rule, error) in cases {
        let field = format!("{ty} f = 1 [(buf.validate.field).{rule}];");
        assert_eq!(refused(&field), format!(", field f: {error}"), "{field}");
    }
    let member = "oneof o { bool b = 1; int32 f = 2 [(buf.validate.field).string.min_len = 1]; }";
    assert_eq!(refused(member), ", field f: the rules `string` do not fit the type int32");
}

#[test]
fn rules_must_make_sense() {
    let bounds = "the lower bound must lie below the upper one";
    let always = "the rule `required` does not fit what is always there";
    let cases = [
        ("int32", "int32 = {gt: 5, lt: 5}", bounds),
        ("uint64", "uint64 = {gte: 6, lte: 5}", bounds),
        ("float", "float = {gte: 6, lt: 5}", bounds),
        ("google.protobuf.Duration", "duration = {gte: {seconds: 1}, lt: {nanos: 1}}", bounds),
        ("google.protobuf.Timestamp", "timestamp = {gte: {seconds: 1}, lt: {seconds: 1}}", bounds),
        ("double", "double = {lt: nan}", "the rule `double.lt` has a number that is not finite"),
        ("double", "double = {in: [1, inf]}", "the rule `double.in` has a number that is not finite"),
        ("E", "enum.in = 1", "the rule `enum.in` has a number that its enum does not declare"),
        ("repeated string", "repeated.items.required = true", &format!("items: {always}")),
        ("map<string, string>", "map.keys.required = true", &format!("keys: {always}")),
    ];
    for (ty, rule, error) in cases {
        let field = format!("{ty} f = 1 [(buf.validate.field).{rule}];");
        assert!(refused(&field).contains(error), "{field}: {}", refused(&field));
    }
    let pattern = refused(r#"string f = 1 [(buf.validate.field).string.pattern = "("];"#);
    assert!(
        pattern.starts_with(", field f: the rule `string.pattern` is no regular expression"),
        "{pattern}"
    );
}

#[test]
fn rules_must_be_known() {
    let undeclared = [
        "string f = 1 [(buf.validate.field).string.well_known_regex = 1];",
        "string f = 1 [(buf.validate.field).cel = {}];",
        "google.protobuf.Timestamp f = 1 [(buf.validate.field).timestamp.lt_now = true];",
        "option (buf.validate.message).cel = {};",
    ];
    for fields in undeclared {
        assert!(generate(&format!("message M {{ {fields} }}")).is_err(), "{fields}");
    }
}

#[test]
fn even_rules_that_somebody_declares_must_be_known() {
    let declared = std::fs::read_to_string("buf/validate/validate.proto").expect("it is there");
    let cases = [
        (
            "message StringRules {",
            "optional string not_contains = 23;",
            "string f = 1",
            "string.not_contains = \"a\"",
        ),
        ("message BytesRules {", "optional string pattern = 4;", "bytes f = 1", "bytes.pattern = \"a\""),
        (
            "message RepeatedRules {",
            "optional bool sorted = 9;",
            "repeated bool f = 1",
            "repeated.sorted = true",
        ),
        ("message MapRules {", "optional bool sorted = 9;", "map<string, bool> f = 1", "map.sorted = true"),
        ("message FieldRules {", "optional bool cel = 99;", "bool f = 1", "cel = true"),
    ];
    for (place, rule, field, use_of_it) in cases {
        let more = declared.replace(place, &format!("{place} {rule}"));
        let pool = compile_as(&more, &format!("{field} [(buf.validate.field).{use_of_it}];"));
        let error = validators::generate(&pool).expect_err(use_of_it);
        assert!(error.starts_with("t.proto: message t.v1.M, field f: the rule `"), "{error}");
        assert!(error.ends_with("is not supported"), "{error}");
    }
}

/// Compiles a message against another declaration of the rules.
fn compile_as(rules: &str, field: &str) -> DescriptorPool {
    let folder = tempfile::tempdir().expect("there is room");
    std::fs::create_dir_all(folder.path().join("buf/validate")).expect("there is room");
    std::fs::write(folder.path().join("buf/validate/validate.proto"), rules).expect("there is room");
    let proto = format!(
        "syntax = \"proto3\"; package t.v1; import \"buf/validate/validate.proto\"; message M {{ {field} }}"
    );
    std::fs::write(folder.path().join("t.proto"), proto).expect("there is room");
    let mut compiler = protox::Compiler::new([folder.path()]).expect("the folder is there");
    compiler.include_imports(true).open_file("t.proto").unwrap_or_else(|error| panic!("{error:?}"));
    compiler.descriptor_pool()
}

#[test]
fn types_without_validators_and_unclear_masks_are_refused() {
    let error = ", field f: fields of type google.protobuf.Api are not supported";
    assert_eq!(refused("google.protobuf.Api f = 1;"), error);
    let error = ": beside an update_mask there must be exactly one resource, outside of any oneof";
    let mask = "google.protobuf.FieldMask update_mask = 1;";
    assert_eq!(refused(mask), error);
    assert_eq!(refused(&format!("{mask} M a = 2; M b = 3;")), error);
    assert_eq!(refused(&format!("{mask} repeated M a = 2;")), error);
    assert_eq!(refused(&format!("{mask} oneof o {{ M a = 2; }}")), error);
    assert!(generate(&format!("message M {{ {mask} M a = 2; repeated M b = 3; string c = 4; }}")).is_ok());

    let proto2 = compile("syntax = \"proto2\"; package t.v1; message M {}").expect("it is a proto");
    let error = validators::generate(&proto2).expect_err("it is proto2");
    assert_eq!(error, "t.proto: message t.v1.M: only proto3 is supported");
}
