//! The types of `google.protobuf` whose JSON is special.

#[path = "support/make.rs"]
#[expect(dead_code, reason = "each test needs another part")]
mod make;

use make::{Make, PROTO3, Writer, bytes, int};

fn time(seconds: i64, nanos: i64) -> Make {
    int(1, seconds.cast_unsigned()).int(2, nanos.cast_unsigned())
}

#[test]
fn timestamps() {
    let writer = Writer::brief("google.protobuf.Timestamp");
    writer.writes(&[
        (Make::default(), r#""1970-01-01T00:00:00Z""#),
        (time(-1, 0), r#""1969-12-31T23:59:59Z""#),
        (time(-1, 999_999_999), r#""1969-12-31T23:59:59.999999999Z""#),
        (time(1_582_934_400, 10_000_000), r#""2020-02-29T00:00:00.010Z""#),
        (time(1_758_000_000, 123_456_000), r#""2025-09-16T05:20:00.123456Z""#),
        (time(-62_135_596_800, 0), r#""0001-01-01T00:00:00Z""#),
        (time(253_402_300_799, 999_999_999), r#""9999-12-31T23:59:59.999999999Z""#),
    ]);
    let problem = "the time is not one of the years 1 to 9999";
    writer.refuses(&[
        (time(-62_135_596_801, 0), problem),
        (time(253_402_300_800, 0), problem),
        (time(i64::MIN, 0), problem),
        (time(i64::MAX, 0), problem),
        (time(0, -1), problem),
        (time(0, 1_000_000_000), problem),
    ]);
}

#[test]
fn durations() {
    let writer = Writer::brief("google.protobuf.Duration");
    writer.writes(&[
        (Make::default(), r#""0s""#),
        (time(1, 500_000_000), r#""1.500s""#),
        (time(-1, -500_000), r#""-1.000500s""#),
        (time(0, -1), r#""-0.000000001s""#),
        (time(315_576_000_000, 999_999_999), r#""315576000000.999999999s""#),
        (time(-315_576_000_000, 0), r#""-315576000000s""#),
    ]);
    let problem = "the duration is out of range or has two signs";
    writer.refuses(&[
        (time(315_576_000_001, 0), problem),
        (time(i64::MIN, 0), problem),
        (time(1, -1), problem),
        (time(-1, 1), problem),
        (time(0, 1_000_000_000), problem),
        (time(0, i64::from(i32::MIN)), problem),
    ]);
}

#[test]
fn field_masks() {
    let writer = Writer::brief("google.protobuf.FieldMask");
    writer.writes(&[
        (Make::default(), r#""""#),
        (bytes(1, "foo_bar"), r#""fooBar""#),
        (bytes(1, "foo_bar.baz_q").bytes(1, "a1"), r#""fooBar.bazQ,a1""#),
        (bytes(1, "_a"), r#""A""#),
    ]);
    let problem = "a path has no form in JSON that would lead back to it";
    for path in ["fooBar", "foo__bar", "foo_3", "foo_", "foo_B", "a,b"] {
        writer.refuses(&[(bytes(1, path), problem)]);
    }
}

#[test]
fn structs_lists_and_values() {
    let number = |number: f64| Make::default().fixed_64(2, number.to_le_bytes());
    let entry = |name: &str, value: Make| bytes(1, bytes(1, name).bytes(2, value));
    let all = entry("a", number(1.5))
        .then(&entry("b", int(1, 0)))
        .then(&entry("c", bytes(5, entry("d", bytes(3, "x")))))
        .then(&entry("e", bytes(6, bytes(1, int(4, 1)).bytes(1, int(4, 0)))))
        .then(&entry("f", bytes(5, [])))
        .then(&entry("g", bytes(6, [])));
    let json = r#"{"a":1.5,"b":null,"c":{"d":"x"},"e":[true,false],"f":{},"g":[]}"#;
    Writer::brief("google.protobuf.Struct").writes(&[(all.clone(), json), (Make::default(), "{}")]);
    Writer::brief("google.protobuf.ListValue")
        .writes(&[(bytes(1, bytes(5, &all)), &format!("[{json}]")), (Make::default(), "[]")]);
    let value = Writer::brief("google.protobuf.Value");
    value.writes(&[
        (bytes(5, &all), json),
        (bytes(3, "x"), r#""x""#),
        (bytes(3, ""), r#""""#),
        (int(4, 0).then(&number(0.0)), "0"),
        (number(0.0).int(4, 0), "false"),
    ]);
    let impossible = "the value is a number that JSON does not have";
    value.refuses(&[
        (Make::default(), "the value is not set"),
        (number(f64::NAN), impossible),
        (number(f64::NEG_INFINITY), impossible),
        (bytes(5, entry("a", Make::default())), "[\"a\"]: the value is not set"),
        (bytes(6, bytes(1, int(4, 1)).bytes(1, [])), "[1]: the value is not set"),
    ]);
    Writer::brief(PROTO3).writes(&[
        (bytes(306, int(1, 0)), r#"{"optionalValue":null}"#),
        (bytes(317, bytes(1, int(4, 1))).bytes(317, []), r#"{"repeatedListValue":[[true],[]]}"#),
    ]);
}

#[test]
fn wrappers() {
    Writer::brief(PROTO3).writes(&[
        (
            bytes(201, []).bytes(206, []).bytes(208, []),
            r#"{"optionalBoolWrapper":false,"optionalFloatWrapper":0,"optionalStringWrapper":""}"#,
        ),
        (bytes(203, int(1, 5)), r#"{"optionalInt64Wrapper":"5"}"#),
        (bytes(209, bytes(1, [255])), r#"{"optionalBytesWrapper":"/w=="}"#),
        (bytes(202, int(1, 5).int(2, 6).int(1, 7)), r#"{"optionalInt32Wrapper":7}"#),
        (bytes(211, int(1, 1)).bytes(211, []), r#"{"repeatedBoolWrapper":[true,false]}"#),
    ]);
}

#[test]
fn any() {
    let url = |name: &str| bytes(1, format!("type.googleapis.com/{name}"));
    let any = |name: &str, value: &Make| url(name).bytes(2, value);
    let inner = any("google.protobuf.Duration", &time(1, 0));
    let writer = Writer::brief("google.protobuf.Any");
    writer.writes(&[
        (Make::default(), "{}"),
        (any(PROTO3, &int(1, 5)), r#"{"@type":"type.googleapis.com/protobuf_test_messages.proto3.TestAllTypesProto3","optionalInt32":5}"#),
        // Out of order, in front of its type, and twice.
        (
            bytes(2, int(1, 9)).bytes(2, int(2, 6).int(1, 5)).then(&url(PROTO3)),
            r#"{"@type":"type.googleapis.com/protobuf_test_messages.proto3.TestAllTypesProto3","optionalInt32":5,"optionalInt64":"6"}"#,
        ),
        (inner.clone(), r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}"#),
        (
            any("google.protobuf.Any", &inner),
            r#"{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}}"#,
        ),
        (
            any("google.protobuf.Struct", &Make::default()),
            r#"{"@type":"type.googleapis.com/google.protobuf.Struct","value":{}}"#,
        ),
    ]);
    writer.refuses(&[
        (url("no.such.Type"), "the type `type.googleapis.com/no.such.Type` is not known"),
        (bytes(1, PROTO3), "the type `protobuf_test_messages"),
        (bytes(2, int(1, 1)), "the type `` is not known"),
        (any("google.protobuf.Value", &Make::default()), "the value is not set"),
    ]);
}
