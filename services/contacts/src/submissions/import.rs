//! Any number of submissions from one stream, a chunk at a time.

mod chunk;

use chrono::Utc;
use selvedge_kit::partitions::Partitions;
use selvedge_kit::{Code, Db, Error, ResultExt as _};
use selvedge_proto::contacts::v1::{ImportSubmissionsRequest, ImportSubmissionsResponse, RefusedSubmission};
use tonic::{Status, Streaming};

use super::EXTERNAL_ID_TAKEN;
use super::batch::taken_external_ids;
use chunk::Chunk;

/// How many of the refused submissions the answer lists.
const MAX_LISTED: usize = 1_000;

/// How often a chunk is tried in which, each time, somebody else has just taken an external id.
const MAX_TRIES: u32 = 10;

pub(super) async fn import(
    db: &Db,
    partitions: &Partitions,
    submissions: Streaming<ImportSubmissionsRequest>,
) -> Result<ImportSubmissionsResponse, Status> {
    let mut report = ImportSubmissionsResponse::default();
    match store_all(db, partitions, submissions, &mut report).await {
        Ok(()) => Ok(report),
        Err(status) => {
            // There is no other answer to say so.
            let done = report.accepted_count + report.refused_count;
            let message =
                format!("{} (at least the first {done} rows had been stored or refused)", status.message());
            Err(Status::with_details(status.code(), message, status.details().to_vec().into()))
        }
    }
}

/// While one chunk is being stored the next is being read; two is all that is ever in memory.
async fn store_all(
    db: &Db,
    partitions: &Partitions,
    mut submissions: Streaming<ImportSubmissionsRequest>,
    report: &mut ImportSubmissionsResponse,
) -> Result<(), Status> {
    let mut full = Chunk::new(1);
    loop {
        let mut next = Chunk::new(full.next_row());
        let (more, stored) =
            tokio::join!(read(&mut next, &mut submissions), store(db, partitions, full, report));
        stored?;
        if !more? {
            return Ok(store(db, partitions, next, report).await?);
        }
        full = next;
    }
}

/// Fills the chunk; tells whether there may be more for another.
async fn read(
    chunk: &mut Chunk,
    submissions: &mut Streaming<ImportSubmissionsRequest>,
) -> Result<bool, Status> {
    while !chunk.is_full() {
        match submissions.message().await? {
            Some(request) => chunk.add(request.submission.unwrap_or_default(), Utc::now()),
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// Stores all of the chunk that can be stored, in one transaction, and reports on it.
async fn store(
    db: &Db,
    partitions: &Partitions,
    mut chunk: Chunk,
    report: &mut ImportSubmissionsResponse,
) -> Result<(), Error> {
    for time in chunk.months() {
        partitions.ensure(time).await?;
    }
    let mut tries = 1;
    let accepted = loop {
        let taken = taken_external_ids(db, &chunk.external_ids()).await?;
        chunk.refuse_taken(&taken);
        match copy(db, &mut chunk).await {
            // All of it was undone: somebody took one of the external ids since we looked, or is about to.
            Err(error) if error.code() == Code::Aborted && tries < MAX_TRIES => tries += 1,
            copied => break copied?,
        }
    };
    add(report, accepted, chunk.into_refused());
    Ok(())
}

async fn copy(db: &Db, chunk: &mut Chunk) -> Result<u64, Error> {
    if chunk.is_empty() {
        return Ok(0);
    }
    let mut transaction = db.begin().await?;
    let copied = transaction
        .copy_in(
            "copy submissions (id, external_id, name, email, message, status, submitted_at, document_insights)
             from stdin (format binary)",
            &chunk.data(),
        )
        .await
        .on_constraint("submission_external_ids_pkey", || {
            Error::new(Code::Aborted, "CONFLICT", "somebody else is storing the same external ids; try again")
        })?;
    transaction.commit().await?;
    Ok(copied)
}

fn add(report: &mut ImportSubmissionsResponse, accepted: u64, refused: Vec<RefusedSubmission>) {
    report.accepted_count += accepted.cast_signed();
    report.refused_count += i64::try_from(refused.len()).expect("a chunk is small");
    let duplicates = refused.iter().filter(|it| it.reason == EXTERNAL_ID_TAKEN).count();
    report.duplicate_count += i64::try_from(duplicates).expect("a chunk is small");
    let room = MAX_LISTED - report.refused.len();
    report.refused.extend(refused.into_iter().take(room));
}
