//! The rules for lists and maps, and the paths into them.

use std::collections::BTreeMap;

use prost_types::Timestamp;

use crate::broken;
use crate::protos::testing::v1::{Inner, Lists, Maps};

/// A valid message, as an empty list or map of these has too few items.
fn lists() -> Lists {
    Lists { min: strings(["a", "b"]), ..Default::default() }
}

fn maps() -> Maps {
    Maps { min: map([("a", ""), ("b", "")]), ..Default::default() }
}

fn strings<const N: usize>(items: [&str; N]) -> Vec<String> {
    items.map(str::to_owned).into()
}

fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

#[test]
fn lengths_of_lists_and_maps() {
    assert!(broken(&lists()).is_empty());
    assert_eq!(broken(&Lists::default()), ["min: must have at least 2 items, has 0"]);
    assert!(broken(&Lists { max: strings(["", ""]), ..lists() }).is_empty());
    let long = Lists { max: strings(["", "", ""]), ..lists() };
    assert_eq!(broken(&long), ["max: must have at most 2 items, has 3"]);

    assert!(broken(&maps()).is_empty());
    assert_eq!(broken(&Maps::default()), ["min: must have at least 2 entries, has 0"]);
    assert!(broken(&Maps { max: map([("a", "")]), ..maps() }).is_empty());
    let long = Maps { max: map([("a", ""), ("b", "")]), ..maps() };
    assert_eq!(broken(&long), ["max: must have at most 1 entry, has 2"]);
}

#[test]
fn items_can_be_unique() {
    let good = Lists {
        unique: strings(["a", "b", "A"]),
        unique_numbers: vec![1, -1, 0],
        unique_floats: vec![0.5, -0.5, 0.0],
        unique_colors: vec![1, 2, 17],
        unique_bytes: vec![vec![], vec![0]],
        ..lists()
    };
    assert!(broken(&good).is_empty());
    let bad = Lists {
        unique: strings(["a", "b", "a", "b"]),
        unique_numbers: vec![1, 2, 2],
        unique_floats: vec![1.5, 0.0, -0.0],
        unique_colors: vec![17, 17],
        unique_bytes: vec![vec![0], vec![1], vec![0]],
        ..lists()
    };
    let pairs = [("", 0, 2), ("_numbers", 1, 2), ("_floats", 1, 2), ("_colors", 0, 1), ("_bytes", 0, 2)];
    let expected = pairs.map(|(field, first, second)| {
        format!("unique{field}: must not contain an item twice: items {first} and {second} are equal")
    });
    assert_eq!(broken(&bad), expected);
}

#[test]
fn long_lists_can_be_unique() {
    let mut numbers: Vec<i64> = (0..10_000).rev().collect();
    assert!(broken(&Lists { unique_numbers: numbers.clone(), ..lists() }).is_empty());
    numbers.push(9_990);
    let expected = "unique_numbers: must not contain an item twice: items 9 and 10000 are equal";
    assert_eq!(broken(&Lists { unique_numbers: numbers, ..lists() }), [expected]);
}

#[test]
fn items_have_rules() {
    let bad = Lists {
        items: strings(["abc", "abcd", "a\0"]),
        positive: vec![1, 0],
        colors: vec![4, 3],
        messages: vec![
            Inner { name: "x".into(), ..Default::default() },
            Inner { list: vec![Inner::default()], ..Default::default() },
        ],
        times: vec![
            Timestamp { seconds: 1, nanos: 0 },
            Timestamp::default(),
            Timestamp { seconds: 0, nanos: -1 },
        ],
        or_empty: strings(["", "ab", "a"]),
        ..lists()
    };
    let expected = [
        "items[1]: must be at most 3 characters long, is 4",
        "items[2]: must not contain the character U+0000",
        "positive[1]: must be greater than 0, is 0",
        "colors[1]: must be a value of Color",
        "messages[1].name: must not be empty",
        "messages[1].list[0].name: must not be empty",
        "times[1]: must be greater than 1970-01-01T00:00:00Z, is 1970-01-01T00:00:00Z",
        "times[2]: must be a time from the year 0001 to 9999, with 0 to 999,999,999 nanos",
        "or_empty[2]: must be at least 2 characters long, is 1",
    ];
    assert_eq!(broken(&bad), expected);
}

#[test]
fn keys_and_values_have_rules() {
    let good =
        Maps { keys: map([("abc", "")]), values: map([("a", "b")]), flags: [(true, 0)].into(), ..maps() };
    assert!(broken(&good).is_empty());
    let bad = Maps {
        keys: map([("abc", "\0"), ("abcd", "")]),
        values: map([("a", ""), ("b", "b"), ("c\"\n", "")]),
        messages: [(-1, Inner::default()), (1, Inner { name: "x".into(), ..Default::default() })].into(),
        flags: [(false, -1), (true, 1)].into(),
        ..maps()
    };
    let expected = [
        "keys[\"abc\"]: must not contain the character U+0000",
        "keys[\"abcd\"]: key must be at most 3 characters long, is 4",
        "values[\"a\"]: must not be empty",
        "values[\"c\\\"\\n\"]: must not be empty",
        "messages[-1]: key must be greater than 0, is -1",
        "messages[-1].name: must not be empty",
        "flags[false]: must be at least 0, is -1",
    ];
    assert_eq!(broken(&bad), expected);
}
