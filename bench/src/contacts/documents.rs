//! Documents that come and go: of one submission, on which all clients wait for each other, and of one for each client.

use futures::future::try_join_all;
use selvedge_proto::contacts::v1::document_service_client::DocumentServiceClient;
use selvedge_proto::contacts::v1::{
    CreateDocumentRequest, CreateSubmissionRequest, DeleteDocumentRequest, Document,
};
use selvedge_testing::{Database, Served};
use tonic::transport::Channel;

use super::{Rows, Submissions, discard, fresh, serve_empty};
use crate::table::{Table, note, thousands};
use crate::{Result, Size};

type Documents = DocumentServiceClient<Channel>;

const CLIENTS: usize = 64;
/// How often a client adds two documents and removes one, at most: all together stay below what a submission may have.
const MOST_TURNS: u64 = 10;

const MEDIA_TYPES: [&str; 5] = ["application/pdf", "image/png", "image/jpeg", "text/plain", "text/csv"];

pub(super) async fn run(size: Size) -> Result<()> {
    let turns = (size.rows / 1_000).min(MOST_TURNS);
    let calls = 3 * turns * u64::try_from(CLIENTS)?;
    let what = format!("documents: {CLIENTS} clients, two added for one removed, {} calls", thousands(calls));
    let mut table = Table::new(what, "call");
    let served = serve_empty().await;
    let clients: Vec<_> = (0..CLIENTS).map(|_| Documents::new(served.channel())).collect();
    // The connections.
    work(&clients, &submit(&served, CLIENTS).await?, 1).await?;
    for _ in 0..size.rounds {
        let own = submit(&served, CLIENTS).await?;
        table.time("a submission for each client", calls, work(&clients, &own, turns)).await?;
        let shared = vec![submit(&served, 1).await?.remove(0); CLIENTS];
        table.time("one submission for all", calls, work(&clients, &shared, turns)).await?;
    }
    table.print();
    let checked = check(&served.database).await?;
    note(&format!("total_documents and document_types are true of all {checked} submissions"));
    discard(served).await
}

async fn submit(served: &Served, count: usize) -> Result<Vec<String>> {
    let mut client = Submissions::new(served.channel());
    let mut ids = vec![];
    for number in 0..count {
        let submission = fresh(Rows::new(1_000), u64::try_from(number)?);
        let request = CreateSubmissionRequest { submission: Some(submission), request_id: String::new() };
        ids.push(client.create_submission(request).await?.into_inner().id);
    }
    Ok(ids)
}

async fn work(clients: &[Documents], submissions: &[String], turns: u64) -> Result<()> {
    let all = clients.iter().zip(submissions).enumerate();
    // A task for each, as they would not share a thread if they were real.
    let tasks = all.map(|(number, (client, submission))| {
        tokio::spawn(add_and_remove(client.clone(), submission.clone(), number, turns))
    });
    for done in try_join_all(tasks).await? {
        done?;
    }
    Ok(())
}

async fn add_and_remove(
    mut client: Documents,
    submission_id: String,
    number: usize,
    turns: u64,
) -> Result<()> {
    for turn in 0..usize::try_from(turns)? {
        add(&mut client, &submission_id, number + turn).await?;
        let id = add(&mut client, &submission_id, number + turn + 1).await?;
        client.delete_document(DeleteDocumentRequest { id }).await?;
    }
    Ok(())
}

async fn add(client: &mut Documents, submission_id: &str, number: usize) -> Result<String> {
    let document = Document {
        submission_id: submission_id.to_owned(),
        file_name: format!("Offer {number}.pdf"),
        media_type: MEDIA_TYPES[number % MEDIA_TYPES.len()].to_owned(),
        size: 123_456,
        sha256: "0123456789abcdef".repeat(4),
        tags: vec!["offer".to_owned()],
        ..Document::default()
    };
    let request = CreateDocumentRequest { document: Some(document), request_id: String::new() };
    Ok(client.create_document(request).await?.into_inner().id)
}

/// What every submission says about its documents must be so; answers with how many submissions that are.
async fn check(database: &Database) -> Result<i64> {
    let (submissions, wrong, documents): (i64, i64, i64) = sqlx::query_as(
        "select count(*),
             count(*) filter (where (document_insights -> 'total_documents', document_insights -> 'document_types')
                 is distinct from (total, types)),
             (select count(*) from documents)
         from submissions, lateral (
             select to_jsonb(count(*)) as total,
                 coalesce(jsonb_agg(distinct media_type order by media_type), '[]') as types
             from documents where submission_id = submissions.id
         ) as counted",
    )
    .fetch_one(&mut database.superuser().await)
    .await?;
    if wrong > 0 || documents == 0 {
        return Err(format!("{wrong} of {submissions} submissions are wrong about their documents").into());
    }
    Ok(submissions)
}
