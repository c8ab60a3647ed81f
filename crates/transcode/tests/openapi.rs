//! The document itself: its paths, operations, parameters and answers.

#[path = "support/inline.rs"]
mod inline;
#[path = "support/library.rs"]
mod library;

use std::sync::Arc;

use selvedge_transcode::openapi::{ErrorFormat, Info, document, to_yaml};
use selvedge_transcode::{Found, Options, Request, Transcoder};
use serde_json::{Value, json};

fn of(definitions: &str) -> Value {
    library::document(&inline::schema(definitions), &Options::default())
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// The names of parameters, with a star where they are required.
fn parameters(operation: &Value) -> Vec<String> {
    let name = |parameter: &Value| match parameter["name"].as_str() {
        Some(name) if parameter["required"] == true => {
            format!("{}:{name}*", parameter["in"].as_str().unwrap())
        }
        Some(name) => format!("{}:{name}", parameter["in"].as_str().unwrap()),
        None => parameter["$ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned(),
    };
    operation["parameters"].as_array().map(|all| all.iter().map(name).collect()).unwrap_or_default()
}

#[test]
fn templates_become_paths_whose_parameters_are_segments() {
    let document = library::document(&library::schema(), &Options::default());
    assert_eq!(
        keys(&document["paths"]),
        [
            "/v1/shelves/{shelvesId}/books",
            "/v1/shelves/{shelvesId}/books/{booksId}",
            "/v1/books/{id}",
            "/v1/files/{name}:read",
            "/v1/books:search",
            "/v1/titles",
            "/v1/books",
            "/v1/tree",
            "/v1/everything",
            "/v1/proto2",
            "/v1/proto3",
        ]
    );
    let book = &document["paths"]["/v1/books/{id}"];
    assert_eq!(keys(book), ["get", "patch", "delete"], "one path, though `book.id` is another name");
    assert_eq!(parameters(&book["patch"]), ["path:id*", "query:updateMask", "IfMatch"]);
    assert_eq!(parameters(&book["get"]), ["path:id*", "query:name", "IfNoneMatch", "IfMatch"]);
    let shelf = &document["paths"]["/v1/shelves/{shelvesId}/books"]["post"];
    assert_eq!(parameters(shelf), ["path:shelvesId*", "query:requestId", "IdempotencyKey"]);
    let text = shelf["parameters"][0]["description"].as_str().unwrap();
    assert_eq!(text, "Part of `parent`, which is `shelves/{shelvesId}`.");
    let file = &document["paths"]["/v1/files/{name}:read"]["get"];
    assert_eq!(file["parameters"][0]["x-multi-segment"], true);
    assert_eq!(
        document["paths"]["/v1/books"]["x-additionalOperations"]["QUERY"]["operationId"],
        "LibraryService_SearchBooks_4"
    );
}

#[test]
fn an_operation_has_its_own_answers() {
    let document = library::document(&library::schema(), &Options::default());
    let answers = |path: &str, method: &str| document["paths"][path][method]["responses"].clone();
    let common = ["429", "500", "502", "503", "504"];
    let with = |own: &[&'static str]| {
        let mut all = [own, &common].concat();
        all.sort_unstable();
        all
    };
    let sorted = |path, method| {
        let answers = answers(path, method);
        let mut all = keys(&answers).into_iter().map(str::to_owned).collect::<Vec<_>>();
        all.sort_unstable();
        all
    };
    assert_eq!(sorted("/v1/books/{id}", "get"), with(&["200", "304", "400", "403", "404", "412"]));
    assert_eq!(sorted("/v1/books/{id}", "patch"), with(&["200", "400", "404", "409", "412", "413", "415"]));
    assert_eq!(sorted("/v1/books/{id}", "delete"), with(&["204", "400", "404"]));
    assert_eq!(
        sorted("/v1/shelves/{shelvesId}/books", "post"),
        with(&["200", "201", "400", "404", "409", "413", "415"]),
        "200 is for an answer that lacks what `Location` is made of"
    );
    assert_eq!(sorted("/v1/books:search", "get"), with(&["200", "400"]));

    let lenient = Options { ignore_unknown_parameters: true, ..Options::default() };
    let lenient = library::document(&library::schema(), &lenient);
    assert!(
        lenient["paths"]["/v1/tree"]["get"]["responses"]["400"].is_object(),
        "headers may be wrong as well"
    );
    let of_all = document["info"]["description"].as_str().unwrap();
    for status in ["405", "408", "414", "431", "304", "412", "401", "403", "499", "501"] {
        assert!(of_all.contains(status), "{status} may come from any operation: {of_all}");
    }

    let created = &answers("/v1/shelves/{shelvesId}/books", "post")["201"];
    assert_eq!(keys(&created["headers"]), ["ETag", "Location"]);
    let nowhere = &answers("/v1/shelves/{shelvesId}/books", "post")["200"];
    assert_eq!(keys(&nowhere["headers"]), ["ETag"]);
    assert_eq!(nowhere["content"], created["content"]);
    let missing = &answers("/v1/books/{id}", "get")["404"];
    assert_eq!(
        missing,
        &json!({"$ref": "#/components/responses/NotFound", "description": "NOT_FOUND when there is none."})
    );
    let taken = &answers("/v1/shelves/{shelvesId}/books", "post")["409"]["description"];
    assert_eq!(taken, "A title that is on the shelf is ALREADY_EXISTS.");
    let not_found = &document["components"]["responses"]["NotFound"];
    assert_eq!(keys(&not_found["content"]), ["application/problem+json"]);
}

#[test]
fn comments_are_the_texts() {
    let document = library::document(&library::schema(), &Options::default());
    let get = &document["paths"]["/v1/books/{id}"]["get"];
    assert_eq!(get["summary"], "Answers with a book");
    assert_eq!(get["description"], "PERMISSION_DENIED for books that are locked away.");
    assert_eq!(get["tags"], json!(["LibraryService"]));
    assert_eq!(document["paths"]["/v1/books/{id}"]["patch"]["summary"], "Update book", "there is no comment");
    assert_eq!(document["paths"]["/v1/books/{id}"]["delete"]["deprecated"], true);
    assert_eq!(document["tags"], json!([{"name": "LibraryService", "description": "Books on shelves."}]));
    let text = document["info"]["description"].as_str().unwrap();
    assert!(
        text.contains("`library.v1.LibraryService.WatchBooks`")
            && !document["paths"].to_string().contains("Watch")
    );
    let genre = document["components"]["schemas"]["Genre"]["description"].as_str().unwrap();
    assert_eq!(genre, "What a book is about.\n\n- `GENRE_FICTION`: Made up.");
}

#[test]
fn the_query_has_what_is_neither_in_the_path_nor_in_the_body() {
    let document = library::document(&library::schema(), &Options::default());
    let search = &document["paths"]["/v1/books:search"];
    let all = parameters(&search["get"]);
    for name in [
        "query:text",
        "query:genres",
        "query:weights",
        "query:place.city",
        "query:like",
        "query:example.editor.name",
    ] {
        assert!(all.iter().any(|it| it == name), "{name} {all:?}");
    }
    assert!(!all.iter().any(|name| name.contains("authors")), "a list of messages cannot be a parameter");
    let named = |name: &str| {
        let all = search["get"]["parameters"].as_array().unwrap();
        all.iter().find(|parameter| parameter["name"] == name).unwrap().clone()
    };
    assert_eq!(
        (&named("weights")["style"], &named("weights")["explode"]),
        (&json!("deepObject"), &json!(true))
    );
    assert_eq!(named("genres")["schema"]["items"], json!({"$ref": "#/components/schemas/GenreInput"}));
    assert_eq!(keys(&named("like")["content"]), ["application/json"]);
    assert_eq!(named("since")["description"], "Not before 2000-01-01T00:00:00Z.");
    assert_eq!(named("within")["description"], "Less than 60s.");
    assert!(parameters(&search["post"]).is_empty(), "the whole request is the body");
}

#[test]
fn what_a_header_may_say_is_asked_for_nowhere_else() {
    let document = of("
        message Thing { string name = 1 [(google.api.field_behavior) = REQUIRED]; string etag = 2 [(google.api.field_behavior) = REQUIRED]; }
        message Make {
            Thing thing = 1;
            // Of this try.
            string request_id = 2 [(google.api.field_behavior) = REQUIRED];
        }
        message Drop { string id = 1; string etag = 2 [(google.api.field_behavior) = REQUIRED]; }
        service S {
            rpc MakeThing(Make) returns (Thing) {
                option (google.api.http) = {
                    post: \"/v1/things\" body: \"thing\"
                    additional_bindings { post: \"/v1/things:make\" body: \"*\" }
                };
            }
            rpc PutThing(Make) returns (Thing) { option (google.api.http) = { put: \"/v1/things\" body: \"thing\" }; }
            rpc DropThing(Drop) returns (Thing) { option (google.api.http) = { delete: \"/v1/things/{id}\" }; }
            rpc ReadThing(Drop) returns (Thing) { option (google.api.http) = { get: \"/v1/things/{id}\" }; }
            rpc Repeat(Make) returns (Make) { option (google.api.http) = { post: \"/v1/repeat\" body: \"*\" }; }
        }
    ");
    let of_item = |path: &str| parameters(&document["paths"]["/v1/things"][path]);
    assert_eq!(of_item("post"), ["query:requestId", "IfMatch", "IdempotencyKey"]);
    let parameter = &document["paths"]["/v1/things"]["post"]["parameters"][0];
    assert_eq!(parameter["description"], "Of this try. It must be given, here or as `Idempotency-Key`.");
    let item = &document["paths"]["/v1/things/{id}"];
    assert_eq!(parameters(&item["delete"]), ["path:id*", "query:etag", "IfMatch"]);
    assert_eq!(
        parameters(&item["get"]),
        ["path:id*", "query:etag*", "IfNoneMatch", "IfMatch"],
        "a header that the gateway compares does not reach the service"
    );
    let body = |path: &str, method: &str| {
        let body = &document["paths"][path][method]["requestBody"];
        let schema = body["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
        (
            body["required"].clone(),
            document["components"]["schemas"][schema.rsplit('/').next().unwrap()].clone(),
        )
    };
    let (is_required, put) = body("/v1/things", "put");
    assert_eq!((is_required, &put["required"]), (json!(true), &json!(["name"])));
    assert_eq!(put["properties"]["etag"]["description"], "It must be given, here or as `If-Match`.");
    let (is_required, whole) = body("/v1/repeat", "post");
    assert_eq!((is_required, whole.get("required")), (json!(null), None));
}

#[test]
fn a_parameter_says_null_by_its_name() {
    let schema = inline::schema(
        "
        message Q {
            google.protobuf.NullValue a = 1; optional google.protobuf.NullValue b = 2;
            repeated google.protobuf.NullValue c = 3; map<string, google.protobuf.NullValue> d = 4;
        }
        service S { rpc M(Q) returns (Q) { option (google.api.http) = { get: \"/v1/m/{a}\" }; } }
    ",
    );
    let document = library::document(&schema, &Options::default());
    let by_name = json!({"type": "string", "const": "NULL_VALUE"});
    let schemas = &document["paths"]["/v1/m/{a}"]["get"]["parameters"];
    assert_eq!((&schemas[0]["schema"], &schemas[1]["schema"]), (&by_name, &by_name));
    assert_eq!(schemas[2]["schema"]["items"], by_name);
    assert_eq!(schemas[3]["schema"]["additionalProperties"], by_name);
    assert_eq!(document["components"]["schemas"]["Q"]["properties"]["a"], json!({"type": "null"}));

    let transcoder = Transcoder::new(Arc::new(schema), Options::default()).unwrap();
    let Found::Route(found) = transcoder.find("GET", "/v1/m/NULL_VALUE") else { panic!("it is there") };
    let is_read = |query| {
        let request = Request { query: Some(query), ..Request::default() };
        transcoder.request(&found, &request, &mut vec![]).is_ok()
    };
    assert!(is_read("b=NULL_VALUE&c=NULL_VALUE&d[x]=NULL_VALUE"));
    assert!(!is_read("b=null") && !is_read("b="));
}

#[test]
fn schemas_are_as_many_as_needed() {
    let document = of("
        message Q { Same same = 1; Node node = 2; string only = 3; }
        message Same { optional string a = 1; Inner inner = 2; }
        message Inner { optional bool b = 1; }
        message Node { Node next = 1; string text = 2; }
        message NodeInput { optional string really = 1; }
        message R { Same same = 1; Node node = 2; NodeInput other = 3; }
        service S { rpc M(Q) returns (R) { option (google.api.http) = { post: \"/v1/m\" body: \"*\" }; } }
    ");
    let schemas = &document["components"]["schemas"];
    // `Same` is written alike on both sides but for what else may be in a request.
    assert_eq!(
        keys(schemas),
        ["Inner", "InnerInput", "Node", "NodeInput", "NodeInput_", "Problem", "Q", "R", "Same", "SameInput"]
    );
    assert_eq!(schemas["NodeInput"]["properties"]["really"], json!({"type": "string"}));
    assert_eq!(
        schemas["NodeInput_"]["properties"]["next"],
        json!({"$ref": "#/components/schemas/NodeInput_"})
    );

    let lenient = Options { ignore_unknown_fields: true, omit_defaults: true, ..Options::default() };
    let schema = inline::schema(
        "
        message Q { Same same = 1; Node node = 2; }
        message Same { optional string a = 1; Node node = 2; }
        message Node { Node next = 1; string text = 2; }
        service S { rpc M(Q) returns (Q) { option (google.api.http) = { post: \"/v1/m\" body: \"*\" }; } }
    ",
    );
    let one_for_all = library::document(&schema, &lenient);
    assert_eq!(keys(&one_for_all["components"]["schemas"]), ["Node", "Problem", "Q", "Same"]);
}

#[test]
fn a_second_name_of_a_value_is_for_requests() {
    let schemas = library::document(&library::schema(), &Options::default())["components"]["schemas"].clone();
    assert_eq!(schemas["Genre"]["enum"], json!(["GENRE_UNSPECIFIED", "GENRE_FICTION", "GENRE_FACTS"]));
    let read = json!(["GENRE_UNSPECIFIED", "GENRE_FICTION", "GENRE_NOVEL", "GENRE_FACTS"]);
    assert_eq!(schemas["GenreInput"]["enum"], read);
    assert_eq!(
        schemas["EverythingInput"]["properties"]["genre"]["enum"],
        json!(read.as_array().unwrap()[1..])
    );
    assert_eq!(
        schemas["BookPatch"]["properties"]["genre"]["anyOf"][0],
        json!({"$ref": "#/components/schemas/GenreInput"})
    );
}

#[test]
fn options_change_what_is_written() {
    let schema = library::schema();
    let with = |options: Options| library::document(&schema, &options)["components"]["schemas"].clone();
    let d = Options::default;
    let everything = &with(d())["Everything"];
    assert_eq!(everything["properties"]["int64"]["type"], "string");
    let numbers = with(Options { numbers_for_64_bit: true, ..d() });
    assert_eq!(
        numbers["EverythingInput"]["properties"]["int64"],
        json!({"type": "integer", "format": "int64", "maximum": 1000, "minimum": 0})
    );
    let enums = with(Options { enums_as_numbers: true, ..d() });
    assert_eq!(enums["Genre"]["enum"], json!([0, 1, 2]));
    assert_eq!(enums["Genre"]["x-enum-varnames"].as_array().unwrap().len(), 3);
    assert!(enums.get("GenreInput").is_none(), "a number has no second name");
    let names = with(Options { proto_names: true, ..d() });
    assert!(names["Everything"]["properties"].get("by_number").is_some());
    let omitted = with(Options { omit_defaults: true, ..d() });
    assert!(omitted["Everything"].get("required").is_none());
    assert!(everything["required"].as_array().unwrap().contains(&json!("byNumber")));
}

#[test]
fn rules_that_come_in_parts_are_one() {
    // The wire allows it: `string.min_len = 1` in one part, `string.max_len = 2` in another.
    let min = [0x72, 2, 0x10, 1];
    let max = [0x72, 2, 0x18, 2];
    let options = [&[0xba, 0x48, 4][..], &min, &[0xba, 0x48, 4], &max].concat();
    let set = descriptor_set(&options);
    let schema = selvedge_transcode::Schema::decode(&[&set]).unwrap();
    let message = schema.message("q.Q").unwrap();
    assert_eq!(&*schema[message].fields[0].rules, [min, max].concat());
}

/// `package q; message Q { string a = 1 [OPTIONS]; }`
fn descriptor_set(options: &[u8]) -> Vec<u8> {
    let nested = |tag: u8, inside: &[u8]| [&[tag, u8::try_from(inside.len()).unwrap()], inside].concat();
    let field = [&nested(0x0a, b"a")[..], &[0x18, 1, 0x20, 1, 0x28, 9], &nested(0x42, options)].concat();
    let message = [nested(0x0a, b"Q"), nested(0x12, &field)].concat();
    let file =
        [nested(0x0a, b"q.proto"), nested(0x12, b"q"), nested(0x22, &message), nested(0x62, b"proto3")]
            .concat();
    nested(0x0a, &file)
}

#[test]
fn errors_may_be_statuses() {
    let schema = library::schema();
    let routes = selvedge_transcode::Routes::new(&schema).unwrap();
    let info = Info { errors: ErrorFormat::Status, ..library::info() };
    let document = document(&schema, &routes, &Options::default(), &info);
    assert_eq!(keys(&document["components"]["responses"]["BadRequest"]["content"]), ["application/json"]);
    assert_eq!(document["info"]["version"], "1.2.3");
    let yaml = to_yaml(&document);
    assert!(yaml.starts_with("openapi: \"3.1.0\"\ninfo:\n"), "{}", &yaml[..100]);
}
