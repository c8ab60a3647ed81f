//! The visitor counter.

use std::collections::HashSet;

use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::visitor_service_client::VisitorServiceClient;
use selvedge_proto::contacts::v1::{GetVisitorCountRequest, IncrementVisitorCountRequest};
use selvedge_testing::{Database, serve, serve_with, violated};
use tonic::Code;

fn increment() -> IncrementVisitorCountRequest {
    IncrementVisitorCountRequest { counter: "visitor_count".into() }
}

#[tokio::test]
async fn ten_thousand_increments_at_once_are_all_counted_and_all_different() {
    const CONNECTIONS: usize = 64;
    const INCREMENTS: usize = 10_000;
    let served =
        serve_with(SERVICE, |config| config.limits.default_deadline = std::time::Duration::from_mins(2))
            .await;
    let callers = (0..CONNECTIONS).map(|caller| {
        let mut client = VisitorServiceClient::new(served.channel());
        let share = INCREMENTS / CONNECTIONS + usize::from(caller < INCREMENTS % CONNECTIONS);
        tokio::spawn(async move {
            let mut seen = vec![];
            for _ in 0..share {
                seen.push(client.increment_visitor_count(increment()).await.unwrap().into_inner().count);
            }
            seen
        })
    });
    let mut seen = HashSet::new();
    for caller in callers.collect::<Vec<_>>() {
        let counts = caller.await.unwrap();
        assert!(counts.is_sorted());
        seen.extend(counts);
    }
    assert_eq!(seen.len(), INCREMENTS);
    let mut client = VisitorServiceClient::new(served.channel());
    let total =
        client.get_visitor_count(GetVisitorCountRequest { counter: "visitor_count".into() }).await.unwrap();
    assert_eq!(total.into_inner().count, i64::try_from(INCREMENTS).unwrap());
}

/// The control of the test above: read, then write, loses visits.
#[tokio::test]
async fn counting_in_two_steps_would_lose_visits() {
    let database = Database::new(SERVICE).await;
    let (mut one, mut two) = (database.role("app").await, database.role("app").await);
    let read = "select count from visitors where counter = 'visitor_count'";
    let seen: (i64, i64) = (
        sqlx::query_scalar(read).fetch_one(&mut one).await.unwrap(),
        sqlx::query_scalar(read).fetch_one(&mut two).await.unwrap(),
    );
    for (connection, seen) in [(&mut one, seen.0), (&mut two, seen.1)] {
        sqlx::query("update visitors set count = $1").bind(seen + 1).execute(&mut *connection).await.unwrap();
    }
    assert_eq!(sqlx::query_scalar::<_, i64>(read).fetch_one(&mut one).await.unwrap(), 1);
}

#[tokio::test]
async fn the_last_visit_is_remembered() {
    let served = serve(SERVICE).await;
    let mut client = VisitorServiceClient::new(served.channel());
    let get = || GetVisitorCountRequest { counter: "visitor_count".into() };
    let before = client.get_visitor_count(get()).await.unwrap().into_inner();
    assert_eq!((before.count, before.last_updated), (0, None));
    let first = client.increment_visitor_count(increment()).await.unwrap().into_inner();
    assert_eq!(client.get_visitor_count(get()).await.unwrap().into_inner(), first);
    let second = client.increment_visitor_count(increment()).await.unwrap().into_inner();
    let time = |count: &selvedge_proto::contacts::v1::VisitorCount| {
        count.last_updated.map(|time| (time.seconds, time.nanos)).unwrap()
    };
    assert!(time(&second) >= time(&first));
}

#[tokio::test]
async fn a_counter_must_be_known() {
    let served = serve(SERVICE).await;
    let mut client = VisitorServiceClient::new(served.channel());
    for counter in ["other", "visitor_count ", "'; drop table visitors"] {
        let unknown = IncrementVisitorCountRequest { counter: counter.into() };
        assert_eq!(
            client.increment_visitor_count(unknown).await.unwrap_err().code(),
            Code::NotFound,
            "{counter}"
        );
        let unknown = GetVisitorCountRequest { counter: counter.into() };
        assert_eq!(client.get_visitor_count(unknown).await.unwrap_err().code(), Code::NotFound, "{counter}");
    }
    for counter in [String::new(), "x".repeat(64), "a\0b".into()] {
        let status = client.get_visitor_count(GetVisitorCountRequest { counter }).await.unwrap_err();
        assert_eq!((status.code(), violated(&status)), (Code::InvalidArgument, vec!["counter".to_owned()]));
    }
}
