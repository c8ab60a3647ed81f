//! The gateway of a running mesh, as browsers, scripts and gRPC clients see it.

use http::{Method, StatusCode};
use selvedge_proto::contacts::v1::GetSubmissionRequest;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_testing::collector::{Collector, Span, hex, text};
use selvedge_testing::{Answer, Site};
use selvedge_tests::{Mesh, eventually};
use serde_json::{Value, json};

const NEW: &str = r#"{"name": "Ada", "email": "ada@example.com", "message": "Hello"}"#;

async fn create(site: &Site) -> Answer {
    site.ask(Method::POST, "/v1/submissions", &[], NEW).await
}

#[tokio::test]
async fn a_resource_lives_its_life_over_http() {
    let mesh = Mesh::empty().await;
    let site = Site::new(&mesh.url("gateway"));

    let created = create(&site).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let submission = created.json();
    let path = format!("/v1/submissions/{}", submission["id"].as_str().unwrap());
    assert_eq!(created.header("location"), path);
    assert_eq!(created.header("etag"), format!("\"{}\"", submission["etag"].as_str().unwrap()));

    let read = site.get(&path).await;
    assert_eq!((read.status, read.json()), (StatusCode::OK, submission.clone()));
    let etag = read.header("etag").to_owned();
    let again = site.ask(Method::GET, &path, &[("if-none-match", &format!("\"x\", {etag}"))], "").await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let head = site.ask(Method::HEAD, &path, &[], "").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), read.body.len().to_string());

    // What was read, edited and sent back as a whole.
    let mut edited = submission.clone();
    edited["status"] = json!("SUBMISSION_STATUS_CONTACTED");
    let edit = |headers: &'static [(&'static str, &'static str)], body: Value| {
        let (site, path) = (&site, &path);
        async move { site.ask(Method::PATCH, path, headers, &body.to_string()).await }
    };
    let changed = edit(&[], edited.clone()).await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    assert_eq!(changed.json()["status"], "SUBMISSION_STATUS_CONTACTED");
    assert_ne!(changed.header("etag"), etag);

    // Its etag is the old one by now.
    let conflict = edit(&[], edited).await;
    assert_eq!((conflict.status, conflict.json()["code"].clone()), (StatusCode::CONFLICT, json!("ABORTED")));
    let stale = edit(&[("if-match", "\"65d\"")], json!({"status": "SUBMISSION_STATUS_CLOSED"})).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{stale:?}");
    assert_eq!(stale.json()["details"][0]["reason"], "ETAG_MISMATCH");
    let headers = [("if-match", changed.header("etag"))];
    let closed = site.ask(Method::PATCH, &path, &headers, r#"{"status": "SUBMISSION_STATUS_CLOSED"}"#).await;
    assert_eq!(closed.status, StatusCode::OK, "{closed:?}");

    let deleted = site.ask(Method::DELETE, &path, &[], "").await;
    assert_eq!((deleted.status, deleted.body.len()), (StatusCode::NO_CONTENT, 0));
    let gone = site.get(&path).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert_eq!(gone.header("content-type"), "application/problem+json");
    let problem = gone.json();
    assert_eq!((&problem["status"], &problem["code"]), (&json!(404), &json!("NOT_FOUND")));
    assert_eq!(problem["traceId"], gone.header("traceparent")[3..35]);
    assert_eq!(mesh.stop().await, Some(0));
}

#[tokio::test]
async fn callers_are_told_what_they_do_wrong() {
    let mesh = Mesh::empty().await;
    let site = Site::new(&mesh.url("gateway"));
    let field = |answer: &Answer| {
        let problem = answer.json();
        problem["details"]
            .as_array()
            .unwrap()
            .iter()
            .find_map(|detail| Some(detail["fieldViolations"][0]["field"].as_str()?.to_owned()))
    };

    let unknown = site.ask(Method::POST, "/v1/submissions", &[], r#"{"name": "A", "nmae": "B"}"#).await;
    assert_eq!((unknown.status, field(&unknown)), (StatusCode::BAD_REQUEST, Some("nmae".into())));
    let parameter = site.get("/v1/submissions?pageSise=2").await;
    assert_eq!((parameter.status, field(&parameter)), (StatusCode::BAD_REQUEST, Some("pageSise".into())));
    let invalid = site.ask(Method::POST, "/v1/submissions", &[], r#"{"name": "A", "email": "nobody"}"#).await;
    assert_eq!((invalid.status, field(&invalid)), (StatusCode::BAD_REQUEST, Some("submission.email".into())));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let form = site.ask(Method::POST, "/v1/submissions", &form, "").await;
    assert_eq!(form.status, StatusCode::BAD_REQUEST, "nothing was sent, so the fields are missing: {form:?}");

    let method = site.ask(Method::PUT, "/v1/submissions", &[], "{}").await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
    let allowed: Vec<&str> = method.header("allow").split(", ").collect();
    assert!(["GET", "HEAD", "POST", "OPTIONS"].iter().all(|method| allowed.contains(method)), "{allowed:?}");
    let options = site.ask(Method::OPTIONS, "/v1/submissions", &[], "").await;
    assert_eq!((options.status, options.header("allow")), (StatusCode::NO_CONTENT, method.header("allow")));
    assert_eq!(site.get("/v1/nothing").await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/v1/submissions:export").await.status, StatusCode::NOT_IMPLEMENTED);
    assert_eq!(mesh.stop().await, Some(0));
}

#[tokio::test]
async fn a_create_may_be_repeated_under_its_idempotency_key() {
    let mesh = Mesh::empty().await;
    let site = Site::new(&mesh.url("gateway"));
    let key = [("idempotency-key", "0190e2a5-7a10-7cc0-b0a1-3f0f5a1f2b3c")];
    let first = site.ask(Method::POST, "/v1/submissions", &key, NEW).await;
    let second = site.ask(Method::POST, "/v1/submissions", &key, NEW).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    assert_eq!(first.json(), second.json());
    let other = site.ask(Method::POST, "/v1/submissions", &key, &NEW.replace("Ada", "Eve")).await;
    assert!(other.status.is_client_error(), "{other:?}");
    assert_ne!(create(&site).await.json()["id"], first.json()["id"]);
    assert_eq!(mesh.stop().await, Some(0));
}

#[tokio::test]
async fn grpc_goes_through_to_the_service() {
    let mesh = Mesh::empty().await;
    let id = create(&Site::new(&mesh.url("gateway"))).await.json()["id"].as_str().unwrap().to_owned();
    let mut client = SubmissionServiceClient::connect(mesh.url("gateway")).await.unwrap();
    let found = client.get_submission(GetSubmissionRequest { id: id.clone() }).await.unwrap().into_inner();
    assert_eq!(found.id, id);
    let missing = GetSubmissionRequest { id: "0190e2a5-7a10-7cc0-b0a1-3f0f5a1f2b3c".into() };
    let status = client.get_submission(missing).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
    assert_eq!(selvedge_testing::reason(&status), "SUBMISSION_NOT_FOUND");
    assert_eq!(mesh.stop().await, Some(0));
}

#[tokio::test]
async fn one_trace_leads_from_the_browser_to_the_statement() {
    let collector = Collector::start().await;
    let mesh = Mesh::traced(&collector.url()).await;
    let site = Site::new(&mesh.url("gateway"));
    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let path = format!("/v1/submissions/{}", create(&site).await.json()["id"].as_str().unwrap());
    let traceparent = format!("00-{trace}-{parent}-01");
    let headers = [("traceparent", &*traceparent), ("x-request-id", "from-the-browser")];
    let answer = site.ask(Method::GET, &path, &headers, "").await;
    assert_eq!(&answer.header("traceparent")[3..35], trace);
    assert_eq!(answer.header("x-request-id"), "from-the-browser");

    let of_trace = || -> Vec<Span> {
        collector.spans().into_iter().filter(|span| hex(&span.trace_id) == trace).collect()
    };
    let is_statement = |span: &Span| text(span, "db.query.text").contains("from submissions");
    let is_request = |span: &Span| !text(span, "http.route").is_empty();
    eventually("the spans arrive", async || {
        let spans = of_trace();
        spans.iter().any(is_statement) && spans.iter().any(is_request)
    })
    .await;
    let spans = of_trace();
    let request = spans.iter().find(|span| is_request(span)).unwrap();
    assert_eq!(request.name, "GET /v1/submissions/{id}");
    assert_eq!(hex(&request.parent_span_id), parent);
    // From the statement up to the browser: service, call of the gateway, request.
    let mut chain = vec![];
    let mut span = spans.iter().find(|span| is_statement(span)).unwrap();
    while let Some(above) = spans.iter().find(|other| other.span_id == span.parent_span_id) {
        chain.push((above.kind, above.name.as_str()));
        span = above;
    }
    let rpc = "selvedge.contacts.v1.SubmissionService/GetSubmission";
    assert_eq!(chain, [(2, rpc), (3, rpc), (2, "GET /v1/submissions/{id}")]);
    assert!(spans.iter().any(|span| text(span, "request_id") == "from-the-browser"));
    assert_eq!(mesh.stop().await, Some(0));
}
