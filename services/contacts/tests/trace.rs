//! One trace from the caller to the statement, as a collector sees it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use selvedge_contacts::SERVICE;
use selvedge_kit::config::Config;
use selvedge_kit::telemetry;
use selvedge_proto::contacts::v1::CreateSubmissionRequest;
use selvedge_proto::contacts::v1::Submission;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_testing::serve;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let spans = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.0.lock().unwrap().extend(spans.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_trace_leads_to_the_statement_and_tells_no_values() {
    let collector = Collector::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = TraceServiceServer::new(collector.clone());
    tokio::spawn(Server::builder().add_service(server).serve_with_incoming(TcpIncoming::from(listener)));
    let mut options = Config::default().telemetry;
    options.otlp_endpoint = Some(endpoint);
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
        spans = collector.0.lock().unwrap().clone();
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn value<'a>(
    span: &'a Span,
    key: &str,
) -> Option<&'a opentelemetry_proto::tonic::common::v1::any_value::Value> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    attribute.value.as_ref()?.value.as_ref()
}

fn text<'a>(span: &'a Span, key: &str) -> &'a str {
    use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue;
    match value(span, key) {
        Some(StringValue(text)) => text,
        _ => "",
    }
}

fn number(span: &Span, key: &str) -> Option<i64> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value::IntValue;
    match value(span, key) {
        Some(IntValue(number)) => Some(*number),
        _ => None,
    }
}
