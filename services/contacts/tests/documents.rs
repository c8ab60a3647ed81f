//! Documents, and what their submission says about them.

use futures::future::join_all;
use prost_types::{FieldMask, Struct, Value, value::Kind};
use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::document_service_client::DocumentServiceClient;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{
    CreateDocumentRequest, CreateSubmissionRequest, DeleteDocumentRequest, DeleteSubmissionRequest, Document,
    GetDocumentRequest, GetSubmissionRequest, ListDocumentsRequest, Submission, UpdateSubmissionRequest,
};
use selvedge_testing::{Served, reason, serve, violated};
use serde_json::{Value as Json, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::Code;
use tonic::transport::Channel;

type Documents = DocumentServiceClient<Channel>;
type Submissions = SubmissionServiceClient<Channel>;

const CLIENTS: usize = 64;

/// A service and a submission in it.
async fn start() -> (Served, Documents, Submissions, String) {
    let served = serve(SERVICE).await;
    let mut submissions = Submissions::new(served.channel());
    let id = submit(&mut submissions, None).await.id;
    let documents = Documents::new(served.channel());
    (served, documents, submissions, id)
}

async fn submit(client: &mut Submissions, insights: Option<Struct>) -> Submission {
    let submission = Submission {
        name: "Ada".into(),
        email: "ada@example.com".into(),
        message: "Hello".into(),
        document_insights: insights,
        ..Submission::default()
    };
    let request = CreateSubmissionRequest { submission: Some(submission), ..Default::default() };
    client.create_submission(request).await.unwrap().into_inner()
}

fn pdf(submission_id: &str) -> Document {
    Document {
        submission_id: submission_id.into(),
        file_name: "Offer – 3.pdf".into(),
        media_type: "application/pdf".into(),
        size: 123_456_789_012,
        sha256: "0123456789abcdef".repeat(4),
        tags: vec!["offer".into(), "2026".into()],
        insights: Some(insights("pages", Kind::NumberValue(3.0))),
        ..Document::default()
    }
}

fn insights(name: &str, kind: Kind) -> Struct {
    Struct { fields: [(name.to_owned(), Value { kind: Some(kind) })].into() }
}

async fn add(client: &mut Documents, document: Document) -> Result<Document, tonic::Status> {
    let request = CreateDocumentRequest { document: Some(document), request_id: String::new() };
    Ok(client.create_document(request).await?.into_inner())
}

async fn delete(client: &mut Documents, id: &str) -> Result<(), tonic::Status> {
    client.delete_document(DeleteDocumentRequest { id: id.into() }).await.map(|_| ())
}

/// What the submission says about its documents, and what is so.
async fn said_and_true(connection: &mut PgConnection, submission: &str) -> (Json, Json) {
    let sql = "select document_insights,
                   (select jsonb_build_object('total_documents', count(*),
                       'document_types', coalesce(jsonb_agg(distinct media_type), '[]'))
                    from documents where submission_id = submissions.id)
               from submissions where id = $1::uuid";
    sqlx::query_as(sql).bind(submission).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn what_is_created_can_be_read_listed_and_deleted() {
    let (served, mut documents, mut submissions, id) = start().await;
    let created = add(&mut documents, pdf(&id)).await.unwrap();
    let expected = Document { id: created.id.clone(), created_at: created.created_at, ..pdf(&id) };
    assert_eq!(created, expected);
    let get = GetDocumentRequest { id: created.id.clone() };
    assert_eq!(documents.get_document(get.clone()).await.unwrap().into_inner(), created);
    let list = ListDocumentsRequest { submission_id: id.clone(), ..Default::default() };
    let listed = documents.list_documents(list.clone()).await.unwrap().into_inner().documents;
    assert_eq!(listed, std::slice::from_ref(&created));

    let before =
        submissions.get_submission(GetSubmissionRequest { id: id.clone() }).await.unwrap().into_inner();
    delete(&mut documents, &created.id).await.unwrap();
    let after =
        submissions.get_submission(GetSubmissionRequest { id: id.clone() }).await.unwrap().into_inner();
    assert_ne!(before.etag, after.etag, "the submission says something else now");
    assert_eq!(documents.get_document(get).await.unwrap_err().code(), Code::NotFound);
    assert!(documents.list_documents(list).await.unwrap().into_inner().documents.is_empty());
    let again = delete(&mut documents, &created.id).await.unwrap_err();
    assert_eq!((again.code(), reason(&again).as_str()), (Code::NotFound, "DOCUMENT_NOT_FOUND"));
    let (said, _) = said_and_true(&mut served.database.superuser().await, &id).await;
    assert_eq!(said, json!({"total_documents": 0, "document_types": []}));
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once() {
    let (_served, mut documents, _, id) = start().await;
    let wrong = Document {
        submission_id: "x".into(),
        file_name: String::new(),
        media_type: "Application/PDF; q=1".into(),
        size: -1,
        sha256: "AB".repeat(32),
        tags: vec!["twice".into(), "twice".into(), String::new()],
        ..Document::default()
    };
    let status = add(&mut documents, wrong).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
    let fields = violated(&status);
    for field in ["submission_id", "file_name", "media_type", "size", "sha256", "tags", "tags[2]"] {
        assert!(fields.contains(&format!("document.{field}")), "{field} in {fields:?}");
    }
    let too_much = insights("x", Kind::StringValue("x".repeat(64 * 1024)));
    let status = add(&mut documents, Document { insights: Some(too_much), ..pdf(&id) }).await.unwrap_err();
    assert_eq!(violated(&status), ["document.insights"]);
    let mut many = insights("0", Kind::BoolValue(true));
    many.fields.extend((1..2001).flat_map(|key| insights(&key.to_string(), Kind::BoolValue(true)).fields));
    let status = add(&mut documents, Document { insights: Some(many), ..pdf(&id) }).await.unwrap_err();
    assert_eq!(violated(&status), ["document.insights"]);
    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    let status = add(&mut documents, pdf(nobody)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "SUBMISSION_NOT_FOUND"));
    let status = documents.create_document(CreateDocumentRequest::default()).await.unwrap_err();
    assert_eq!(violated(&status), ["document"]);
    for request in [
        ListDocumentsRequest { page_size: -1, ..Default::default() },
        ListDocumentsRequest { submission_id: "x".into(), ..Default::default() },
        ListDocumentsRequest { page_token: "x".into(), ..Default::default() },
        ListDocumentsRequest { tags: vec![String::new()], ..Default::default() },
    ] {
        let status = documents.list_documents(request.clone()).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{request:?}");
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_adds_one_document() {
    let (served, mut documents, _, id) = start().await;
    let request = CreateDocumentRequest { document: Some(pdf(&id)), request_id: "once".into() };
    let first = documents.create_document(request.clone()).await.unwrap().into_inner();
    assert_eq!(documents.create_document(request.clone()).await.unwrap().into_inner(), first);
    let other = Document { size: 1, ..pdf(&id) };
    let status = documents
        .create_document(CreateDocumentRequest { document: Some(other), ..request })
        .await
        .unwrap_err();
    assert_eq!(reason(&status), "REQUEST_ID_REUSED");
    let (said, so) = said_and_true(&mut served.database.superuser().await, &id).await;
    assert_eq!((&said, &so["total_documents"]), (&so, &json!(1)));
}

#[tokio::test]
async fn a_list_has_pages_and_filters() {
    let (_served, mut documents, mut submissions, id) = start().await;
    let other = submit(&mut submissions, None).await.id;
    let mut newest_first = vec![];
    for number in 0..7 {
        let mut document = pdf(if number == 3 { &other } else { &id });
        document.file_name = format!("{number}.pdf");
        if number % 2 == 0 {
            document.tags = vec!["even".into(), "scan".into()];
            document.media_type = "image/png".into();
        }
        newest_first.insert(0, add(&mut documents, document).await.unwrap());
    }
    let all = ListDocumentsRequest { page_size: 3, ..Default::default() };
    let mut seen = vec![];
    let mut token = String::new();
    loop {
        let request = ListDocumentsRequest { page_token: token, ..all.clone() };
        let page = documents.list_documents(request).await.unwrap().into_inner();
        assert!(page.documents.len() <= 3);
        seen.extend(page.documents);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, newest_first);

    let tags = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>();
    for (request, expected) in [
        (ListDocumentsRequest { tags: tags(&["even"]), ..Default::default() }, 4),
        (ListDocumentsRequest { tags: tags(&["scan", "even"]), ..Default::default() }, 4),
        (ListDocumentsRequest { tags: tags(&["even", "offer"]), ..Default::default() }, 0),
        (ListDocumentsRequest { media_type: "application/pdf".into(), ..Default::default() }, 3),
        (ListDocumentsRequest { submission_id: other.clone(), ..Default::default() }, 1),
        (ListDocumentsRequest { submission_id: other, tags: tags(&["even"]), ..Default::default() }, 0),
    ] {
        let page = documents.list_documents(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.documents.len(), expected, "{request:?}");
    }
}

#[tokio::test]
async fn totals_are_true_while_64_clients_add_and_remove() {
    let (served, documents, _, id) = start().await;
    let client = |number: usize| {
        let (mut client, id) = (documents.clone(), id.clone());
        async move {
            let media_type = format!("application/x-{}", number % 5);
            let kept = add(&mut client, Document { media_type, ..pdf(&id) }).await.unwrap();
            for _ in 0..3 {
                let media_type = format!("image/x-{number}");
                let gone = add(&mut client, Document { media_type, ..pdf(&id) }).await.unwrap();
                delete(&mut client, &gone.id).await.unwrap();
            }
            if number.is_multiple_of(2) {
                delete(&mut client, &kept.id).await.unwrap();
            }
        }
    };
    join_all((0..CLIENTS).map(client)).await;
    let (said, so) = said_and_true(&mut served.database.superuser().await, &id).await;
    assert_eq!(said, so);
    assert_eq!(said["total_documents"], json!(CLIENTS / 2));
    assert_eq!(said["document_types"].as_array().unwrap().len(), 5);
}

/// Two add a document to a submission, the second before the first has committed.
async fn two_at_once(served: &Served, submission: &str) -> (Json, Json) {
    let insert = format!(
        "insert into documents (id, submission_id, file_name, media_type, size, sha256)
         values (gen_random_uuid(), '{submission}', 'f', 'a/b', 1, sha256(''))"
    );
    let mut first = served.database.role("app").await;
    first.execute(AssertSqlSafe(format!("begin; {insert}"))).await.unwrap();
    let mut second = served.database.role("app").await;
    let second = tokio::spawn(async move { second.execute(AssertSqlSafe(insert)).await.map(drop) });
    let mut watcher = served.database.superuser().await;
    let waits = "select exists (select from pg_stat_activity where wait_event_type = 'Lock'
                     and datname = current_database())";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watcher).await.unwrap() {
        tokio::task::yield_now().await;
    }
    first.execute("commit").await.unwrap();
    second.await.unwrap().unwrap();
    said_and_true(&mut watcher, submission).await
}

/// With the negative control: without the lock, the second counts before it waits and does not see the first.
#[tokio::test]
async fn whoever_comes_second_counts_what_the_first_has_added() {
    let (served, _, mut submissions, id) = start().await;
    let (said, so) = two_at_once(&served, &id).await;
    assert_eq!((&said, &so["total_documents"]), (&so, &json!(2)));

    let mut superuser = served.database.superuser().await;
    let sql = "select pg_get_functiondef('count_documents'::regproc)";
    let protected: String = sqlx::query_scalar(sql).fetch_one(&mut superuser).await.unwrap();
    let unprotected = protected.replace("for no key update", "");
    assert_ne!(unprotected, protected);
    superuser.execute(AssertSqlSafe(unprotected)).await.unwrap();
    let other = submit(&mut submissions, None).await.id;
    let (said, so) = two_at_once(&served, &other).await;
    assert_eq!((&said["total_documents"], &so["total_documents"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn nobody_else_writes_the_totals() {
    let (_served, mut documents, mut submissions, _) = start().await;
    let mut made_up = insights("total_documents", Kind::NumberValue(99.0));
    made_up.fields.extend(insights("language", Kind::StringValue("en".into())).fields);
    let language = insights("language", Kind::StringValue("en".into()));

    let created = submit(&mut submissions, Some(made_up.clone())).await;
    assert_eq!(created.document_insights, Some(language.clone()));
    let with = |insights| UpdateSubmissionRequest {
        submission: Some(Submission {
            document_insights: insights,
            id: created.id.clone(),
            ..Default::default()
        }),
        update_mask: Some(FieldMask { paths: vec!["document_insights".into()] }),
    };
    let updated = submissions.update_submission(with(Some(made_up.clone()))).await.unwrap().into_inner();
    assert_eq!(updated.document_insights, Some(language));

    add(&mut documents, pdf(&created.id)).await.unwrap();
    let updated = submissions.update_submission(with(Some(made_up))).await.unwrap().into_inner();
    let fields = updated.document_insights.unwrap().fields;
    assert_eq!(fields["total_documents"].kind, Some(Kind::NumberValue(1.0)));
    assert_eq!(fields["language"].kind, Some(Kind::StringValue("en".into())));
    let updated = submissions.update_submission(with(None)).await.unwrap().into_inner();
    let names: Vec<_> = updated.document_insights.unwrap().fields.into_keys().collect();
    assert_eq!(names, ["document_types", "total_documents"]);
}

#[tokio::test]
async fn a_submission_is_deleted_with_its_documents_whoever_is_at_them() {
    let (served, documents, mut submissions, _) = start().await;
    for _ in 0..10 {
        let id = submit(&mut submissions, None).await.id;
        let mut ids = vec![];
        for _ in 0..8 {
            ids.push(add(&mut documents.clone(), pdf(&id)).await.unwrap().id);
        }
        let deletes = ids.iter().map(|id| {
            let mut client = documents.clone();
            async move { delete(&mut client, id).await }
        });
        let request = DeleteSubmissionRequest { id: id.clone(), ..Default::default() };
        let (gone, deleted) = tokio::join!(submissions.delete_submission(request), join_all(deletes));
        gone.unwrap();
        for result in deleted {
            assert!(
                result.as_ref().is_err_and(|it| it.code() == Code::NotFound) || result.is_ok(),
                "{result:?}"
            );
        }
    }
    let left = "select count(*) from documents";
    let left: i64 = sqlx::query_scalar(left).fetch_one(&mut served.database.superuser().await).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_submission_has_a_thousand_documents_at_most() {
    let (served, mut documents, _, id) = start().await;
    let fill = format!(
        "insert into documents (id, submission_id, file_name, media_type, size, sha256)
         select gen_random_uuid(), '{id}', 'f', 'a/b', 1, sha256('') from generate_series(1, 999)"
    );
    let mut superuser = served.database.superuser().await;
    superuser.execute(AssertSqlSafe(fill)).await.unwrap();
    let last = add(&mut documents, pdf(&id)).await.unwrap();
    let status = add(&mut documents, pdf(&id)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "TOO_MANY_DOCUMENTS"));
    delete(&mut documents, &last.id).await.unwrap();
    add(&mut documents, pdf(&id)).await.unwrap();
    let (said, so) = said_and_true(&mut superuser, &id).await;
    assert_eq!((&said, &so["total_documents"]), (&so, &json!(1000)));
}

#[tokio::test]
async fn documents_stay_when_their_submission_is_moved_to_its_month() {
    let (served, mut documents, mut submissions, _) = start().await;
    let mut superuser = served.database.superuser().await;
    let slipped = "insert into submissions (id, name, email, message, status, submitted_at)
                   values (uuid_v7_floor('2001-02-03'), 'n', 'e', 'm', 'NEW', '2001-02-03') returning id::text";
    let id: String = sqlx::query_scalar(slipped).fetch_one(&mut superuser).await.unwrap();
    let created =
        [add(&mut documents, pdf(&id)).await.unwrap(), add(&mut documents, pdf(&id)).await.unwrap()];
    let get = GetSubmissionRequest { id: id.clone() };
    let before = submissions.get_submission(get.clone()).await.unwrap().into_inner();

    superuser.execute("select empty_submissions_default()").await.unwrap();
    let partition = "select tableoid::regclass::text from submissions where id = $1::uuid";
    let partition: String = sqlx::query_scalar(partition).bind(&id).fetch_one(&mut superuser).await.unwrap();
    assert_eq!(partition, "submissions_2001_02");
    assert_eq!(submissions.get_submission(get).await.unwrap().into_inner(), before);
    for document in created {
        let get = GetDocumentRequest { id: document.id.clone() };
        assert_eq!(documents.get_document(get).await.unwrap().into_inner(), document);
    }
}
