//! Creates that become one statement are as good as if each were alone.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{CreateSubmissionRequest, GetSubmissionRequest, Submission};
use selvedge_testing::{Served, reason, serve, serve_with};
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Status};

type Client = SubmissionServiceClient<Channel>;
type Answer = JoinHandle<Result<Submission, Status>>;

/// As many statements with creates as the service has under way at once.
const IN_FLIGHT: usize = 4;

fn request(name: &str, external_id: Option<&str>, request_id: &str) -> CreateSubmissionRequest {
    let submission = Submission {
        name: name.into(),
        email: "a@example.com".into(),
        message: "x".into(),
        external_id: external_id.map(Into::into),
        ..Submission::default()
    };
    CreateSubmissionRequest { submission: Some(submission), request_id: request_id.into() }
}

fn create(client: &Client, request: CreateSubmissionRequest) -> Answer {
    let mut client = client.clone();
    tokio::spawn(async move { client.create_submission(request).await.map(tonic::Response::into_inner) })
}

async fn answers(calls: Vec<Answer>) -> Vec<Result<Submission, Status>> {
    join_all(calls).await.into_iter().map(|answer| answer.unwrap()).collect()
}

async fn names(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar("select name from submissions order by name").fetch_all(connection).await.unwrap()
}

/// Holds up as many statements as there may be; what is created from now on waits, and will be one statement.
async fn hold_up(served: &Served, client: &Client) -> (PgConnection, Vec<Answer>) {
    // Its partition is there from now on, so that nobody waits for that.
    client.clone().create_submission(request("first", None, "")).await.unwrap();
    let mut holder = served.database.superuser().await;
    holder.execute("begin; lock table submissions in share mode").await.unwrap();
    let mut held = vec![];
    for number in 1..=IN_FLIGHT {
        held.push(create(client, request("held", None, "")));
        served.until_waiting(i64::try_from(number).unwrap()).await;
    }
    (holder, held)
}

/// Waits until the service has so many creates to answer.
async fn until_in_flight(served: &Served, calls: usize) {
    served.until_in_flight("selvedge.contacts.v1.SubmissionService/CreateSubmission", calls).await;
}

#[tokio::test]
async fn of_five_hundred_at_once_only_the_one_in_the_way_fails() {
    let served = serve(SERVICE).await;
    let client = Client::new(served.channel());
    let (mut holder, held) = hold_up(&served, &client).await;
    // A connection has not room for all of them.
    let clients: Vec<Client> = (0..10).map(|_| Client::new(served.channel())).collect();
    let calls: Vec<Answer> = (0..500)
        .map(|number| {
            // Two of them want the same.
            let id = if number == 321 { "id-123".to_owned() } else { format!("id-{number}") };
            create(&clients[number % clients.len()], request(&format!("n{number:03}"), Some(&id), ""))
        })
        .collect();
    until_in_flight(&served, 500 + IN_FLIGHT).await;
    holder.execute("rollback").await.unwrap();
    assert!(answers(held).await.iter().all(Result::is_ok));
    let failed: Vec<_> = answers(calls)
        .await
        .into_iter()
        .enumerate()
        .filter_map(|(number, answer)| Some((number, answer.err()?)))
        .map(|(number, status)| (number, status.code(), reason(&status)))
        .collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    let (number, code, reason) = &failed[0];
    assert!([123, 321].contains(number));
    assert_eq!((*code, reason.as_str()), (Code::AlreadyExists, "EXTERNAL_ID_TAKEN"));

    let mut superuser = served.database.superuser().await;
    let stored: HashSet<String> =
        names(&mut superuser).await.into_iter().filter(|name| name.starts_with('n')).collect();
    assert_eq!(stored.len(), 499);
    // Rows of one statement have one transaction.
    let transactions = "select count(distinct xmin::text) from submissions where name like 'n%'";
    let transactions: i64 = sqlx::query_scalar(transactions).fetch_one(&mut superuser).await.unwrap();
    assert!(transactions < 50, "{transactions} statements");
}

#[tokio::test]
async fn a_request_that_comes_twice_in_one_statement_is_done_once() {
    let served = serve(SERVICE).await;
    let client = Client::new(served.channel());
    let (mut holder, held) = hold_up(&served, &client).await;
    let mut calls = vec![];
    for (name, id) in [("a", "same"), ("a", "same"), ("b", "same"), ("c", "other"), ("d", "")] {
        calls.push(create(&client, request(name, None, id)));
        // In this order.
        until_in_flight(&served, IN_FLIGHT + calls.len()).await;
    }
    holder.execute("rollback").await.unwrap();
    assert!(answers(held).await.iter().all(Result::is_ok));
    let mut answers = answers(calls).await.into_iter();
    let mut next = || answers.next().unwrap();
    assert_eq!(next().unwrap(), next().unwrap());
    let reused = next().unwrap_err();
    assert_eq!((reused.code(), reason(&reused).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    assert_eq!((next().unwrap().name, next().unwrap().name), ("c".to_owned(), "d".to_owned()));
    let stored = names(&mut served.database.superuser().await).await;
    assert_eq!(stored, ["a", "c", "d", "first", "held", "held", "held", "held"]);
    // And again, later.
    let again = client.clone().create_submission(request("c", None, "other")).await.unwrap().into_inner();
    assert_eq!(again.name, "c");
    assert_eq!(names(&mut served.database.superuser().await).await.len(), stored.len());
}

#[tokio::test]
async fn where_all_are_repeated_nothing_is_inserted() {
    let served = serve(SERVICE).await;
    let client = Client::new(served.channel());
    let first = create(&client, request("a", None, "same")).await.unwrap().unwrap();
    let refuse = "create function refuse() returns trigger language plpgsql
                  as $$ begin raise exception 'there is an insert'; end $$;
                  create trigger refuse before insert on submissions for each statement execute function refuse()";
    served.database.superuser().await.execute(refuse).await.unwrap();
    assert_eq!(create(&client, request("a", None, "same")).await.unwrap().unwrap(), first);
    // The control: an insert would have been noticed, even of nothing.
    assert_eq!(create(&client, request("a", None, "")).await.unwrap().unwrap_err().code(), Code::Internal);
    let nothing = "insert into submissions (name) select 'a' where false";
    assert!(served.database.superuser().await.execute(nothing).await.is_err());
}

#[tokio::test]
async fn when_the_line_is_cut_after_the_commit_a_repeated_request_finds_what_was_done() {
    let line = Line::lay().await;
    let (port, to) = (line.port, line.to.clone());
    let served = serve_with(SERVICE, |config| {
        *to.lock().unwrap() = config.database.port;
        config.database.host = Some("127.0.0.1".into());
        config.database.port = Some(port);
    })
    .await;
    let client = Client::new(served.channel());
    let (mut holder, held) = hold_up(&served, &client).await;
    let requests: Vec<_> =
        (0..10).map(|number| request(&format!("n{number}"), None, &format!("id-{number}"))).collect();
    let calls: Vec<Answer> = requests.iter().map(|request| create(&client, request.clone())).collect();
    until_in_flight(&served, calls.len() + IN_FLIGHT).await;
    line.cut_after_commit.store(true, Ordering::SeqCst);
    holder.execute("rollback").await.unwrap();
    assert!(answers(held).await.iter().all(Result::is_ok));
    for answer in answers(calls).await {
        assert_eq!(answer.unwrap_err().code(), Code::Unavailable, "nobody knows what became of it");
    }
    assert!(!line.cut_after_commit.load(Ordering::SeqCst), "the line was cut");

    // They were stored all the same, and each of them finds its own.
    let mut superuser = served.database.superuser().await;
    let before = names(&mut superuser).await;
    for request in requests {
        let name = request.submission.as_ref().unwrap().name.clone();
        let found = create(&client, request).await.unwrap().unwrap();
        assert_eq!(found.name, name);
        let read =
            client.clone().get_submission(GetSubmissionRequest { id: found.id.clone() }).await.unwrap();
        assert_eq!(read.into_inner(), found);
    }
    assert_eq!(names(&mut superuser).await, before);
}

/// A line to PostgreSQL that can be cut.
struct Line {
    port: u16,
    /// PostgreSQL's own port, as soon as it is known.
    to: Arc<std::sync::Mutex<Option<u16>>>,
    /// Whether the next commit is done, and never confirmed.
    cut_after_commit: Arc<AtomicBool>,
}

impl Line {
    async fn lay() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to: Arc<std::sync::Mutex<Option<u16>>> = Arc::default();
        let cut_after_commit = Arc::new(AtomicBool::new(false));
        let line = Self { port, to: to.clone(), cut_after_commit: cut_after_commit.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let port = to.lock().unwrap().unwrap();
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(carry(client, server, cut_after_commit.clone()));
            }
        });
        line
    }
}

/// Carries both ways, until one side ends or the line is cut.
async fn carry(mut client: TcpStream, mut server: TcpStream, cut_after_commit: Arc<AtomicBool>) {
    let (mut from_client, mut from_server) = (vec![0; 65536], vec![0; 65536]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(read @ 1..) = read else { return };
                let sent = &from_client[..read];
                if server.write_all(sent).await.is_err() {
                    return;
                }
                let is_commit = sent.windows(7).any(|bytes| bytes == b"commit\0");
                if is_commit && cut_after_commit.swap(false, Ordering::SeqCst) {
                    // PostgreSQL answers when it is done; nobody hears it.
                    let answer = server.read(&mut from_server).await;
                    assert!(answer.is_ok_and(|bytes| bytes > 0));
                    return;
                }
            }
            read = server.read(&mut from_server) => {
                let Ok(read @ 1..) = read else { return };
                if client.write_all(&from_server[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}
