//! What follows from the shape of a service: the mask of a PATCH, where a created resource is, and its etag.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/inline.rs"]
mod inline;
#[path = "support/wire.rs"]
mod wire;

use calls::Calls;
use selvedge_transcode::{Options, Request};

const FILMS: &str = r#"
    message Film {
        string id = 1 [(google.api.field_behavior) = IDENTIFIER];
        string title = 2;
        int32 year = 3;
        Person director = 4;
        repeated Person cast = 5;
        map<string, string> labels = 6;
        google.protobuf.Struct extra = 7;
        google.protobuf.Timestamp released_at = 8;
        google.protobuf.Timestamp created_at = 9 [(google.api.field_behavior) = OUTPUT_ONLY];
        string etag = 10;
        google.protobuf.StringValue note = 11;
        oneof score { int32 stars = 12; Person judge = 13; }
        google.protobuf.Any any = 14;
        string studio = 15;
        google.protobuf.Value value = 16;
        Color color = 17;
        repeated Color colors = 18;
        map<string, Color> tints = 19;
    }
    enum Color { COLOR_UNSPECIFIED = 0; RED = 1; }
    message Person {
        string name = 1; string etag = 2; Person mentor = 3; repeated string aliases = 4;
        google.protobuf.Timestamp seen_at = 5 [(google.api.field_behavior) = OUTPUT_ONLY];
        string id = 6 [(google.api.field_behavior) = IDENTIFIER];
        Color favorite = 7;
    }
    message UpdateFilm { Film film = 1; google.protobuf.FieldMask update_mask = 2; bool dry = 3; }
    message OtherMask { Film film = 1; string update_mask = 2; }
    message CreateFilm { Film film = 1; string request_id = 2; }
    message GetFilm { string studio = 1; string id = 2; }
    message GetByTitle { string title = 1; }
    message Kept { string name = 1; }
    message CreateKept { Kept kept = 1; }
    service Films {
        rpc GetFilmByTitle(GetByTitle) returns (Film) { option (google.api.http) = {get: "/titles/{title}"}; }
        rpc GetFilm(GetFilm) returns (Film) { option (google.api.http) = {get: "/studios/{studio}/films/{id}"}; }
        rpc CreateFilm(CreateFilm) returns (Film) { option (google.api.http) = {post: "/films" body: "film"}; }
        rpc ImportFilm(CreateFilm) returns (Film) { option (google.api.http) = {post: "/films:import" body: "film"}; }
        rpc UpdateFilm(UpdateFilm) returns (Film) {
            option (google.api.http) = {
                patch: "/films/{film.id}" body: "film"
                additional_bindings {patch: "/studios/{film.studio}/directors/{film.director.name}" body: "film"}
                additional_bindings {put: "/films/{film.id}" body: "film"}
                additional_bindings {patch: "/films" body: "*"}
            };
        }
        rpc UpdateOther(OtherMask) returns (Film) { option (google.api.http) = {patch: "/others/{film.id}" body: "film"}; }
        rpc GetKept(Kept) returns (Kept) { option (google.api.http) = {get: "/v1/{name=shelves/*/books/**}"}; }
        rpc CreateKept(CreateKept) returns (Kept) { option (google.api.http) = {post: "/v1/kept" body: "kept"}; }
    }
"#;

#[test]
fn the_mask_of_a_patch_is_what_its_body_names() {
    let calls = Calls::new(inline::schema(FILMS), Options::default());
    let mask = |url: &str, body: &str| {
        let request = calls.call("PATCH", url, body).unwrap_or_else(|error| panic!("{body}: {error}"));
        let request: serde_json::Value = serde_json::from_str(&request).expect("JSON");
        request["update_mask"].as_str().map(str::to_owned)
    };
    for (body, expected) in [
        ("{}", ""),
        ("", ""),
        ("null", ""),
        (r#"{"title":"x","year":2001}"#, "title,year"),
        (r#"{"title":null,"year":0,"note":null}"#, "title,year,note"),
        (r#"{"id":"other","etag":"e","createdAt":"2024-01-01T00:00:00Z","title":"x"}"#, "title"),
        (r#"{"created_at":null,"etag":null,"id":null}"#, ""),
        (r#"{"releasedAt":"2024-01-01T00:00:00Z"}"#, "releasedAt"),
        (r#"{"director":{"name":"x","mentor":{"name":"y"}}}"#, "director.name,director.mentor.name"),
        (r#"{"director":{"mentor":null,"aliases":[]}}"#, "director.mentor,director.aliases"),
        (r#"{"director":{}}"#, "director"),
        (r#"{"director":null}"#, "director"),
        (r#"{"director":{"mentor":{}}}"#, "director.mentor"),
        (r#"{"director":{"seenAt":"2024-01-01T00:00:00Z"}}"#, ""),
        // What is an identifier or an etag of another message is data in this one.
        (r#"{"director":{"id":"5","etag":"e"}}"#, "director.id,director.etag"),
        (r#"{"cast":[{"name":"x"}],"labels":{"a":"b"},"extra":{"a":{"b":1}}}"#, "cast,labels,extra"),
        (r#"{"cast":[],"labels":{},"extra":{}}"#, "cast,labels,extra"),
        (r#"{"any":{"@type":"type.googleapis.com/test.Person","name":"x"},"value":null}"#, "any,value"),
        (r#"{"judge":{"name":"x"}}"#, "judge.name"),
        (r#"{"stars":0}"#, "stars"),
        (r#"{ "ti\u0074le" : "x" , "director" : { "name" : "x" } }"#, "title,director.name"),
    ] {
        assert_eq!(mask("/films/7", body).as_deref(), Some(expected), "{body}");
    }
    let bound = r#"{"studio":"s","title":"t","director":{"name":"n","id":"5"}}"#;
    assert_eq!(mask("/studios/s/directors/n", bound).as_deref(), Some("title,director.id"));
    assert_eq!(mask("/films/7?update_mask=year", r#"{"title":"x"}"#).as_deref(), Some("year"));
    assert_eq!(mask("/films/7?updateMask=", r#"{"title":"x"}"#).as_deref(), Some(""));
    assert_eq!(mask("/films/7?updateMask=*", r#"{"title":"x"}"#).as_deref(), Some("*"));
    assert_eq!(mask("/films/7?dry=true", r#"{"title":"x"}"#).as_deref(), Some("title"));
    assert_eq!(mask("/films", r#"{"film":{"title":"x"}}"#), None, "the whole request has a mask of its own");
    assert_eq!(mask("/films", r#"{"film":{"title":"x"},"updateMask":"year"}"#).as_deref(), Some("year"));
    assert_eq!(mask("/others/7", r#"{"title":"x"}"#), None);
    let put = calls.call("PUT", "/films/7", r#"{"title":"x"}"#);
    assert_eq!(put.as_deref(), Ok(r#"{"film":{"id":"7","title":"x"}}"#));
}

#[test]
fn of_equal_keys_the_mask_has_what_the_last_one_says() {
    let options = Options { allow_duplicate_keys: true, ..Options::default() };
    let calls = Calls::new(inline::schema(FILMS), options);
    for (body, film, mask) in [
        (r#"{"title":"a","title":"b"}"#, r#""title":"b""#, "title"),
        (
            r#"{"director":{"name":"a"},"title":"b","director":{"id":"5"}}"#,
            r#""title":"b","director":{"id":"5"}"#,
            "title,director.id",
        ),
        (r#"{"director":{"name":"a"},"director":{}}"#, r#""director":{}"#, "director"),
        (r#"{"director":{"name":"a"},"director":null}"#, "", "director"),
        (
            r#"{"director":{"mentor":{"name":"a"},"name":"b","mentor":{"id":"5"},"mentor":{"name":"c"}}}"#,
            r#""director":{"name":"b","mentor":{"name":"c"}}"#,
            "director.name,director.mentor.name",
        ),
        (r#"{"released_at":null,"title":"a","releasedAt":null,"title":null}"#, "", "releasedAt,title"),
    ] {
        let separator = if film.is_empty() { "" } else { "," };
        let expected = format!(r#"{{"film":{{"id":"7"{separator}{film}}},"update_mask":"{mask}"}}"#);
        assert_eq!(calls.call("PATCH", "/films/7", body), Ok(expected), "{body}");
    }
}

#[test]
fn what_is_passed_over_is_not_in_the_mask() {
    let options = Options {
        allow_duplicate_keys: true,
        ignore_unknown_enum_names: true,
        ignore_unknown_fields: true,
        ..Options::default()
    };
    let calls = Calls::new(inline::schema(FILMS), options);
    for (body, expected) in [
        (r#"{"color":"RED"}"#, "color"),
        (r#"{"color":99}"#, "color"),
        (r#"{"color":null}"#, "color"),
        (r#"{"color":"NOPE","title":"x"}"#, "title"),
        (r#"{"color":"RED","color":"NOPE"}"#, ""),
        (r#"{"director":{"favorite":"NOPE","name":"x"}}"#, "director.name"),
        (r#"{"director":{"favorite":"NOPE"}}"#, ""),
        (r#"{"nope":1,"title":"x"}"#, "title"),
        (r#"{"director":{"nope":1}}"#, ""),
        (r#"{"director":{"mentor":{"nope":{}},"name":"x"}}"#, "director.name"),
        (r#"{"director":{"mentor":{}}}"#, "director.mentor"),
        // They are replaced as a whole, by what is known of them.
        (r#"{"colors":["NOPE","RED"],"tints":{"a":"NOPE","b":"RED"}}"#, "colors,tints"),
    ] {
        let request = calls.call("PATCH", "/films/7", body).unwrap_or_else(|error| panic!("{body}: {error}"));
        let request: serde_json::Value = serde_json::from_str(&request).expect("JSON");
        assert_eq!(request["update_mask"], expected, "{body}");
    }
}

#[test]
fn what_was_read_can_be_sent_back_as_a_whole() {
    let calls = Calls::new(inline::schema(FILMS), Options::default());
    // Film { id: "7", title: "t", director: { name: "d" }, created_at: 5 s, etag: "e", stars: 0 }
    let wire = b"\x0a\x017\x12\x01t\x22\x03\x0a\x01d\x4a\x02\x08\x05\x52\x01e\x60\x00";
    let mut film = vec![];
    calls.transcoder.response(calls.find("GET", "/titles/t").route, wire, &mut film).expect("a film");
    let film = String::from_utf8(film).expect("JSON");
    assert!(film.contains("createdAt"), "{film}");
    let request = Request { body: film.as_bytes(), if_match: Some("e"), ..Request::default() };
    let sent = calls.call_with("PATCH", "/films/7", request).expect("all of it is right");
    let sent: serde_json::Value = serde_json::from_str(&sent).expect("JSON");
    let mask = sent["update_mask"].as_str().expect("a mask");
    assert_eq!(
        mask,
        "title,year,director.name,director.etag,director.aliases,director.id,director.favorite,cast,labels,stars,studio,\
         color,colors,tints"
    );
    assert_eq!(sent["film"]["id"], "7");
    assert_eq!(sent["film"]["etag"], "e");
}

#[test]
fn what_was_created_is_where_its_get_is() {
    let calls = Calls::new(inline::schema(FILMS), Options::default());
    let location = |method: &str, path: &str, wire: &[u8]| {
        calls.transcoder.location_of(calls.find(method, path).route, wire)
    };
    let film = b"\x0a\x0a7 /\xc3\xbc?%:~.\x7a\x01s".as_slice();
    let expected = Some("/studios/s/films/7%20%2F%C3%BC%3F%25%3A~.".to_owned());
    assert_eq!(location("POST", "/films", film), expected);
    assert_eq!(location("POST", "/films:import", film), None, "it is no Create");
    assert_eq!(location("PATCH", "/films", film), None);
    assert_eq!(location("POST", "/films", b"\x0a\x017"), None, "there is no studio");
    assert_eq!(location("POST", "/films", b"\x0a\x017\x7a\x00"), None, "the studio is empty");
    assert_eq!(location("POST", "/films", b"\xff"), None);

    let kept = |name: &[u8]| {
        let length = u8::try_from(name.len()).expect("a short name");
        location("POST", "/v1/kept", &[&[0x0a, length], name].concat())
    };
    assert_eq!(kept(b"shelves/a b/books/c/d%2Fe").as_deref(), Some("/v1/shelves/a%20b/books/c/d%2Fe"));
    assert_eq!(kept(b"houses/1"), None);
    assert_eq!(kept(b"shelves//books/1"), None);
    for name in ["shelves/./books/1", "shelves/../books/1", "shelves/a/books/b/../c", "shelves/a/books/.."] {
        assert_eq!(kept(name.as_bytes()), None, "{name} is resolved to something else");
    }
    assert_eq!(kept(b"shelves/.../books/.a").as_deref(), Some("/v1/shelves/.../books/.a"));
    assert_eq!(location("POST", "/films", b"\x0a\x02..\x7a\x01s"), None);
    assert_eq!(location("POST", "/films", b"\x0a\x017\x7a\x01."), None);

    let film = calls.find("GET", "/titles/t").route;
    assert_eq!(calls.transcoder.etag_of(film, b"\x52\x01e").as_deref(), Some("e"));
    assert_eq!(calls.transcoder.etag_of(film, b"\x52\x01e\x52\x01f").as_deref(), Some("f"));
    assert_eq!(calls.transcoder.etag_of(film, b"\x52\x00"), None);
    assert_eq!(calls.transcoder.etag_of(film, b"\x52"), None);
    assert_eq!(calls.transcoder.etag_of(calls.find("GET", "/v1/shelves/a/books").route, b"\x0a\x01e"), None);
}
