//! Rules that cannot be served, each with what is said of it.

#[path = "support/inline.rs"]
mod inline;

use selvedge_transcode::Routes;

const MESSAGES: &str = "
    message Q {
        string id = 1;
        Inner inner = 2;
        repeated string list = 3;
        map<string, string> map = 4;
        repeated Inner inners = 5;
        google.protobuf.Timestamp time = 6;
        google.protobuf.Struct any = 7;
        oneof choice { string one = 8; Inner two = 9; }
        google.protobuf.StringValue text = 10;
    }
    message Inner { string id = 1; }
";

/// What is wrong with RPCs that have these rules, of which each is in the service `S`.
fn errors(rules: &[&str]) -> Vec<String> {
    let rpcs = rules.iter().enumerate();
    let rpcs = rpcs
        .map(|(at, rule)| format!("rpc M{at}(Q) returns (Q) {{ option (google.api.http) = {{ {rule} }}; }}"));
    let schema = inline::schema(&format!("{MESSAGES} service S {{ {} }}", rpcs.collect::<String>()));
    match Routes::new(&schema) {
        Ok(_) => vec![],
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn what_http_proto_forbids_is_said_with_file_and_method() {
    for (rule, expected) in [
        ("body: '*'", "a rule has no method and path"),
        ("get: 'v1'", "`v1` does not begin with `/`"),
        ("get: ''", "`` does not begin with `/`"),
        ("get: '/'", "`/` has a segment that is empty"),
        ("get: '/v1/'", "`/v1/` has a segment that is empty"),
        ("get: '/v1//x'", "`/v1//x` has a segment that is empty"),
        ("get: '/v1/a*'", "`/v1/a*` has a segment that has `*` in `a*`"),
        ("get: '/v1/***'", "`/v1/***` has a segment that has `*` in `***`"),
        ("get: '/v1/a?b'", "`/v1/a?b` has a segment that has `?` in `a?b`"),
        ("get: '/v1/a b'", "`/v1/a b` has a segment that has ` ` in `a b`"),
        (
            "get: '/v1/%zz'",
            "`/v1/%zz` has a segment that has a `%` that is not followed by two hexadecimal digits",
        ),
        ("get: '/v1/**/x'", "`/v1/**/x` has `**` before the end"),
        ("get: '/v1/{id=**}/x'", "`/v1/{id=**}/x` has `**` before the end"),
        ("get: '/v1/{id=**/x}'", "`/v1/{id=**/x}` has `**` before the end"),
        ("get: '/v1/{id=a/{one}}'", "`/v1/{id=a/{one}}` has a variable inside of another"),
        ("get: '/v1/{id'", "`/v1/{id` has a `{` without its `}`"),
        ("get: '/v1/{id}x'", "`/v1/{id}x` has `x` where a slash, a verb or the end should be"),
        ("get: '/v1/x{id}'", "`/v1/x{id}` has a segment that has `{` in `x{id}`"),
        ("get: '/v1/{id=}'", "`/v1/{id=}` has a segment that is empty"),
        ("get: '/v1/{id=/a}'", "`/v1/{id=/a}` has a segment that is empty"),
        ("get: '/v1/{}'", "`/v1/{}` has a variable named ``, which is not a path of fields"),
        ("get: '/v1/{a b}'", "`/v1/{a b}` has a variable named `a b`, which is not a path of fields"),
        ("get: '/v1/{id.}'", "`/v1/{id.}` has a variable named `id.`, which is not a path of fields"),
        ("get: '/v1/x:'", "`/v1/x:` has a verb that is empty"),
        ("get: '/v1/{id}:a/b'", "`/v1/{id}:a/b` has a verb that has `/` in `a/b`"),
        ("get: '/v1/{no}'", "`GET /v1/{no}`: variable `no` names no field: `test.Q` has no `no`"),
        (
            "get: '/v1/{inner.no}'",
            "`GET /v1/{inner.no}`: variable `inner.no` names no field: `test.Inner` has no `no`",
        ),
        ("get: '/v1/{id.x}'", "`GET /v1/{id.x}`: variable `id.x` asks for `x` in what is not a message"),
        ("get: '/v1/{list}'", "`GET /v1/{list}`: variable `list` goes to `list`, which is repeated"),
        ("get: '/v1/{map}'", "`GET /v1/{map}`: variable `map` goes to `map`, which is a map"),
        (
            "get: '/v1/{inners.id}'",
            "`GET /v1/{inners.id}`: variable `inners.id` goes to `inners`, which is repeated",
        ),
        ("get: '/v1/{inner}'", "`GET /v1/{inner}`: variable `inner` goes to `inner`, which is a message"),
        ("get: '/v1/{any}'", "`GET /v1/{any}`: variable `any` goes to `any`, which is a message"),
        (
            "get: '/v1/{time.seconds}'",
            "`GET /v1/{time.seconds}`: variable `time.seconds` goes into `time`, whose fields have no JSON of their own",
        ),
        ("get: '/v1/{id}/{id}'", "`GET /v1/{id}/{id}`: variable `id` is there twice"),
        (
            "get: '/v1/{one}/{two.id}'",
            "`GET /v1/{one}/{two.id}`: variables `one` and `two.id` are of one oneof",
        ),
        ("post: '/v1' body: 'no'", "`POST /v1`: the body names no field: `test.Q` has no `no`"),
        ("post: '/v1' body: 'inner.id'", "`POST /v1`: the body names no field: `test.Q` has no `inner.id`"),
        ("post: '/v1/{id}' body: 'id'", "`POST /v1/{id}`: the body `id` is bound by the path"),
        (
            "post: '/v1/{one}' body: 'two'",
            "`POST /v1/{one}`: the body `two` and variable `one` are of one oneof",
        ),
        ("get: '/v1' body: '*'", "`GET /v1`: the rule has a body, and a GET has none"),
        (
            "post: '/v1' body: '*' additional_bindings: {delete: '/v1/{id}' body: 'inner'}",
            "`DELETE /v1/{id}`: the rule has a body, and a DELETE has none",
        ),
        (
            "custom: {kind: 'HEAD' path: '/v1'} body: '*'",
            "`HEAD /v1`: the rule has a body, and a HEAD has none",
        ),
        (
            "get: '/v1' response_body: 'no'",
            "`GET /v1`: the response body names no field: `test.Q` has no `no`",
        ),
        ("custom: {path: '/v1'}", "the custom kind `` is not an HTTP method"),
        ("custom: {kind: 'A B' path: '/v1'}", "the custom kind `A B` is not an HTTP method"),
        (
            "get: '/v1' additional_bindings: {get: '/v2' additional_bindings: {get: '/v3'}}",
            "an additional binding has additional bindings of its own",
        ),
        (
            "get: '/v1/{id}' additional_bindings: {get: '/v1/{one}'}",
            "`GET /v1/{one}` collides with `/v1/{id}` of test.S.M0",
        ),
    ] {
        assert_eq!(errors(&[rule]), [format!("test.proto: test.S.M0: {expected}")], "{rule}");
    }
    let long = format!("get: '{}'", "/x".repeat(65));
    assert!(errors(&[&long])[0].ends_with("has more than 64 segments"));
    assert_eq!(errors(&[&format!("get: '{}'", "/x".repeat(64))]), [""; 0]);
}

#[test]
fn what_http_proto_allows_is_served() {
    let allowed = [
        "get: '/v1/{time}'",
        "get: '/v2/{text}'",
        "post: '/v1/{inner.id}' body: 'inner'",
        "post: '/v1' body: 'list' response_body: 'map'",
        "put: '/v1' body: '*' response_body: 'list'",
        "delete: '/v1/{one}/{inner.id}'",
        "get: '/v1/**' additional_bindings: {get: '/v1/**:go'} additional_bindings: {custom: {kind: '*' path: '/v1/**'}}",
        "custom: {kind: '*' path: '/v1/any'} body: '*'",
        "custom: {kind: 'SEARCH' path: '/v1/{id=a:b/*/c~d/**}'}",
    ];
    assert_eq!(errors(&allowed), [""; 0]);
}

#[test]
fn bindings_of_one_method_and_shape_collide() {
    let of = |first: &str, second: &str| errors(&[first, second]);
    for (first, second) in [
        ("get: '/v1/{id}'", "get: '/v1/{one}'"),
        ("get: '/v1/{id}'", "get: '/v1/*'"),
        ("get: '/v1/{id=a/*}'", "get: '/v1/a/{one}'"),
        ("get: '/v1/{id=**}'", "get: '/v1/**'"),
        ("get: '/v1/{id}:go'", "get: '/v1/{one}:go'"),
        ("get: '/v1/%61'", "get: '/v1/a'"),
        ("get: '/v1/a'", "custom: {kind: 'GET' path: '/v1/a'}"),
    ] {
        let found = of(first, second);
        assert!(
            found.len() == 1 && found[0].starts_with("test.proto: test.S.M1: "),
            "{first} {second}: {found:?}"
        );
        assert!(found[0].contains("collides with") && found[0].ends_with(" of test.S.M0"), "{found:?}");
    }
    for (first, second) in [
        ("get: '/v1/{id}'", "post: '/v1/{id}'"),
        ("get: '/v1/{id}'", "get: '/v1/{id}:go'"),
        ("get: '/v1/{id}'", "get: '/v1/{id=**}'"),
        ("get: '/v1/{id}'", "custom: {kind: '*' path: '/v1/{id}'}"),
    ] {
        assert_eq!(of(first, second), [""; 0], "{first} {second}");
    }
}

#[test]
fn all_errors_come_at_once() {
    let found = errors(&[
        "get: '/v1/{no}/{list}' response_body: 'no'",
        "get: '/v1/ok'",
        "post: '/v1/{map}' body: 'no' additional_bindings: {get: 'x'}",
    ]);
    let methods = found.iter().map(|error| error.split(": ").nth(1).unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(methods, ["test.S.M0", "test.S.M0", "test.S.M0", "test.S.M2", "test.S.M2", "test.S.M2"]);
}

#[test]
fn collisions_are_told_beside_what_else_is_wrong() {
    let found = errors(&["get: '/v1/{id}' response_body: 'no'", "get: '/v1/{no}'", "put: 'x'"]);
    let parts =
        ["response body names no field", "variable `no`", "does not begin", "collides with `/v1/{id}`"];
    assert_eq!(found.len(), parts.len(), "{found:?}");
    assert!(found.iter().zip(parts).all(|(error, part)| error.contains(part)), "{found:?}");
}
