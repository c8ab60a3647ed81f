//! Which fields of a JSON object are written, and which objects are refused.

#[path = "support/cases.rs"]
mod cases;
#[path = "support/json.rs"]
mod json;

use json::{PROTO3, Reader};
use selvedge_transcode::Options;

const PROTO2: &str = "protobuf_test_messages.proto2.TestAllTypesProto2";

fn strict() -> Reader {
    Reader::new(PROTO3, &Options::default())
}

fn with(change: impl FnOnce(&mut Options)) -> Reader {
    let mut options = Options::default();
    change(&mut options);
    Reader::new(PROTO3, &options)
}

#[test]
fn names_of_json_and_of_the_proto_in_any_order() {
    strict().reads(&[
        ("{}", ""),
        (" \t\r\n{ \n } ", ""),
        (r#"{"optionalInt32": 5}"#, "08 05"),
        (r#"{"optional_int32": 5}"#, "08 05"),
        (r#"{"optional\u0049nt32": 5}"#, "08 05"),
        (r#"{"optionalInt64":"6","optionalInt32":5}"#, "10 06 08 05"),
        (r#"{ "optionalInt32" : 5 , "optionalInt64" : 6 }"#, "08 05 10 06"),
        (r#"{"FieldName8":1,"fieldName9":2,"_field_name3":3}"#, "c0 19 01 c8 19 02 98 19 03"),
    ]);
}

#[test]
fn zeros_without_presence_are_left_out() {
    strict().reads(&[
        (r#"{"optionalInt32":0,"optionalBool":false,"optionalString":"","optionalBytes":""}"#, ""),
        (r#"{"optionalDouble":0,"optionalFloat":0.0,"optionalNestedEnum":"FOO"}"#, ""),
        (r#"{"optionalDouble":-0.0}"#, "61 0000000000000080"),
        (r#"{"optionalFloat":-0}"#, "5d 00000080"),
        (r#"{"optionalNestedMessage":{}}"#, "92 01 00"),
        (r#"{"oneofUint32":0}"#, "f8 06 00"),
        (r#"{"oneofString":""}"#, "8a 07 00"),
        (r#"{"repeatedInt32":[],"repeatedString":[],"mapInt32Int32":{}}"#, ""),
        (r#"{"repeatedInt32":[0],"repeatedString":[""]}"#, "fa 01 01 00 e2 02 00"),
        (r#"{"mapInt32Int32":{"0":0}}"#, "c2 03 04 08 00 10 00"),
        (r#"{"optionalInt32Wrapper":0}"#, "d2 0c 00"),
        (r#"{"optionalInt32Wrapper":1}"#, "d2 0c 02 08 01"),
    ]);
    Reader::new(PROTO2, &Options::default()).reads(&[
        (r#"{"optionalInt32":0,"optionalBool":false,"optionalString":""}"#, "08 00 68 00 72 00"),
        (r#"{"repeatedInt32":[1,2]}"#, "f8 01 01 f8 01 02"),
    ]);
}

#[test]
fn null_clears_but_where_it_is_a_value() {
    let reader = strict();
    reader.reads(&[
        (r#"{"optionalInt32":null,"optionalNestedMessage":null,"optionalTimestamp":null}"#, ""),
        (r#"{"repeatedInt32":null,"mapInt32Int32":null,"repeatedValue":null}"#, ""),
        (r#"{"optionalInt32Wrapper":null,"optionalStruct":null,"optionalAny":null}"#, ""),
        (r#"{"optionalValue":null}"#, "92 13 02 08 00"),
        (r#"{"optionalNullValue":null}"#, ""),
        (r#"{"oneofNullValue":null}"#, "c0 07 00"),
        (r#"{"oneofNullValue":"NULL_VALUE"}"#, "c0 07 00"),
        (r#"{"repeatedValue":[null]}"#, "e2 13 02 08 00"),
        (r#"{"repeatedListValue":[[null]]}"#, "ea 13 04 0a 02 08 00"),
        (r#"{"oneofUint32":null,"oneofString":"a","oneofBool":null}"#, "8a 07 01 61"),
    ]);
    reader.refuses(&[
        ("null", "expected an object, found null"),
        (r#"{"repeatedInt32":[1,null]}"#, "repeatedInt32[1]: null is not allowed"),
        (r#"{"repeatedNestedMessage":[null]}"#, "repeatedNestedMessage[0]: null is not allowed"),
        (r#"{"repeatedBoolWrapper":[null]}"#, "repeatedBoolWrapper[0]: null is not allowed"),
        (r#"{"mapStringString":{"a":null}}"#, r#"mapStringString["a"]: null is not allowed"#),
        (r#"{"optionalInt32":nul}"#, "optionalInt32: expected `null`, found `n`, line 1, column 18"),
        (r#"{"repeatedInt32":[nul]}"#, "repeatedInt32[0]: expected an integer of 32 bits, found `n`"),
    ]);
}

#[test]
fn a_oneof_has_one_member() {
    strict().refuses(&[
        (r#"{"oneofUint32":1,"oneofString":"a"}"#, "oneofString: another field of `oneof_field` is there"),
        (r#"{"oneofUint32":0,"oneofNullValue":null}"#, "oneofNullValue: another field of `oneof_field`"),
    ]);
}

#[test]
fn no_key_comes_twice() {
    strict().refuses(&[
        (r#"{"optionalInt32":1,"optionalInt32":1}"#, "optionalInt32: the field is there twice"),
        (r#"{"optionalInt32":1,"optional_int32":1}"#, "optionalInt32: the field is there twice"),
        (r#"{"optionalInt32":null,"optionalInt32":1}"#, "optionalInt32: the field is there twice"),
        (r#"{"repeatedInt32":[1],"repeatedInt32":[2]}"#, "repeatedInt32: the field is there twice"),
        (r#"{"mapStringString":{"a":"","\u0061":""}}"#, r#"mapStringString["a"]: the key is there twice"#),
        (r#"{"mapInt32Int32":{"1":1,"1e0":1}}"#, r#"mapInt32Int32["1e0"]: the key is there twice"#),
        (r#"{"mapBoolBool":{"true":true,"true":true}}"#, r#"mapBoolBool["true"]: the key is there twice"#),
        (r#"{"optionalStruct":{"a":1,"a":1}}"#, r#"optionalStruct["a"]: the key is there twice"#),
        (
            r#"{"optionalAny":{"@type":"a/google.protobuf.Struct","@type":""}}"#,
            "optionalAny.@type: the field",
        ),
    ]);
    let many = (0..5_000).map(|key| format!(r#""{key}":0,"#)).collect::<String>();
    let error =
        strict().read(format!(r#"{{"mapInt32Int32":{{{many}"70":1}}}}"#)).expect_err("70 comes twice");
    assert_eq!(error.to_string(), r#"mapInt32Int32["70"]: the key is there twice"#);
}

#[test]
fn the_last_of_equal_keys_wins_where_that_is_allowed() {
    let reader = with(|options| options.allow_duplicate_keys = true);
    reader.reads(&[
        (r#"{"optionalInt32":1,"optionalInt32":2}"#, "08 02"),
        (r#"{"optionalInt32":1,"optionalInt64":3,"optional_int32":2}"#, "10 03 08 02"),
        (r#"{"optionalInt32":1,"optionalInt64":3,"optionalInt32":0}"#, "10 03"),
        (r#"{"optionalInt32":1,"optionalInt32":null}"#, ""),
        (r#"{"optionalInt32":1,"optionalInt32":2,"optionalInt32":3,"optionalInt64":4}"#, "08 03 10 04"),
        (r#"{"unpackedInt32":[1,2],"optionalInt32":1,"unpackedInt32":[3,4]}"#, "08 01 c8 05 03 c8 05 04"),
        (r#"{"mapInt32Int32":{"1":1},"mapInt32Int32":{"2":2}}"#, "c2 03 04 08 02 10 02"),
        (r#"{"optionalNestedMessage":{"a":1},"optionalNestedMessage":{}}"#, "92 01 00"),
        (r#"{"optionalNestedMessage":{"a":1,"a":2}}"#, "92 01 02 08 02"),
        (r#"{"oneofUint32":1,"oneofUint32":null,"oneofString":"a"}"#, "8a 07 01 61"),
    ]);
    // A field that is set again does not let another one of its oneof in.
    reader.refuses(&[
        (r#"{"oneofUint32":1,"oneofUint32":2,"oneofString":"a"}"#, "oneofString: another field of"),
        (r#"{"oneofUint32":1,"oneofString":null,"oneofString":null,"oneofBool":true}"#, "oneofBool: another"),
    ]);
    let any =
        r#"{"optionalAny":{"@type":"","@type":"a/protobuf_test_messages.proto3.ForeignMessage","c":1}}"#;
    let wire = reader.read(any).expect("the last type wins");
    assert!(wire.ends_with("12020801"), "{wire}");
}

#[test]
fn unknown_fields() {
    let json = r#"{"x":{"y":[1,-2.5e3,"\ud83d\ude00",null,true,false,{},[]]},"optionalInt32":1}"#;
    strict().refuses(&[
        (json, "x: `protobuf_test_messages.proto3.TestAllTypesProto3` has no such field"),
        (r#"{"optionalNestedMessage":{"b":1}}"#, "optionalNestedMessage.b: "),
        (r#"{"@type":1}"#, "@type: "),
        (r#"{"[x]":1}"#, "[x]: "),
    ]);
    let lenient = with(|options| options.ignore_unknown_fields = true);
    lenient.reads(&[(json, "08 01"), (r#"{"optionalNestedMessage":{"b":1,"a":1}}"#, "92 01 02 08 01")]);
    // What is skipped is JSON all the same.
    lenient.refuses(&[
        (r#"{"x":[1,]}"#, "expected a value, found `]`, line 1, column 9"),
        (r#"{"x":{"y"}}"#, "expected `:`"),
        (r#"{"x":{"y":1,}}"#, "expected a key"),
        (r#"{"x":01}"#, "expected `,` or `}`, found `1`"),
        (r#"{"x":"\ud800"}"#, "`\\ud800` is no character"),
        (r#"{"x":"\x"}"#, "`\\x` is no escape"),
        (r#"{"x":nulL}"#, "expected `null`"),
        (r#"{"x":[1}"#, "expected `,` or `]`"),
        (r#"{"x":"#, "expected a value, found the end"),
    ]);
}

#[test]
fn unknown_values_of_enums() {
    let cases = [
        (r#"{"optionalNestedEnum":"X"}"#, "optionalNestedEnum: `X` is not a value of", ""),
        (r#"{"repeatedNestedEnum":["BAR","X","BAZ"]}"#, "repeatedNestedEnum[1]: `X`", "9a 03 02 01 02"),
        (r#"{"repeatedNestedEnum":["X"]}"#, "repeatedNestedEnum[0]: `X`", ""),
        (
            r#"{"mapStringNestedEnum":{"a":"X","b":"BAR"}}"#,
            r#"mapStringNestedEnum["a"]: `X`"#,
            "ca 04 05 0a 01 62 10 01",
        ),
        (r#"{"oneofEnum":"X","oneofBool":true}"#, "oneofEnum: `X`", "98 07 01"),
    ];
    let lenient = with(|options| options.ignore_unknown_enum_names = true);
    for (json, error, wire) in cases {
        strict().refuses(&[(json, error)]);
        lenient.reads(&[(json, wire)]);
    }
    strict().reads(&[
        (r#"{"optionalNestedEnum":"NEG"}"#, "a8 01 ffffffffffffffffff01"),
        (r#"{"optionalNestedEnum":77}"#, "a8 01 4d"),
        (r#"{"optionalNestedEnum":1.0}"#, "a8 01 01"),
        (r#"{"optionalAliasedEnum":"moo"}"#, "b8 01 02"),
    ]);
    let closed = |ignore_unknown_enum_names| {
        Reader::new(PROTO2, &Options { ignore_unknown_enum_names, ..Options::default() })
    };
    closed(false).reads(&[(r#"{"optionalNestedEnum":-1}"#, "a8 01 ffffffffffffffffff01")]);
    closed(false).refuses(&[(
        r#"{"optionalNestedEnum":77}"#,
        "optionalNestedEnum: `protobuf_test_messages.proto2.Te",
    )]);
    closed(true).reads(&[(r#"{"optionalNestedEnum":77}"#, "")]);
}

#[test]
fn trailing_text() {
    let lenient = with(|options| options.ignore_trailing_text = true);
    for json in ["{}x", "{} {}", "{},", "{}]", "{}\0"] {
        strict().refuses(&[(json, "expected the end, found")]);
        lenient.reads(&[(json, "")]);
    }
    lenient.refuses(&[("{", "expected a key, found the end, line 1, column 2")]);
}

#[test]
fn groups_extensions_and_message_sets() {
    let extension = "[protobuf_test_messages.proto2.extension_int32]";
    let set = "[protobuf_test_messages.proto2.TestAllTypesProto2.MessageSetCorrectExtension2.message_set_extension]";
    let reader = Reader::new(PROTO2, &Options::default());
    reader.reads(&[
        (r#"{"data":{"groupInt32":1}}"#, "cb 0c d0 0c 01 cc 0c"),
        (&format!(r#"{{"{extension}":1}}"#), "c0 07 01"),
        // 1 { 2: 4135312  3: { 9: 1 } }
        (
            &format!(r#"{{"messageSetCorrect":{{"{set}":{{"i":1}}}}}}"#),
            "a2 1f 0b 0b 10 90b3fc01 1a 02 48 01 0c",
        ),
    ]);
    reader.refuses(&[
        (&format!(r#"{{"{extension}":""}}"#), &format!("{extension}: `` is not an integer of 32 bits")),
        (
            &format!(r#"{{"messageSetCorrect":{{"{set}":{{"i":""}}}}}}"#),
            &format!("messageSetCorrect{set}.i: "),
        ),
    ]);
}
