//! One submission at a time.

use prost_types::{FieldMask, Struct, Timestamp, Value, value::Kind};
use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::SubmissionStatus::{Closed, Contacted, New, Qualified, Spam};
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{
    CreateSubmissionRequest, DeleteSubmissionRequest, GetSubmissionRequest, ListSubmissionsRequest,
    Submission, SubmissionStatus, UpdateSubmissionRequest,
};
use selvedge_testing::{Served, reason, serve, violated};
use tonic::transport::Channel;
use tonic::{Code, Request};

type Client = SubmissionServiceClient<Channel>;

async fn start() -> (Served, Client) {
    let served = serve(SERVICE).await;
    let client = Client::new(served.channel());
    (served, client)
}

fn ada() -> Submission {
    Submission {
        name: "Ada".into(),
        email: "ada@example.com".into(),
        message: "How much is the twill?".into(),
        ..Submission::default()
    }
}

fn create(submission: Submission) -> CreateSubmissionRequest {
    CreateSubmissionRequest { submission: Some(submission), request_id: String::new() }
}

fn update(submission: Submission, paths: &[&str]) -> UpdateSubmissionRequest {
    let update_mask = Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
    UpdateSubmissionRequest { submission: Some(submission), update_mask }
}

fn insights(name: &str, kind: Kind) -> Struct {
    Struct { fields: [(name.to_owned(), Value { kind: Some(kind) })].into() }
}

async fn get(client: &mut Client, id: &str) -> Result<Submission, tonic::Status> {
    Ok(client.get_submission(GetSubmissionRequest { id: id.into() }).await?.into_inner())
}

#[tokio::test]
async fn what_is_fixed_may_be_named_with_the_value_that_is_there() {
    let (_served, mut client) = start().await;
    let submission = Submission { external_id: Some("old-1".into()), ..ada() };
    let created = client.create_submission(create(submission)).await.unwrap().into_inner();
    let all = ["name", "status", "external_id", "submitted_at"];
    let change = Submission { name: "Ada L.".into(), etag: String::new(), ..created.clone() };
    let changed = client.update_submission(update(change.clone(), &all)).await.unwrap().into_inner();
    assert_eq!((&*changed.name, changed.submitted_at), ("Ada L.", created.submitted_at));

    let later = created.submitted_at.map(|time| Timestamp { seconds: time.seconds + 1, ..time });
    for (field, change) in [
        ("submission.submitted_at", Submission { submitted_at: later, ..change.clone() }),
        ("submission.submitted_at", Submission { submitted_at: None, ..change.clone() }),
        ("submission.external_id", Submission { external_id: Some("old-2".into()), ..change.clone() }),
        ("submission.external_id", Submission { external_id: None, ..change.clone() }),
    ] {
        let refused = client.update_submission(update(change, &all)).await.unwrap_err();
        assert_eq!(violated(&refused), [field]);
    }
    assert_eq!(get(&mut client, &created.id).await.unwrap(), changed);
}

#[tokio::test]
async fn what_is_created_can_be_read_changed_and_deleted() {
    let (_served, mut client) = start().await;
    let submission =
        Submission { document_insights: Some(insights("pages", Kind::NumberValue(3.0))), ..ada() };
    let created = client.create_submission(create(submission)).await.unwrap().into_inner();
    assert_eq!(created.status(), New);
    assert_eq!(created.document_insights, Some(insights("pages", Kind::NumberValue(3.0))));
    assert!(created.submitted_at.is_some() && created.created_at.is_some());
    assert_eq!(get(&mut client, &created.id).await.unwrap(), created);

    let change = Submission { name: "Ada L.".into(), message: "ignored".into(), ..created.clone() };
    let changed = client.update_submission(update(change, &["name"])).await.unwrap().into_inner();
    assert_eq!((changed.name.as_str(), changed.message.as_str()), ("Ada L.", "How much is the twill?"));
    assert_ne!(changed.etag, created.etag);
    assert!(changed.updated_at.unwrap().nanos != created.updated_at.unwrap().nanos);
    assert_eq!(changed.created_at, created.created_at);

    let delete = |etag: &str| DeleteSubmissionRequest { id: created.id.clone(), etag: etag.into() };
    let stale = client.delete_submission(delete(&created.etag)).await.unwrap_err();
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    client.delete_submission(delete(&changed.etag)).await.unwrap();
    assert_eq!(get(&mut client, &created.id).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(client.delete_submission(delete("")).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once() {
    let (_served, mut client) = start().await;
    let wrong = Submission {
        name: String::new(),
        email: "x".repeat(10_000),
        message: "a\0b".into(),
        status: 99,
        external_id: Some(String::new()),
        submitted_at: Some(Timestamp { seconds: 0, nanos: 0 }),
        document_insights: Some(insights("deep\0", Kind::StringValue("x".into()))),
        ..Submission::default()
    };
    let request = CreateSubmissionRequest { submission: Some(wrong), request_id: "with space".into() };
    let status = client.create_submission(request).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
    let fields = violated(&status);
    for field in ["name", "email", "message", "status", "external_id", "submitted_at", "document_insights"] {
        let path = format!("submission.{field}");
        assert!(fields.iter().any(|violated| violated.starts_with(&path)), "{path} in {fields:?}");
    }
    assert!(fields.contains(&"request_id".to_owned()), "{fields:?}");
}

#[tokio::test]
async fn bad_input_is_the_callers_error_and_never_ours() {
    let (_served, mut client) = start().await;
    let created = client.create_submission(create(ada())).await.unwrap().into_inner();
    let future = Some(Timestamp { seconds: 253_402_300_799, nanos: 0 });
    let mut nested = Kind::NullValue(0);
    for _ in 0..200 {
        nested = Kind::StructValue(insights("x", nested));
    }
    let creates = [
        Submission { submitted_at: future, ..ada() },
        Submission { document_insights: Some(insights("deep", nested)), ..ada() },
        Submission { document_insights: Some(insights("nan", Kind::NumberValue(f64::NAN))), ..ada() },
        Submission { submitted_at: Some(Timestamp { seconds: 1, nanos: -1 }), ..ada() },
    ];
    for submission in creates {
        let status = client.create_submission(create(submission)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    }
    for id in ["", "x", "01890a5d-ac96-774b-bcce-b302099a805", "01890a5dac96774bbcceb302099a8057"] {
        assert_eq!(get(&mut client, id).await.unwrap_err().code(), Code::InvalidArgument, "{id}");
    }
    let no_id = Submission { id: String::new(), ..created.clone() };
    let updates = [
        update(no_id, &["name"]),
        update(created.clone(), &[]),
        update(created.clone(), &["id"]),
        update(created.clone(), &["created_at"]),
        update(Submission { status: 0, ..created.clone() }, &["status"]),
        update(Submission { email: "nobody".into(), ..created.clone() }, &["email"]),
        update(Submission { name: String::new(), ..created.clone() }, &["*"]),
        UpdateSubmissionRequest { submission: Some(created), update_mask: None },
    ];
    for request in updates {
        let status = client.update_submission(request.clone()).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{request:?} {status:?}");
    }
}

#[tokio::test]
async fn an_oversized_message_is_refused() {
    let (_served, mut client) = start().await;
    let submission = Submission { message: "x".repeat(5 << 20), ..ada() };
    let status = client.create_submission(create(submission)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
}

#[tokio::test]
async fn a_status_moves_only_along_its_ways() {
    let (_served, mut client) = start().await;
    let ways = [
        (New, vec![Contacted, Qualified, Closed, Spam]),
        (Contacted, vec![Qualified, Closed, Spam]),
        (Qualified, vec![Closed]),
        (Closed, vec![Contacted]),
        (Spam, vec![New]),
    ];
    for (from, to) in ways {
        for status in [New, Contacted, Qualified, Closed, Spam] {
            let start = Submission { status: from.into(), ..ada() };
            let created = client.create_submission(create(start)).await.unwrap().into_inner();
            let moved = Submission { status: status.into(), ..created.clone() };
            let answer = client.update_submission(update(moved, &["status"])).await;
            if status == from || to.contains(&status) {
                assert_eq!(answer.unwrap().into_inner().status(), status, "{from:?} to {status:?}");
            } else {
                let refused = answer.unwrap_err();
                assert_eq!(refused.code(), Code::FailedPrecondition, "{from:?} to {status:?}");
                assert_eq!(reason(&refused), "STATUS_MOVE_NOT_ALLOWED");
                assert_eq!(get(&mut client, &created.id).await.unwrap(), created);
            }
        }
    }
}

#[tokio::test]
async fn of_many_updates_with_one_etag_one_wins() {
    let (served, mut client) = start().await;
    let created = client.create_submission(create(ada())).await.unwrap().into_inner();
    let updates = (0..32).map(|number| {
        let mut client = Client::new(served.channel());
        let change = Submission { name: format!("Ada {number}"), ..created.clone() };
        tokio::spawn(async move { client.update_submission(update(change, &["name"])).await })
    });
    let mut won = 0;
    for answer in updates.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            Ok(_) => won += 1,
            Err(status) => assert_eq!(reason(&status), "ETAG_MISMATCH"),
        }
    }
    assert_eq!(won, 1);
    // The control: without an etag nobody is refused.
    for name in ["first", "second"] {
        let change = Submission { name: name.into(), etag: String::new(), ..created.clone() };
        client.update_submission(update(change, &["name"])).await.unwrap();
    }
    let missing = Submission { id: "01890a5d-ac96-774b-bcce-b302099a8057".into(), ..created };
    assert_eq!(
        client.update_submission(update(missing, &["name"])).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn a_backdated_submission_makes_its_own_partition_and_keeps_its_time() {
    let (served, mut client) = start().await;
    let submitted_at = Some(Timestamp { seconds: 951_782_400, nanos: 123_456_000 });
    let created =
        client.create_submission(create(Submission { submitted_at, ..ada() })).await.unwrap().into_inner();
    assert_eq!(created.submitted_at, submitted_at);
    assert_eq!(get(&mut client, &created.id).await.unwrap(), created);
    let table: String = sqlx::query_scalar("select tableoid::regclass::text from submissions")
        .fetch_one(&mut served.database.superuser().await)
        .await
        .unwrap();
    assert_eq!(table, "submissions_2000_02");
}

#[tokio::test]
async fn an_external_id_is_taken_once_and_free_again_after_a_delete() {
    let (_served, mut client) = start().await;
    let old = |at: i64| {
        let submitted_at = Some(Timestamp { seconds: at, nanos: 0 });
        create(Submission { external_id: Some("dynamo-1".into()), submitted_at, ..ada() })
    };
    let first = client.create_submission(old(1_600_000_000)).await.unwrap().into_inner();
    assert_eq!(first.external_id.as_deref(), Some("dynamo-1"));
    // Another month, so another partition.
    let taken = client.create_submission(old(1_700_000_000)).await.unwrap_err();
    assert_eq!((taken.code(), reason(&taken).as_str()), (Code::AlreadyExists, "EXTERNAL_ID_TAKEN"));
    client.delete_submission(DeleteSubmissionRequest { id: first.id, etag: String::new() }).await.unwrap();
    client.create_submission(old(1_700_000_000)).await.unwrap();
}

fn with_id(request_id: &str, name: &str) -> CreateSubmissionRequest {
    let submission = Submission { name: name.into(), ..ada() };
    CreateSubmissionRequest { submission: Some(submission), request_id: request_id.into() }
}

#[tokio::test]
async fn a_repeated_create_makes_one_submission() {
    let (served, mut client) = start().await;
    let repeats = (0..32).map(|_| {
        let mut client = Client::new(served.channel());
        tokio::spawn(async move {
            client.create_submission(with_id("order-1", "Ada")).await.unwrap().into_inner()
        })
    });
    let mut answers = vec![];
    for answer in repeats.collect::<Vec<_>>() {
        answers.push(answer.await.unwrap());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    let other = client.create_submission(with_id("order-1", "Bao")).await.unwrap_err();
    assert_eq!((other.code(), reason(&other).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    assert_eq!(count(&served).await, 1);
    // The control: without an id each of them is a submission.
    for _ in 0..2 {
        client.create_submission(with_id("", "Ada")).await.unwrap();
    }
    assert_eq!(count(&served).await, 3);
}

#[tokio::test]
async fn request_ids_belong_to_their_caller_and_last_a_day() {
    let (served, mut client) = start().await;
    client.create_submission(with_id("1", "Ada")).await.unwrap();
    let mut other = Request::new(with_id("1", "Bao"));
    other.metadata_mut().insert("authorization", "Bearer bao".parse().unwrap());
    client.create_submission(other).await.unwrap();
    assert_eq!(count(&served).await, 2);

    let mut database = served.database.superuser().await;
    let age = "update idempotency_keys set created_at = created_at - interval '25 hours'";
    sqlx::query(age).execute(&mut database).await.unwrap();
    client.create_submission(with_id("1", "Chidi")).await.unwrap();
    assert_eq!(count(&served).await, 3);
}

#[tokio::test]
async fn a_create_that_failed_leaves_its_request_id_free() {
    let (_served, mut client) = start().await;
    let mut request = with_id("1", "Ada");
    request.submission.as_mut().unwrap().external_id = Some("taken".into());
    let mut first = request.clone();
    first.request_id.clear();
    let first = client.create_submission(first).await.unwrap().into_inner();
    assert_eq!(reason(&client.create_submission(request.clone()).await.unwrap_err()), "EXTERNAL_ID_TAKEN");
    client.delete_submission(DeleteSubmissionRequest { id: first.id, etag: String::new() }).await.unwrap();
    client.create_submission(request).await.unwrap();
}

async fn count(served: &Served) -> i64 {
    let mut database = served.database.superuser().await;
    sqlx::query_scalar("select count(*) from submissions").fetch_one(&mut database).await.unwrap()
}

#[tokio::test]
async fn insights_have_a_limit_and_so_has_a_page_of_long_submissions() {
    let (_served, mut client) = start().await;
    let long = |bytes| Submission {
        message: "ü".repeat(10_000),
        document_insights: Some(insights("text", Kind::StringValue("x".repeat(bytes)))),
        ..ada()
    };
    let too_long = client.create_submission(create(long(70_000))).await.unwrap_err();
    assert_eq!(violated(&too_long), ["submission.document_insights"]);
    for _ in 0..60 {
        client.create_submission(create(long(60_000))).await.unwrap();
    }
    // More than a client takes in one message, if they came at once.
    let mut request = ListSubmissionsRequest { page_size: 100, ..Default::default() };
    let mut seen = 0;
    loop {
        let page = client.list_submissions(request.clone()).await.unwrap().into_inner();
        seen += page.submissions.len();
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(seen, 60);
}

/// Keeps the list of statuses above complete.
#[test]
fn every_status_is_known_here() {
    assert!(SubmissionStatus::try_from(6).is_err());
}
