//! What values of JSON become, by the type of their field.

#[path = "support/cases.rs"]
mod cases;
#[path = "support/json.rs"]
mod json;

use json::{PROTO3, Reader};
use selvedge_transcode::Options;

fn reader() -> Reader {
    Reader::new(PROTO3, &Options::default())
}

#[test]
fn integers() {
    reader().reads(&[
        (r#"{"optionalInt32":-1}"#, "08 ffffffffffffffffff01"),
        (r#"{"optionalInt32":"-1"}"#, "08 ffffffffffffffffff01"),
        (r#"{"optionalInt32":1e2}"#, "08 64"),
        (r#"{"optionalInt32":1.0}"#, "08 01"),
        (r#"{"optionalInt32":"1e2"}"#, "08 64"),
        (r#"{"optionalInt32":"\u0031"}"#, "08 01"),
        (r#"{"optionalInt64":9223372036854775807}"#, "10 ffffffffffffffff7f"),
        (r#"{"optionalInt64":"-9223372036854775808"}"#, "10 80808080808080808001"),
        (r#"{"optionalUint64":"18446744073709551615"}"#, "20 ffffffffffffffffff01"),
        (r#"{"optionalSint32":-2}"#, "28 03"),
        (r#"{"optionalSint32":-2147483648}"#, "28 ffffffff0f"),
        (r#"{"optionalSint64":"9223372036854775807"}"#, "30 feffffffffffffffff01"),
        (r#"{"optionalFixed32":1}"#, "3d 01000000"),
        (r#"{"optionalFixed64":"1"}"#, "41 0100000000000000"),
        (r#"{"optionalSfixed32":-1}"#, "4d ffffffff"),
        (r#"{"optionalSfixed64":"-1"}"#, "51 ffffffffffffffff"),
        (r#"{"repeatedSint32":[1,"-1"],"unpackedInt32":[1,2]}"#, "9a 02 02 02 01 c8 05 01 c8 05 02"),
    ]);
    reader().refuses(&[
        (
            r#"{"optionalInt32":2147483648}"#,
            "optionalInt32: the number is out of the range of an integer of 32",
        ),
        (r#"{"optionalUint32":-1}"#, "optionalUint32: the number is out of the range of an unsigned"),
        (r#"{"optionalInt64":"9223372036854775808"}"#, "optionalInt64: the number is out of the range"),
        (r#"{"optionalUint64":1e999999999999}"#, "optionalUint64: the number is out of the range"),
        (r#"{"optionalInt32":0.5}"#, "optionalInt32: `0.5` is not an integer of 32 bits"),
        (r#"{"optionalInt32":""}"#, "optionalInt32: `` is not an integer"),
        (r#"{"optionalInt32":" 1"}"#, "optionalInt32: ` 1` is not an integer"),
        (r#"{"optionalInt32":"1 "}"#, "optionalInt32: `1 ` is not an integer"),
        (r#"{"optionalInt32":"+1"}"#, "optionalInt32: `+1` is not an integer"),
        (r#"{"optionalInt32":"0x1"}"#, "optionalInt32: `0x1` is not an integer"),
        (
            r#"{"optionalInt32":+1}"#,
            "optionalInt32: expected an integer of 32 bits, found `+`, line 1, column 18",
        ),
        (r#"{"optionalInt32":01}"#, "expected `,` or `}`, found `1`"),
        (r#"{"optionalInt32":1.}"#, "optionalInt32: expected an integer"),
        (r#"{"optionalInt32":-}"#, "optionalInt32: expected an integer"),
        (r#"{"optionalInt32":true}"#, "optionalInt32: expected an integer of 32 bits, found true"),
        (r#"{"optionalInt32":[1]}"#, "optionalInt32: expected an integer of 32 bits, found a list"),
        (r#"{"repeatedInt32":1}"#, "repeatedInt32: expected a list, found a number"),
        (r#"{"repeatedInt32":[1,"x"]}"#, "repeatedInt32[1]: `x` is not an integer"),
        (r#"{"repeatedInt32":[1,]}"#, "repeatedInt32[1]: expected an integer of 32 bits, found `]`"),
        (r#"{"repeatedInt32":[1 2]}"#, "repeatedInt32: expected `,` or `]`, found `2`"),
    ]);
}

#[test]
fn floating_point() {
    let double = |value: f64| format!("61 {}", json::hex(&value.to_le_bytes()));
    let float = |value: f32| format!("5d {}", json::hex(&value.to_le_bytes()));
    // The last ones are halfway between two, or nearly.
    for text in
        ["1", "-2.5", "0.1", "1e308", "1.7976931348623157e308", "5e-324", "1e-999", "9007199254740993"]
    {
        let expected = text.parse::<f64>().expect(text);
        let expected = if expected == 0.0 { String::new() } else { double(expected) };
        reader().reads(&[(&format!(r#"{{"optionalDouble":{text}}}"#), &expected)]);
        reader().reads(&[(&format!(r#"{{"optionalDouble":"{text}"}}"#), &expected)]);
    }
    // As a double and then as a float the last one would be rounded twice, to its neighbour.
    for text in ["1", "-2.5", "0.1", "3.4028235e38", "1e-45", "1.00000017881393432617187499"] {
        let expected = float(text.parse::<f32>().expect(text));
        reader().reads(&[(&format!(r#"{{"optionalFloat":{text}}}"#), &expected)]);
    }
    let long = format!("0.{}25e1000000", "0".repeat(1_000_000));
    reader().reads(&[
        (&format!(r#"{{"optionalDouble":{long}}}"#), &double(0.25)),
        (&format!(r#"{{"optionalFloat":"{long}"}}"#), &float(0.25)),
        (r#"{"optionalDouble":"Infinity"}"#, &double(f64::INFINITY)),
        (r#"{"optionalDouble":"-Infinity"}"#, &double(f64::NEG_INFINITY)),
        (r#"{"optionalDouble":"NaN"}"#, "61 000000000000f87f"),
        (r#"{"optionalFloat":"NaN"}"#, "5d 0000c07f"),
        (r#"{"optionalFloat":"-Infinity"}"#, &float(f32::NEG_INFINITY)),
    ]);
    reader().refuses(&[
        (r#"{"optionalDouble":1e309}"#, "optionalDouble: the number is out of the range"),
        (r#"{"optionalDouble":"-1e309"}"#, "optionalDouble: the number is out of the range"),
        (r#"{"optionalFloat":3.5e38}"#, "optionalFloat: the number is out of the range"),
        (r#"{"optionalDouble":NaN}"#, "optionalDouble: expected a number, found `N`"),
        (r#"{"optionalDouble":-Infinity}"#, "optionalDouble: expected a number, found `-`"),
        (r#"{"optionalDouble":"inf"}"#, "optionalDouble: `inf` is not a number"),
        (r#"{"optionalDouble":"nan"}"#, "optionalDouble: `nan` is not a number"),
        (r#"{"optionalDouble":""}"#, "optionalDouble: `` is not a number"),
        (r#"{"optionalDouble":"1x"}"#, "optionalDouble: `1x` is not a number"),
        (r#"{"optionalDouble":.5}"#, "optionalDouble: expected a number"),
        (r#"{"optionalDouble":1.e5}"#, "optionalDouble: expected a number"),
        (r#"{"optionalDouble":"5."}"#, "optionalDouble: `5.` is not a number"),
    ]);
}

#[test]
fn booleans() {
    reader().reads(&[
        (r#"{"optionalBool":true}"#, "68 01"),
        (r#"{"repeatedBool":[true,false]}"#, "da 02 02 01 00"),
    ]);
    reader().refuses(&[
        (r#"{"optionalBool":"true"}"#, "optionalBool: expected true or false, found a string"),
        (r#"{"optionalBool":1}"#, "optionalBool: expected true or false, found a number"),
        (r#"{"optionalBool":True}"#, "optionalBool: expected true or false, found `T`"),
        (r#"{"optionalBool":truth}"#, "optionalBool: expected `true`, found `t`"),
    ]);
}

#[test]
fn strings() {
    let reader = reader();
    reader.reads(&[
        (r#"{"optionalString":"\"\\\/\b\f\n\r\t"}"#, "72 08 22 5c 2f 08 0c 0a 0d 09"),
        (r#"{"optionalString":"\u00e9\u20AC\ud83d\ude00\u0000"}"#, "72 0a c3a9 e282ac f09f9880 00"),
        (r#"{"optionalString":"éa"}"#, "72 03 c3a9 61"),
        ("{\"optionalString\":\"\x7f\"}", "72 01 7f"),
    ]);
    for length in [1, 7, 8, 9, 100, 126, 127, 128, 129, 5_000] {
        let (plain, escaped) = ("x".repeat(length), "\\u0078".repeat(length));
        let read = |text: &str| reader.read(format!(r#"{{"optionalString":"{text}"}}"#)).expect("text");
        assert_eq!(read(&plain), read(&escaped), "{length}");
        assert!(read(&plain).ends_with(&"78".repeat(length)));
    }
    reader.refuses(&[
        (r#"{"optionalString":"\ud800"}"#, r"optionalString: `\ud800` is no character"),
        (r#"{"optionalString":"\udc00"}"#, r"optionalString: `\udc00` is no character"),
        (r#"{"optionalString":"\ud83dx"}"#, "optionalString: "),
        (r#"{"optionalString":"\ude00\ud83d"}"#, "optionalString: "),
        (r#"{"optionalString":"\ud83d\ud83d"}"#, "optionalString: "),
        (r#"{"optionalString":"\u12"}"#, "optionalString: "),
        (r#"{"optionalString":"\u+123"}"#, "optionalString: "),
        (r#"{"optionalString":"\u12é4"}"#, "optionalString: "),
        (r#"{"optionalString":"\é"}"#, r"optionalString: `\` is no escape of JSON"),
        (r#"{"optionalString":"\a"}"#, r"optionalString: `\a` is no escape of JSON"),
        (r#"{"optionalString":"\U0001f600"}"#, "optionalString: "),
        (
            "{\"optionalString\":\"a\nb\"}",
            "optionalString: a control character in a string, line 1, column 21",
        ),
        ("{\"optionalString\":\"\0\"}", "optionalString: a control character"),
        (r#"{"optionalString":"abc"#, "optionalString: expected `\"`, found the end"),
        (r#"{"optionalString":"abc\"#, "optionalString: expected `\"`, found the end"),
        (r#"{"optionalString":"abc\"}"#, "optionalString: expected `\"`, found the end"),
        (r#"{"optionalString":'a'}"#, "optionalString: expected a string, found `'`"),
        (r#"{"optionalString":1}"#, "optionalString: expected a string, found a number"),
        ("{'optionalString':1}", "expected a key, found `'`"),
        ("{\n  \"é\": 1,\n  optionalString: 1}", "é: "),
        ("{\"optionalString\":\"é\",\n  \t}", "expected a key, found `}`, line 2, column 4"),
        ("// comment\n{}", "expected an object, found `/`"),
        ("\u{feff}{}", "expected an object, found `\\u{feff}`"),
        ("", "expected an object, found the end"),
    ]);
    let error = reader.read(b"{\"optionalString\":\"\xff\"}").expect_err("it is not UTF-8");
    assert_eq!(error.to_string(), "the byte 20 is not UTF-8");
    reader.read(b"{\"optionalString\":\"\xed\xa0\x80\"}").expect_err("a surrogate is not UTF-8 either");
}

#[test]
fn bytes() {
    reader().reads(&[
        (r#"{"optionalBytes":"AQI="}"#, "7a 02 0102"),
        (r#"{"optionalBytes":"-_-_"}"#, "7a 03 fbffbf"),
        (r#"{"optionalBytes":"\/+\u002f+"}"#, "7a 03 ffeffe"),
        (r#"{"oneofBytes":""}"#, "92 07 00"),
    ]);
    reader().refuses(&[
        (r#"{"optionalBytes":"A"}"#, "optionalBytes: `A` is not base64"),
        (r#"{"optionalBytes":"AQ I"}"#, "optionalBytes: `AQ I` is not base64"),
        (r#"{"optionalBytes":[1]}"#, "optionalBytes: expected a string of base64, found a list"),
    ]);
}

#[test]
fn maps_by_the_type_of_their_keys() {
    reader().reads(&[
        (r#"{"mapInt32Int32":{"-1":1}}"#, "c2 03 0d 08 ffffffffffffffffff01 10 01"),
        (r#"{"mapUint64Uint64":{"1":"2"}}"#, "da 03 04 08 01 10 02"),
        (r#"{"mapSint32Sint32":{"-1":-1}}"#, "e2 03 04 08 01 10 01"),
        (r#"{"mapFixed32Fixed32":{"1":1}}"#, "f2 03 0a 0d 01000000 15 01000000"),
        (r#"{"mapSfixed64Sfixed64":{"1":1}}"#, "8a 04 12 09 0100000000000000 11 0100000000000000"),
        (r#"{"mapBoolBool":{"true":false,"\u0066alse":true}}"#, "a2 04 04 08 01 10 00 a2 04 04 08 00 10 01"),
        (r#"{"mapStringString":{"":"","a\n":"b"}}"#, "aa 04 04 0a 00 12 00 aa 04 07 0a 02 61 0a 12 01 62"),
        (r#"{"mapStringNestedMessage":{"a":{"a":1}}}"#, "ba 04 07 0a 01 61 12 02 08 01"),
    ]);
    reader().refuses(&[
        (r#"{"mapInt32Int32":{"x":1}}"#, r#"mapInt32Int32["x"]: `x` is not an integer of 32 bits"#),
        (r#"{"mapInt32Int32":{"1":"x"}}"#, r#"mapInt32Int32["1"]: `x` is not an integer of 32 bits"#),
        (r#"{"mapInt32Int32":{1:1}}"#, "mapInt32Int32"),
        (r#"{"mapBoolBool":{"True":true}}"#, r#"mapBoolBool["True"]: `True` is not true or false"#),
        (r#"{"mapInt32Int32":[]}"#, "mapInt32Int32: expected an object, found a list"),
        (r#"{"mapStringNestedMessage":{"a":{"b":1}}}"#, r#"mapStringNestedMessage["a"].b: "#),
    ]);
}
