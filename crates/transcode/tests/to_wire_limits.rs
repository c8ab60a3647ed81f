//! Hostile JSON: what is refused, and that nothing costs more than it is long.

#[path = "support/json.rs"]
mod json;

use json::{PROTO3, Reader};
use selvedge_transcode::Options;

fn with(change: impl FnOnce(&mut Options)) -> Reader {
    let mut options = Options::default();
    change(&mut options);
    Reader::new(PROTO3, &options)
}

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

#[test]
fn depth() {
    let messages = |depth: usize| nested(r#"{"recursiveMessage":"#, "{}", "}", depth - 1);
    // A value and its list are two levels; the message around them is one.
    let values = |lists: usize| format!(r#"{{"optionalValue":{}}}"#, nested("[", "1", "]", lists));
    let unknown = |lists: usize| format!(r#"{{"x":{}}}"#, nested("[", "1", "]", lists));
    let reader = with(|options| options.ignore_unknown_fields = true);
    for (deepest, make) in [(100, &messages as &dyn Fn(usize) -> String), (49, &values), (99, &unknown)] {
        reader.read(make(deepest)).expect("it is just deep enough");
        for depth in [deepest + 1, 100_000] {
            let error = reader.read(make(depth)).expect_err("it is too deep");
            assert!(!error.too_large, "{error}");
            assert_eq!(
                error.problem,
                "there are more than 100 levels of objects and lists inside each other"
            );
        }
    }
    let shallow = with(|options| options.max_depth = 2);
    shallow.read(messages(2)).expect("it is just deep enough");
    assert!(!shallow.read(messages(3)).expect_err("it is too deep").too_large);
    let deep = with(|options| options.max_depth = 200);
    deep.read(messages(101)).expect("it is allowed to be deeper");
}

#[test]
fn elements() {
    let reader = with(|options| options.max_elements = 3);
    for (just, more, place) in [
        (r#"{"repeatedInt32":[1,2,3]}"#, r#"{"repeatedInt32":[1,2,3,4]}"#, "repeatedInt32[3]"),
        (r#"{"repeatedString":["","",""]}"#, r#"{"repeatedString":["","","",""]}"#, "repeatedString[3]"),
        (
            r#"{"mapInt32Int32":{"1":1,"2":1,"3":1}}"#,
            r#"{"mapInt32Int32":{"1":1,"2":1,"3":1,"4":1}}"#,
            "mapInt32Int32",
        ),
        (r#"{"optionalValue":[[[]]]}"#, r#"{"optionalValue":[[[],[]],1]}"#, "optionalValue[1]"),
        (
            r#"{"repeatedInt32":[1,2],"repeatedString":[""]}"#,
            r#"{"repeatedInt32":[1,2],"repeatedString":["",""]}"#,
            "repeatedString[1]",
        ),
    ] {
        reader.read(just).expect(just);
        let error = reader.read(more).expect_err(more);
        assert_eq!((error.place.as_str(), error.problem.as_str()), (place, "more than 3 elements"));
        assert!(error.too_large);
    }
}

#[test]
fn output() {
    // Eight bytes for two: the most that JSON grows, apart from tags.
    let zeros = format!(r#"{{"repeatedDouble":[{}0]}}"#, "0,".repeat(999));
    let just = 8_000 + 2 + 2;
    with(|options| options.max_output = just).read(&zeros).expect("it just fits");
    let error = with(|options| options.max_output = just - 1).read(&zeros).expect_err("it does not fit");
    assert!(error.too_large, "{error}");
    // It stops when there is too much, and not at the end.
    let error = with(|options| options.max_output = 100).read(&zeros).expect_err("it does not fit");
    assert_eq!(error.to_string(), "repeatedDouble[13]: more than 100 bytes as a message");
    let error =
        with(|options| options.max_output = 4).read(r#"{"optionalString":"abc"}"#).expect_err("five bytes");
    assert_eq!(error.to_string(), "more than 4 bytes as a message");
}

/// Hundreds of thousands of keys of which each was there before: one walk over the message takes out all but the last.
#[test]
fn fields_that_come_again_and_again() {
    let reader = with(|options| options.allow_duplicate_keys = true);
    let json =
        format!("{{{}\"optionalInt64\":2}}", r#""optionalInt32":1,"optionalInt64":1,"#.repeat(100_000));
    assert_eq!(reader.read(&json).as_deref(), Ok("08011002"));
}

#[test]
fn a_map_with_many_keys() {
    let entries = (0..200_000).map(|key| format!(r#""{key}":"""#)).collect::<Vec<_>>().join(",");
    let wire = strict_map(&entries).expect("all keys are different");
    assert!(wire.len() > 200_000 * 8);
    strict_map(&format!(r#"{entries},"199999":"""#)).expect_err("the last key was there");
}

fn strict_map(entries: &str) -> Result<String, selvedge_transcode::Error> {
    with(|_| {}).read(format!(r#"{{"mapStringString":{{{entries}}}}}"#))
}

#[test]
fn the_place_of_an_error_has_a_bounded_length() {
    let long = "x".repeat(1 << 20);
    for json in [
        format!(r#"{{"{long}":1}}"#),
        format!(r#"{{"mapInt32Int32":{{"{long}":1}}}}"#),
        format!(r#"{{"optionalInt32":"{long}"}}"#),
        format!(r#"{{"optionalNestedEnum":"{long}"}}"#),
        format!(r#"{{"optionalAny":{{"@type":"{long}"}}}}"#),
        format!(r#"{{"optionalBytes":"{long}!"}}"#),
        format!(r#"{{"optionalTimestamp":"{long}"}}"#),
        format!(r#"{{"optionalFieldMask":"{long}!"}}"#),
        format!(r#"{{"optionalString":"{long}\ud800"}}"#),
    ] {
        let error = with(|_| {}).read(json).expect_err("it is wrong").to_string();
        assert!(error.len() < 400, "{error}");
    }
}

/// Every prefix of a message is refused, and none of them makes the reader panic.
#[test]
fn what_is_cut_off() {
    let reader = with(|_| {});
    let json = r#"{"optionalInt32":-1,"optionalString":"a\u00e9\ud83d\ude00","repeatedDouble":[1.5e3,"NaN"],
        "mapStringString":{"a":"b"},"optionalAny":{"value":"1s","@type":"/google.protobuf.Duration"},
        "optionalValue":{"a":[null,true,false,{}]},"optionalTimestamp":"1970-01-01T00:00:00Z","optionalBytes":"AQ=="}"#;
    reader.read(json).expect("all of it is a message");
    for end in 0..json.len() {
        reader.read(&json[..end]).expect_err("it is cut off");
    }
}
