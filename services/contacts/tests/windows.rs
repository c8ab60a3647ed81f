//! Calls that share a connection do not wait for each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use selvedge_contacts::SERVICE;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{
    CreateSubmissionRequest, GetSubmissionRequest, ImportSubmissionsRequest, Submission,
};
use selvedge_testing::serve;
use sqlx::Executor as _;

fn numbered(number: usize) -> Submission {
    let name = format!("Name {number}");
    let email = format!("n{number}@example.com");
    Submission { name, email, message: "an old message ".repeat(8), ..Submission::default() }
}

#[tokio::test]
async fn an_import_that_waits_does_not_hold_up_who_shares_its_connection() {
    let served = serve(SERVICE).await;
    let mut client = SubmissionServiceClient::new(served.channel());
    let create = CreateSubmissionRequest { submission: Some(numbered(0)), request_id: String::new() };
    let id = client.create_submission(create).await.unwrap().into_inner().id;
    let mut holder = served.database.superuser().await;
    holder.execute("begin; lock table submissions in share mode").await.unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let endless = (1..).map(move |number| {
        counted.store(number, Ordering::Relaxed);
        ImportSubmissionsRequest { submission: Some(numbered(number)) }
    });
    let mut importer = client.clone();
    let importing =
        tokio::spawn(async move { importer.import_submissions(tokio_stream::iter(endless)).await.map(drop) });
    served.until_waiting(1).await;
    // Until there is no room for more of it, others are answered, and then too.
    let others = async {
        let mut before = 0;
        while sent.load(Ordering::Relaxed) > before {
            before = sent.load(Ordering::Relaxed);
            for _ in 0..50 {
                client.get_submission(GetSubmissionRequest { id: id.clone() }).await.unwrap();
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), others).await.expect("they are answered");
    importing.abort();
}
