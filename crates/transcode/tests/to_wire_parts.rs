//! Single fields from JSON and from plain text, and the fields that an object has.

#[path = "support/json.rs"]
mod json;

use json::{PROTO3, Reader, SCHEMA, hex};
use selvedge_transcode::{Error, Kind, MessageId, Options, Schema, ToJson, ToWire};

const PROTO2: &str = "protobuf_test_messages.proto2.TestAllTypesProto2";

fn reader() -> Reader {
    Reader::new(PROTO3, &Options::default())
}

impl Reader {
    fn index(&self, field: &str) -> usize {
        let fields = &SCHEMA[self.message].fields;
        fields.iter().position(|one| &*one.name == field).expect(field)
    }

    fn field(&self, field: &str, json: &str) -> Result<String, Error> {
        let mut out = vec![];
        self.to_wire.field(self.message, self.index(field), json.as_bytes(), &mut out)?;
        Ok(hex(&out))
    }

    fn text(&self, field: &str, text: &str) -> Result<String, Error> {
        let mut out = vec![];
        self.to_wire.text(self.message, self.index(field), text, &mut out)?;
        Ok(hex(&out))
    }
}

#[test]
fn a_field_from_json() {
    let reader = reader();
    for (field, json, expected) in [
        ("optional_int32", " 5 ", "0805"),
        ("optional_int32", "0", ""),
        ("optional_int32", "null", ""),
        ("optional_string", r#""a""#, "720161"),
        ("optional_nested_message", r#"{"a":1}"#, "9201020801"),
        ("repeated_int32", "[1,2]", "fa01020102"),
        ("map_int32_int32", r#"{"1":2}"#, "c2030408011002"),
        ("optional_value", "null", "9213020800"),
        ("optional_duration", r#""1s""#, "ea12020801"),
    ] {
        assert_eq!(reader.field(field, json).as_deref(), Ok(expected), "{field} {json}");
    }
    for (field, json, expected) in [
        ("optional_int32", "5 5", "expected the end, found `5`"),
        ("optional_int32", "", "expected an integer of 32 bits, found the end"),
        ("optional_nested_message", r#"{"b":1}"#, "b: "),
        ("repeated_int32", "[1,true]", "[1]: expected an integer"),
    ] {
        let error = reader.field(field, json).expect_err(json).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_field_from_text() {
    let reader = reader();
    for (field, text, expected) in [
        ("optional_int32", "-1", "08ffffffffffffffffff01"),
        ("optional_int32", "1e2", "0864"),
        ("optional_int32", "0", ""),
        ("oneof_uint32", "0", "f80600"),
        ("optional_double", "1.5", "61000000000000f83f"),
        ("optional_double", "-Infinity", "61000000000000f0ff"),
        ("optional_bool", "true", "6801"),
        ("optional_bool", "false", ""),
        ("optional_string", "a \"b\"", "7205612022 6222"),
        ("optional_string", "", ""),
        ("oneof_string", "", "8a0700"),
        ("optional_bytes", "-_8", "7a02fbff"),
        ("optional_bytes", "+/8=", "7a02fbff"),
        ("optional_nested_enum", "BAR", "a80101"),
        ("optional_nested_enum", "1", "a80101"),
        ("optional_nested_enum", "-1", "a801ffffffffffffffffff01"),
        // An element of a block stands alone.
        ("repeated_int32", "0", "f80100"),
        ("packed_double", "0", "b1050000000000000000"),
        ("repeated_string", "", "e20200"),
        ("repeated_nested_enum", "FOO", "980300"),
        ("optional_int32_wrapper", "0", "d20c00"),
        ("optional_int32_wrapper", "7", "d20c020807"),
        ("optional_bytes_wrapper", "AQ", "8a0d030a0101"),
        ("optional_timestamp", "1970-01-01T00:00:01Z", "f212020801"),
        ("optional_duration", "1s", "ea12020801"),
        ("optional_field_mask", "fooBar,foo_bar", "fa12120a07666f6f5f6261720a07666f6f5f626172"),
    ] {
        assert_eq!(reader.text(field, text), Ok(expected.replace(' ', "")), "{field} {text}");
    }
    for (field, text, expected) in [
        ("optional_int32", "", "`` is not an integer of 32 bits"),
        ("optional_int32", " 1", "` 1` is not an integer of 32 bits"),
        ("optional_int32", "2147483648", "the number is out of the range of an integer of 32 bits"),
        ("optional_bool", "1", "`1` is not true or false"),
        ("optional_bytes", "!", "`!` is not base64"),
        (
            "optional_nested_enum",
            "X",
            "`X` is not a value of `protobuf_test_messages.proto3.TestAllTypesProto3.N",
        ),
        ("optional_nested_enum", "1x", "`1x` is not an integer"),
        ("optional_timestamp", "now", "`now` is not a time"),
        ("optional_nested_message", "{}", "a message is not given as text"),
        ("optional_value", "1", "a message is not given as text"),
        ("map_int32_int32", "1", "a map is not given as text"),
    ] {
        let error = reader.text(field, text).expect_err(text);
        assert!(error.place.is_empty() && error.problem.starts_with(expected), "{error}");
    }
    let lenient = Options { ignore_unknown_enum_names: true, ..Options::default() };
    assert_eq!(Reader::new(PROTO3, &lenient).text("optional_nested_enum", "X").as_deref(), Ok(""));
    let closed = Reader::new(PROTO2, &Options::default());
    closed.text("optional_nested_enum", "77").expect_err("the enum is closed");
}

#[test]
fn the_entry_of_a_map_from_text() {
    let mut reader = reader();
    let map = SCHEMA[reader.message].field_named("map_int32_double").expect("a map");
    let Kind::Message(entry) = map.kind else { panic!("entries are messages") };
    reader.message = entry;
    assert_eq!(reader.text("key", "1").as_deref(), Ok("0801"));
    assert_eq!(reader.text("value", "1.5").as_deref(), Ok("11000000000000f83f"));
}

#[test]
fn the_fields_that_an_object_has() {
    let reader = reader();
    let paths = |json: &str| -> Result<Vec<String>, Error> {
        let found = reader.to_wire.paths(reader.message, json.as_bytes())?;
        Ok(found.iter().map(|path| names(reader.message, path)).collect())
    };
    for (json, expected) in [
        ("{}", &[][..]),
        (r#"{"optionalInt32":1,"optional_string":null}"#, &["optional_int32", "optional_string"]),
        (
            r#"{"repeatedNestedMessage":[{"a":1}],"mapStringString":{"a":"b"}}"#,
            &["repeated_nested_message", "map_string_string"],
        ),
        (
            r#"{"optionalNestedMessage":{"corecursive":{"optionalInt32":0},"a":1}}"#,
            &["optional_nested_message.corecursive.optional_int32", "optional_nested_message.a"],
        ),
        (
            r#"{"optionalNestedMessage":{},"optionalForeignMessage":null}"#,
            &["optional_nested_message", "optional_foreign_message"],
        ),
        (
            r#"{"optionalStruct":{"a":1},"optionalTimestamp":"","optionalAny":{}}"#,
            &["optional_struct", "optional_timestamp", "optional_any"],
        ),
    ] {
        assert_eq!(paths(json).expect(json), expected, "{json}");
    }
    for (json, expected) in [
        (r#"{"x":1}"#, "x: "),
        (r#"{"optionalNestedMessage":{"x":1}}"#, "optionalNestedMessage.x: "),
        (r#"{"optionalInt32":[1}"#, "optionalInt32: expected `,` or `]`"),
        ("[]", "expected an object, found a list"),
        ("{}{}", "expected the end"),
    ] {
        let error = paths(json).expect_err(json).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let deep = format!("{}{{}}{}", r#"{"recursiveMessage":"#.repeat(1_000), "}".repeat(1_000));
    assert!(!paths(&deep).expect_err("it is too deep").too_large);
}

fn names(mut message: MessageId, path: &[usize]) -> String {
    let mut names = vec![];
    for &at in path {
        let field = &SCHEMA[message].fields[at];
        names.push(&*field.name);
        if let Kind::Message(inner) = field.kind {
            message = inner;
        }
    }
    names.join(".")
}

/// What a message was made of comes back, whatever the options that JSON is written with.
#[test]
fn all_forms_of_json_are_read() {
    let reader = reader();
    let json = r#"{"optionalInt64":"-5","optionalDouble":"-Infinity","optionalNestedEnum":"BAZ","repeatedNestedMessage":[{"a":1},{}],
        "mapStringForeignEnum":{"x":"FOREIGN_BAR"},"optionalTimestamp":"2024-02-29T01:02:03.000004Z",
        "optionalStruct":{"a":[1,"b",null,{"c":true}]}}"#;
    let wire = reader.read(json).expect("it is a message");
    for pretty in [false, true] {
        for proto_names in [false, true] {
            for numbers in [false, true] {
                let options = Options {
                    pretty,
                    proto_names,
                    enums_as_numbers: numbers,
                    numbers_for_64_bit: numbers,
                    omit_defaults: numbers,
                    ..Options::default()
                };
                let mut out = vec![];
                let bytes = (0..wire.len()).step_by(2).map(|at| u8::from_str_radix(&wire[at..at + 2], 16));
                let bytes = bytes.collect::<Result<Vec<_>, _>>().expect("it is hexadecimal");
                ToJson::new(&SCHEMA, &options).message(reader.message, &bytes, &mut out).expect("a message");
                assert_eq!(reader.read(&out).as_deref(), Ok(wire.as_str()));
            }
        }
    }
}

/// Plans go from thread to thread, and without their schema.
#[test]
fn plans_are_free() {
    fn free<T: Send + Sync + 'static>(it: T) -> T {
        it
    }
    free(ToWire::new(&Schema::default(), &Options::default()));
}
