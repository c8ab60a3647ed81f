//! What holds for every message without any rule.

use std::collections::BTreeMap;

use prost_types::value::Kind;
use prost_types::{Any, FieldMask, ListValue, Struct, Value};

use crate::broken;
use crate::protos::testing::v1::{Always, always};

const ZERO: &str = "must not contain the character U+0000";

fn value(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

fn text(text: &str) -> Value {
    value(Kind::StringValue(text.into()))
}

fn list(values: Vec<Value>) -> Value {
    value(Kind::ListValue(ListValue { values }))
}

fn object(key: &str, value: Value) -> Struct {
    Struct { fields: BTreeMap::from([(key.to_owned(), value)]) }
}

#[test]
fn no_text_contains_u_0000() {
    let message = Always {
        any: Some(Any { type_url: "\0".into(), value: vec![0] }),
        mask: Some(FieldMask { paths: vec!["a".into(), "a\0".into()] }),
        map: [("a".into(), "\0".into()), ("b\0".into(), "b".into())].into(),
        one: Some(always::One::Member("\0".into())),
        empty: Some(()),
        text: "text\0".into(),
        ..Default::default()
    };
    let expected = [
        format!("any.type_url: {ZERO}"),
        format!("mask.paths[1]: {ZERO}"),
        format!("map[\"a\"]: {ZERO}"),
        format!("map[\"b\\0\"]: key {ZERO}"),
        format!("member: {ZERO}"),
        format!("text: {ZERO}"),
    ];
    assert_eq!(broken(&message), expected);
    // Its escaped form and its neighbours are text like any other.
    let fine = Always { text: "\\u0000 \u{1} \u{FFFD}".into(), ..Default::default() };
    assert!(broken(&fine).is_empty());
}

#[test]
fn nor_does_any_text_inside_of_an_object() {
    let inner = list(vec![text("fine"), value(Kind::StructValue(object("c\0", text("\0"))))]);
    let message = Always {
        object: Some(object("a", value(Kind::StructValue(object("b", inner))))),
        value: Some(text("\0")),
        list: Some(ListValue { values: vec![text(""), text("\0")] }),
        ..Default::default()
    };
    let expected = [
        format!("object[\"a\"][\"b\"][1][\"c\\0\"]: key {ZERO}"),
        format!("object[\"a\"][\"b\"][1][\"c\\0\"]: {ZERO}"),
        format!("value: {ZERO}"),
        format!("list[1]: {ZERO}"),
    ];
    assert_eq!(broken(&message), expected);
}

#[test]
fn values_are_what_json_can_say() {
    let kinds =
        [Kind::NullValue(0), Kind::BoolValue(false), Kind::NumberValue(f64::MAX), Kind::NumberValue(-0.0)];
    let fine = Always { object: Some(object("a", list(kinds.map(value).into()))), ..Default::default() };
    assert!(broken(&fine).is_empty());

    let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(|number| value(Kind::NumberValue(number)));
    let message = Always {
        object: Some(object("a", list(numbers.into()))),
        value: Some(Value { kind: None }),
        ..Default::default()
    };
    let expected = [
        "object[\"a\"][0]: must be a finite number",
        "object[\"a\"][1]: must be a finite number",
        "object[\"a\"][2]: must be a finite number",
        "value: must have a kind: null, boolean, number, string, object or list",
    ];
    assert_eq!(broken(&message), expected);
}
