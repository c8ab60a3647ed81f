//! PostgreSQL dies under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{CreateSubmissionRequest, GetSubmissionRequest, Submission};
use selvedge_tests::{Mesh, eventually};
use sqlx::ConnectOptions as _;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_told_the_service_recovers_and_no_acknowledged_create_is_lost() {
    let mesh = Mesh::ephemeral().await;
    let over = Arc::new(AtomicBool::new(false));
    let (done, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let callers = (0..16).map(|caller| {
        let (over, done, failed) = (over.clone(), done.clone(), failed.clone());
        let url = mesh.url("contacts");
        tokio::spawn(async move {
            let mut client = SubmissionServiceClient::connect(url).await.unwrap();
            let mut acknowledged = vec![];
            while !over.load(Ordering::Relaxed) {
                let name = format!("{caller}-{}", acknowledged.len());
                let submission = Submission {
                    name,
                    email: "a@example.com".into(),
                    message: "x".into(),
                    ..Default::default()
                };
                let request = CreateSubmissionRequest { submission: Some(submission), ..Default::default() };
                match client.create_submission(request).await {
                    Ok(created) => {
                        acknowledged.push(created.into_inner());
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(status) => {
                        // Nothing else: not INTERNAL, and not a deadline that somebody had to wait for.
                        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                        failed.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            }
            acknowledged
        })
    });
    let callers: Vec<_> = callers.collect();
    eventually("creates are acknowledged", async || done.load(Ordering::Relaxed) > 200).await;

    for _ in 0..2 {
        let before = failed.load(Ordering::Relaxed);
        kill_process(postmaster(&mesh).await, Signal::KILL).unwrap();
        eventually("callers notice", async || failed.load(Ordering::Relaxed) > before).await;
        let before = done.load(Ordering::Relaxed);
        eventually("creates are acknowledged again", async || done.load(Ordering::Relaxed) > before + 200)
            .await;
    }
    over.store(true, Ordering::Relaxed);

    let mut client = SubmissionServiceClient::connect(mesh.url("contacts")).await.unwrap();
    let mut checked = 0;
    for caller in callers {
        for acknowledged in caller.await.unwrap() {
            let found =
                client.get_submission(GetSubmissionRequest { id: acknowledged.id.clone() }).await.unwrap();
            assert_eq!(found.into_inner(), acknowledged);
            checked += 1;
        }
    }
    assert!(checked > 600);
    assert_eq!(mesh.stop().await, Some(0));
}

/// The first line of its file says which process it is.
async fn postmaster(mesh: &Mesh) -> Pid {
    let options: sqlx::postgres::PgConnectOptions = mesh.url("database").parse().unwrap();
    let mut superuser = options.connect().await.unwrap();
    let sql = "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int";
    let pid: i32 = sqlx::query_scalar(sql).fetch_one(&mut superuser).await.unwrap();
    Pid::from_raw(pid).unwrap()
}
