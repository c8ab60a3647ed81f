//! The statements that the service really sends use the indexes that were made for them, as PostgreSQL itself counts it.

use std::collections::BTreeMap;
use std::time::Duration;

use prost_types::{Struct, Value, value::Kind};
use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::document_service_client::DocumentServiceClient;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{
    BatchCreateSubmissionsRequest, DeleteSubmissionRequest, ExportSubmissionsRequest,
    GetSubmissionStatsRequest, ImportSubmissionsRequest, ListDocumentsRequest, ListSubmissionsRequest,
    Submission,
};
use selvedge_testing::{Database, Work};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::transport::Channel;

/// Fourteen months of submissions, some with documents, folded counts, and the statistics that plans are made from.
const FILL: &str = "
    select ensure_submissions_partition(at)
    from generate_series(now() - interval '15 months', now() + interval '1 month', interval '1 month') at;
    insert into submissions (id, external_id, name, email, message, status, submitted_at, document_insights)
    select overlay(uuid_v7_floor(at)::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, 'old-' || n, 'n',
        'e' || n || '@d' || n % 50 || '.example', repeat('m', 100), 'NEW', at, jsonb_build_object('number', n)
    from generate_series(1, 40000) n, lateral (select now() - interval '15 minutes' * n as at) times;
    insert into documents (id, submission_id, file_name, media_type, size, sha256, tags)
    select gen_random_uuid(), id, 'f', 'a/b', 1, sha256(''), array['tag-' || row_number() over (), 'all']
    from (select id from submissions order by id limit 5000) as old;
    vacuum analyze";

struct Clients {
    submissions: SubmissionServiceClient<Channel>,
    documents: DocumentServiceClient<Channel>,
    /// The id of a submission with a document.
    old: String,
}

/// What the database did meanwhile.
async fn work(
    database: &Database,
    watcher: &mut PgConnection,
    calls: impl AsyncFnOnce(&mut Clients),
) -> Work {
    let old = sqlx::query_scalar("select min(submission_id::text) from documents")
        .fetch_one(watcher)
        .await
        .unwrap();
    let calls = async |channel: Channel| {
        let mut clients = Clients {
            submissions: SubmissionServiceClient::new(channel.clone()),
            documents: DocumentServiceClient::new(channel),
            old,
        };
        calls(&mut clients).await;
    };
    database.work(calls).await
}

fn number(number: f64) -> Struct {
    Struct { fields: [("number".to_owned(), Value { kind: Some(Kind::NumberValue(number)) })].into() }
}

#[tokio::test]
async fn nothing_that_is_asked_for_a_few_reads_everything() {
    let database = Database::new(SERVICE).await;
    let mut watcher = database.superuser().await;
    for statement in FILL.split(';') {
        watcher.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    // The first service folds the counts.
    work(&database, &mut watcher, async |_| {
        let mut looker = database.superuser().await;
        let left = "select count(*) from submission_deltas";
        while sqlx::query_scalar::<_, i64>(left).fetch_one(&mut looker).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        looker.execute("vacuum analyze").await.unwrap();
    })
    .await;

    let Work { tables, indexes, .. } = work(&database, &mut watcher, async |clients| {
        let list = ListSubmissionsRequest { insights_contains: Some(number(777.0)), ..Default::default() };
        let page = clients.submissions.list_submissions(list).await.unwrap().into_inner();
        assert_eq!(page.submissions.len(), 1);
        let email = "E9999@D49.example".to_owned();
        let list = ListSubmissionsRequest { email: email.clone(), ..Default::default() };
        assert_eq!(
            clients.submissions.list_submissions(list).await.unwrap().into_inner().submissions.len(),
            1
        );
        let export = ExportSubmissionsRequest { email, ..Default::default() };
        let mut rows = clients.submissions.export_submissions(export).await.unwrap().into_inner();
        assert!(rows.message().await.unwrap().is_some() && rows.message().await.unwrap().is_none());

        let tagged = ListDocumentsRequest { tags: vec!["tag-4321".into()], ..Default::default() };
        assert_eq!(clients.documents.list_documents(tagged).await.unwrap().into_inner().documents.len(), 1);
        let of_one = ListDocumentsRequest { submission_id: clients.old.clone(), ..Default::default() };
        assert_eq!(clients.documents.list_documents(of_one).await.unwrap().into_inner().documents.len(), 1);
        let newest = ListDocumentsRequest::default();
        assert_eq!(clients.documents.list_documents(newest).await.unwrap().into_inner().documents.len(), 20);

        let first_day = (chrono::Utc::now() - chrono::TimeDelta::days(10)).date_naive().to_string();
        let stats =
            GetSubmissionStatsRequest { first_day, time_zone: "Europe/Berlin".into(), ..Default::default() };
        assert!(clients.submissions.get_submission_stats(stats).await.unwrap().into_inner().total > 900);

        let submission = Submission {
            external_id: Some("old-40".into()),
            name: "n".into(),
            email: "e@example.com".into(),
            message: "m".into(),
            ..Default::default()
        };
        let import = tokio_stream::iter([ImportSubmissionsRequest { submission: Some(submission.clone()) }]);
        let report = clients.submissions.import_submissions(import).await.unwrap().into_inner();
        assert_eq!(report.duplicate_count, 1);
        let batch = BatchCreateSubmissionsRequest { submissions: vec![submission], ..Default::default() };
        clients.submissions.batch_create_submissions(batch).await.unwrap_err();
        let delete = DeleteSubmissionRequest { id: clients.old.clone(), ..Default::default() };
        clients.submissions.delete_submission(delete).await.unwrap();
    })
    .await;

    assert_eq!(tables, BTreeMap::new(), "tables that were read from one end to the other");
    for index in [
        "document_insights_idx",
        "lower_id_idx",
        "documents_tags",
        "documents_submission_id",
        "documents_pkey",
        "submission_status_counts_pkey",
        "submission_domain_counts_pkey",
        "submission_external_ids_pkey",
    ] {
        assert!(indexes.keys().any(|name| name.ends_with(index)), "{index} in {indexes:?}");
    }
}

/// The negative control: without an index its table is read from one end to the other, and the counters say so.
#[tokio::test]
async fn without_an_index_everything_is_read() {
    let database = Database::new(SERVICE).await;
    let mut watcher = database.superuser().await;
    for statement in FILL.split(';') {
        watcher.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    watcher.execute("drop index documents_tags").await.unwrap();
    let Work { tables, .. } = work(&database, &mut watcher, async |clients| {
        let tagged = ListDocumentsRequest { tags: vec!["tag-4321".into()], ..Default::default() };
        clients.documents.list_documents(tagged).await.unwrap();
    })
    .await;
    assert!(tables.contains_key("documents"), "{tables:?}");
}
