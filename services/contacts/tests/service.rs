//! What the service is besides its RPCs: health, reflection, metrics, and how it behaves under trouble.

use std::time::Duration;

use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::visitor_service_client::VisitorServiceClient;
use selvedge_proto::contacts::v1::{GetVisitorCountRequest, IncrementVisitorCountRequest};
use selvedge_testing::{Served, reason, serve, serve_with};
use sqlx::{AssertSqlSafe, Executor as _};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_types::StatusExt as _;

fn get() -> GetVisitorCountRequest {
    GetVisitorCountRequest { counter: "visitor_count".into() }
}

fn increment() -> IncrementVisitorCountRequest {
    IncrementVisitorCountRequest { counter: "visitor_count".into() }
}

fn health(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.into() }
}

#[tokio::test]
async fn health_and_readiness_follow_the_database_and_liveness_does_not() {
    let served = serve(SERVICE).await;
    let mut client = HealthClient::new(served.channel());
    for service in ["", "selvedge.contacts.v1.SubmissionService", "selvedge.contacts.v1.VisitorService"] {
        let status = client.check(health(service)).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
    assert_eq!(client.check(health("nobody")).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(served.admin("/readyz").await.0, 200);
    let (code, body) = served.admin("/health/db").await;
    assert!(code == 200 && body.contains("\"status\":\"up\"") && body.contains("latencyMs"), "{code} {body}");

    // The database goes away for the application, though not for a superuser.
    let mut superuser = served.database.superuser().await;
    let name = served.database.name();
    superuser.execute(AssertSqlSafe(format!("alter database {name} connection limit 0"))).await.unwrap();
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
               where usename = 'contacts_app' and datname = current_database()";
    superuser.execute(cut).await.unwrap();
    wait_for(&mut client, ServingStatus::NotServing).await;
    assert_eq!(served.admin("/readyz").await.0, 503);
    assert_eq!(served.admin("/health/db").await.0, 503);
    assert_eq!(served.admin("/livez").await.0, 200);
    let status = VisitorServiceClient::new(served.channel()).get_visitor_count(get()).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "DATABASE_UNAVAILABLE"));
    assert!(status.get_details_retry_info().is_some());
    assert!(!status.message().contains("contacts_app"), "{}", status.message());

    superuser.execute(AssertSqlSafe(format!("alter database {name} connection limit -1"))).await.unwrap();
    wait_for(&mut client, ServingStatus::Serving).await;
    VisitorServiceClient::new(served.channel()).get_visitor_count(get()).await.unwrap();
}

async fn wait_for(client: &mut HealthClient<tonic::transport::Channel>, wanted: ServingStatus) {
    for _ in 0..200 {
        if client.check(health("")).await.unwrap().into_inner().status() == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never {wanted:?}");
}

#[tokio::test]
async fn reflection_lists_the_services_of_this_process_in_both_versions() {
    use tonic_reflection::pb::v1alpha;
    let served = serve(SERVICE).await;
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let request = tokio_stream::once(list);
    let mut answers = ServerReflectionClient::new(served.channel())
        .server_reflection_info(request)
        .await
        .unwrap()
        .into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("not a list");
    };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    for name in [
        "selvedge.contacts.v1.SubmissionService",
        "selvedge.contacts.v1.VisitorService",
        "grpc.health.v1.Health",
    ] {
        assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
    }

    let list = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::ListServices(String::new()),
        ),
    };
    let mut old = v1alpha::server_reflection_client::ServerReflectionClient::new(served.channel());
    let mut answers = old.server_reflection_info(tokio_stream::once(list)).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().unwrap().message_response.is_some());
}

#[tokio::test]
async fn metrics_count_calls_by_method_and_status() {
    let served = serve(SERVICE).await;
    let mut client = VisitorServiceClient::new(served.channel());
    for _ in 0..3 {
        client.get_visitor_count(get()).await.unwrap();
    }
    client.get_visitor_count(GetVisitorCountRequest { counter: "x".into() }).await.unwrap_err();
    let (code, text) = served.admin("/metrics").await;
    assert_eq!(code, 200);
    let method = "selvedge.contacts.v1.VisitorService/GetVisitorCount";
    for line in [
        format!("rpc_server_duration_seconds_count{{code=\"OK\",method=\"{method}\"}} 3"),
        format!("rpc_server_duration_seconds_count{{code=\"NOT_FOUND\",method=\"{method}\"}} 1"),
        format!("rpc_server_in_flight{{method=\"{method}\"}} 0"),
        "db_up 1".into(),
        "contacts_submissions_in_default_partition 0".into(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    for name in
        ["db_size_bytes", "db_connections", "db_pool_open", "db_pool_waiting", "db_slow_statements_total"]
    {
        assert!(text.lines().any(|found| found.starts_with(name)), "{name} in\n{text}");
    }
}

/// Waits until as many of the service's statements wait for a row that somebody else holds.
async fn wait_for_waiting(served: &Served, number: i64) {
    let sql = "select count(*) from pg_stat_activity
               where usename = 'contacts_app' and datname = current_database() and wait_event_type = 'Lock'";
    let mut watcher = served.database.superuser().await;
    for _ in 0..1000 {
        if sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut watcher).await.unwrap() == number {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("there were never {number} statements waiting");
}

#[tokio::test]
async fn what_is_too_much_is_turned_away_at_once_and_health_never_is() {
    const CALLS: usize = 2;
    // The control: with one place more, the third call is served.
    for (limit, turned_away) in [(CALLS, true), (CALLS + 1, false)] {
        let served = serve_with(SERVICE, |config| config.limits.max_in_flight = limit).await;
        three_calls(&served, CALLS, turned_away).await;
    }
}

/// Holds up some calls and makes one more.
async fn three_calls(served: &Served, held_up: usize, turned_away: bool) {
    let mut holder = served.database.superuser().await;
    holder.execute("begin; select * from visitors for update").await.unwrap();
    let mut waiting = vec![];
    for number in 1..=held_up {
        let mut client = VisitorServiceClient::new(served.channel());
        waiting.push(tokio::spawn(async move { client.increment_visitor_count(increment()).await }));
        // One after the other: those that come together wait as one.
        wait_for_waiting(served, i64::try_from(number).unwrap()).await;
    }
    let mut client = VisitorServiceClient::new(served.channel());
    match client.get_visitor_count(get()).await {
        Err(status) if turned_away => {
            assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "OVERLOADED"));
            assert!(status.get_details_retry_info().is_some());
        }
        answer => assert!(answer.is_ok() && !turned_away, "{answer:?}"),
    }
    HealthClient::new(served.channel()).check(health("")).await.unwrap();

    holder.execute("rollback").await.unwrap();
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    client.get_visitor_count(get()).await.unwrap();
}

#[tokio::test]
async fn a_full_pool_says_so_quickly() {
    let served = serve_with(SERVICE, |config| {
        config.database.pool.size = Some(1);
        config.database.pool.acquire_timeout = Duration::from_millis(200);
    })
    .await;
    let mut holder = served.database.superuser().await;
    holder.execute("begin; select * from visitors for update").await.unwrap();
    let mut first = VisitorServiceClient::new(served.channel());
    let first = tokio::spawn(async move { first.increment_visitor_count(increment()).await });
    let mut client = VisitorServiceClient::new(served.channel());
    let mut answer = client.get_visitor_count(get()).await;
    while answer.is_ok() {
        answer = client.get_visitor_count(get()).await;
    }
    assert_eq!(reason(&answer.unwrap_err()), "DATABASE_BUSY");
    holder.execute("rollback").await.unwrap();
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_drain_finishes_the_calls_in_flight_and_ends_streams_with_an_error_to_resume_from() {
    let served = serve(SERVICE).await;
    let mut holder = served.database.superuser().await;
    holder.execute("begin; select * from visitors for update").await.unwrap();
    let mut client = VisitorServiceClient::new(served.channel());
    let in_flight = tokio::spawn(async move { client.increment_visitor_count(increment()).await });
    let mut watch = HealthClient::new(served.channel()).watch(health("")).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    wait_for_waiting(&served, 1).await;

    let stopping = tokio::spawn(served.stop());
    let end = loop {
        match watch.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended as if all were well"),
            Err(status) => break status,
        }
    };
    assert_eq!((end.code(), reason(&end).as_str()), (Code::Unavailable, "DRAINING"));
    assert!(!stopping.is_finished(), "a call is still in flight");
    holder.execute("rollback").await.unwrap();
    in_flight.await.unwrap().unwrap();
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_drain_does_not_wait_for_ever() {
    let served = serve_with(SERVICE, |config| config.limits.drain = Duration::from_millis(300)).await;
    let mut holder = served.database.superuser().await;
    holder.execute("begin; select * from visitors for update").await.unwrap();
    let mut client = VisitorServiceClient::new(served.channel());
    let in_flight = tokio::spawn(async move { client.increment_visitor_count(increment()).await });
    wait_for_waiting(&served, 1).await;
    tokio::time::timeout(Duration::from_secs(20), served.stop()).await.expect("the drain has a bound");
    in_flight.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn an_idle_stream_and_an_old_stream_are_ended() {
    for (idle, age, expected) in [(200, 60_000, "STREAM_IDLE"), (60_000, 200, "STREAM_AGE")] {
        let served = serve_with(SERVICE, |config| {
            config.limits.stream_idle = Duration::from_millis(idle);
            config.limits.stream_age = Duration::from_millis(age);
        })
        .await;
        let mut client = ServerReflectionClient::new(served.channel());
        // Nothing is ever asked.
        let mut answers = client.server_reflection_info(tokio_stream::pending()).await.unwrap().into_inner();
        let end = answers.message().await.unwrap_err();
        assert_eq!(reason(&end), expected);
    }
}

#[tokio::test]
async fn a_call_is_named_by_its_caller_or_by_us() {
    let served = serve(SERVICE).await;
    let mut client = VisitorServiceClient::new(served.channel());
    let mut named = Request::new(get());
    named.metadata_mut().insert("x-request-id", "from-the-caller".parse().unwrap());
    let answer = client.get_visitor_count(named).await.unwrap();
    assert_eq!(answer.metadata().get("x-request-id").unwrap(), "from-the-caller");

    for id in ["with space", &"x".repeat(129)] {
        let mut request = Request::new(get());
        request.metadata_mut().insert("x-request-id", id.parse().unwrap());
        let answer = client.get_visitor_count(request).await.unwrap();
        let given = answer.metadata().get("x-request-id").unwrap().to_str().unwrap().to_owned();
        assert!(uuid::Uuid::try_parse(&given).is_ok(), "{given}");
    }
    let mut malformed = Request::new(get());
    malformed.metadata_mut().insert("grpc-timeout", "soon".parse().unwrap());
    assert_eq!(client.get_visitor_count(malformed).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn whoever_watches_the_health_hears_of_changes_only_and_as_long_as_they_like() {
    let served = serve_with(SERVICE, |config| {
        config.limits.stream_idle = Duration::from_millis(100);
        config.limits.stream_age = Duration::from_millis(100);
    })
    .await;
    let mut watch = HealthClient::new(served.channel()).watch(health("")).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    // The database is looked at every second.
    let next = tokio::time::timeout(Duration::from_secs(3), watch.message()).await;
    assert!(next.is_err(), "{next:?}");
}

#[tokio::test]
async fn a_stream_that_outlives_its_callers_deadline_is_not_called_resumable() {
    let served = serve(SERVICE).await;
    let mut request = Request::new(health(""));
    request.set_timeout(Duration::from_millis(300));
    let mut watch = HealthClient::new(served.channel()).watch(request).await.unwrap().into_inner();
    let end = loop {
        if let Err(status) = watch.message().await {
            break status;
        }
    };
    assert_eq!((end.code(), reason(&end).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
}

#[tokio::test]
async fn a_stream_keeps_its_place_until_it_ends() {
    let served = serve_with(SERVICE, |config| config.limits.max_in_flight = 1).await;
    let mut streams = ServerReflectionClient::new(served.channel());
    let (questions, asked) = tokio::sync::mpsc::channel(1);
    let answers = streams.server_reflection_info(ReceiverStream::new(asked)).await.unwrap();
    let mut client = VisitorServiceClient::new(served.channel());
    assert_eq!(reason(&client.get_visitor_count(get()).await.unwrap_err()), "OVERLOADED");
    drop((questions, answers));
    for _ in 0..400 {
        if client.get_visitor_count(get()).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the place was never free again");
}
