//! What values become in JSON, and how options change it.

#[path = "support/make.rs"]
#[expect(dead_code, reason = "each test needs another part")]
mod make;

use make::{Make, PROTO2, PROTO3, Writer, bytes, int};
use selvedge_transcode::Options;

#[test]
fn integers() {
    let make = Make::default;
    Writer::brief(PROTO3).writes(&[
        (int(1, u64::MAX), r#"{"optionalInt32":-1}"#),
        // The upper half of what the wire says about 32 bits does not count.
        (int(1, 1 << 40 | 7), r#"{"optionalInt32":7}"#),
        (int(3, u64::MAX), r#"{"optionalUint32":4294967295}"#),
        (int(2, 1 << 63), r#"{"optionalInt64":"-9223372036854775808"}"#),
        (int(4, u64::MAX), r#"{"optionalUint64":"18446744073709551615"}"#),
        (int(5, 1).int(6, 3), r#"{"optionalSint32":-1,"optionalSint64":"-2"}"#),
        (int(5, 0xffff_ffff), r#"{"optionalSint32":-2147483648}"#),
        (int(5, 0xffff_fffe), r#"{"optionalSint32":2147483647}"#),
        (make().fixed_32(7, [255; 4]), r#"{"optionalFixed32":4294967295}"#),
        (make().fixed_64(8, [255; 8]), r#"{"optionalFixed64":"18446744073709551615"}"#),
        (make().fixed_32(9, [255; 4]), r#"{"optionalSfixed32":-1}"#),
        (make().fixed_64(10, [255; 8]), r#"{"optionalSfixed64":"-1"}"#),
        (int(13, 1), r#"{"optionalBool":true}"#),
        (int(13, 1 << 40), r#"{"optionalBool":true}"#),
        (bytes(84, [255; 8]), r#"{"packedSfixed64":["-1"]}"#),
    ]);
}

#[test]
fn floats() {
    let double = |number: f64| Make::default().fixed_64(12, number.to_le_bytes());
    let float = |number: f32| Make::default().fixed_32(11, number.to_le_bytes());
    Writer::brief(PROTO3).writes(&[
        (double(0.1), r#"{"optionalDouble":0.1}"#),
        (double(8.0), r#"{"optionalDouble":8}"#),
        (double(0.0), "{}"),
        (double(-0.0), r#"{"optionalDouble":-0}"#),
        (double(f64::NAN), r#"{"optionalDouble":"NaN"}"#),
        (double(f64::INFINITY), r#"{"optionalDouble":"Infinity"}"#),
        (double(f64::NEG_INFINITY), r#"{"optionalDouble":"-Infinity"}"#),
        (float(0.1), r#"{"optionalFloat":0.1}"#),
        (float(f32::NEG_INFINITY), r#"{"optionalFloat":"-Infinity"}"#),
    ]);
}

#[test]
fn text() {
    let writer = Writer::brief(PROTO3);
    for text in [
        "",
        "a",
        "\"\\/\u{8}\u{c}\n\r\t\u{1f}\u{7f}",
        "é\u{2028}😀",
        "ordinary text that is long enough for blocks",
    ] {
        for times in [1, 2, 7, 100] {
            let text = text.repeat(times);
            let json = writer.write(int(1, 1).bytes(14, &text)).expect("it is UTF-8");
            let read: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
            assert_eq!(read["optionalString"].as_str().unwrap_or_default(), text);
        }
    }
    writer.writes(&[
        (bytes(14, "a\u{0}\u{1f}\"\\\n"), r#"{"optionalString":"a\u0000\u001f\"\\\n"}"#),
        (bytes(15, [0xff, 0xfe]), r#"{"optionalBytes":"//4="}"#),
        (bytes(15, [0; 6]), r#"{"optionalBytes":"AAAAAAAA"}"#),
    ]);
    // In the syntax that does not check it, as well: JSON is UTF-8.
    for message in [PROTO2, PROTO3] {
        Writer::brief(message).refuses(&[
            (bytes(14, [b'a', 0xff]), "optionalString: the text is not UTF-8"),
            (bytes(44, "ok").bytes(44, [0xed, 0xa0, 0x80]), "repeatedString[1]: the text is not UTF-8"),
            (bytes(69, bytes(1, [0xc0, 0x80])), "mapStringString: the text is not UTF-8"),
            (
                bytes(18, bytes(2, bytes(14, [0xff]))),
                "optionalNestedMessage.corecursive.optionalString: the text",
            ),
        ]);
    }
}

#[test]
fn defaults_are_written_for_what_has_no_presence() {
    let json = Writer::new(PROTO3, &Options::default()).write([]).expect("nothing is a message");
    let read: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(read["optionalInt32"], 0);
    assert_eq!(read["optionalInt64"], "0");
    assert_eq!(read["optionalDouble"], 0);
    assert_eq!(read["optionalBool"], false);
    assert_eq!(read["optionalString"], "");
    assert_eq!(read["optionalBytes"], "");
    assert_eq!(read["optionalNestedEnum"], "FOO");
    assert_eq!(read["repeatedInt32"], serde_json::json!([]));
    assert_eq!(read["mapInt32Int32"], serde_json::json!({}));
    assert_eq!(read["optionalNullValue"], serde_json::Value::Null);
    for absent in ["optionalNestedMessage", "oneofUint32", "optionalTimestamp", "optionalBoolWrapper"] {
        assert!(read.get(absent).is_none(), "{absent}");
    }
    // In proto2 lists and maps have none, and neither do the extensions that somebody else declared.
    let json = Writer::new(PROTO2, &Options::default()).write([]).expect("nothing is a message");
    assert!(
        json.contains(r#""repeatedInt32":[]"#)
            && !json.contains("optionalInt32")
            && !json.contains("extension")
    );
}

#[test]
fn options_change_how_it_looks() {
    let brief = || Options { omit_defaults: true, ..Options::default() };
    let message = int(2, 5).int(21, 1).bytes(51, [0, 99]);
    let write = |options: &Options| Writer::new(PROTO3, options).write(&message).expect("valid");
    assert_eq!(
        write(&Options { enums_as_numbers: true, ..brief() }),
        r#"{"optionalInt64":"5","optionalNestedEnum":1,"repeatedNestedEnum":[0,99]}"#
    );
    assert_eq!(
        write(&Options { proto_names: true, numbers_for_64_bit: true, ..brief() }),
        r#"{"optional_int64":5,"optional_nested_enum":"BAR","repeated_nested_enum":["FOO",99]}"#
    );
    let all = Writer::new(
        PROTO3,
        &Options { enums_as_numbers: true, numbers_for_64_bit: true, ..Options::default() },
    );
    let json = all.write([]).expect("valid");
    assert!(json.contains(r#""optionalInt64":0,"#) && json.contains(r#""optionalNestedEnum":0,"#), "{json}");
}

#[test]
fn json_for_people_has_lines() {
    let writer = Writer::new(PROTO3, &Options { pretty: true, omit_defaults: true, ..Options::default() });
    let message = int(1, 5)
        .bytes(18, [])
        .bytes(31, [1, 2])
        .bytes(48, int(1, 3))
        .bytes(56, int(1, 1).int(2, 2))
        .bytes(305, bytes(1, "type.googleapis.com/google.protobuf.BoolValue").bytes(2, int(1, 1)));
    let expected = r#"{
  "optionalInt32": 5,
  "optionalNestedMessage": {},
  "repeatedInt32": [
    1,
    2
  ],
  "repeatedNestedMessage": [
    {
      "a": 3
    }
  ],
  "mapInt32Int32": {
    "1": 2
  },
  "optionalAny": {
    "@type": "type.googleapis.com/google.protobuf.BoolValue",
    "value": true
  }
}"#;
    assert_eq!(writer.write(&message).as_deref(), Ok(expected));
    // The same after a detour, which the order of the fields makes necessary.
    assert_eq!(writer.write(message.int(1, 5)).as_deref(), Ok(expected));
}
