//! Paths, bodies and headers, and the one message that they become.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/inline.rs"]
mod inline;
#[path = "support/wire.rs"]
mod wire;

use calls::Calls;
use selvedge_transcode::{Options, Request};

/// The examples of http.proto.
const MESSAGING: &str = r#"
    message GetMessageRequest {
        message SubMessage { string subfield = 1; }
        string message_id = 1; int64 revision = 2; SubMessage sub = 3; string user_id = 4;
    }
    message NamedRequest { string name = 1; }
    message UpdateMessageRequest { string message_id = 1; Message message = 2; }
    message Message { string text = 1; string message_id = 2; }
    service Messaging {
        rpc Named(NamedRequest) returns (Message) { option (google.api.http) = {get: "/v0/{name=messages/*}"}; }
        rpc GetMessage(GetMessageRequest) returns (Message) {
            option (google.api.http) = {
                get: "/v1/messages/{message_id}"
                additional_bindings {get: "/v1/users/{user_id}/messages/{message_id}"}
            };
        }
        rpc UpdateMessage(UpdateMessageRequest) returns (Message) {
            option (google.api.http) = {patch: "/v1/messages/{message_id}" body: "message"};
        }
        rpc UpdateWhole(Message) returns (Message) {
            option (google.api.http) = {patch: "/v2/messages/{message_id}" body: "*"};
        }
    }
"#;

#[test]
fn the_examples_of_http_proto() {
    let calls = Calls::new(inline::schema(MESSAGING), Options::default());
    for (method, url, body, expected) in [
        ("GET", "/v0/messages/123456", "", r#"{"name":"messages/123456"}"#),
        (
            "GET",
            "/v1/messages/123456?revision=2&sub.subfield=foo",
            "",
            r#"{"message_id":"123456","revision":"2","sub":{"subfield":"foo"}}"#,
        ),
        (
            "PATCH",
            "/v1/messages/123456",
            r#"{ "text": "Hi!" }"#,
            r#"{"message_id":"123456","message":{"text":"Hi!"}}"#,
        ),
        ("PATCH", "/v2/messages/123456", r#"{ "text": "Hi!" }"#, r#"{"text":"Hi!","message_id":"123456"}"#),
        ("GET", "/v1/messages/123456", "", r#"{"message_id":"123456"}"#),
        ("GET", "/v1/users/me/messages/123456", "", r#"{"message_id":"123456","user_id":"me"}"#),
    ] {
        assert_eq!(calls.call(method, url, body).as_deref(), Ok(expected), "{method} {url}");
    }
}

const THINGS: &str = r#"
    message Thing {
        string id = 1; string name = 2; int32 size = 3; Thing inner = 4; repeated string tags = 5;
        oneof choice { string one = 6; int32 two = 7; }
        string etag = 8;
    }
    message Put { Thing thing = 1; bool dry = 2; string request_id = 3; }
    message Tagged { Thing thing = 1; string etag = 2; }
    message Many { repeated Thing things = 1; string id = 2; map<string, int32> counts = 3; int32 n = 4; }
    message Free { google.protobuf.Struct data = 1; google.protobuf.Value value = 2; string id = 3; }
    service S {
        rpc Whole(Thing) returns (Thing) { option (google.api.http) = {put: "/whole/{id}" body: "*"}; }
        rpc Deep(Thing) returns (Thing) { option (google.api.http) = {put: "/deep/{inner.inner.id}/{inner.size}" body: "*"}; }
        rpc Choice(Thing) returns (Thing) { option (google.api.http) = {put: "/choice/{one}" body: "*"}; }
        rpc Part(Put) returns (Thing) { option (google.api.http) = {put: "/part/{thing.id}" body: "thing"}; }
        rpc PartDeep(Put) returns (Thing) { option (google.api.http) = {put: "/part/{thing.id}/{thing.inner.id}" body: "thing"}; }
        rpc Tag(Tagged) returns (Thing) { option (google.api.http) = {put: "/tagged" body: "thing"}; }
        rpc List(Many) returns (Many) { option (google.api.http) = {put: "/many/{id}" body: "things" response_body: "things"}; }
        rpc Map(Many) returns (Many) { option (google.api.http) = {put: "/map/{id}" body: "counts" response_body: "counts"}; }
        rpc Number(Many) returns (Many) { option (google.api.http) = {put: "/number/{id}" body: "n" response_body: "n"}; }
        rpc Struct(Free) returns (Free) { option (google.api.http) = {put: "/struct/{id}" body: "data"}; }
        rpc Value(Free) returns (Free) { option (google.api.http) = {put: "/value/{id}" body: "value"}; }
        rpc None(Thing) returns (Thing) { option (google.api.http) = {delete: "/none/{id}"}; }
    }
"#;

fn things() -> Calls {
    Calls::new(inline::schema(THINGS), Options::default())
}

#[test]
fn the_path_wins_over_the_body() {
    let calls = things();
    for (url, body, expected) in [
        ("/whole/7", r#"{"id":"8","name":"x"}"#, r#"{"id":"7","name":"x"}"#),
        ("/whole/7", r#"{"name":"x","id":null}"#, r#"{"id":"7","name":"x"}"#),
        ("/whole/7", "", r#"{"id":"7"}"#),
        ("/deep/7/5", "{}", r#"{"inner":{"size":5,"inner":{"id":"7"}}}"#),
        (
            "/deep/7/5",
            r#"{"id":"1","inner":{"id":"2","size":9,"inner":{"id":"3","inner":{"id":"4"},"tags":["a","b"]}},"tags":["c"]}"#,
            r#"{"id":"1","inner":{"id":"2","size":5,"inner":{"id":"7","inner":{"id":"4"},"tags":["a","b"]}},"tags":["c"]}"#,
        ),
        // Nothing is left of a zero of the path, and nothing of what the body has in its place.
        ("/deep/7/0", r#"{"inner":{"size":9}}"#, r#"{"inner":{"inner":{"id":"7"}}}"#),
        ("/choice/x", r#"{"one":"y","name":"n"}"#, r#"{"name":"n","one":"x"}"#),
        ("/choice/x", r#"{"two":5,"name":"n"}"#, r#"{"name":"n","one":"x"}"#),
        ("/part/7", r#"{"id":"8","name":"x"}"#, r#"{"thing":{"id":"7","name":"x"}}"#),
        ("/part/7", r#"{"name":"x"}"#, r#"{"thing":{"id":"7","name":"x"}}"#),
        ("/part/7", "", r#"{"thing":{"id":"7"}}"#),
        ("/part/7", "null", r#"{"thing":{"id":"7"}}"#),
        ("/part/7?dry=true", r#"{"id":"8"}"#, r#"{"thing":{"id":"7"},"dry":true}"#),
        (
            "/part/7/8",
            r#"{"inner":{"id":"9","inner":{"id":"10"}}}"#,
            r#"{"thing":{"id":"7","inner":{"id":"8","inner":{"id":"10"}}}}"#,
        ),
    ] {
        assert_eq!(calls.call("PUT", url, body).as_deref(), Ok(expected), "{url} {body}");
    }
    let long = "x".repeat(100_000);
    let body = format!(r#"{{"name":"{long}","inner":{{"name":"{long}"}}}}"#);
    let expected =
        format!(r#"{{"inner":{{"name":"{long}","size":5,"inner":{{"id":"7"}}}},"name":"{long}"}}"#);
    let found = calls.call("PUT", "/deep/7/5", &body).expect("a long body");
    assert_eq!(found.len(), expected.len());
}

#[test]
fn a_body_may_be_any_field() {
    let calls = things();
    for (url, body, expected) in [
        ("/many/7?n=1", r#"[{"id":"1"},{}]"#, r#"{"things":[{"id":"1"},{}],"id":"7","n":1}"#),
        ("/many/7", "", r#"{"id":"7"}"#),
        ("/map/7", r#"{"a":1}"#, r#"{"id":"7","counts":{"a":1}}"#),
        ("/number/7", "5", r#"{"id":"7","n":5}"#),
        ("/struct/7", r#"{"a":[1]}"#, r#"{"data":{"a":[1]},"id":"7"}"#),
        ("/struct/7", "", r#"{"data":{},"id":"7"}"#),
        ("/value/7", "null", r#"{"value":null,"id":"7"}"#),
        ("/value/7", "", r#"{"id":"7"}"#),
    ] {
        assert_eq!(calls.call("PUT", url, body).as_deref(), Ok(expected), "{url} {body}");
    }
    let response = |path: &str, wire: &[u8]| {
        let mut json = vec![];
        calls.transcoder.response(calls.find("PUT", path).route, wire, &mut json).expect("a response");
        String::from_utf8(json).expect("JSON")
    };
    // Many { things: [Thing { id: "1" }], n: 5 }
    let wire = [0x0a, 3, 0x0a, 1, b'1', 0x20, 5];
    assert!(response("/many/7", &wire).starts_with(r#"[{"id":"1","#));
    assert_eq!(response("/many/7", &[]), "[]");
    assert_eq!(response("/map/7", &wire), "{}");
    assert_eq!(response("/number/7", &wire), "5");
    assert_eq!(response("/number/7", &[]), "0");
}

#[test]
fn what_does_not_fit_is_said() {
    let calls = things();
    let problem = |url: &str, body: &str| calls.call("PUT", url, body).expect_err(url);
    assert!(problem("/deep/7/x", "{}").starts_with("inner.size: "));
    assert!(problem("/whole/7", r#"{"no":1}"#).starts_with("no: "));
    assert!(problem("/part/7", r#"{"inner":{"no":1}}"#).contains("inner.no: "));
    assert!(problem("/whole/7", "{").len() > 1);
    assert_eq!(calls.call("DELETE", "/none/7", "{}"), Err("this method takes no body".to_owned()));
    let lenient = Options { ignore_unexpected_body: true, ..Options::default() };
    let lenient = Calls::new(inline::schema(THINGS), lenient);
    assert_eq!(lenient.call("DELETE", "/none/7", "{").as_deref(), Ok(r#"{"id":"7"}"#));
}

#[test]
fn headers_become_fields() {
    let calls = things();
    let call = |url: &str, body: &str, if_match: Option<&str>, request_id: Option<&str>| {
        calls.call_with("PUT", url, Request { query: None, body: body.as_bytes(), if_match, request_id })
    };
    let etag = |url, body| call(url, body, Some("e"), None);
    assert_eq!(etag("/whole/7", "{}").as_deref(), Ok(r#"{"id":"7","etag":"e"}"#));
    assert_eq!(etag("/whole/7", r#"{"etag":"e"}"#).as_deref(), Ok(r#"{"id":"7","etag":"e"}"#));
    let otherwise = Err("If-Match: says otherwise than the body".to_owned());
    assert_eq!(etag("/whole/7", r#"{"etag":"f"}"#), otherwise);
    assert_eq!(
        etag("/part/7", r#"{"name":"x"}"#).as_deref(),
        Ok(r#"{"thing":{"id":"7","name":"x","etag":"e"}}"#)
    );
    assert_eq!(etag("/part/7", r#"{"etag":"e"}"#).as_deref(), Ok(r#"{"thing":{"id":"7","etag":"e"}}"#));
    assert_eq!(etag("/part/7", r#"{"etag":"f"}"#), otherwise);
    // The request's own field comes before that of its body.
    assert_eq!(etag("/tagged", r#"{"etag":"f"}"#).as_deref(), Ok(r#"{"thing":{"etag":"f"},"etag":"e"}"#));
    assert_eq!(etag("/tagged?etag=e", "{}").as_deref(), Ok(r#"{"thing":{},"etag":"e"}"#));
    assert_eq!(
        etag("/tagged?etag=f", "{}"),
        Err("If-Match: says otherwise than the path or the query".to_owned())
    );
    assert_eq!(etag("/many/7", "[]"), Err("If-Match: has no meaning for this method".to_owned()));

    let id = |url, body| call(url, body, None, Some("r"));
    assert_eq!(id("/part/7", "{}").as_deref(), Ok(r#"{"thing":{"id":"7"},"request_id":"r"}"#));
    assert_eq!(id("/part/7?request_id=r", "{}").as_deref(), Ok(r#"{"thing":{"id":"7"},"request_id":"r"}"#));
    assert!(id("/part/7?request_id=s", "{}").is_err());
    assert_eq!(id("/whole/7", "{}").as_deref(), Ok(r#"{"id":"7"}"#));

    let takes = |path| {
        let route = calls.find("PUT", path).route;
        (route.takes_if_match, route.takes_request_id)
    };
    assert_eq!(takes("/whole/7"), (true, false));
    assert_eq!(takes("/part/7"), (true, true));
    assert_eq!(takes("/many/7"), (false, false));
}
