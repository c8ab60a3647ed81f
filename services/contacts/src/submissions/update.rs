//! Changes of a submission, and why one that was asked for did not come about.

use chrono::{DateTime, Utc};
use selvedge_kit::mask::Mask;
use selvedge_kit::{Code, Error, convert, etag};
use selvedge_proto::contacts::v1::{Submission, UpdateSubmissionRequest};
use uuid::Uuid;

use super::{Row, Submissions, check_insights, status, submission_not_found};

const CHANGEABLE: [&str; 5] = ["name", "email", "message", "status", "document_insights"];

/// What an update may name only with the value that is there.
const FIXED: [&str; 2] = ["external_id", "submitted_at"];

impl Submissions {
    pub(super) async fn update(&self, request: UpdateSubmissionRequest) -> Result<Submission, Error> {
        let new = request.submission.unwrap_or_default();
        let mask = Mask::new(request.update_mask.as_ref(), &CHANGEABLE, &FIXED)?;
        let id = convert::id("submission.id", &new.id)?;
        let expected = etag::parse(&new.etag)?;
        check_insights("document_insights", new.document_insights.as_ref())
            .map_err(|wrong| wrong.at("submission."))?;
        let status = match status::to_column(new.status()) {
            None if mask.has("status") => Err(Error::invalid("submission.status", "must be a status"))?,
            status => status.filter(|_| mask.has("status")),
        };
        let may_become = status::may_become(new.status());
        let fixed = Fixed::new(&mask, &new)?;
        let row = sqlx::query_as!(
            Row,
            "update submissions set
                 name = case when $3 then $4 else name end,
                 email = case when $5 then $6 else email end,
                 message = case when $7 then $8 else message end,
                 document_insights = case when $9 then $10 else document_insights end,
                 status = coalesce($11, status)
             where id = $1
                 and ($2::timestamptz is null or updated_at = $2)
                 and ($11::text is null or status = any($12))
                 and ($13::timestamptz is null or submitted_at = $13)
                 and (not $14 or external_id is not distinct from $15)
             returning id, external_id, name, email, message, status, submitted_at, document_insights, created_at,
                 updated_at",
            id,
            expected,
            mask.has("name"),
            new.name,
            mask.has("email"),
            new.email,
            mask.has("message"),
            new.message,
            mask.has("document_insights"),
            convert::json(new.document_insights.unwrap_or_default()),
            status,
            &may_become as &[&str],
            fixed.submitted_at,
            fixed.names_external_id,
            fixed.external_id,
        )
        .fetch_optional(&self.db)
        .await?;
        match row {
            Some(row) => Ok(row.into()),
            None => Err(self.why_not(id, expected, status.map(|_| may_become.as_slice()), &fixed).await?),
        }
    }

    /// Why there was no row that may be changed so. It is read after the fact: what stood in the way may be gone by now,
    /// and then the caller may try again.
    pub(super) async fn why_not(
        &self,
        id: Uuid,
        expected: Option<DateTime<Utc>>,
        statuses: Option<&[&str]>,
        fixed: &Fixed,
    ) -> Result<Error, Error> {
        Ok(match self.find(id).await? {
            None => submission_not_found(),
            Some(row) if expected.is_some_and(|expected| expected != row.updated_at) => etag::mismatch(),
            Some(row) if statuses.is_some_and(|statuses| !statuses.contains(&row.status.as_str())) => {
                Error::new(
                    Code::FailedPrecondition,
                    "STATUS_MOVE_NOT_ALLOWED",
                    format!("a submission that is {} cannot be given this status", row.status),
                )
            }
            Some(row) if fixed.submitted_at.is_some_and(|time| time != row.submitted_at) => {
                Error::invalid("submission.submitted_at", IS_FIXED)
            }
            Some(row) if fixed.names_external_id && fixed.external_id != row.external_id => {
                Error::invalid("submission.external_id", IS_FIXED)
            }
            Some(_) => Error::new(Code::Aborted, "CONFLICT", "the submission was being changed; try again"),
        })
    }
}

const IS_FIXED: &str = "is fixed once set";

/// What an update says of fields that are fixed once set, as far as its mask names them.
#[derive(Default)]
pub(super) struct Fixed {
    submitted_at: Option<DateTime<Utc>>,
    names_external_id: bool,
    external_id: Option<String>,
}

impl Fixed {
    fn new(mask: &Mask<'_>, submission: &Submission) -> Result<Self, Error> {
        let submitted_at = match &submission.submitted_at {
            _ if !mask.has("submitted_at") => None,
            Some(time) => Some(convert::time("submission.submitted_at", time)?),
            None => return Err(Error::invalid("submission.submitted_at", IS_FIXED)),
        };
        let external_id = submission.external_id.clone();
        Ok(Self { submitted_at, names_external_id: mask.has("external_id"), external_id })
    }
}
