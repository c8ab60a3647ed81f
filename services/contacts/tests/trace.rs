//! One trace from the caller to the statement, as a collector sees it.

use std::time::Duration;

use selvedge_contacts::SERVICE;
use selvedge_kit::config::Config;
use selvedge_kit::telemetry::{self, Telemetry};
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::visitor_service_client::VisitorServiceClient;
use selvedge_proto::contacts::v1::{CreateSubmissionRequest, IncrementVisitorCountRequest, Submission};
use selvedge_testing::collector::{Collector, Span, hex, number, text};
use selvedge_testing::{Served, serve};
use sqlx::Executor as _;
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
    let parent = "b7ad6b7169203331";
    let [unrecorded, trace] = ["4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"];
    for (trace, flags) in [(unrecorded, "00"), (trace, "01")] {
        let submission = Some(submission.clone());
        let mut request = Request::new(CreateSubmissionRequest { submission, request_id: String::new() });
        request.metadata_mut().insert("traceparent", format!("00-{trace}-{parent}-{flags}").parse().unwrap());
        SubmissionServiceClient::new(served.channel()).create_submission(request).await.unwrap();
    }

    let of_trace = |span: &Span| hex(&span.trace_id) == trace;
    let is_insert = |span: &Span| text(span, "db.query.text").starts_with("insert into submissions");
    let insert = |span: &Span| of_trace(span) && is_insert(span);
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
    // What a call does that nobody records is in no trace, least of all in one of its own.
    assert!(spans.iter().all(|span| hex(&span.trace_id) != unrecorded));
    assert_eq!(spans.iter().filter(|span| is_insert(span)).count(), 1);
    let told = format!("{spans:?}");
    assert!(!told.contains("must not be told"), "a span holds a parameter's value");

    let batches = batches_are_linked(&served, &collector, &telemetry);
    tokio::time::timeout(Duration::from_mins(1), batches).await.expect("it comes to its end");
}

/// Calls that become one statement: it is in the trace of the first, and those of the others show where it is.
async fn batches_are_linked(served: &Served, collector: &Collector, telemetry: &Telemetry) {
    let mut holder = served.database.superuser().await;
    holder.execute("begin; select * from visitors for update").await.unwrap();
    let visit = || {
        let mut client = VisitorServiceClient::new(served.channel());
        let request = IncrementVisitorCountRequest { counter: "visitor_count".into() };
        tokio::spawn(async move { client.increment_visitor_count(request).await })
    };
    let mut visits = vec![];
    // Two statements may be under way; the three visits after them are the next one.
    for number in 1..=2 {
        visits.push(visit());
        served.until_waiting(number).await;
    }
    visits.extend((0..3).map(|_| visit()));
    served.until_in_flight("selvedge.contacts.v1.VisitorService/IncrementVisitorCount", 5).await;
    holder.execute("rollback").await.unwrap();
    for visit in visits {
        visit.await.unwrap().unwrap();
    }

    let mut spans = vec![];
    for _ in 0..100 {
        tokio::task::block_in_place(|| telemetry.flush());
        spans = collector.spans();
        if spans.iter().filter(|span| !span.links.is_empty()).count() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let batch = spans.iter().find(|span| span.name == "batch").expect("a span of the batch");
    assert_eq!(number(batch, "batch.size"), Some(3));
    let first = spans.iter().find(|span| span.span_id == batch.parent_span_id).expect("the first call's");
    assert!(
        spans
            .iter()
            .any(|span| span.parent_span_id == batch.span_id && !text(span, "db.query.text").is_empty())
    );
    let linked: Vec<_> = spans.iter().filter(|span| !span.links.is_empty()).collect();
    assert_eq!(linked.len(), 2);
    for call in linked {
        assert_eq!((call.links[0].span_id.clone(), call.kind), (batch.span_id.clone(), first.kind));
        assert_ne!(call.trace_id, first.trace_id);
        assert_eq!(number(call, "batch.size"), Some(3));
    }
}
