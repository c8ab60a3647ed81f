//! New submissions, as many in a statement as come at once.

use selvedge_kit::idempotency::{self, Repeatable};
use selvedge_kit::{Db, Error};
use selvedge_proto::contacts::v1::Submission;

use super::batch::insert;
use super::new::New;

/// A submission to store, and the request that asked for it where that may be repeated.
#[derive(Clone)]
pub(super) struct Create {
    pub(super) new: New,
    pub(super) request: Option<Repeatable>,
}

/// Stores all of them or, where one of them is in the way, none. Each is acknowledged only after the commit.
pub(super) async fn create(db: Db, creates: Vec<Create>) -> Result<Vec<Result<Submission, Error>>, Error> {
    if creates.iter().all(|create| create.request.is_none()) {
        let stored = insert(&db, creates.into_iter().map(|create| create.new).collect()).await?;
        return Ok(stored.into_iter().map(Ok).collect());
    }
    let requests: Vec<Option<&Repeatable>> = creates.iter().map(|create| create.request.as_ref()).collect();
    idempotency::once_each(&db, &requests, async |transaction, new| {
        insert(&mut **transaction, new.iter().map(|number| creates[*number].new.clone()).collect()).await
    })
    .await
}
