//! The documents of the sample submissions.

use chrono::{DateTime, TimeDelta, Utc};
use selvedge_kit::{Db, Error};
use serde_json::json;
use uuid::Uuid;

use super::{Sample, pick};
use crate::submissions::mint_id;

const FILES: [(&str, &str); 6] = [
    ("order.pdf", "application/pdf"),
    ("swatch.jpg", "image/jpeg"),
    ("invoice.pdf", "application/pdf"),
    ("measurements.csv", "text/csv"),
    ("letter.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("loom.png", "image/png"),
];
const TAGS: [&str; 5] = ["order", "complaint", "photo", "invoice", "private"];

/// More would take long enough to be logged as slow, in a newcomer's first minute.
const AT_ONCE: usize = 250;

pub(super) async fn seed(db: &Db, submissions: &[Sample]) -> Result<u64, Error> {
    let documents: Vec<Document> = submissions
        .iter()
        .zip(0..)
        .flat_map(|(sample, number)| (0..sample.documents).map(move |nth| Document::new(sample, number, nth)))
        .collect();
    let mut rows = 0;
    for some in documents.chunks(AT_ONCE) {
        rows += insert(db, some).await?;
    }
    Ok(rows)
}

async fn insert(db: &Db, documents: &[Document]) -> Result<u64, Error> {
    let inserted = sqlx::query!(
        "insert into documents
             (id, submission_id, file_name, media_type, size, sha256, tags, insights, created_at)
         select id, submission_id, file_name, media_type, size, sha256(id::text::bytea), string_to_array(tags, ' '),
             insights, created_at
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::jsonb[],
             $8::timestamptz[])
             as new (id, submission_id, file_name, media_type, size, tags, insights, created_at)",
        &documents.iter().map(|document| mint_id(document.created_at)).collect::<Vec<_>>(),
        &documents.iter().map(|document| document.submission_id).collect::<Vec<_>>(),
        &documents.iter().map(|document| document.file.0.to_owned()).collect::<Vec<_>>(),
        &documents.iter().map(|document| document.file.1.to_owned()).collect::<Vec<_>>(),
        &documents.iter().map(|document| document.size).collect::<Vec<_>>(),
        &documents.iter().map(|document| document.tags.clone()).collect::<Vec<_>>(),
        &documents.iter().map(|document| document.insights.clone()).collect::<Vec<_>>(),
        &documents.iter().map(|document| document.created_at).collect::<Vec<_>>(),
    );
    Ok(inserted.execute(db).await?.rows_affected())
}

struct Document {
    submission_id: Uuid,
    file: (&'static str, &'static str),
    size: i64,
    tags: String,
    insights: serde_json::Value,
    created_at: DateTime<Utc>,
}

impl Document {
    /// The documents of a submission come a minute apart.
    fn new(submission: &Sample, number: u32, nth: u32) -> Self {
        let (tag, other) = (pick(&TAGS, number), pick(&TAGS, number + nth + 1));
        Self {
            submission_id: submission.id,
            file: FILES[(number / 3 + nth) as usize % FILES.len()],
            size: 10_000 + i64::from(number) * 7919 % 990_000 + i64::from(nth),
            tags: if tag == other { tag.to_owned() } else { format!("{tag} {other}") },
            insights: json!({"pages": 1 + (number + nth) % 9, "scanned": nth.is_multiple_of(2)}),
            created_at: submission.submitted_at + TimeDelta::minutes(i64::from(nth)),
        }
    }
}
