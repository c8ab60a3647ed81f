//! `selvedge up` from the outside: it starts, it stops, it keeps what it was given.

use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{
    CreateSubmissionRequest, GetSubmissionRequest, ListSubmissionsRequest, Submission,
};
use selvedge_tests::{Mesh, eventually, processes, run, selvedge};
use sqlx::{ConnectOptions as _, Connection as _};
use tonic::transport::Channel;

async fn contacts(mesh: &Mesh) -> SubmissionServiceClient<Channel> {
    SubmissionServiceClient::connect(mesh.url("contacts")).await.unwrap()
}

fn create(name: &str) -> CreateSubmissionRequest {
    let submission = Submission {
        name: name.into(),
        email: "a@example.com".into(),
        message: "x".into(),
        ..Submission::default()
    };
    CreateSubmissionRequest { submission: Some(submission), ..Default::default() }
}

#[tokio::test]
async fn a_first_start_has_sample_data_and_runs_with_the_rights_of_the_application_only() {
    let mesh = Mesh::ephemeral().await;
    let page =
        contacts(&mesh).await.list_submissions(ListSubmissionsRequest::default()).await.unwrap().into_inner();
    assert_eq!(page.submissions.len(), 20);

    let options: sqlx::postgres::PgConnectOptions = mesh.url("database").parse().unwrap();
    let mut superuser = options.connect().await.unwrap();
    let sql = "select distinct usename::text from pg_stat_activity
               where backend_type = 'client backend' and pid <> pg_backend_pid() order by 1";
    let users: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut superuser).await.unwrap();
    assert_eq!(users, ["catalog_app", "contacts_app"]);
    let sql = "select count(*) from pg_stat_statements where query like '%from submissions%'";
    assert!(sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut superuser).await.unwrap() > 0);
    superuser.close().await.unwrap();
    assert_eq!(mesh.stop().await, Some(0));
}

#[tokio::test]
async fn the_data_and_the_page_tokens_are_there_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let mesh = Mesh::in_directory(directory.path()).await;
    let mut client = contacts(&mesh).await;
    let kept = client.create_submission(create("kept")).await.unwrap().into_inner();
    let first = client.list_submissions(ListSubmissionsRequest::default()).await.unwrap().into_inner();
    assert_eq!(mesh.stop().await, Some(0));

    let mesh = Mesh::in_directory(directory.path()).await;
    let mut client = contacts(&mesh).await;
    let found =
        client.get_submission(GetSubmissionRequest { id: kept.id.clone() }).await.unwrap().into_inner();
    assert_eq!(found, kept);
    let next = ListSubmissionsRequest { page_token: first.next_page_token, ..Default::default() };
    assert_eq!(client.list_submissions(next).await.unwrap().into_inner().submissions.len(), 20);
    assert_eq!(mesh.stop().await, Some(0));
}

#[tokio::test]
async fn sample_data_that_was_deleted_does_not_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let mesh = Mesh::in_directory(directory.path()).await;
    let options: sqlx::postgres::PgConnectOptions = mesh.url("database").parse().unwrap();
    let mut superuser = options.connect().await.unwrap();
    let deleted = sqlx::query("delete from contacts.submissions").execute(&mut superuser).await.unwrap();
    assert!(deleted.rows_affected() > 0);
    superuser.close().await.unwrap();
    assert_eq!(mesh.stop().await, Some(0));

    let mesh = Mesh::in_directory(directory.path()).await;
    let page =
        contacts(&mesh).await.list_submissions(ListSubmissionsRequest::default()).await.unwrap().into_inner();
    assert_eq!(page.submissions, []);
    assert_eq!(mesh.stop().await, Some(0));
}

#[tokio::test]
async fn a_killed_mesh_leaves_nothing_running_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mesh = Mesh::in_directory(directory.path()).await;
    let kept = contacts(&mesh).await.create_submission(create("kept")).await.unwrap().into_inner();
    let postgres = directory.path().join("postgres").display().to_string();
    assert!(!processes(&postgres).is_empty());
    mesh.kill().await;
    // The next start does not wait for the old PostgreSQL to be gone; it has to cope.
    let mesh = Mesh::in_directory(directory.path()).await;
    let found = contacts(&mesh).await.get_submission(GetSubmissionRequest { id: kept.id }).await.unwrap();
    assert_eq!(found.into_inner().name, "kept");
    mesh.kill().await;
    eventually("PostgreSQL is gone", async || processes(&postgres).is_empty()).await;
}

#[tokio::test]
async fn an_ephemeral_mesh_leaves_no_directory() {
    for kill in [false, true] {
        let mesh = Mesh::ephemeral().await;
        let options: sqlx::postgres::PgConnectOptions = mesh.url("database").parse().unwrap();
        let mut superuser = options.connect().await.unwrap();
        let directory: String = sqlx::query_scalar("select current_setting('data_directory')")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
        assert!(std::path::Path::new(&directory).exists());
        if kill {
            mesh.kill().await;
        } else {
            assert_eq!(mesh.stop().await, Some(0));
        }
        eventually("the directory is gone", async || !std::path::Path::new(&directory).exists()).await;
        assert!(processes(&directory).is_empty());
    }
}

#[tokio::test]
async fn a_second_mesh_on_the_same_data_says_who_holds_it() {
    let directory = tempfile::tempdir().unwrap();
    let mesh = Mesh::in_directory(directory.path()).await;
    let path = directory.path().display().to_string();
    let (ok, said) = run(selvedge(&["up", "--free-ports", "--data-dir", &path])).await;
    assert!(!ok);
    let holder = mesh.id().to_string();
    assert!(said.contains(&holder), "{holder} in {said}");
    assert_eq!(mesh.stop().await, Some(0));
}
