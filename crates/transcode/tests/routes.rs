//! Which path leads where.

#[path = "support/inline.rs"]
mod inline;

use selvedge_transcode::{Found, Routes};

/// Rules such as `GET /v1/{name}`, one per RPC; a method that has no field of its own is custom.
fn routes(rules: &[&str]) -> Routes {
    let rpcs =
        rules.iter().enumerate().map(|(at, rule)| format!("rpc M{at}(Q) returns (Q) {{ {} }}", option(rule)));
    let schema = inline::schema(&format!("{MESSAGES} service S {{ {} }}", rpcs.collect::<String>()));
    Routes::new(&schema).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn option(rule: &str) -> String {
    let (method, path) = rule.split_once(' ').expect("a method and a path");
    let pattern = match method {
        "GET" | "PUT" | "POST" | "DELETE" | "PATCH" => format!("{}: \"{path}\"", method.to_lowercase()),
        kind => format!("custom: {{kind: \"{kind}\" path: \"{path}\"}}"),
    };
    format!("option (google.api.http) = {{ {pattern} }};")
}

const MESSAGES: &str = "
    message Q { string name = 1; string id = 2; Inner inner = 3; int32 number = 4; string other = 5; }
    message Inner { string id = 1; Inner inner = 2; }
";

/// What is found, in short: the rule with the values of its variables.
fn find(routes: &Routes, method: &str, path: &str) -> String {
    match routes.find(method, path) {
        Found::Route(found) => {
            let variables = found.route.template.variables.iter().zip(&found.variables);
            let values =
                variables.map(|(variable, text)| format!(" {}={text}", variable.name)).collect::<String>();
            format!("{}{values}", found.route.template.text)
        }
        Found::MethodNotAllowed(allow) => format!("405 {allow}"),
        Found::NotFound => "404".to_owned(),
        Found::Bad(error) => format!("400 {error}"),
    }
}

#[test]
fn templates_match_as_their_grammar_says() {
    for (template, path, expected) in [
        ("/v1/{name=messages/*}", "/v1/messages/123456", " name=messages/123456"),
        ("/v1/messages/{id}", "/v1/messages/123456", " id=123456"),
        ("/v1/users/{id}/messages/{name}", "/v1/users/me/messages/7", " id=me name=7"),
        ("/v1/{name=**}", "/v1/a/b/c", " name=a/b/c"),
        ("/v1/{name=**}", "/v1", " name="),
        ("/v1/{name=a/**}", "/v1/a", " name=a"),
        ("/v1/{name=a/*/b/**}/", "", "does not parse"),
        ("/v1/{name=a/*/b/**}", "/v1/a/x/b/c/d", " name=a/x/b/c/d"),
        ("/v1/{name=a/*/b/**}", "/v1/a/x/c", "404"),
        ("/v1/{inner.inner.id}", "/v1/7", " inner.inner.id=7"),
        ("/v1/*/{id}", "/v1/x/7", " id=7"),
        ("/v1/{id}/**", "/v1/7", " id=7"),
        ("/v1/{id}/**", "/v1/7/8/9", " id=7"),
        ("/**", "/", ""),
        ("/v1/{id}:cancel", "/v1/7:cancel", " id=7"),
        ("/v1/{id}:cancel", "/v1/7", "404"),
        ("/v1/{id}:cancel", "/v1/7:other", "404"),
        ("/v1/{id}:cancel", "/v1/7:8:cancel", " id=7:8"),
        ("/v1/{id}:cancel", "/v1/7%3Acancel", "404"),
        ("/v1/{id}:cancel", "/v1/:cancel", "404"),
        ("/v1/{id}:a:b", "/v1/7:a:b", " id=7"),
        ("/v1/{name=**}:cancel", "/v1/a/b:cancel", " name=a/b"),
        ("/v1/{name=a/*}:cancel", "/v1/a/b:cancel", " name=a/b"),
        ("/v1/things:list", "/v1/things:list", ""),
        ("/v1/a:b/{id}", "/v1/a:b/7", " id=7"),
        ("/v1/{id}", "/v1/7:cancel", " id=7:cancel"),
        ("/v1/{id}", "/v1/", "404"),
        ("/v1/{id}", "/v1/7/", "404"),
        ("/v1/{id}", "/v1//7", "404"),
        ("/v1/{id}", "//v1/7", "404"),
        ("/v1/{name=**}", "/v1/a//b", "404"),
        ("/v1/{name=**}", "/v1/a/", "404"),
        ("/v1/{id}", "/V1/7", "404"),
        ("/v1/{id}", "*", "404"),
        ("/v1/{id}", "", "404"),
    ] {
        if expected == "does not parse" {
            assert!(std::panic::catch_unwind(|| routes(&[&format!("GET {template}")])).is_err());
            continue;
        }
        let found = find(&routes(&[&format!("GET {template}")]), "GET", path);
        assert_eq!(found.strip_prefix(template).unwrap_or(&found), expected, "{template} with {path}");
    }
}

#[test]
fn percent_encoding_is_undone_once_and_strictly() {
    let routes =
        routes(&["GET /v1/one/{id}", "GET /v1/many/{name=**}", "GET /v1/caf%C3%A9", "GET /v1/b/{id}:x"]);
    for (path, expected) in [
        ("/v1/one/a%20b", "/v1/one/{id} id=a b"),
        ("/v1/one/a+b", "/v1/one/{id} id=a+b"),
        ("/v1/one/a%2Fb", "/v1/one/{id} id=a/b"),
        ("/v1/one/a%2fb", "/v1/one/{id} id=a/b"),
        ("/v1/one/%2525", "/v1/one/{id} id=%25"),
        ("/v1/one/%C3%BC", "/v1/one/{id} id=ü"),
        ("/v1/one/ü", "/v1/one/{id} id=ü"),
        ("/v1/one/a%3Ab", "/v1/one/{id} id=a:b"),
        ("/v1/many/a%2Fb/c%20d", "/v1/many/{name=**} name=a%2Fb/c d"),
        ("/v1/many/a%2fb/%3A", "/v1/many/{name=**} name=a%2fb/:"),
        ("/v1/%6Fne/x", "/v1/one/{id} id=x"),
        ("/v1/café", "/v1/caf%C3%A9"),
        ("/v1/caf%c3%a9", "/v1/caf%C3%A9"),
        ("/v1/b/7:%78", "/v1/b/{id}:x id=7"),
        ("/v1/b/7%3Ax", "404"),
        ("/v1/one/%", "400 the path ends within a percent-encoding"),
        ("/v1/one/%4", "400 the path ends within a percent-encoding"),
        ("/v1/one/%zz", "400 the path has a `%` that is not followed by two hexadecimal digits"),
        ("/v1/one/%+1", "400 the path has a `%` that is not followed by two hexadecimal digits"),
        ("/v1/one/%ff", "400 the path is not UTF-8 when decoded"),
        ("/v1/one/%C3/%BC", "400 the path is not UTF-8 when decoded"),
        ("/v1/many/%C3%2F%BC", "400 the path is not UTF-8 when decoded"),
    ] {
        assert_eq!(find(&routes, "GET", path), expected, "{path}");
    }
}

#[test]
fn the_most_specific_template_wins_whatever_the_order() {
    let rules =
        ["GET /v1/{name=**}", "GET /v1/{id}", "GET /v1/things", "GET /v1/{id}/x", "GET /v1/things/{id}"];
    let expected = [
        ("/v1/things", "/v1/things"),
        ("/v1/other", "/v1/{id} id=other"),
        ("/v1/things/x", "/v1/things/{id} id=x"),
        ("/v1/other/x", "/v1/{id}/x id=other"),
        ("/v1/other/y", "/v1/{name=**} name=other/y"),
        ("/v1/things/x/y", "/v1/{name=**} name=things/x/y"),
        ("/v1", "/v1/{name=**} name="),
    ];
    for order in permutations(&rules) {
        let routes = routes(&order);
        for (path, expected) in expected {
            assert_eq!(find(&routes, "GET", path), expected, "{path} with {order:?}");
        }
    }
}

#[test]
fn a_verb_beats_none_whatever_the_order() {
    let rules = ["GET /v1/{name=**}", "GET /v1/{id}:stop", "GET /v1/{id}", "POST /v1/a:stop"];
    for order in permutations(&rules) {
        let routes = routes(&order);
        for (method, path, expected) in [
            ("GET", "/v1/b:stop", "/v1/{id}:stop id=b"),
            ("GET", "/v1/a:stop", "/v1/{id}:stop id=a"),
            ("POST", "/v1/a:stop", "/v1/a:stop"),
            ("POST", "/v1/b:stop", "405 GET, HEAD, OPTIONS"),
            ("GET", "/v1/b:go", "/v1/{id} id=b:go"),
            ("GET", "/v1/a/b:stop", "/v1/{name=**} name=a/b:stop"),
        ] {
            assert_eq!(find(&routes, method, path), expected, "{method} {path} with {order:?}");
        }
    }
}

#[test]
fn a_dead_end_leads_back() {
    let routes =
        routes(&["GET /a/b/c/d", "GET /a/*/c/{id}", "GET /*/b/{id}/x", "GET /{name=**}", "POST /a/b/c/e"]);
    for (path, expected) in [
        ("/a/b/c/d", "/a/b/c/d"),
        ("/a/b/c/e", "/a/*/c/{id} id=e"),
        ("/a/b/x/x", "/*/b/{id}/x id=x"),
        ("/a/x/x/x", "/{name=**} name=a/x/x/x"),
    ] {
        assert_eq!(find(&routes, "GET", path), expected, "{path}");
    }
}

#[test]
fn templates_that_overlap_in_all_ways_cost_no_more_than_there_are() {
    // Each of twelve segments is `a` or `*`, the last one `b`: the search visits each node of the tree once.
    let templates = (0..1u32 << 10).map(|bits| {
        let segments = (0..10).map(|at| if bits >> at & 1 == 0 { "/a" } else { "/*" });
        format!("GET {}/b", segments.collect::<String>())
    });
    let templates = templates.collect::<Vec<_>>();
    let routes = routes(&templates.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(find(&routes, "GET", &format!("{}/b", "/a".repeat(10))), format!("{}/b", "/a".repeat(10)));
    assert_eq!(find(&routes, "GET", &format!("{}/c", "/a".repeat(10))), "404");
    assert_eq!(find(&routes, "GET", &"/a".repeat(100_000)), "404");
}

#[test]
fn a_path_without_the_method_says_what_is_allowed() {
    let routes = routes(&[
        "GET /v1/{id}",
        "DELETE /v1/{id}",
        "POST /v1/things",
        "LOCK /v1/{name=**}",
        "* /any/{id}",
        "PUT /any/{id}",
        "HEAD /v2/{id}",
        "GET /v2/{id}/x",
    ]);
    for (method, path, expected) in [
        ("POST", "/v1/x", "405 DELETE, GET, HEAD, LOCK, OPTIONS"),
        ("PUT", "/v1/things", "405 DELETE, GET, HEAD, LOCK, OPTIONS, POST"),
        ("OPTIONS", "/v1/x/y", "405 LOCK, OPTIONS"),
        ("get", "/v1/x/y", "405 LOCK, OPTIONS"),
        ("GET", "/v1/things", "/v1/{id} id=things"),
        ("HEAD", "/v1/x", "/v1/{id} id=x"),
        ("LOCK", "/v1/x/y", "/v1/{name=**} name=x/y"),
        ("BREW", "/any/x", "/any/{id} id=x"),
        ("PUT", "/any/x", "/any/{id} id=x"),
        ("GET", "/v2/x", "405 HEAD, OPTIONS"),
        ("HEAD", "/v2/x", "/v2/{id} id=x"),
        ("GET", "/nothing", "404"),
    ] {
        assert_eq!(find(&routes, method, path), expected, "{method} {path}");
    }
    let method = |name| match routes.find(name, "/any/x") {
        Found::Route(found) => found.route.http_method.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!([method("PUT"), method("BREW")], ["PUT", "*"]);
}

/// All orders of a list.
fn permutations<'a>(list: &[&'a str]) -> Vec<Vec<&'a str>> {
    if list.is_empty() {
        return vec![vec![]];
    }
    let with_first = |first: usize| {
        let rest = [&list[..first], &list[first + 1..]].concat();
        permutations(&rest).into_iter().map(move |rest| [vec![list[first]], rest].concat())
    };
    (0..list.len()).flat_map(with_first).collect()
}
