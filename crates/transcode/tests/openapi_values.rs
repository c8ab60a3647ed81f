//! What a document says of JSON, held against JSON itself.

#[path = "support/library.rs"]
mod library;

use selvedge_transcode::{Options, Schema, ToJson, ToWire};
use serde_json::{Value, json};

#[test]
fn answers_are_as_the_document_says_under_all_options() {
    let schema = library::schema();
    let d = Options::default;
    for options in [
        d(),
        Options { enums_as_numbers: true, ..d() },
        Options { proto_names: true, ..d() },
        Options { omit_defaults: true, ..d() },
        Options { numbers_for_64_bit: true, ..d() },
    ] {
        let document = library::document(&schema, &options);
        for (name, full_name) in [
            ("Everything", "library.v1.Everything"),
            ("Book", "library.v1.Book"),
            ("Tree", "library.v1.Tree"),
            ("TestAllTypesProto3", "protobuf_test_messages.proto3.TestAllTypesProto3"),
        ] {
            let empty = json(&schema, &options, full_name, &[]);
            assert_eq!(breach(&document, name, &empty), None, "{options:?} {empty}");
            // The document's own example of an answer, there and back.
            let example = example_of(&document, name).unwrap_or_else(|| panic!("no example of {name}"));
            let wire = wire(&schema, &options, full_name, &example);
            let answer = json(&schema, &options, full_name, &wire.expect("an example is valid"));
            assert_eq!(breach(&document, name, &answer), None, "{options:?} {answer}");
        }
        for values in [extremes(), json!({"any": {}})] {
            let wire = wire(&schema, &Options::default(), "library.v1.Everything", &values);
            let answer = json(&schema, &options, "library.v1.Everything", &wire.expect("all of it is valid"));
            assert_eq!(breach(&document, "Everything", &answer), None, "{options:?} {answer}");
        }
    }
}

/// Values at the edges of their types.
fn extremes() -> Value {
    json!({
        "double": "NaN", "float": "-Infinity", "int64": "-9223372036854775808", "uint64": "18446744073709551615",
        "uint32": u32::MAX, "int32": i32::MIN, "bytes": "AAECA/8=", "timestamp": "0001-01-01T00:00:00Z",
        "duration": "-315576000000.999999999s", "mask": "a.b,cD", "struct": {"a": [null, 1]}, "value": null,
        "list": [1, "2"], "any": {"@type": "type.googleapis.com/library.v1.Tree", "value": "x"}, "wrapped": "0",
        "byNumber": {"-5": "GENRE_NOVEL"}, "byTruth": {"true": ""}, "byName": {"": "Infinity"},
    })
}

#[test]
fn what_breaks_a_rule_breaks_the_schema() {
    let schema = library::schema();
    let document = library::document(&schema, &Options::default());
    let everything = json!({
        "fixed64": "1", "string": "a.b", "genre": "GENRE_FACTS", "byNumber": {"1": "GENRE_FACTS"}, "must": "x",
    });
    assert_eq!(breach(&document, "EverythingInput", &everything), None);
    for (field, good, bad) in [
        ("float", json!(1.5), json!("NaN")),
        ("int32", json!(-5), json!(-6)),
        ("int32", json!(4), json!(5)),
        ("int64", json!("0"), json!("-1")),
        ("uint32", json!(12), json!(13)),
        ("uint32", json!(0), json!(-1)),
        ("sint32", json!(1), json!(2)),
        ("fixed64", json!("7"), json!("0")),
        ("string", json!("a.bc"), json!("axbc")),
        ("string", json!("a.b"), json!("a.b4567890123")),
        ("bytes", json!("AAAAAA=="), json!("AAA=")),
        ("genre", json!("GENRE_FICTION"), json!("GENRE_UNSPECIFIED")),
        ("genre", json!("GENRE_NOVEL"), json!("GENRE_POETRY")),
        ("timestamp", json!("2026-01-31T00:00:00Z"), json!("yesterday")),
        ("duration", json!("-1.5s"), json!("1.5")),
        ("any", json!({"@type": "t/x", "a": 1}), json!({"a": 1})),
        ("any", json!({}), json!([])),
        ("wrapped", json!(null), json!("0")),
        ("wrapped", json!("1"), json!("-1")),
        ("null", json!(null), json!(0)),
        ("byNumber", json!({"-1": "GENRE_FACTS"}), json!({})),
        ("byNumber", json!({"1": "GENRE_NOVEL"}), json!({"one": "GENRE_FACTS"})),
        ("byTruth", json!({"true": "AA=="}), json!({"yes": "AA=="})),
        ("byName", json!({"abc": 0.5}), json!({"ABC": 0.5})),
        ("byName", json!({"abc": "Infinity"}), json!({"abc": "NaN"})),
        ("byName", json!({"abc": 0}), json!({"abc": -1})),
        ("emails", json!(["a@b.org"]), json!(["a@b.org", "a@b.org"])),
        ("emails", json!([]), json!(["not an address"])),
        ("host", json!("example.org"), json!("-example-.org")),
        ("ip", json!("::1"), json!("1.2.3")),
        ("ignored", json!("abc"), json!(1)),
        ("must", json!("x"), json!("")),
        ("nobodyKnows", Value::Null, json!(1)),
    ] {
        let with = |value: Value| {
            let mut changed = everything.clone();
            changed[field] = value;
            changed
        };
        if field != "nobodyKnows" {
            assert_eq!(breach(&document, "EverythingInput", &with(good)), None, "{field}");
        }
        assert!(breach(&document, "EverythingInput", &with(bad.clone())).is_some(), "{field}: {bad}");
    }
    for required in ["fixed64", "string", "genre", "byNumber", "must"] {
        let mut without = everything.clone();
        without.as_object_mut().expect("an object").remove(required);
        assert!(breach(&document, "EverythingInput", &without).is_some(), "{required} is required");
    }
}

#[test]
fn a_oneof_has_one_member_and_a_patch_needs_none() {
    let schema = library::schema();
    let document = library::document(&schema, &Options::default());
    let book = |more: Value| {
        let mut book = json!({"title": "Emma", "authors": [{"name": "Jane"}]});
        book.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        book
    };
    let is_valid = |name: &str, book: &Value| breach(&document, name, book).is_none();
    assert!(is_valid("BookInput", &book(json!({"colour": "red"}))));
    assert!(is_valid("BookInput", &book(json!({"image": "AAAA", "id": "is ignored"}))));
    assert!(!is_valid("BookInput", &book(json!({"colour": "red", "image": "AAAA"}))));
    assert!(!is_valid("BookInput", &book(json!({"colour": "green"}))));
    assert!(!is_valid("BookInput", &book(json!({}))), "one of the covers is asked for");
    assert!(!is_valid("BookInput", &json!({"title": "Emma", "colour": "red"})), "so are authors");

    assert!(is_valid("BookPatch", &json!({})));
    assert!(is_valid("BookPatch", &json!({"pages": null, "editor": {"address": {}}})));
    assert!(!is_valid("BookPatch", &json!({"title": null})), "what is required cannot be cleared");
    assert!(!is_valid("BookPatch", &json!({"title": ""})));
    assert!(!is_valid("BookPatch", &json!({"authors": [{}]})), "the values of a list are whole");
    assert!(!is_valid("BookPatch", &json!({"colour": "red", "image": "AAAA"})));
}

#[test]
fn what_was_read_may_be_sent_back() {
    let schema = library::schema();
    let document = library::document(&schema, &Options::default());
    let example = example_of(&document, "Book").expect("there is one");
    assert_eq!(breach(&document, "BookPatch", &example), None);
}

#[test]
fn requests_made_from_the_document_are_read() {
    let schema = library::schema();
    let options = Options::default();
    let document = library::document(&schema, &options);
    let mut count = 0;
    for (path, message) in [
        ("/v1/shelves/{shelvesId}/books", "library.v1.Book"),
        ("/v1/everything", "library.v1.Everything"),
        ("/v1/books:search", "library.v1.SearchBooksRequest"),
        ("/v1/proto2", "protobuf_test_messages.proto2.TestAllTypesProto2"),
    ] {
        let body = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"];
        assert!(body.is_object(), "{path}: {body}");
        wire(&schema, &options, message, body).unwrap_or_else(|error| panic!("{path}: {error}"));
        count += 1;
    }
    assert_eq!(count, 4);
}

/// What is wrong with a request or an answer, if it is not as the named schema has it. Formats count.
fn breach(document: &Value, name: &str, value: &Value) -> Option<String> {
    let reference = format!("#/components/schemas/{name}");
    let schema = json!({"$ref": reference, "components": document["components"]});
    let validator = jsonschema::options().should_validate_formats(true).build(&schema);
    let validator = validator.unwrap_or_else(|error| panic!("{name}: {error}"));
    validator.iter_errors(value).next().map(|error| format!("{}: {error}", error.instance_path()))
}

fn wire(schema: &Schema, options: &Options, message: &str, json: &Value) -> Result<Vec<u8>, String> {
    let mut out = vec![];
    let message = schema.message(message).expect(message);
    let made = ToWire::new(schema, options).message(message, json.to_string().as_bytes(), &mut out);
    made.map(|()| out).map_err(|error| error.to_string())
}

fn json(schema: &Schema, options: &Options, message: &str, wire: &[u8]) -> Value {
    let mut out = vec![];
    let message = schema.message(message).expect(message);
    ToJson::new(schema, options).message(message, wire, &mut out).expect("it is well-formed");
    serde_json::from_slice(&out).expect("it is JSON")
}

/// The example of the first answer that is this message.
fn example_of(document: &Value, name: &str) -> Option<Value> {
    let reference = json!({"$ref": format!("#/components/schemas/{name}")});
    let operations =
        document["paths"].as_object()?.values().filter_map(Value::as_object).flat_map(|item| item.values());
    let responses =
        operations.filter_map(|operation| operation["responses"].as_object()).flat_map(|all| all.values());
    let mut contents = responses.map(|response| &response["content"]["application/json"]);
    contents.find(|content| content["schema"] == reference).map(|content| content["example"].clone())
}
