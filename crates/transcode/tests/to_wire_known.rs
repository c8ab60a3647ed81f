//! What JSON becomes of the types of `google.protobuf`, each of which has a form of its own.

#[path = "support/cases.rs"]
mod cases;
#[path = "support/json.rs"]
mod json;

use json::{PROTO3, Reader};
use selvedge_transcode::Options;

#[test]
fn well_known_types() {
    let reader = Reader::new(PROTO3, &Options::default());
    reader.reads(&[
        (r#"{"optionalTimestamp":"1970-01-01T00:00:01.5Z"}"#, "f2 12 08 08 01 10 80cab5ee01"),
        (r#"{"optionalTimestamp":"1970-01-01T00:00:00Z"}"#, "f2 12 00"),
        (r#"{"optionalDuration":"-1.5s"}"#, "ea 12 16 08 ffffffffffffffffff01 10 80b6ca91feffffffff01"),
        (r#"{"optionalFieldMask":"fooBar,b.c"}"#, "fa 12 0e 0a 07 666f6f5f626172 0a 03 622e63"),
        (r#"{"optionalStringWrapper":""}"#, "82 0d 00"),
        (r#"{"optionalBytesWrapper":"AQ"}"#, "8a 0d 03 0a 01 01"),
        (r#"{"repeatedBoolWrapper":[true,false]}"#, "9a 0d 02 08 01 9a 0d 00"),
        (r#"{"optionalStruct":{"a":null}}"#, "82 13 09 0a 07 0a 01 61 12 02 08 00"),
        (r#"{"optionalValue":1}"#, "92 13 09 11 000000000000f03f"),
        (r#"{"optionalValue":"NaN"}"#, "92 13 05 1a 03 4e614e"),
        (r#"{"optionalValue":false}"#, "92 13 02 20 00"),
        (r#"{"optionalValue":{}}"#, "92 13 02 2a 00"),
        (r#"{"optionalValue":[[],""]}"#, "92 13 0a 32 08 0a 02 32 00 0a 02 1a 00"),
    ]);
    reader.refuses(&[
        (r#"{"optionalTimestamp":1}"#, "optionalTimestamp: expected a time, found a number"),
        (r#"{"optionalTimestamp":"yesterday"}"#, "optionalTimestamp: `yesterday` is not a time"),
        (r#"{"optionalDuration":"1"}"#, "optionalDuration: `1` is not a duration"),
        (r#"{"optionalFieldMask":"a_b"}"#, "optionalFieldMask: `a_b` is not a path of fields"),
        (r#"{"optionalFieldMask":["a"]}"#, "optionalFieldMask: expected paths of fields, found a list"),
        (r#"{"optionalInt32Wrapper":{"value":1}}"#, "optionalInt32Wrapper: expected an integer"),
        (r#"{"optionalStruct":{"a":[1,{"b":1e999}]}}"#, r#"optionalStruct["a"][1]["b"]: the number is out"#),
        (r#"{"optionalValue":NaN}"#, "optionalValue: expected a value, found `N`"),
        (r#"{"repeatedTimestamp":["1970-01-01T00:00:00Z",""]}"#, "repeatedTimestamp[1]: `` is not a time"),
    ]);
}

#[test]
fn any_with_its_type_anywhere() {
    let url = "a/protobuf_test_messages.proto3.ForeignMessage";
    let head = format!("0a{:02x}{}", url.len(), json::hex(url.as_bytes()));
    let any = Reader::new("google.protobuf.Any", &Options::default());
    let same = format!("{head} 12 02 08 07");
    any.reads(&[
        ("{}", ""),
        (&format!(r#"{{"@type":"{url}","c":7}}"#), &same),
        (&format!(r#"{{"c":7,"@type":"{url}"}}"#), &same),
        (&format!(r#"{{ "c" : 7 , "\u0040type" : "{url}" }}"#), &same),
        (&format!(r#"{{"@type":"{}","c":7}}"#, url.replace('/', "\\/")), &same),
        (&format!(r#"{{"@type":"{url}"}}"#), &format!("{head} 12 00")),
        (
            r#"{"@type":"/google.protobuf.Duration","value":"1s"}"#,
            &wrapped("/google.protobuf.Duration", "0801"),
        ),
        (
            r#"{"value":"1s","@type":"/google.protobuf.Duration"}"#,
            &wrapped("/google.protobuf.Duration", "0801"),
        ),
        (r#"{"@type":"/google.protobuf.Value","value":null}"#, &wrapped("/google.protobuf.Value", "0800")),
        (
            r#"{"value":{"value":1,"@type":"/google.protobuf.Int32Value"},"@type":"/google.protobuf.Any"}"#,
            &wrapped("/google.protobuf.Any", &wrapped("/google.protobuf.Int32Value", "0801")),
        ),
    ]);
    any.refuses(&[
        (r#"{"c":7}"#, "`@type` is missing"),
        (r#"{"@type":7}"#, "@type: expected the URL of a type, found a number"),
        (r#"{"@type":"a/x.Y"}"#, "@type: `a/x.Y` is not the URL of a known type"),
        (r#"{"@type":"google.protobuf.Any"}"#, "@type: `google.protobuf.Any` is not the URL"),
        (r#"{"@type":""}"#, "@type: `` is not the URL"),
        (&format!(r#"{{"@type":"{url}","d":7}}"#), "d: "),
        (&format!(r#"{{"@type":"{url}","c":7,"@type":"{url}"}}"#), "@type: the field is there twice"),
        (r#"{"@type":"/google.protobuf.Duration"}"#, "value: it is missing"),
        (r#"{"@type":"/google.protobuf.Duration","value":"1s","x":1}"#, "x: "),
        (
            r#"{"@type":"/google.protobuf.Duration","value":"1s","value":"1s"}"#,
            "value: the field is there twice",
        ),
        (r#"{"@type":"/google.protobuf.Duration","value":"1"}"#, "value: `1` is not a duration"),
    ]);
}

/// An `Any` on the wire.
fn wrapped(url: &str, value: &str) -> String {
    let value = value.replace(' ', "");
    format!("0a{:02x}{}12{:02x}{value}", url.len(), json::hex(url.as_bytes()), value.len() / 2)
}
