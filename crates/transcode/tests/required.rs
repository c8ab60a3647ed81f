//! Fields of proto2 that must be there.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/inline.rs"]
mod inline;
#[path = "support/wire.rs"]
mod wire;

use calls::Calls;
use selvedge_transcode::Options;

const THINGS: &str = r#"
    message Thing {
        required string id = 1; optional string name = 2; optional Inner inner = 3; repeated Inner list = 4;
        map<string, Inner> map = 5; optional Free free = 6;
    }
    message Inner { required int32 number = 1; optional Thing thing = 2; optional int32 other = 3; }
    message Free { optional string name = 1; }
    message Put { required Inner inner = 1; optional string name = 2; }
    service S {
        rpc Get(Thing) returns (Thing) { option (google.api.http) = {get: "/things"}; }
        rpc Create(Thing) returns (Thing) { option (google.api.http) = {post: "/things" body: "*"}; }
        rpc Replace(Thing) returns (Thing) { option (google.api.http) = {put: "/things/{id}" body: "*"}; }
        rpc Deep(Put) returns (Thing) { option (google.api.http) = {put: "/inner/{inner.number}" body: "inner"}; }
        rpc Part(Put) returns (Thing) { option (google.api.http) = {put: "/inner" body: "inner"}; }
        rpc Free(Free) returns (Thing) { option (google.api.http) = {post: "/free" body: "*"}; }
    }
"#;

#[test]
fn what_is_missing_is_named_by_its_place() {
    let calls = Calls::new(inline::schema(THINGS), Options::default());
    for (method, url, body, place) in [
        ("POST", "/things", "", "id"),
        ("POST", "/things", r#"{"id":null}"#, "id"),
        ("POST", "/things", r#"{"id":"1","inner":{}}"#, "inner.number"),
        ("POST", "/things", r#"{"id":"1","inner":{"number":1,"thing":{"name":"x"}}}"#, "inner.thing.id"),
        ("POST", "/things", r#"{"id":"1","list":[{"number":1},{"other":1}]}"#, "list[1].number"),
        ("POST", "/things", r#"{"id":"1","map":{"a":{"number":1},"b":{}}}"#, r#"map["b"].number"#),
        ("GET", "/things?name=x", "", "id"),
        ("GET", "/things?id=1&inner.other=2", "", "inner.number"),
        // No body is an empty message.
        ("PUT", "/inner", "", "inner.number"),
        ("PUT", "/inner", r#"{"other":1}"#, "inner.number"),
    ] {
        let expected = format!("{place}: is required");
        assert_eq!(calls.call(method, url, body), Err(expected), "{method} {url} {body}");
    }
}

#[test]
fn what_the_path_or_the_query_brings_is_there() {
    let calls = Calls::new(inline::schema(THINGS), Options::default());
    for (method, url, body) in [
        ("POST", "/things", r#"{"id":""}"#),
        ("POST", "/things", r#"{"id":"1","inner":{"number":0},"list":[],"map":{},"free":{}}"#),
        ("GET", "/things?id=1&inner.number=2", ""),
        ("PUT", "/things/1", "{}"),
        ("PUT", "/inner/5", r#"{"other":1}"#),
        ("POST", "/free", ""),
    ] {
        assert!(calls.call(method, url, body).is_ok(), "{:?}", calls.call(method, url, body));
    }
}
