//! Messages between two tags, as an edition may want all of them to be.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/inline.rs"]
mod inline;
#[path = "support/wire.rs"]
mod wire;

use calls::Calls;
use prost::Message as _;
use selvedge_transcode::{Options, Request, Schema};

const PROTO: &str = r#"
    message Thing {
        string id = 1; google.protobuf.Timestamp at = 2; google.protobuf.Duration wait = 3;
        google.protobuf.Int64Value big = 4; google.protobuf.StringValue text = 5; string etag = 6;
    }
    message Update { Thing thing = 1; google.protobuf.FieldMask update_mask = 2; }
    service S {
        rpc Get(Thing) returns (Thing) { option (google.api.http) = {get: "/things/{big}"}; }
        rpc Put(Update) returns (Thing) { option (google.api.http) = {put: "/things" body: "thing"}; }
        rpc Patch(Update) returns (Thing) { option (google.api.http) = {patch: "/things/{thing.id}" body: "thing"}; }
    }
"#;

#[derive(prost::Message)]
struct Set {
    #[prost(bytes = "vec", repeated, tag = "1")]
    files: Vec<Vec<u8>>,
}

/// The file as one of edition 2023 whose messages all are between two tags, which no compiler in Rust makes.
fn calls() -> Calls {
    let mut set = Set::decode(&*inline::descriptors(PROTO)).expect("a set");
    let file = set.files.last_mut().expect("a file");
    let (syntax, edition, options) = (12, 14, 8);
    prost::encoding::string::encode(syntax, &"editions".to_owned(), file);
    prost::encoding::int32::encode(edition, &1000, file);
    // Of the features, the fifth says how messages are encoded, and two means: delimited.
    prost::encoding::bytes::encode(options, &b"\x92\x03\x02\x28\x02".to_vec(), file);
    let schema = Schema::decode(&[&set.encode_to_vec()]).expect("it fits together");
    let is_delimited = |schema: &Schema| {
        let thing = schema.message("test.Thing").expect("it is there");
        schema[thing].fields[1].is_delimited
    };
    assert!(is_delimited(&schema) && !is_delimited(&inline::schema(PROTO)));
    Calls::new(schema, Options::default())
}

#[test]
fn what_is_given_as_text_has_an_end() {
    let calls = calls();
    let found = calls.call("GET", "/things/7?at=1970-01-01T00:00:01Z&wait=1.5s&text=x&id=a", "");
    let expected = r#"{"id":"a","at":"1970-01-01T00:00:01Z","wait":"1.500s","big":"7","text":"x"}"#;
    assert_eq!(found.as_deref(), Ok(expected));
}

#[test]
fn a_mask_reaches_the_service() {
    let calls = calls();
    let found = calls.call("PATCH", "/things/a", r#"{"at":null,"text":"x"}"#);
    let expected = r#"{"thing":{"id":"a","text":"x"},"update_mask":"at,text"}"#;
    assert_eq!(found.as_deref(), Ok(expected));
    let found = calls.call("PATCH", "/things/a?update_mask=text,at", r#"{"text":"x"}"#);
    let expected = r#"{"thing":{"id":"a","text":"x"},"update_mask":"text,at"}"#;
    assert_eq!(found.as_deref(), Ok(expected));
}

#[test]
fn a_header_may_not_say_otherwise_than_the_body() {
    let calls = calls();
    let put = |if_match| {
        let request = Request { body: br#"{"etag":"a"}"#, if_match: Some(if_match), ..Request::default() };
        calls.call_with("PUT", "/things", request)
    };
    assert_eq!(put("a").as_deref(), Ok(r#"{"thing":{"etag":"a"}}"#));
    assert_eq!(put("b"), Err("If-Match: says otherwise than the body".to_owned()));
}
