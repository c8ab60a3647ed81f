//! Fields that come in no order, more than once, in several pieces, or not at all.

#[path = "support/make.rs"]
#[expect(dead_code, reason = "each test needs another part")]
mod make;

use make::{EDITION, PROTO2, PROTO3, Writer, bytes, int};

#[test]
fn the_last_scalar_wins() {
    Writer::brief(PROTO3).writes(&[
        (int(1, 1).int(1, 2), r#"{"optionalInt32":2}"#),
        (int(1, 1).bytes(14, "a").int(1, 2).bytes(14, "b"), r#"{"optionalInt32":2,"optionalString":"b"}"#),
        // Zero is a value like any other, until it is seen that there is nothing to see.
        (int(1, 1).int(1, 0), "{}"),
    ]);
}

#[test]
fn fields_are_written_by_number() {
    Writer::brief(PROTO3).writes(&[(
        bytes(14, "a").int(2, 7).int(1, 5),
        r#"{"optionalInt32":5,"optionalInt64":"7","optionalString":"a"}"#,
    )]);
    let everything = Writer::new(PROTO3, &selvedge_transcode::Options::default());
    let json = everything.write(bytes(14, "a").int(1, 5)).expect("valid");
    assert!(json.starts_with(r#"{"optionalInt32":5,"optionalInt64":"0","optionalUint32":0,"#), "{json}");
    assert_eq!(everything.write(int(1, 5).bytes(14, "a")).expect("valid"), json);
}

#[test]
fn lists_are_gathered() {
    let packed = |values: &[u8]| bytes(31, values);
    Writer::brief(PROTO3).writes(&[
        (packed(&[1, 2]).int(31, 3).then(&packed(&[4])), r#"{"repeatedInt32":[1,2,3,4]}"#),
        (int(31, 1).int(1, 9).then(&packed(&[2, 3])), r#"{"optionalInt32":9,"repeatedInt32":[1,2,3]}"#),
        (packed(&[]), "{}"),
        (packed(&[]).int(1, 1).then(&packed(&[])), r#"{"optionalInt32":1}"#),
        // Declared as unpacked, which tells readers nothing.
        (bytes(89, [5, 6]).int(89, 7), r#"{"unpackedInt32":[5,6,7]}"#),
        (bytes(44, "a").int(1, 9).bytes(44, "b"), r#"{"optionalInt32":9,"repeatedString":["a","b"]}"#),
        (
            bytes(48, int(1, 1)).bytes(48, int(1, 2)).bytes(44, "x").bytes(48, []),
            r#"{"repeatedString":["x"],"repeatedNestedMessage":[{"a":1},{"a":2},{}]}"#,
        ),
    ]);
}

#[test]
fn messages_are_merged() {
    let inner = |value| bytes(18, int(1, value));
    let corecursive = |make: make::Make| bytes(18, bytes(2, make));
    Writer::brief(PROTO3).writes(&[
        (inner(1).then(&inner(2)), r#"{"optionalNestedMessage":{"a":2}}"#),
        (
            inner(1).then(&corecursive(int(1, 5))).then(&corecursive(bytes(14, "x").int(31, 1))).then(
                &corecursive(int(31, 2)),
            ),
            r#"{"optionalNestedMessage":{"a":1,"corecursive":{"optionalInt32":5,"optionalString":"x","repeatedInt32":[1,2]}}}"#,
        ),
        // Seconds and nanoseconds of one time, far apart.
        (
            bytes(302, int(1, 1)).int(1, 5).bytes(302, int(2, 1_000_000)),
            r#"{"optionalInt32":5,"optionalTimestamp":"1970-01-01T00:00:01.001Z"}"#,
        ),
        // The first of them would be no time at all by itself, and the first value would be none.
        (
            bytes(302, int(2, u64::MAX)).bytes(302, int(2, 0)),
            r#"{"optionalTimestamp":"1970-01-01T00:00:00Z"}"#,
        ),
        (bytes(306, []).bytes(306, int(4, 1)), r#"{"optionalValue":true}"#),
        (bytes(306, bytes(6, bytes(1, int(4, 1)))).bytes(306, bytes(6, bytes(1, int(4, 0)))), r#"{"optionalValue":[true,false]}"#),
        (bytes(201, int(1, 1)).bytes(201, []), r#"{"optionalBoolWrapper":true}"#),
    ]);
}

#[test]
fn the_last_member_of_a_oneof_wins() {
    let message = |value| bytes(112, int(1, value));
    Writer::brief(PROTO3).writes(&[
        (int(111, 0), r#"{"oneofUint32":0}"#),
        (int(111, 1).bytes(113, "x"), r#"{"oneofString":"x"}"#),
        (bytes(113, "x").int(111, 1), r#"{"oneofUint32":1}"#),
        (int(111, 1).int(1, 3).bytes(113, "x").int(111, 2), r#"{"optionalInt32":3,"oneofUint32":2}"#),
        (
            message(1).then(&bytes(112, bytes(2, int(1, 2)))),
            r#"{"oneofNestedMessage":{"a":1,"corecursive":{"optionalInt32":2}}}"#,
        ),
        // What was there before another member is gone for good.
        (
            bytes(112, bytes(2, int(1, 2))).bytes(113, "x").then(&message(1)),
            r#"{"oneofNestedMessage":{"a":1}}"#,
        ),
    ]);
}

#[test]
fn maps_keep_the_last_entry_of_a_key() {
    let entry = |key, value| bytes(56, int(1, key).int(2, value));
    Writer::brief(PROTO3).writes(&[
        (entry(1, 2).then(&entry(3, 4)), r#"{"mapInt32Int32":{"1":2,"3":4}}"#),
        (entry(1, 2).then(&entry(3, 4)).then(&entry(1, 5)), r#"{"mapInt32Int32":{"3":4,"1":5}}"#),
        (entry(1, 2).int(1, 7).then(&entry(1, 5)), r#"{"optionalInt32":7,"mapInt32Int32":{"1":5}}"#),
        (entry(u64::MAX, 2), r#"{"mapInt32Int32":{"-1":2}}"#),
        // Without a key, a value, or both; the other way round; twice; with something unknown.
        (bytes(56, int(2, 5)), r#"{"mapInt32Int32":{"0":5}}"#),
        (bytes(56, int(1, 5)), r#"{"mapInt32Int32":{"5":0}}"#),
        (bytes(56, []), r#"{"mapInt32Int32":{"0":0}}"#),
        (bytes(56, int(2, 6).int(3, 1).int(1, 5).int(1, 4)), r#"{"mapInt32Int32":{"4":6}}"#),
        (bytes(68, int(1, 1)).bytes(68, []), r#"{"mapBoolBool":{"true":false,"false":false}}"#),
        (bytes(69, bytes(1, "a\"").bytes(2, "b")), r#"{"mapStringString":{"a\"":"b"}}"#),
        (bytes(69, []), r#"{"mapStringString":{"":""}}"#),
        (bytes(71, bytes(1, "a")), r#"{"mapStringNestedMessage":{"a":{}}}"#),
        (
            bytes(71, bytes(2, int(1, 1)).bytes(1, "a").bytes(2, bytes(2, int(1, 2)))),
            r#"{"mapStringNestedMessage":{"a":{"a":1,"corecursive":{"optionalInt32":2}}}}"#,
        ),
    ]);
    let entry = |value| bytes(73, bytes(1, "k").int(2, value));
    Writer::brief(PROTO3).writes(&[
        (entry(1), r#"{"mapStringNestedEnum":{"k":"BAR"}}"#),
        (entry(99), r#"{"mapStringNestedEnum":{"k":99}}"#),
    ]);
    // A closed enum does not know the number, so the entry is an unknown field, and the one before it stays.
    Writer::brief(PROTO2)
        .writes(&[(entry(1).then(&entry(99)), r#"{"mapStringNestedEnum":{"k":"BAR"}}"#), (entry(99), "{}")]);
}

#[test]
fn open_enums_show_unknown_numbers_and_closed_ones_do_not() {
    let minus_one = u64::MAX;
    Writer::brief(PROTO3).writes(&[
        (
            int(21, 1).bytes(51, [0, 1, 99]),
            r#"{"optionalNestedEnum":"BAR","repeatedNestedEnum":["FOO","BAR",99]}"#,
        ),
        (int(21, 99), r#"{"optionalNestedEnum":99}"#),
        (int(21, minus_one), r#"{"optionalNestedEnum":"NEG"}"#),
        (int(21, 0), "{}"),
    ]);
    Writer::brief(PROTO2).writes(&[
        (int(21, 0), r#"{"optionalNestedEnum":"FOO"}"#),
        (int(21, 99), "{}"),
        (int(21, 1).int(21, 99), r#"{"optionalNestedEnum":"BAR"}"#),
        (int(51, 0).int(51, 99).int(51, 1), r#"{"repeatedNestedEnum":["FOO","BAR"]}"#),
        (int(51, 99), "{}"),
        // Nor does such a number clear the other member of a oneof.
        (bytes(113, "x").int(119, 99), r#"{"oneofString":"x"}"#),
    ]);
}

#[test]
fn groups_are_messages() {
    let group = |number, value| make::Make::default().group(number, &int(202, value));
    Writer::brief(PROTO2).writes(&[
        (group(201, 5), r#"{"data":{"groupInt32":5}}"#),
        (group(201, 5).then(&group(201, 6)), r#"{"data":{"groupInt32":6}}"#),
        // An unknown one, with groups in it.
        (make::Make::default().group(5000, &group(201, 5)).int(1, 1), r#"{"optionalInt32":1}"#),
    ]);
    let field =
        make::SCHEMA[make::SCHEMA.message(EDITION).expect("a message")].field_named("delimited_field");
    let number = field.expect("a field").number;
    Writer::brief(EDITION).writes(&[
        (group(number, 5), r#"{"delimitedField":{"groupInt32":5}}"#),
        // With a length, it is another field with the same number.
        (bytes(number, int(202, 5)), "{}"),
    ]);
}

#[test]
fn what_is_unknown_is_passed_over() {
    Writer::brief(PROTO3).writes(&[
        (
            int(5000, 1).int(1, 1).bytes(5001, "x").fixed_64(5002, [0; 8]).fixed_32(5003, [0; 4]),
            r#"{"optionalInt32":1}"#,
        ),
        // Known numbers with the wrong wire type.
        (bytes(1, "x").fixed_64(14, [0; 8]).int(18, 1).int(2, 3), r#"{"optionalInt64":"3"}"#),
    ]);
}

#[test]
fn extensions_have_their_full_name_in_brackets() {
    Writer::brief(PROTO2).writes(&[
        (int(120, 5), r#"{"[protobuf_test_messages.proto2.extension_int32]":5}"#),
        (
            // A message set: its extension in a group with its number.
            bytes(500, make::Make::default().group(1, &int(2, 1_547_769).bytes(3, bytes(25, "x")))),
            r#"{"messageSetCorrect":{"[protobuf_test_messages.proto2.TestAllTypesProto2.MessageSetCorrectExtension1.message_set_extension]":{"str":"x"}}}"#,
        ),
    ]);
}

#[test]
fn one_field_can_be_written_alone() {
    let writer = Writer::new(PROTO3, &selvedge_transcode::Options::default());
    let wire = int(1, 5)
        .bytes(44, "a")
        .int(21, 1)
        .bytes(44, "b")
        .bytes(56, int(1, 1).int(2, 2))
        .bytes(18, int(1, 3));
    let field = |name| writer.field(name, &wire).expect("valid");
    assert_eq!(field("optionalInt32"), "5");
    assert_eq!(field("repeatedString"), r#"["a","b"]"#);
    assert_eq!(field("mapInt32Int32"), r#"{"1":2}"#);
    assert_eq!(
        field("optionalNestedMessage"),
        r#"{"a":3,"corecursive":null}"#.replace(r#","corecursive":null"#, "")
    );
    assert_eq!(field("optionalNestedEnum"), r#""BAR""#);
    // Absent ones.
    assert_eq!(field("optionalInt64"), r#""0""#);
    assert_eq!(field("optionalForeignMessage"), "null");
    assert_eq!(field("repeatedInt32"), "[]");
    assert_eq!(field("mapStringString"), "{}");
}
