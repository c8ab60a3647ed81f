//! That all that is served is in the document, each under a name of its own.

#[path = "support/inline.rs"]
mod inline;
#[path = "support/library.rs"]
mod library;

use std::collections::BTreeSet;
use std::sync::Arc;

use selvedge_transcode::{Found, Options, Request, Transcoder};
use serde_json::{Value, json};

fn of(definitions: &str) -> Value {
    library::document(&inline::schema(definitions), &Options::default())
}

/// The operations of a document: method, path and id.
fn operations(document: &Value) -> Vec<(&str, &str, &str)> {
    let items = document["paths"].as_object().unwrap().iter();
    let operations =
        items.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |it| (path, it)));
    operations
        .filter(|(_, (method, _))| !method.starts_with("x-"))
        .map(|(path, (method, made))| (&**method, &**path, made["operationId"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_path_of_any_length_stands_beside_one_of_a_single_segment() {
    let document = of("
        message Q { string a = 1; string b = 2; string c = 3; }
        service S {
            rpc Rest(Q) returns (Q) { option (google.api.http) = { get: \"/v/{b=**}\" }; }
            rpc One(Q) returns (Q) { option (google.api.http) = { get: \"/v/{a}\" }; }
            rpc Two(Q) returns (Q) { option (google.api.http) = { get: \"/t/{a}/{b}\" }; }
            rpc Many(Q) returns (Q) { option (google.api.http) = { get: \"/t/{a}/{b=**}\" }; }
            rpc Parts(Q) returns (Q) {
                option (google.api.http) = {
                    get: \"/w/*/x/{a}\"
                    additional_bindings { get: \"/w/{b}/x/{c=**}:go\" }
                    additional_bindings { get: \"/w/{b}/x/{c=**}\" }
                };
            }
            rpc Drop(Q) returns (Q) { option (google.api.http) = { delete: \"/v/{b=**}\" }; }
        }
    ");
    assert_eq!(
        operations(&document),
        [
            ("get", "/v/{b}/{b2}", "S_Rest"),
            ("get", "/v/{a}", "S_One"),
            ("delete", "/v/{a}", "S_Drop"),
            ("get", "/t/{a}/{b}", "S_Two"),
            ("get", "/t/{a}/{b}/{b2}", "S_Many"),
            ("get", "/w/{wId}/x/{a}", "S_Parts"),
            ("get", "/w/{b}/x/{c}:go", "S_Parts_2"),
            ("get", "/w/{b}/x/{c}/{c2}", "S_Parts_3"),
        ]
    );
    let rest = &document["paths"]["/t/{a}/{b}/{b2}"]["get"]["parameters"];
    assert_eq!(rest[1]["description"], "Part of `b`, which is `{b}/{b2}`.");
    assert_eq!(rest[2]["x-multi-segment"], true);
    assert_eq!((&rest[1]["x-multi-segment"], &rest[2]["schema"]["minLength"]), (&Value::Null, &json!(1)));
}

#[test]
fn a_colon_that_begins_no_verb_is_encoded() {
    let document = of("
        message Q { string a = 1; }
        service S {
            rpc Verb(Q) returns (Q) { option (google.api.http) = { get: \"/v/a:b\" }; }
            rpc Text(Q) returns (Q) { option (google.api.http) = { get: \"/v/a%3Ab\" }; }
        }
    ");
    assert_eq!(operations(&document), [("get", "/v/a:b", "S_Verb"), ("get", "/v/a%3Ab", "S_Text")]);
}

#[test]
fn a_parameter_that_is_named_is_taken() {
    let schema = inline::schema(
        "
        message Inside { optional string h = 1; }
        message Q {
            required string id = 1;
            optional string odd = 2 [json_name = \"odd.name\"];
            optional Inside in_side = 3 [json_name = \"in.side\"];
            optional string key = 6 [json_name = \"key[x]\"];
            map<bool, google.protobuf.Value> values = 4;
            map<string, google.protobuf.Struct> structs = 5;
            map<string, google.protobuf.Duration> times = 7;
            extensions 10 to 20;
        }
        extend Q { optional Inside there = 10; optional string text = 11; }
        service S { rpc M(Q) returns (Q) { option (google.api.http) = { get: \"/m/{id}\" }; } }
    ",
    );
    let document = library::document(&schema, &Options::default());
    let parameters = document["paths"]["/m/{id}"]["get"]["parameters"].as_array().unwrap();
    let names = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["id", "odd", "in_side.h", "key", "values", "structs", "times"]);
    for at in [4, 5] {
        let text = parameters[at]["description"].as_str().unwrap();
        assert!(text.ends_with("Each value is given as JSON."), "{text}");
        let values = &parameters[at]["schema"]["additionalProperties"];
        assert_eq!(
            (&values["type"], &values["contentMediaType"]),
            (&json!("string"), &json!("application/json"))
        );
    }
    assert_eq!(parameters[5]["schema"]["additionalProperties"]["contentSchema"]["type"], "object");
    assert_eq!(parameters[6]["description"], Value::Null);

    let transcoder = Transcoder::new(Arc::new(schema), Options::default()).unwrap();
    let Found::Route(found) = transcoder.find("GET", "/m/1") else { panic!("it is there") };
    let is_read = |query| {
        let request = Request { query: Some(query), ..Request::default() };
        transcoder.request(&found, &request, &mut vec![]).is_ok()
    };
    assert!(is_read("odd=x&in_side.h=x&key=x&values[true]=%22x%22&structs[a]={}&times[a]=1s"));
    assert!(!is_read("odd.name=x") && !is_read("key[x]=x") && !is_read("values[true]=x"));
    assert!(!is_read("%5Btest.there%5D.h=x"));
}

#[test]
fn a_parameter_leads_to_one_field_and_excludes_no_other() {
    let document = of("
        message In { oneof p { string x = 1; string y = 2; } }
        message Q {
            string foo = 1 [json_name = \"bar\"];
            string bar = 2 [json_name = \"foo\"];
            string one = 3 [json_name = \"other\"];
            oneof o { string a = 4; string b = 5; In c = 6; }
            In in = 7;
        }
        service S {
            rpc M(Q) returns (Q) {
                option (google.api.http) = {
                    get: \"/a/{a}/{in.x}\"
                    additional_bindings { post: \"/b\" body: \"b\" }
                    additional_bindings { get: \"/c/{c.x}\" }
                };
            }
        }
    ");
    let names = |path: &str, method: &str| {
        let all = document["paths"][path][method]["parameters"].as_array().unwrap();
        let query = all.iter().filter(|parameter| parameter["in"] == "query");
        query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("/a/{a}/{in.x}", "get"), ["bar", "foo", "other"]);
    assert_eq!(names("/b", "post"), ["bar", "foo", "other", "in.x", "in.y"]);
    assert_eq!(names("/c/{c.x}", "get"), ["bar", "foo", "other", "in.x", "in.y"]);
}

#[test]
fn no_two_operations_have_one_id() {
    let document = of("
        message Q { string a = 1; }
        service S {
            rpc Mk(Q) returns (Q) {
                option (google.api.http) = {
                    get: \"/1\" additional_bindings { get: \"/2\" } additional_bindings { get: \"/3\" }
                };
            }
            rpc Mk_2(Q) returns (Q) { option (google.api.http) = { get: \"/4\" additional_bindings { get: \"/5\" } }; }
            rpc T_U(Q) returns (Q) { option (google.api.http) = { get: \"/6\" }; }
        }
        service S_T { rpc U(Q) returns (Q) { option (google.api.http) = { get: \"/7\" }; } }
    ");
    let ids = operations(&document).into_iter().map(|(_, _, id)| id).collect::<Vec<_>>();
    assert_eq!(ids, ["S_Mk", "S_Mk_2_", "S_Mk_3", "S_Mk_2", "S_Mk_2_2", "S_T_U", "S_T_U_"]);

    let library = library::document(&library::schema(), &Options::default());
    let ids = operations(&library).into_iter().map(|(_, _, id)| id).collect::<Vec<_>>();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}
