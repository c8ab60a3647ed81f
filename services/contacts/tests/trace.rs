//! One trace from the caller to the statement, as a collector sees it.

use std::time::Duration;

use selvedge_contacts::SERVICE;
use selvedge_kit::config::Config;
use selvedge_kit::telemetry;
use selvedge_proto::contacts::v1::CreateSubmissionRequest;
use selvedge_proto::contacts::v1::Submission;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_testing::collector::{Collector, Span, hex, number, text};
use selvedge_testing::serve;
use tonic::Request;

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_trace_leads_to_the_statement_and_tells_no_values() {
    let collector = Collector::start().await;
    let mut options = Config::default().telemetry;
    options.otlp_endpoint = Some(collector.url());
    let telemetry = telemetry::start(&options, "test").unwrap();

    let served = serve(SERVICE).await;
    let submission = Submission {
        name: "a name that must not be told".into(),
        email: "ada@example.com".into(),
        message: "x".into(),
        ..Submission::default()
    };
    let mut request =
        Request::new(CreateSubmissionRequest { submission: Some(submission), request_id: "1".into() });
    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    request.metadata_mut().insert("traceparent", format!("00-{trace}-{parent}-01").parse().unwrap());
    SubmissionServiceClient::new(served.channel()).create_submission(request).await.unwrap();

    let of_trace = |span: &Span| hex(&span.trace_id) == trace;
    let insert =
        |span: &Span| of_trace(span) && text(span, "db.query.text").starts_with("insert into submissions");
    let mut spans = vec![];
    for _ in 0..100 {
        let telemetry = &telemetry;
        tokio::task::block_in_place(|| telemetry.flush());
        spans = collector.spans();
        if spans.iter().any(insert) && spans.iter().any(|span| of_trace(span) && span.kind == 2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let rpc = spans.iter().find(|span| of_trace(span) && span.kind == 2).expect("a server span");
    assert_eq!(hex(&rpc.parent_span_id), parent);
    assert_eq!(rpc.name, "selvedge.contacts.v1.SubmissionService/CreateSubmission");
    assert_eq!(text(rpc, "rpc.response.status_code"), "OK");
    let statement = spans.iter().find(|span| insert(span)).expect("a statement span");
    assert_eq!(statement.parent_span_id, rpc.span_id);
    assert_eq!(number(statement, "db.response.returned_rows"), Some(1));
    assert!(statement.end_time_unix_nano > statement.start_time_unix_nano);
    let foreign = spans.iter().filter(|span| span.kind != 2 && text(span, "db.query.text").is_empty());
    assert_eq!(
        foreign.map(|span| &span.name).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "spans of libraries"
    );
    let told = format!("{spans:?}");
    assert!(!told.contains("must not be told"), "a span holds a parameter's value");
}
