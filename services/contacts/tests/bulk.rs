//! Many submissions at once: batches, imports, exports.

use std::time::Duration;

use futures::StreamExt as _;
use prost_types::{Struct, Timestamp, Value, value::Kind};
use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{
    BatchCreateSubmissionsRequest, ExportSubmissionsRequest, GetSubmissionRequest, ImportSubmissionsRequest,
    ImportSubmissionsResponse, Submission, SubmissionStatus,
};
use selvedge_testing::{Database, Served, reason, serve, serve_with, violated};
use sqlx::Executor as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status};

type Client = SubmissionServiceClient<Channel>;

/// As many as the proto says.
const CHUNK: usize = 5_000;

async fn start() -> (Served, Client) {
    let served = serve(SERVICE).await;
    let client = Client::new(served.channel());
    (served, client)
}

fn numbered(number: usize) -> Submission {
    Submission {
        external_id: Some(format!("old-{number}")),
        name: format!("Name {number}"),
        email: format!("n{number}@example.com"),
        message: "Grüße\t\\N\nund \"mehr\"".into(),
        status: SubmissionStatus::Qualified.into(),
        submitted_at: Some(Timestamp {
            seconds: 1_700_000_000 + 60 * i64::try_from(number).unwrap(),
            nanos: 1000,
        }),
        ..Submission::default()
    }
}

fn batch(submissions: Vec<Submission>) -> BatchCreateSubmissionsRequest {
    BatchCreateSubmissionsRequest { submissions, request_id: String::new() }
}

async fn import(
    client: &mut Client,
    rows: impl IntoIterator<Item = Submission, IntoIter: Send + 'static>,
) -> Result<ImportSubmissionsResponse, Status> {
    let rows = rows.into_iter().map(|submission| ImportSubmissionsRequest { submission: Some(submission) });
    Ok(client.import_submissions(tokio_stream::iter(rows)).await?.into_inner())
}

async fn export(client: &mut Client, request: ExportSubmissionsRequest) -> Vec<Submission> {
    let rows = client.export_submissions(request).await.unwrap().into_inner();
    rows.map(Result::unwrap).collect().await
}

async fn stored(database: &Database) -> usize {
    let count = sqlx::query_scalar::<_, i64>("select count(*) from submissions");
    usize::try_from(count.fetch_one(&mut database.superuser().await).await.unwrap()).unwrap()
}

/// What its sender decides about a submission.
fn given(submission: &Submission) -> Submission {
    Submission {
        id: String::new(),
        created_at: None,
        updated_at: None,
        etag: String::new(),
        document_insights: submission
            .document_insights
            .clone()
            .filter(|insights| !insights.fields.is_empty()),
        ..submission.clone()
    }
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order() {
    let (served, mut client) = start().await;
    // Neither the times nor the external ids are in order.
    let submissions: Vec<_> = (0..1000).map(|number| numbered(number * 7919 % 1000)).collect();
    let answer = client.batch_create_submissions(batch(submissions.clone())).await.unwrap().into_inner();
    assert_eq!(answer.submissions.iter().map(given).collect::<Vec<_>>(), submissions);
    assert_eq!(stored(&served.database).await, 1000);
    let get = GetSubmissionRequest { id: answer.submissions[3].id.clone() };
    assert_eq!(client.get_submission(get).await.unwrap().into_inner(), answer.submissions[3]);
}

#[tokio::test]
async fn a_batch_is_stored_entirely_or_not_at_all() {
    let (served, mut client) = start().await;
    client.batch_create_submissions(batch(vec![numbered(7)])).await.unwrap();
    let status = client.batch_create_submissions(batch((0..10).map(numbered).collect())).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::AlreadyExists, "EXTERNAL_ID_TAKEN"));
    assert!(status.message().contains("submissions[7]"), "{}", status.message());

    let status = client
        .batch_create_submissions(batch(vec![numbered(1), numbered(2), numbered(1)]))
        .await
        .unwrap_err();
    assert_eq!(violated(&status), ["submissions[2].external_id"]);
    let future =
        Submission { submitted_at: Some(Timestamp { seconds: 4_000_000_000, nanos: 0 }), ..numbered(1) };
    let status = client.batch_create_submissions(batch(vec![numbered(2), future])).await.unwrap_err();
    assert_eq!(violated(&status), ["submissions[1].submitted_at"]);
    let wrong = Submission { email: "x".into(), ..numbered(1) };
    let status = client.batch_create_submissions(batch(vec![numbered(2), wrong])).await.unwrap_err();
    assert_eq!(violated(&status), ["submissions[1].email"]);
    for wrong in [batch(vec![]), batch(vec![numbered(1); 1001])] {
        assert_eq!(violated(&client.batch_create_submissions(wrong).await.unwrap_err()), ["submissions"]);
    }
    let long = |number| Submission { message: "ü".repeat(10_000), ..numbered(number) };
    let status = client.batch_create_submissions(batch((100..300).map(long).collect())).await.unwrap_err();
    assert_eq!(violated(&status), ["submissions"]);
    assert_eq!(stored(&served.database).await, 1);
}

#[tokio::test]
async fn a_batch_that_is_repeated_is_stored_once() {
    let (served, mut client) = start().await;
    let plain = |number| Submission { external_id: None, ..numbered(number) };
    let request =
        BatchCreateSubmissionsRequest { submissions: vec![plain(1), plain(2)], request_id: "once".into() };
    let first = client.batch_create_submissions(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.batch_create_submissions(request.clone()).await.unwrap().into_inner(), first);
    let other = BatchCreateSubmissionsRequest { submissions: vec![plain(1)], ..request };
    assert_eq!(reason(&client.batch_create_submissions(other).await.unwrap_err()), "REQUEST_ID_REUSED");
    assert_eq!(stored(&served.database).await, 2);
}

#[tokio::test]
async fn of_batches_that_want_the_same_one_wins() {
    let (served, client) = start().await;
    for round in 0..5 {
        let forward: Vec<_> = (0..200).map(|number| numbered(round * 200 + number)).collect();
        let backward: Vec<_> = forward.iter().rev().cloned().collect();
        let (mut one, mut other) = (client.clone(), client.clone());
        let (first, second) = tokio::join!(
            one.batch_create_submissions(batch(forward)),
            other.batch_create_submissions(batch(backward))
        );
        let refused = match (first, second) {
            (Ok(_), Err(status)) | (Err(status), Ok(_)) => status,
            both => panic!("{both:?}"),
        };
        assert_eq!(reason(&refused), "EXTERNAL_ID_TAKEN");
        assert_eq!(stored(&served.database).await, (round + 1) * 200);
    }
}

#[tokio::test]
async fn an_import_stores_what_is_right_and_reports_the_rest() {
    let (served, mut client) = start().await;
    client.batch_create_submissions(batch(vec![numbered(4)])).await.unwrap();
    let insights = Struct {
        fields: [
            ("total_documents".to_owned(), Value { kind: Some(Kind::NumberValue(9.0)) }),
            ("language".to_owned(), Value { kind: Some(Kind::StringValue("\u{1F9F5}\\u0000".into())) }),
        ]
        .into(),
    };
    let with_insights =
        Submission { document_insights: Some(insights.clone()), external_id: None, ..numbered(6) };
    let rows = vec![
        numbered(1),
        Submission { email: "nobody".into(), name: String::new(), ..numbered(2) },
        numbered(3),
        numbered(4),
        numbered(3),
        with_insights.clone(),
        Submission { submitted_at: Some(Timestamp { seconds: 4_000_000_000, nanos: 0 }), ..numbered(7) },
        Submission { message: "a\0b".into(), ..numbered(8) },
        Submission { external_id: Some("x".repeat(3 << 20)), ..numbered(9) },
        Submission { submitted_at: None, external_id: None, ..numbered(10) },
        Submission { id: "not ours".into(), ..numbered(11) },
    ];
    let report = import(&mut client, rows).await.unwrap();
    assert_eq!((report.accepted_count, report.refused_count, report.duplicate_count), (4, 7, 2));
    let said: Vec<_> = report.refused.iter().map(|it| (it.row, it.reason.as_str())).collect();
    let (invalid, taken) = ("INVALID_SUBMISSION", "EXTERNAL_ID_TAKEN");
    assert_eq!(
        said,
        [(2, invalid), (4, taken), (5, taken), (7, invalid), (8, invalid), (9, invalid), (11, invalid)]
    );
    assert_eq!(report.refused[0].description, "name must not be empty; email must be a valid email address");
    assert_eq!(report.refused[0].external_id.as_deref(), Some("old-2"));
    assert_eq!(report.refused[5].external_id.as_ref().unwrap().len(), 255);

    let all = export(&mut client, ExportSubmissionsRequest::default()).await;
    assert_eq!(all.iter().take(3).map(given).collect::<Vec<_>>(), [1, 3, 4].map(numbered));
    let mut language = insights;
    language.fields.remove("total_documents");
    assert_eq!(given(&all[3]), Submission { document_insights: Some(language), ..with_insights });
    assert_eq!((all.len(), stored(&served.database).await), (5, 5));
}

#[tokio::test]
async fn an_empty_import_and_one_of_nothing_right_are_answered() {
    let (served, mut client) = start().await;
    assert_eq!(import(&mut client, []).await.unwrap(), ImportSubmissionsResponse::default());
    let report = import(&mut client, (0..CHUNK + 1500).map(|_| Submission::default())).await.unwrap();
    assert_eq!((report.accepted_count, report.refused_count, report.refused.len()), (0, 6500, 1000));
    assert_eq!(report.refused.last().unwrap().row, 1000);
    assert_eq!(stored(&served.database).await, 0);
}

#[tokio::test]
async fn an_import_that_fails_says_how_far_it_came() {
    let (served, mut client) = start().await;
    let trap = "alter table submissions add constraint trap check (name <> 'Name 7000')";
    served.database.superuser().await.execute(trap).await.unwrap();
    let status = import(&mut client, (0..3 * CHUNK).map(numbered)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "INTERNAL"));
    assert!(
        status.message().ends_with("(at least the first 5000 rows had been stored or refused)"),
        "{}",
        status.message()
    );
    assert_eq!(stored(&served.database).await, CHUNK);
}

#[tokio::test]
async fn an_import_that_is_repeated_stores_nothing_twice() {
    let (served, mut client) = start().await;
    let rows = || (0..2 * CHUNK + 17).map(numbered);
    assert_eq!(import(&mut client, rows()).await.unwrap().accepted_count, 10_017);
    let report = import(&mut client, rows()).await.unwrap();
    assert_eq!((report.accepted_count, report.duplicate_count, report.refused.len()), (0, 10_017, 1000));
    assert_eq!(stored(&served.database).await, 10_017);
}

#[tokio::test]
async fn imports_of_the_same_at_once_share_the_work() {
    let (served, client) = start().await;
    let (mut one, mut other) = (client.clone(), client);
    let count = 2 * CHUNK;
    let (first, second) = tokio::join!(
        import(&mut one, (0..count).map(numbered)),
        import(&mut other, (0..count).rev().map(numbered))
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.accepted_count + second.accepted_count, 10_000);
    assert_eq!(first.duplicate_count + second.duplicate_count, 10_000);
    assert_eq!(stored(&served.database).await, count);
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_whole_chunks() {
    let (served, mut client) = start().await;
    let (rows, received) = mpsc::channel(100);
    let call = tokio::spawn(async move { client.import_submissions(ReceiverStream::new(received)).await });
    for number in 0..2 * CHUNK + 2000 {
        rows.send(ImportSubmissionsRequest { submission: Some(numbered(number)) }).await.unwrap();
    }
    // Both chunks are there before the client goes; what came after them never will be.
    for _ in 0..600 {
        if stored(&served.database).await == 2 * CHUNK {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    call.abort();
    assert!(call.await.is_err());
    nothing_runs(&served.database).await;
    assert_eq!(stored(&served.database).await, 2 * CHUNK);
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_middle_of_a_chunk_leaves_nothing_of_it() {
    let (served, mut client) = start().await;
    let mut holder = served.database.superuser().await;
    holder.execute("begin; lock table submission_external_ids in share mode").await.unwrap();
    let mut leaving = client.clone();
    let call = tokio::spawn(async move { import(&mut leaving, (0..100).map(numbered)).await });
    let mut watcher = served.database.superuser().await;
    let waits = "select exists (select from pg_stat_activity where wait_event_type = 'Lock'
                     and datname = current_database() and query like 'copy%')";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watcher).await.unwrap() {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.is_err());
    // The copy ends although what it waits for is still held.
    nothing_runs(&served.database).await;
    holder.execute("rollback").await.unwrap();
    assert_eq!(stored(&served.database).await, 0);
    assert_eq!(import(&mut client, (0..100).map(numbered)).await.unwrap().accepted_count, 100);
}

/// Waits until no connection of the service is in the middle of anything.
async fn nothing_runs(database: &Database) {
    let mut watcher = database.superuser().await;
    let busy = "select count(*) from pg_stat_activity
                where datname = current_database() and usename = 'contacts_app'
                    and (state <> 'idle' and (query ilike '%submissions%' or query ilike '%exported%'))";
    for _ in 0..600 {
        if sqlx::query_scalar::<_, i64>(busy).fetch_one(&mut watcher).await.unwrap() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("something still runs");
}

#[tokio::test]
async fn an_export_has_the_filters_of_a_list() {
    let (_served, mut client) = start().await;
    let mut rows: Vec<_> = (0..1200).map(numbered).collect();
    rows[7].status = SubmissionStatus::Spam.into();
    rows[8].message = "100% wool".into();
    rows[9].document_insights =
        Some(Struct { fields: [("pages".to_owned(), Value { kind: Some(Kind::NumberValue(3.0)) })].into() });
    import(&mut client, rows.clone()).await.unwrap();
    let all = export(&mut client, ExportSubmissionsRequest::default()).await;
    assert_eq!(all.iter().map(given).collect::<Vec<_>>(), rows, "all of them, the oldest first");
    let at = |number: usize| rows[number].submitted_at;
    for (request, expected) in [
        (ExportSubmissionsRequest { status: SubmissionStatus::Spam.into(), ..Default::default() }, vec![7]),
        (ExportSubmissionsRequest { email: "N5@EXAMPLE.com".into(), ..Default::default() }, vec![5]),
        (ExportSubmissionsRequest { text: "0% W".into(), ..Default::default() }, vec![8]),
        (
            ExportSubmissionsRequest {
                insights_contains: rows[9].document_insights.clone(),
                ..Default::default()
            },
            vec![9],
        ),
        (
            ExportSubmissionsRequest { submitted_from: at(3), submitted_before: at(6), ..Default::default() },
            vec![3, 4, 5],
        ),
    ] {
        let found = export(&mut client, request.clone()).await;
        let names: Vec<_> = found.iter().map(|it| it.name.clone()).collect();
        assert_eq!(
            names,
            expected.iter().map(|number| format!("Name {number}")).collect::<Vec<_>>(),
            "{request:?}"
        );
    }
    for wrong in [
        ExportSubmissionsRequest { status: 77, ..Default::default() },
        ExportSubmissionsRequest { text: "x".repeat(201), ..Default::default() },
    ] {
        assert_eq!(client.export_submissions(wrong).await.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn an_export_shows_one_moment() {
    let (served, mut client) = start().await;
    import(&mut client, (0..20_000).map(numbered)).await.unwrap();
    let mut rows = client.export_submissions(ExportSubmissionsRequest::default()).await.unwrap().into_inner();
    let first = rows.message().await.unwrap().unwrap();
    assert_eq!(first.name, "Name 0");
    served.database.superuser().await.execute("delete from submissions").await.unwrap();
    import(&mut client, (30_000..30_100).map(numbered)).await.unwrap();
    let mut count = 1;
    while let Some(row) = rows.message().await.unwrap() {
        assert_eq!(row.name, format!("Name {count}"));
        count += 1;
    }
    assert_eq!(count, 20_000);
    assert_eq!(export(&mut client, ExportSubmissionsRequest::default()).await.len(), 100);
}

#[tokio::test]
async fn a_reader_that_leaves_gives_its_place_back_and_too_many_are_sent_away() {
    let (served, mut client) = start().await;
    import(&mut client, (0..20_000).map(numbered)).await.unwrap();
    let mut open = vec![];
    for _ in 0..served.running().db().pool_size() / 2 {
        // A connection each: what one reader leaves unread would keep the others on its connection waiting.
        let mut reader = Client::new(served.channel());
        let mut rows =
            reader.export_submissions(ExportSubmissionsRequest::default()).await.unwrap().into_inner();
        rows.message().await.unwrap().unwrap();
        open.push(rows);
    }
    let status = client.export_submissions(ExportSubmissionsRequest::default()).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "TOO_MANY_BULK_CALLS"));
    assert_eq!(import(&mut client, [numbered(1)]).await.unwrap().duplicate_count, 1, "imports go on");
    drop(open);
    nothing_runs(&served.database).await;
    assert_eq!(export(&mut client, ExportSubmissionsRequest::default()).await.len(), 20_000);
}

/// A client that asks and then takes nothing, while it keeps its connection alive.
#[tokio::test]
async fn a_reader_that_stands_still_is_not_waited_for() {
    let served = serve_with(SERVICE, |config| config.limits.stream_idle = Duration::from_secs(2)).await;
    let mut client = Client::new(served.channel());
    import(&mut client, (0..60_000).map(numbered)).await.unwrap();
    let mut rows = client.export_submissions(ExportSubmissionsRequest::default()).await.unwrap().into_inner();
    rows.message().await.unwrap().unwrap();
    nothing_runs(&served.database).await;
    let mut count = 1;
    let end = loop {
        match rows.message().await {
            Ok(Some(_)) => count += 1,
            end => break end,
        }
    };
    // It learns that this was not all.
    assert_eq!(end.unwrap_err().code(), Code::Unavailable);
    assert!(count < 60_000);
    assert_eq!(export(&mut client, ExportSubmissionsRequest::default()).await.len(), 60_000);
}

#[tokio::test]
async fn too_many_imports_are_sent_away() {
    const PLACES: usize = 16;
    let (_served, client) = start().await;
    let mut senders = vec![];
    let calls = (0..=PLACES).map(|_| {
        let (sender, received) = mpsc::channel(1);
        senders.push(sender);
        let mut client = client.clone();
        tokio::spawn(async move { client.import_submissions(ReceiverStream::new(received)).await })
    });
    // None of those that have a place can end before its rows do.
    let (first, _, others) = futures::future::select_all(calls).await;
    let refused = first.unwrap().unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "TOO_MANY_BULK_CALLS"));
    drop(senders);
    for call in others {
        call.await.unwrap().unwrap();
    }
}
