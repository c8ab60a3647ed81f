//! The rules of `buf.validate` and what a request must have, as the schemas say them.

#[path = "support/inline.rs"]
mod inline;
#[path = "support/library.rs"]
mod library;

use std::sync::Arc;

use selvedge_transcode::{Found, Options, Request, ToJson, ToWire, Transcoder};
use serde_json::{Value, json};

/// The document of definitions that may use the rules.
fn of(definitions: &str) -> Value {
    let definitions = format!("import \"buf/validate/validate.proto\";{definitions}");
    library::document(&inline::schema(&definitions), &Options::default())
}

/// The schema of a component, with all that it refers to.
fn component(document: &Value, name: &str) -> jsonschema::Validator {
    validator(document, &json!({"$ref": format!("#/components/schemas/{name}")}))
}

/// The schema of the body of a request.
fn body(document: &Value, method: &str, path: &str) -> jsonschema::Validator {
    let body = &document["paths"][path][method]["requestBody"];
    validator(document, &body["content"]["application/json"]["schema"])
}

/// Formats count, as some who read a document take them for more than a remark.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_lower_bound_above_the_upper_one_leaves_a_gap() {
    let document = of("
        message Q {
            int32 narrow = 1 [(buf.validate.field).int32 = {gt: 10, lt: -5}];
            uint32 natural = 2 [(buf.validate.field).uint32 = {gte: 10, lte: 5}];
            double real = 3 [(buf.validate.field).double = {gte: 1.5, lt: -0.5}];
            int64 wide = 4 [(buf.validate.field).int64 = {gte: 10, lte: -5}];
            int64 near = 5 [(buf.validate.field).int64 = {gt: 9007199254740993, lt: 9007199254740992}];
            google.protobuf.Duration late = 6 [(buf.validate.field).duration = {gt: {seconds: 9}, lte: {seconds: 5}}];
            google.protobuf.Timestamp at = 7 [(buf.validate.field).timestamp = {gte: {seconds: 9}, lt: {seconds: 5}}];
            float there = 8 [(buf.validate.field).float = {gt: 2, lt: 1}];
        }
        service S { rpc M(Q) returns (Q) { option (google.api.http) = { post: \"/m\" body: \"*\" }; } }
    ");
    let schema = &document["components"]["schemas"]["QInput"];
    assert_eq!(schema["required"], json!(["narrow", "real", "wide"]), "of the others, zero is on a side");
    let validator = component(&document, "QInput");
    let valid = json!({"narrow": 11, "real": 2, "wide": "10"});
    for (field, good, bad) in [
        ("narrow", json!(-6), json!(-5)),
        ("narrow", json!(11), json!(10)),
        ("natural", json!(5), json!(6)),
        ("natural", json!(10), json!(-1)),
        ("real", json!(-0.75), json!(-0.5)),
        ("real", json!("Infinity"), json!("NaN")),
        ("real", json!("-Infinity"), json!(1)),
        ("there", json!(0), json!(1.5)),
        ("wide", json!("-6"), json!("")),
    ] {
        for (value, is_good) in [(good, true), (bad, false)] {
            let mut request = valid.clone();
            request[field] = value.clone();
            assert_eq!(validator.is_valid(&request), is_good, "{field}: {value}");
        }
    }
    let text = |field: &str| schema["properties"][field]["description"].as_str().unwrap().to_owned();
    assert_eq!(text("wide"), "At most -5, or at least 10.");
    assert_eq!(text("near"), "Less than 9007199254740992, or greater than 9007199254740993.");
    assert_eq!(text("late"), "At most 5s, or more than 9s.");
    assert_eq!(text("at"), "Before 1970-01-01T00:00:05Z, or not before 1970-01-01T00:00:09Z.");
    let example = &document["paths"]["/m"]["post"]["requestBody"]["content"]["application/json"]["example"];
    assert!(validator.is_valid(example), "{example}");
}

#[test]
fn what_the_path_says_is_not_asked_for_again() {
    let document = of("
        message N { string id = 1; string a = 2; }
        message F { string id = 1; string a = 2 [(google.api.field_behavior) = REQUIRED]; }
        message C { oneof c { option (buf.validate.oneof).required = true; string x = 1; string y = 2; } string id = 3; }
        message Q {
            oneof o { option (buf.validate.oneof).required = true; string t = 1; N n = 2; int32 i = 3; }
            N must = 4 [(google.api.field_behavior) = REQUIRED];
            F full = 5;
            C choice = 6;
        }
        service S {
            rpc M(Q) returns (Q) {
                option (google.api.http) = {
                    post: \"/none\" body: \"*\"
                    additional_bindings { post: \"/member/{t}/{must.id}\" body: \"*\" }
                    additional_bindings { post: \"/inside/{n.id}/{must.id}\" body: \"*\" }
                    additional_bindings { post: \"/full/{t}/{must.id}/{full.id}\" body: \"*\" }
                    additional_bindings { post: \"/choice/{t}/{must.id}/{choice.id}\" body: \"*\" }
                    additional_bindings { post: \"/field/{t}\" body: \"choice\" }
                };
            }
        }
    ");
    for (path, request, is_good) in [
        ("/none", json!({"t": "", "must": {}}), true),
        ("/none", json!({"must": {}}), false),
        ("/none", json!({"t": ""}), false),
        ("/member/{t}/{must.id}", json!({}), true),
        ("/member/{t}/{must.id}", json!({"must": {"a": ""}, "i": 1}), true),
        ("/member/{t}/{must.id}", json!({"n": {}, "i": 1}), false),
        ("/inside/{n.id}/{must.id}", json!({}), true),
        ("/full/{t}/{must.id}/{full.id}", json!({}), false),
        ("/full/{t}/{must.id}/{full.id}", json!({"full": {"a": "x"}}), true),
        ("/choice/{t}/{must.id}/{choice.id}", json!({}), false),
        ("/choice/{t}/{must.id}/{choice.id}", json!({"choice": {"x": ""}}), true),
        ("/field/{t}", json!({}), false),
        ("/field/{t}", json!({"x": ""}), true),
    ] {
        assert_eq!(body(&document, "post", path).is_valid(&request), is_good, "{path}: {request}");
    }
    let is_required = |path: &str| document["paths"][path]["post"]["requestBody"]["required"].clone();
    assert_eq!(is_required("/field/{t}"), true, "one of its members must be there");
    assert_eq!(is_required("/member/{t}/{must.id}"), Value::Null);
}

#[test]
fn a_patch_may_clear_one_member_of_a_oneof_and_set_another() {
    let schema = inline::schema(
        "
        message T {
            required string must = 1;
            oneof o {
                string a = 2; T b = 3; google.protobuf.NullValue c = 4; google.protobuf.Value d = 5;
                google.protobuf.StringValue e = 6;
            }
            optional string name = 7;
        }
        message U { optional T t = 1; optional google.protobuf.FieldMask update_mask = 2; }
        service S {
            rpc P(U) returns (T) { option (google.api.http) = { patch: \"/t/{t.name}\" body: \"t\" }; }
            rpc M(T) returns (T) { option (google.api.http) = { post: \"/t\" body: \"*\" }; }
        }
    ",
    );
    let document = library::document(&schema, &Options::default());
    let (patch, create) = (body(&document, "patch", "/t/{t.name}"), body(&document, "post", "/t"));
    let transcoder = Transcoder::new(Arc::new(schema), Options::default()).unwrap();
    let is_read = |method: &str, path: &str, body: &Value| {
        let Found::Route(found) = transcoder.find(method, path) else { panic!("it is there") };
        let body = body.to_string();
        let request = Request { body: body.as_bytes(), ..Request::default() };
        transcoder.request(&found, &request, &mut vec![]).is_ok()
    };
    for (request, is_good) in [
        (json!({"must": "", "a": null, "b": {"must": ""}}), true),
        (json!({"must": "", "a": null, "b": null}), true),
        (json!({"must": "", "a": null, "c": null}), true),
        (json!({"must": "", "a": "", "e": null}), true),
        (json!({"must": "", "a": "", "c": null}), false),
        (json!({"must": "", "a": "", "d": null}), false),
        (json!({"must": "", "a": "", "b": {"must": ""}}), false),
        (json!({"a": ""}), false),
        (json!({"must": "", "b": {"a": ""}}), false),
    ] {
        assert_eq!(patch.is_valid(&request), is_good, "{request}");
        assert_eq!(is_read("PATCH", "/t/x", &request), is_good, "{request}");
    }
    let request = json!({"must": "", "a": "", "e": null});
    assert!(create.is_valid(&request) && is_read("POST", "/t", &request));
}

#[test]
fn texts_of_numbers_and_masks_are_those_that_are_read() {
    let schema = inline::schema(
        "
        message Q {
            int64 a = 1; uint64 b = 2; map<int32, string> c = 3; map<fixed32, string> d = 4; map<sint64, string> e = 5;
            map<uint64, string> f = 6; google.protobuf.FieldMask g = 7;
        }
        service S { rpc M(Q) returns (Q) { option (google.api.http) = { post: \"/m\" body: \"*\" }; } }
    ",
    );
    let document = library::document(&schema, &Options::default());
    let validator = component(&document, "QInput");
    for (request, is_good) in [
        (json!({"a": "0"}), true),
        (json!({"a": "-9223372036854775808"}), true),
        (json!({"a": "007"}), false),
        (json!({"a": "10000000000000000000"}), false),
        (json!({"b": "18446744073709551615"}), true),
        (json!({"b": "00"}), false),
        (json!({"c": {"-2147483648": ""}}), true),
        (json!({"c": {"-01": ""}}), false),
        (json!({"c": {"2147483648": ""}}), false),
        (json!({"d": {"4294967295": ""}}), true),
        (json!({"d": {"4294967296": ""}}), false),
        (json!({"d": {"04": ""}}), false),
        (json!({"d": {"-4": ""}}), false),
        (json!({"e": {"-9223372036854775808": ""}}), true),
        (json!({"e": {"007": ""}}), false),
        (json!({"f": {"18446744073709551615": ""}}), true),
        (json!({"f": {"100000000000000000000": ""}}), false),
        (json!({"g": ""}), true),
        (json!({"g": "*"}), true),
        (json!({"g": "a,bC.dE2,F"}), true),
        (json!({"g": "a,"}), false),
        (json!({"g": "a b"}), false),
        (json!({"g": "a..b"}), false),
        (json!({"g": "a_b"}), false),
        (json!({"g": "\u{e9}"}), false),
    ] {
        assert_eq!(validator.is_valid(&request), is_good, "{request}");
        let message = schema.message("test.Q").unwrap();
        let read = ToWire::new(&schema, &Options::default());
        let read = read.message(message, request.to_string().as_bytes(), &mut vec![]);
        assert_eq!(read.is_ok(), is_good, "{request}");
    }
}

#[test]
fn a_zero_that_is_spared_passes() {
    let document = of("
        enum E { E_UNSPECIFIED = 0; E_ONE = 1; }
        message Q {
            string mail = 1 [(buf.validate.field) = {string: {email: true}, ignore: IGNORE_IF_ZERO_VALUE}];
            optional string ip = 2 [(buf.validate.field) = {string: {ip: true}, ignore: IGNORE_IF_ZERO_VALUE}];
            int32 small = 3 [(buf.validate.field) = {int32: {gt: 5}, ignore: IGNORE_IF_ZERO_VALUE}];
            uint64 wide = 4 [(buf.validate.field) = {uint64: {gt: 5}, ignore: IGNORE_IF_ZERO_VALUE}];
            E kind = 5 [(buf.validate.field) = {enum: {not_in: [0]}, ignore: IGNORE_IF_ZERO_VALUE}];
            repeated string list = 6 [(buf.validate.field) = {
                repeated: {min_items: 2, items: {string: {min_len: 3}, ignore: IGNORE_IF_ZERO_VALUE}},
                ignore: IGNORE_IF_ZERO_VALUE
            }];
            map<string, bytes> map = 7 [(buf.validate.field) = {map: {min_pairs: 1}, ignore: IGNORE_IF_ZERO_VALUE}];
            bool yes = 8 [(buf.validate.field) = {bool: {const: true}, ignore: IGNORE_IF_ZERO_VALUE}];
            double real = 9 [(buf.validate.field) = {double: {lt: 0}, ignore: IGNORE_IF_ZERO_VALUE}];
            string must = 10 [(buf.validate.field) = {required: true, ignore: IGNORE_IF_ZERO_VALUE}];
        }
        service S { rpc M(Q) returns (Q) { option (google.api.http) = { post: \"/m\" body: \"*\" }; } }
    ");
    let validator = component(&document, "QInput");
    for (field, good, bad) in [
        ("mail", json!(["", "a@b.org"]), json!(["a"])),
        ("ip", json!(["", "::1"]), json!(["a"])),
        ("small", json!([0, 6]), json!([5, -1])),
        ("wide", json!(["0", "6"]), json!([0])),
        ("kind", json!(["E_UNSPECIFIED", "E_ONE"]), json!(["E_TWO"])),
        ("list", json!([[], ["", "abc"]]), json!([["abc"], ["a", "abc"]])),
        ("map", json!([{}, {"a": ""}]), json!([null])),
        ("yes", json!([false, true]), json!(["true"])),
        ("real", json!([0, -1, "-Infinity"]), json!([1, "NaN"])),
        ("must", json!(["x"]), json!([""])),
    ] {
        for (values, is_good) in [(good, true), (bad, false)] {
            for value in values.as_array().unwrap() {
                let mut request = json!({"must": "x"});
                request[field] = value.clone();
                assert_eq!(validator.is_valid(&request), is_good, "{field}: {value}");
            }
        }
    }
    let example = &document["paths"]["/m"]["post"]["requestBody"]["content"]["application/json"]["example"];
    assert!(validator.is_valid(example), "{example}");
}

#[test]
fn an_answer_has_a_form_only_where_it_cannot_be_empty() {
    let schema = inline::schema(
        "
        import \"buf/validate/validate.proto\";
        message Q {
            string mail = 1 [(buf.validate.field) = {string: {email: true}, ignore: IGNORE_IF_ZERO_VALUE}];
            string id = 2 [(buf.validate.field).string.uuid = true];
            optional string old_id = 3 [(buf.validate.field).string.uuid = true];
            optional string ip = 4 [(buf.validate.field) = {string: {ip: true}, ignore: IGNORE_IF_ZERO_VALUE}];
        }
        service S { rpc M(Q) returns (Q) { option (google.api.http) = { post: \"/m\" body: \"*\" }; } }
    ",
    );
    let forms = |options: &Options| {
        let document = library::document(&schema, options);
        let mut answer = vec![];
        let writer = ToJson::new(&schema, options);
        writer.message(schema.message("test.Q").unwrap(), b"\x22\x00", &mut answer).unwrap();
        let answer = serde_json::from_slice::<Value>(&answer).unwrap();
        assert!(component(&document, "Q").is_valid(&answer), "{answer}");
        let properties = &document["components"]["schemas"]["Q"]["properties"];
        let names = ["mail", "id", "oldId", "ip"];
        let has_form =
            |name: &&str| ["format", "anyOf", "pattern"].iter().any(|it| !properties[*name][it].is_null());
        let shown = |name: &&str| has_form(name) || properties[*name]["examples"][0].is_string();
        assert!(names.iter().all(shown), "{properties}");
        names.into_iter().filter(has_form).collect::<Vec<_>>()
    };
    assert_eq!(forms(&Options::default()), ["oldId"]);
    let omitted = Options { omit_defaults: true, ..Options::default() };
    assert_eq!(forms(&omitted), ["mail", "id", "oldId"]);
}

#[test]
fn an_answer_need_not_have_an_extension() {
    let schema = inline::schema(
        "
        message Q { required string a = 1; repeated string b = 2; extensions 10 to 20; }
        extend Q { repeated string c = 10; }
        service S { rpc M(Q) returns (Q) { option (google.api.http) = { post: \"/m\" body: \"*\" }; } }
    ",
    );
    let document = library::document(&schema, &Options::default());
    let mut answer = vec![];
    let writer = ToJson::new(&schema, &Options::default());
    writer.message(schema.message("test.Q").unwrap(), b"\x0a\x01x", &mut answer).unwrap();
    let answer = serde_json::from_slice::<Value>(&answer).unwrap();
    assert_eq!(answer, json!({"a": "x", "b": []}));
    assert!(component(&document, "Q").is_valid(&answer));
}

#[test]
fn the_example_of_a_long_number_is_within_its_bounds() {
    let document = of("
        message Q {
            int64 a = 1 [(buf.validate.field).int64 = {gte: 10, lte: -5}];
            int64 b = 2 [(buf.validate.field).int64 = {lt: -5}];
            uint64 c = 3 [(buf.validate.field).uint64 = {gt: 50, not_in: [51]}];
            int64 d = 4 [(buf.validate.field) = {required: true, int64: {lte: 10}}];
            int64 e = 5 [(google.api.field_behavior) = REQUIRED];
        }
        service S { rpc M(Q) returns (Q) { option (google.api.http) = { post: \"/m\" body: \"*\" }; } }
    ");
    let example = &document["paths"]["/m"]["post"]["requestBody"]["content"]["application/json"]["example"];
    assert_eq!(example, &json!({"a": "10", "b": "-6", "c": "52", "d": "1", "e": "42"}));
}

#[test]
fn the_example_of_a_natural_number_is_above_its_bound() {
    let document = of("
        message Q { uint32 a = 1 [(buf.validate.field).uint32.gt = 5]; }
        service S { rpc M(Q) returns (Q) { option (google.api.http) = { post: \"/m\" body: \"*\" }; } }
    ");
    let example = &document["paths"]["/m"]["post"]["requestBody"]["content"]["application/json"]["example"];
    assert_eq!(example, &json!({"a": 6}));
    assert!(library::document(&library::schema(), &Options::default()).is_object());
}
