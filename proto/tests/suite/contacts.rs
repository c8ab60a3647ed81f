//! The messages of the contacts API.

use prost_reflect::DescriptorPool;
use prost_types::{FieldMask, Timestamp};
use selvedge_proto::FILE_DESCRIPTOR_SET;
use selvedge_proto::contacts::v1::*;

use crate::broken;

fn submission() -> Submission {
    Submission {
        name: "Ada".into(),
        email: "ada@example.com".into(),
        message: "Hello".into(),
        ..Default::default()
    }
}

#[test]
fn creating_a_submission() {
    let create = |submission| CreateSubmissionRequest { submission, ..Default::default() };
    assert!(broken(&create(Some(submission()))).is_empty());
    assert_eq!(broken(&create(None)), ["submission: is required"]);
    let bad = Submission {
        id: "1".into(),
        external_id: Some(String::new()),
        name: String::new(),
        email: "ada".into(),
        message: "x".repeat(10_001),
        status: 6,
        submitted_at: Some(Timestamp { seconds: 946_684_799, nanos: 0 }),
        etag: "x".repeat(65),
        ..Default::default()
    };
    let request_id = "with space".into();
    let expected = [
        "submission.id: must be a valid UUID",
        "submission.external_id: must not be empty",
        "submission.name: must not be empty",
        "submission.email: must be a valid email address",
        "submission.message: must be at most 10000 characters long, is 10001",
        "submission.status: must be a value of SubmissionStatus",
        "submission.submitted_at: must be at least 2000-01-01T00:00:00Z, is 1999-12-31T23:59:59Z",
        "submission.etag: must be at most 64 characters long, is 65",
        "request_id: must match the pattern ^[!-~]*$",
    ];
    assert_eq!(broken(&CreateSubmissionRequest { submission: Some(bad), request_id }), expected);
}

#[test]
fn updating_only_the_status() {
    let id = "0198f3a4-7b6c-7def-8abc-0123456789ab".to_owned();
    let update = |id: &str, paths: &[&str]| UpdateSubmissionRequest {
        submission: Some(Submission { id: id.into(), status: 4, ..Default::default() }),
        update_mask: Some(FieldMask { paths: paths.iter().map(|&path| path.into()).collect() }),
    };
    assert!(broken(&update(&id, &["status"])).is_empty());
    assert_eq!(broken(&update("1", &["status"])), ["submission.id: must be a valid UUID"]);
    assert_eq!(broken(&update(&id, &["status", "name"])), ["submission.name: must not be empty"]);
    let expected = ["submission: is required", "update_mask: is required"];
    assert_eq!(broken(&UpdateSubmissionRequest::default()), expected);
}

#[test]
fn listing_and_naming_submissions_and_counters() {
    let list =
        ListSubmissionsRequest { page_size: -5, status: -1, text: "x".repeat(201), ..Default::default() };
    let expected = [
        "page_size: must be at least 0, is -5",
        "status: must be a value of SubmissionStatus",
        "text: must be at most 200 characters long, is 201",
    ];
    assert_eq!(broken(&list), expected);
    assert!(broken(&ListSubmissionsRequest::default()).is_empty());
    assert_eq!(broken(&GetSubmissionRequest::default()), ["id: must be a valid UUID"]);
    assert_eq!(broken(&DeleteSubmissionRequest::default()), ["id: must be a valid UUID"]);
    assert_eq!(broken(&GetVisitorCountRequest::default()), ["counter: must not be empty"]);
    let long = IncrementVisitorCountRequest { counter: "x".repeat(64) };
    assert_eq!(broken(&long), ["counter: must be at most 63 characters long, is 64"]);
}

#[test]
fn the_descriptors_keep_options_and_comments() {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the build made them");
    let service =
        pool.get_service_by_name("selvedge.contacts.v1.SubmissionService").expect("it is in the protos");
    let http = pool.get_extension_by_name("google.api.http").expect("it is in the protos");
    let create = service.methods().next().expect("it has methods");
    let rule = create.options().get_extension(&http).into_owned();
    let post = rule
        .as_message()
        .expect("it is a message")
        .get_field_by_name("post")
        .expect("it is declared")
        .into_owned();
    assert_eq!(post.as_str(), Some("/v1/submissions"));
    let source = service.parent_file().file_descriptor_proto().source_code_info.clone().expect("it is kept");
    assert!(source.location.iter().any(|it| it.leading_comments().contains("What people sent")));
    assert!(
        pool.get_file_by_name("testing/v1/text.proto").is_none(),
        "the protos of the tests are not in the API"
    );
}
