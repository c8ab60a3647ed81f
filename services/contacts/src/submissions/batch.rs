//! Many submissions at once, all or none.

use std::collections::{HashMap, HashSet};

use chrono::Utc;
use prost::Message as _;
use selvedge_kit::partitions::Partitions;
use selvedge_kit::{Code, Db, Error, ResultExt as _, idempotency};
use selvedge_proto::contacts::v1::{
    BatchCreateSubmissionsRequest, BatchCreateSubmissionsResponse, Submission,
};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::new::New;
use super::{EXTERNAL_ID_TAKEN, Row};

/// The answer is a little longer than the request, and clients take four megabytes by default.
const MAX_BYTES: usize = 3 << 20;

pub(super) async fn create(
    db: &Db,
    partitions: &Partitions,
    request: BatchCreateSubmissionsRequest,
) -> Result<BatchCreateSubmissionsResponse, Error> {
    let submissions = check(&request)?;
    for submission in &submissions {
        partitions.ensure(submission.submitted_at).await?;
    }
    let stored = idempotency::once(db, &request.request_id, &request, async |transaction| {
        Ok(BatchCreateSubmissionsResponse { submissions: insert(&mut **transaction, submissions).await? })
    });
    match stored.await {
        Err(error) if error.reason() == EXTERNAL_ID_TAKEN => {
            Err(which_is_taken(db, &request.submissions).await?)
        }
        stored => stored,
    }
}

/// What the constraints in the proto cannot say.
fn check(request: &BatchCreateSubmissionsRequest) -> Result<Vec<New>, Error> {
    let bytes = request.encoded_len();
    if bytes > MAX_BYTES {
        let description = format!("must be at most {MAX_BYTES} bytes long together, are {bytes}");
        return Err(Error::invalid("submissions", description));
    }
    let now = Utc::now();
    let mut external_ids = HashSet::new();
    let mut all = Vec::with_capacity(request.submissions.len());
    for (index, submission) in request.submissions.iter().enumerate() {
        let path = format!("submissions[{index}].");
        if submission.external_id.as_ref().is_some_and(|id| !external_ids.insert(id)) {
            return Err(Error::invalid(path + "external_id", "must not come twice in a batch"));
        }
        all.push(New::of(submission.clone(), now).map_err(|wrong| wrong.at(&path))?);
    }
    Ok(all)
}

/// Answers in the order of the submissions.
pub(super) async fn insert(executor: impl PgExecutor<'_>, new: Vec<New>) -> Result<Vec<Submission>, Error> {
    let ids: Vec<Uuid> = new.iter().map(|new| new.id).collect();
    // Two batches that want the same external ids ask for them in the same order, so that one of them is just refused.
    let rows = sqlx::query_as!(
        Row,
        "insert into submissions
             (id, external_id, name, email, message, status, submitted_at, document_insights)
         select * from unnest(
             $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::jsonb[]
         ) as new (id, external_id, name, email, message, status, submitted_at, document_insights)
         order by external_id
         returning id, external_id, name, email, message, status, submitted_at, document_insights, created_at,
             updated_at",
        &ids,
        &new.iter().map(|new| new.external_id.as_deref()).collect::<Vec<_>>() as _,
        &new.iter().map(|new| new.name.as_str()).collect::<Vec<_>>() as _,
        &new.iter().map(|new| new.email.as_str()).collect::<Vec<_>>() as _,
        &new.iter().map(|new| new.message.as_str()).collect::<Vec<_>>() as _,
        &new.iter().map(|new| new.status).collect::<Vec<_>>() as _,
        &new.iter().map(|new| new.submitted_at).collect::<Vec<_>>(),
        &new.iter().map(|new| new.document_insights.clone()).collect::<Vec<_>>(),
    )
    .fetch_all(executor)
    .await
    .on_constraint("submission_external_ids_pkey", || external_id_taken(""))?;
    let mut by_id: HashMap<Uuid, Row> = rows.into_iter().map(|row| (row.id, row)).collect();
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).map(Submission::from).collect())
}

/// Says which external id was taken. Whoever had it may have given it back by now.
async fn which_is_taken(db: &Db, submissions: &[Submission]) -> Result<Error, Error> {
    let ids: Vec<&str> = submissions.iter().filter_map(|it| it.external_id.as_deref()).collect();
    let taken = taken_external_ids(db, &ids).await?;
    let first =
        submissions.iter().position(|it| it.external_id.as_ref().is_some_and(|id| taken.contains(id)));
    Ok(external_id_taken(&first.map_or_else(String::new, |index| format!(" of submissions[{index}]"))))
}

fn external_id_taken(which: &str) -> Error {
    let message = format!("there is a submission with the external_id{which}");
    Error::new(Code::AlreadyExists, EXTERNAL_ID_TAKEN, message)
}

/// Which of these external ids belong to a submission.
pub(super) async fn taken_external_ids(
    executor: impl PgExecutor<'_>,
    ids: &[&str],
) -> Result<HashSet<String>, Error> {
    let taken = sqlx::query_scalar!(
        r#"select known.external_id as "external_id!"
           from unnest($1::text[]) as asked (external_id)
           join submission_external_ids as known on known.external_id = asked.external_id"#,
        ids as _
    );
    Ok(taken.fetch_all(executor).await?.into_iter().collect())
}
