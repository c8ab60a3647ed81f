//! Lists of submissions.

use prost_types::{Struct, Timestamp, Value, value::Kind};
use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::SubmissionStatus::{New, Spam};
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{CreateSubmissionRequest, ListSubmissionsRequest, Submission};
use selvedge_testing::{Served, serve, serve_with, violated};
use tonic::Code;
use tonic::transport::Channel;

type Client = SubmissionServiceClient<Channel>;

/// 2024-01-01.
const START: i64 = 1_704_067_200;
const DAY: i64 = 86_400;

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

fn object(entries: &[(&str, Kind)]) -> Option<Struct> {
    let fields =
        entries.iter().map(|(name, kind)| (name.to_string(), Value { kind: Some(kind.clone()) })).collect();
    Some(Struct { fields })
}

/// Forty submissions, twenty days apart: more than two years of partitions.
async fn start() -> (Served, Client) {
    let served = serve(SERVICE).await;
    let mut client = Client::new(served.channel());
    for number in 0..40 {
        let submission = Submission {
            name: format!("Sender {number}"),
            email: format!("Sender{}@Example.com", number % 4),
            message: if number % 10 == 0 { "100% wool_or\\cotton".into() } else { "plain".into() },
            status: if number % 5 == 0 { Spam.into() } else { New.into() },
            submitted_at: at(START + i64::from(number) * 20 * DAY),
            document_insights: object(&[
                ("number", Kind::NumberValue(f64::from(number % 3))),
                ("kinds", Kind::StructValue(object(&[("pdf", Kind::BoolValue(number % 2 == 0))]).unwrap())),
            ]),
            ..Submission::default()
        };
        client
            .create_submission(CreateSubmissionRequest { submission: Some(submission), ..Default::default() })
            .await
            .unwrap();
    }
    (served, client)
}

/// The numbers of all submissions in the list, page by page.
async fn all(client: &mut Client, request: &ListSubmissionsRequest) -> Vec<u32> {
    let mut numbers = vec![];
    let mut request = request.clone();
    loop {
        let page = client.list_submissions(request.clone()).await.unwrap().into_inner();
        numbers.extend(
            page.submissions
                .iter()
                .map(|one| one.name.strip_prefix("Sender ").unwrap().parse::<u32>().unwrap()),
        );
        if page.next_page_token.is_empty() {
            return numbers;
        }
        assert_eq!(
            page.submissions.len(),
            if request.page_size == 0 { 20 } else { usize::try_from(request.page_size).unwrap() }
        );
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let (_served, mut client) = start().await;
    let newest_first: Vec<u32> = (0..40).rev().collect();
    for page_size in [0, 1, 7, 13, 39, 40, 100] {
        let request = ListSubmissionsRequest { page_size, ..Default::default() };
        assert_eq!(all(&mut client, &request).await, newest_first, "page_size {page_size}");
    }
    let request = ListSubmissionsRequest { page_size: 1000, ..Default::default() };
    assert_eq!(client.list_submissions(request).await.unwrap().into_inner().submissions.len(), 40);
}

type Matches = fn(u32) -> bool;

#[tokio::test]
async fn every_filter_finds_what_it_says() {
    let (_served, mut client) = start().await;
    let number = |number: f64| object(&[("number", Kind::NumberValue(number))]);
    let pdf =
        |there| object(&[("kinds", Kind::StructValue(object(&[("pdf", Kind::BoolValue(there))]).unwrap()))]);
    let any = ListSubmissionsRequest { page_size: 9, ..Default::default() };
    let filters: Vec<(ListSubmissionsRequest, Matches)> = vec![
        (ListSubmissionsRequest { status: Spam.into(), ..any.clone() }, |n| n % 5 == 0),
        (ListSubmissionsRequest { email: "sender3@EXAMPLE.COM".into(), ..any.clone() }, |n| n % 4 == 3),
        (ListSubmissionsRequest { submitted_from: at(START + 200 * DAY), ..any.clone() }, |n| n >= 10),
        (ListSubmissionsRequest { submitted_before: at(START + 200 * DAY), ..any.clone() }, |n| n < 10),
        (
            ListSubmissionsRequest {
                submitted_from: at(START + 60 * DAY),
                submitted_before: at(START + 200 * DAY),
                ..any.clone()
            },
            |n| (3..10).contains(&n),
        ),
        (ListSubmissionsRequest { insights_contains: number(2.0), ..any.clone() }, |n| n % 3 == 2),
        (ListSubmissionsRequest { insights_contains: pdf(true), ..any.clone() }, |n| n % 2 == 0),
        (ListSubmissionsRequest { insights_contains: number(5.0), ..any.clone() }, |_| false),
        (ListSubmissionsRequest { text: "sENDER 1".into(), ..any.clone() }, |n| n == 1 || n / 10 == 1),
        (ListSubmissionsRequest { text: "100% WOOL_or\\c".into(), ..any.clone() }, |n| n % 10 == 0),
        (ListSubmissionsRequest { text: "1__%".into(), ..any.clone() }, |_| false),
        (ListSubmissionsRequest { text: "sender2@".into(), ..any.clone() }, |n| n % 4 == 2),
        (
            ListSubmissionsRequest {
                status: New.into(),
                text: "plain".into(),
                insights_contains: pdf(false),
                ..any
            },
            |n| n % 5 != 0 && n % 2 == 1,
        ),
    ];
    for (request, matches) in filters {
        let expected: Vec<u32> = (0..40).rev().filter(|number| matches(*number)).collect();
        assert_eq!(all(&mut client, &request).await, expected, "{request:?}");
    }
}

#[tokio::test]
async fn time_bounds_are_exact_to_the_microsecond() {
    let (_served, mut client) = start().await;
    let exact = Some(Timestamp { seconds: START - DAY, nanos: 500_700_000 });
    let submission = Submission {
        name: "Sender 99".into(),
        email: "a@b.c".into(),
        message: "x".into(),
        submitted_at: exact,
        ..Default::default()
    };
    client
        .create_submission(CreateSubmissionRequest { submission: Some(submission), ..Default::default() })
        .await
        .unwrap();
    let just = |nanos| Some(Timestamp { seconds: START - DAY, nanos });
    let until = at(START - 1);
    for (from, before, found) in [
        (just(500_700_000), until, true),
        (just(500_701_000), until, false),
        (None, just(500_700_000), false),
        (None, just(500_701_000), true),
    ] {
        let request =
            ListSubmissionsRequest { submitted_from: from, submitted_before: before, ..Default::default() };
        assert_eq!(all(&mut client, &request).await.contains(&99), found, "{request:?}");
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_own_list_only() {
    let (_served, mut client) = start().await;
    let spam = ListSubmissionsRequest { status: Spam.into(), page_size: 2, ..Default::default() };
    let token = client.list_submissions(spam.clone()).await.unwrap().into_inner().next_page_token;
    assert!(!token.is_empty());
    // Another size is the same list.
    let bigger = ListSubmissionsRequest { page_size: 3, page_token: token.clone(), ..spam.clone() };
    assert_eq!(client.list_submissions(bigger).await.unwrap().into_inner().submissions.len(), 3);

    let mut tampered = token.clone();
    tampered.replace_range(0..1, if token.starts_with('A') { "B" } else { "A" });
    for request in [
        ListSubmissionsRequest { page_token: token.clone(), ..Default::default() },
        ListSubmissionsRequest { page_token: token, text: "x".into(), ..spam.clone() },
        ListSubmissionsRequest { page_token: tampered, ..spam.clone() },
        ListSubmissionsRequest { page_token: "nonsense".into(), ..spam.clone() },
        ListSubmissionsRequest { page_token: "x".repeat(5000), ..spam.clone() },
    ] {
        let status = client.list_submissions(request).await.unwrap_err();
        assert_eq!(
            (status.code(), violated(&status)),
            (Code::InvalidArgument, vec!["page_token".to_owned()])
        );
    }
    for (request, field) in [
        (ListSubmissionsRequest { page_size: -1, ..Default::default() }, "page_size"),
        (ListSubmissionsRequest { status: 77, ..Default::default() }, "status"),
        (ListSubmissionsRequest { text: "a\0".into(), ..Default::default() }, "text"),
        (ListSubmissionsRequest { email: "x".repeat(10_000), ..Default::default() }, "email"),
    ] {
        let status = client.list_submissions(request).await.unwrap_err();
        assert_eq!((status.code(), violated(&status)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
}

#[tokio::test]
async fn replicas_with_the_same_keys_take_each_others_tokens() {
    let keys = || Some(selvedge_kit::config::Secret::new("ab".repeat(32)));
    let one = serve_with(SERVICE, |config| config.tokens.page_token_keys = keys()).await;
    let request = ListSubmissionsRequest { page_size: 1, ..Default::default() };
    let mut first = Client::new(one.channel());
    for _ in 0..2 {
        let submission =
            Submission { name: "A".into(), email: "a@b.c".into(), message: "x".into(), ..Default::default() };
        first
            .create_submission(CreateSubmissionRequest { submission: Some(submission), ..Default::default() })
            .await
            .unwrap();
    }
    let token = first.list_submissions(request.clone()).await.unwrap().into_inner().next_page_token;

    let config = one.database.config(|config| config.tokens.page_token_keys = keys());
    let replica = SERVICE.start(&config).await.unwrap();
    replica.wait_until_ready().await;
    let mut second = Client::connect(format!("http://{}", replica.address)).await.unwrap();
    let page = second
        .list_submissions(ListSubmissionsRequest { page_token: token.clone(), ..request.clone() })
        .await;
    assert_eq!(page.unwrap().into_inner().submissions.len(), 1);

    let stranger = SERVICE.start(&one.database.config(|_| {})).await.unwrap();
    stranger.wait_until_ready().await;
    let mut third = Client::connect(format!("http://{}", stranger.address)).await.unwrap();
    assert!(third.list_submissions(ListSubmissionsRequest { page_token: token, ..request }).await.is_err());
}
