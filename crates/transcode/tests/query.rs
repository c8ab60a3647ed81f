//! Query parameters.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/inline.rs"]
mod inline;
#[path = "support/wire.rs"]
mod wire;

use calls::Calls;
use selvedge_transcode::Options;

const PROTO: &str = r#"
    enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; }
    message Q {
        string id = 1;
        int32 page_size = 2;
        int64 big = 3;
        bool flag = 4;
        double ratio = 5;
        bytes data = 6;
        Color color = 7;
        repeated string tags = 8;
        repeated int32 numbers = 9;
        repeated Color colors = 10;
        Inner inner = 11;
        repeated Inner inners = 12;
        map<string, int32> counts = 13;
        map<int32, string> names = 14;
        map<string, Inner> messages = 15;
        google.protobuf.Timestamp since = 16;
        google.protobuf.Duration wait = 17;
        google.protobuf.FieldMask read_mask = 18;
        google.protobuf.StringValue text = 19;
        google.protobuf.Int64Value maybe = 20;
        google.protobuf.Struct filter = 21;
        google.protobuf.Any any = 22;
        optional int32 limit = 23;
        oneof choice { string one = 24; int32 two = 25; Inner three = 26; }
        repeated google.protobuf.Timestamp times = 27;
        google.protobuf.Value value = 28;
        string renamed = 29 [json_name = "anotherName"];
        Inner body_part = 30;
        oneof other { Inner first = 31; string second = 32; }
    }
    message Inner { string sub_field = 1; Inner inner = 2; repeated string list = 3; map<string, string> map = 4; int32 n = 5; }
    service S {
        rpc Get(Q) returns (Q) { option (google.api.http) = {get: "/q/{id}"}; }
        rpc Deep(Q) returns (Q) { option (google.api.http) = {get: "/deep/{inner.inner.sub_field}"}; }
        rpc Whole(Q) returns (Q) { option (google.api.http) = {post: "/whole" body: "*"}; }
        rpc Part(Q) returns (Q) { option (google.api.http) = {post: "/part" body: "body_part"}; }
        rpc First(Q) returns (Q) { option (google.api.http) = {post: "/first" body: "first"}; }
    }
"#;

fn calls(options: Options) -> Calls {
    Calls::new(inline::schema(PROTO), options)
}

#[test]
fn each_type_has_its_text() {
    let calls = calls(Options::default());
    for (query, expected) in [
        ("", r#"{"id":"7"}"#),
        ("&&", r#"{"id":"7"}"#),
        ("page_size=20", r#"{"id":"7","page_size":20}"#),
        ("pageSize=20", r#"{"id":"7","page_size":20}"#),
        ("page%53ize=2%30", r#"{"id":"7","page_size":20}"#),
        ("big=9007199254740993", r#"{"id":"7","big":"9007199254740993"}"#),
        ("flag=true&ratio=1.5", r#"{"id":"7","flag":true,"ratio":1.5}"#),
        ("ratio=-Infinity", r#"{"id":"7","ratio":"-Infinity"}"#),
        ("data=-_8", r#"{"id":"7","data":"+/8="}"#),
        ("data=%2B/8=", r#"{"id":"7","data":"+/8="}"#),
        ("color=COLOR_RED", r#"{"id":"7","color":"COLOR_RED"}"#),
        ("color=1", r#"{"id":"7","color":"COLOR_RED"}"#),
        ("tags=a&tags=b+c&tags=%2B", r#"{"id":"7","tags":["a","b c","+"]}"#),
        ("tags=a&page_size=1&tags=", r#"{"id":"7","page_size":1,"tags":["a",""]}"#),
        ("numbers=3&numbers=0&numbers=-1", r#"{"id":"7","numbers":[3,0,-1]}"#),
        ("colors=1&colors=COLOR_UNSPECIFIED", r#"{"id":"7","colors":["COLOR_RED","COLOR_UNSPECIFIED"]}"#),
        ("inner.sub_field=x", r#"{"id":"7","inner":{"sub_field":"x"}}"#),
        (
            "inner.subField=x&page_size=1&inner.inner.list=a&inner.n=5&inner.inner.list=b",
            r#"{"id":"7","page_size":1,"inner":{"sub_field":"x","inner":{"list":["a","b"]},"n":5}}"#,
        ),
        ("counts[a]=1&counts[b.c%5D]=0", r#"{"id":"7","counts":{"a":1,"b.c]":0}}"#),
        ("counts%5Ba%5D=1", r#"{"id":"7","counts":{"a":1}}"#),
        ("counts[]=1", r#"{"id":"7","counts":{"":1}}"#),
        ("names[5]=five", r#"{"id":"7","names":{"5":"five"}}"#),
        ("inner.map[k]=v", r#"{"id":"7","inner":{"map":{"k":"v"}}}"#),
        ("since=2024-01-02T03:04:05Z", r#"{"id":"7","since":"2024-01-02T03:04:05Z"}"#),
        ("since=2024-01-02T03:04:05%2B01:00", r#"{"id":"7","since":"2024-01-02T02:04:05Z"}"#),
        ("wait=1.5s", r#"{"id":"7","wait":"1.500s"}"#),
        ("read_mask=page_size,inner.sub_field", r#"{"id":"7","read_mask":"pageSize,inner.subField"}"#),
        ("readMask=pageSize,inner.subField", r#"{"id":"7","read_mask":"pageSize,inner.subField"}"#),
        ("text=&maybe=0", r#"{"id":"7","text":"","maybe":"0"}"#),
        ("filter=%7B%22a%22:[1,null]%7D", r#"{"id":"7","filter":{"a":[1,null]}}"#),
        ("value=%22x%22", r#"{"id":"7","value":"x"}"#),
        ("limit=0", r#"{"id":"7","limit":0}"#),
        ("page_size=0&flag=false", r#"{"id":"7"}"#),
        ("one=", r#"{"id":"7","one":""}"#),
        ("three.sub_field=x&three.n=1", r#"{"id":"7","three":{"sub_field":"x","n":1}}"#),
        ("anotherName=x", r#"{"id":"7","renamed":"x"}"#),
        ("renamed=x", r#"{"id":"7","renamed":"x"}"#),
        ("one=a=b", r#"{"id":"7","one":"a=b"}"#),
        ("one=?/:@", r#"{"id":"7","one":"?/:@"}"#),
    ] {
        assert_eq!(calls.call("GET", &format!("/q/7?{query}"), "").as_deref(), Ok(expected), "{query}");
    }
}

#[test]
fn what_is_wrong_is_said_with_the_name_of_the_parameter() {
    let calls = calls(Options::default());
    for (query, expected) in [
        ("no=1", "no: is not a parameter"),
        ("=1", ": is not a parameter"),
        ("Page_size=1", "Page_size: is not a parameter"),
        ("inner.no=1", "inner.no: is not a parameter"),
        ("page_size.x=1", "page_size.x: is not a parameter"),
        ("inner..n=1", "inner..n: is not a parameter"),
        (".inner.n=1", ".inner.n: is not a parameter"),
        ("tags[]=a", "tags[]: has a key, but is not a map"),
        ("since.seconds=1", "since.seconds: is not a parameter"),
        ("id=7", "id: is not a parameter: the path says it"),
        ("page_size=1&page_size=1", "page_size: is given twice"),
        ("page_size=1&pageSize=2", "pageSize: is given twice"),
        ("inner.n=1&inner.n=0", "inner.n: is given twice"),
        ("counts[a]=1&counts[a]=1", "counts[a]: is given twice"),
        ("names[5]=a&names[%35]=b", "names[5]: is given twice"),
        ("filter={}&filter={}", "filter: is given twice"),
        ("one=a&two=1", "two: excludes `one`, which is given as well"),
        ("three.n=1&one=a", "one: excludes `three`, which is given as well"),
        ("inner=x", "inner: is a message: name its fields"),
        ("inner=", "inner: is a message: name its fields"),
        ("inners=x", "inners: is a list of messages, which no parameter can be"),
        ("inners.n=1", "inners.n: `inners` is a list of messages, which no parameter can be"),
        ("times=2024-01-02T03:04:05Z", "times: is a list of messages, which no parameter can be"),
        ("any=x", "any: cannot be a parameter"),
        ("counts=1", "counts: is a map: write `counts[key]`"),
        ("counts.a=1", "counts.a: `counts` is a map: write `counts[key]`"),
        ("messages[a]=1", "messages[a]: is a message: name its fields"),
        ("one=%zz", "one: has a `%` that is not followed by two hexadecimal digits"),
        ("one=%f", "one: ends within a percent-encoding"),
        ("one=%ff", "one: is not UTF-8 when decoded"),
        ("%ff=1", "%ff: is not UTF-8 when decoded"),
    ] {
        let found = calls.call("GET", &format!("/q/7?{query}"), "").expect_err(query);
        assert_eq!(found, expected.trim_start_matches(": "), "{query}");
    }
    for query in [
        "page_size=",
        "page_size=x",
        "page_size=2147483648",
        "page_size=1.5",
        "big=9223372036854775808",
        "flag=1",
        "flag=TRUE",
        "ratio=x",
        "ratio=1e999",
        "data=%25",
        "color=PINK",
        "color=",
        "since=yesterday",
        "wait=1",
        "maybe=x",
        "counts[a]=x",
        "filter=x",
        "filter=[]",
        "filter={",
        "numbers=",
        "names[x]=a",
    ] {
        let found = calls.call("GET", &format!("/q/7?{query}"), "").expect_err(query);
        let name = query.split('=').next().unwrap_or_default();
        assert!(found.starts_with(&format!("{name}: ")), "{query}: {found}");
    }
}

#[test]
fn neither_the_path_nor_the_body_is_a_parameter() {
    let calls = calls(Options::default());
    let deep = "/deep/x?inner.n=1&inner.inner.list=a";
    let expected = r#"{"inner":{"inner":{"sub_field":"x","list":["a"]},"n":1}}"#;
    assert_eq!(calls.call("GET", deep, "").as_deref(), Ok(expected));
    let twice = calls.call("GET", "/deep/x?inner.inner.sub_field=x", "");
    assert_eq!(twice, Err("inner.inner.sub_field: is not a parameter: the path says it".to_owned()));

    let whole = calls.call("POST", "/whole?page_size=1", r#"{"id":"7"}"#);
    assert_eq!(whole, Err("page_size: is not a parameter: the whole request is the body".to_owned()));

    let part = calls.call("POST", "/part?page_size=1&inner.n=2", r#"{"n":5}"#);
    assert_eq!(part.as_deref(), Ok(r#"{"page_size":1,"inner":{"n":2},"body_part":{"n":5}}"#));
    for query in ["body_part.n=1", "bodyPart.inner.n=1", "body_part=1"] {
        let found = calls.call("POST", &format!("/part?{query}"), "{}").expect_err(query);
        assert!(found.ends_with(": is not a parameter: it is the body"), "{found}");
    }
    let other = calls.call("POST", "/first?second=x", "{}");
    assert_eq!(other, Err("second: excludes `first`, which is given as well".to_owned()));
}

#[test]
fn options_and_limits() {
    let ignoring = calls(Options { ignore_unknown_parameters: true, ..Options::default() });
    let found = ignoring.call("GET", "/q/7?no=1&page_size=2&inner.no=3", "");
    assert_eq!(found.as_deref(), Ok(r#"{"id":"7","page_size":2}"#));
    let found = ignoring.call("POST", "/whole?no=1", r#"{"id":"7"}"#);
    assert_eq!(found.as_deref(), Ok(r#"{"id":"7"}"#));
    assert!(ignoring.call("GET", "/q/7?page_size=x", "").is_err(), "what is known must be right");

    let narrow = calls(Options { max_depth: 3, max_elements: 2, max_output: 100, ..Options::default() });
    assert!(narrow.call("GET", "/q/7?inner.inner.n=1", "").is_ok());
    let deep = narrow.call("GET", "/q/7?inner.inner.inner.n=1", "");
    assert_eq!(deep, Err("inner.inner.inner.n: goes too deep".to_owned()));
    assert!(narrow.call("GET", "/q/7?tags=1&tags=2", "").is_ok());
    assert_eq!(
        narrow.call("GET", "/q/7?tags=1&tags=2&tags=3", ""),
        Err("there are too many query parameters".to_owned())
    );
    let large = narrow.call("GET", &format!("/q/7?one={}", "x".repeat(100)), "");
    assert_eq!(large, Err("the request is too large".to_owned()));
}

#[test]
fn recursion_in_a_query_has_an_end() {
    let calls = calls(Options::default());
    let deepest = |depth: usize| calls.call("GET", &format!("/q/7?{}n=1", "inner.".repeat(depth)), "");
    assert!(deepest(50).is_ok());
    assert!(deepest(5_000).expect_err("too deep").ends_with("goes too deep"));
}

#[test]
fn a_name_that_an_enum_does_not_have_makes_no_entry() {
    let proto = r#"
        enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; }
        message Q { map<string, Color> colors = 1; Color color = 2; repeated Color list = 3; }
        service S { rpc Get(Q) returns (Q) { option (google.api.http) = {get: "/q"}; } }
    "#;
    let options = Options { ignore_unknown_enum_names: true, ..Options::default() };
    let calls = Calls::new(inline::schema(proto), options);
    let query =
        "colors[a]=NO&colors[b]=COLOR_RED&colors[c]=COLOR_UNSPECIFIED&color=NO&list=NO&list=COLOR_RED";
    let found = calls.call("GET", &format!("/q?{query}"), "");
    let expected = r#"{"colors":{"b":"COLOR_RED","c":"COLOR_UNSPECIFIED"},"list":["COLOR_RED"]}"#;
    assert_eq!(found.as_deref(), Ok(expected));
}

#[test]
fn names_in_json_come_before_those_of_the_proto() {
    let proto = r#"
        message Q { string foo = 1 [json_name = "bar"]; string bar = 2 [json_name = "foo"]; }
        service S {
            rpc Get(Q) returns (Q) { option (google.api.http) = {get: "/q"}; }
            rpc Post(Q) returns (Q) { option (google.api.http) = {post: "/q" body: "*"}; }
        }
    "#;
    let calls = Calls::new(inline::schema(proto), Options::default());
    let expected = Ok(r#"{"foo":"2","bar":"1"}"#);
    assert_eq!(calls.call("GET", "/q?foo=1&bar=2", "").as_deref(), expected);
    assert_eq!(calls.call("POST", "/q", r#"{"foo":"1","bar":"2"}"#).as_deref(), expected);
}
