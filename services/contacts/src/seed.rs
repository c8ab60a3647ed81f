//! Sample data, so that a new installation has something to show.

mod documents;

use chrono::{DateTime, TimeDelta, Utc};
use selvedge_kit::partitions::Partitions;
use selvedge_kit::{Db, Error};
use serde_json::json;
use uuid::Uuid;

use crate::submissions::{self, mint_id};

const SUBMISSIONS: u32 = 1400;
const DAYS: u32 = 425;

const FIRST_NAMES: [&str; 12] =
    ["Ada", "Bao", "Chidi", "Dunya", "Emre", "Freya", "Goran", "Hana", "Ines", "Jonas", "Kavya", "Liam"];
const LAST_NAMES: [&str; 11] =
    ["Abe", "Brandt", "Castro", "Diallo", "Eriksen", "Fofana", "Gupta", "Horvat", "Ito", "Jansen", "Kaya"];
const DOMAINS: [&str; 5] = ["example.com", "example.org", "example.net", "weavers.example", "mill.example"];
const SUBJECTS: [&str; 7] = [
    "Could you send me your price list?",
    "The zip of the jacket that I bought last month is broken.",
    "We would like to order three hundred metres of twill.",
    "Do you give tours of the mill?",
    "My parcel has not arrived yet.",
    "Which of your fabrics can be washed at sixty degrees?",
    "Are you looking for somebody at the looms?",
];
const STATUSES: [&str; 8] = ["NEW", "NEW", "CONTACTED", "CONTACTED", "QUALIFIED", "CLOSED", "CLOSED", "SPAM"];

/// Fills empty tables with submissions of the last fourteen months and their documents; leaves any others alone.
pub(crate) async fn seed(db: Db) -> Result<u64, Error> {
    let empty = sqlx::query_scalar!(r#"select not exists (select from submissions) as "empty!""#);
    if !empty.fetch_one(&db).await? {
        return Ok(0);
    }
    let rows: Vec<Sample> = (0..SUBMISSIONS).map(|number| Sample::new(number, Utc::now())).collect();
    let partitions = Partitions::new(db.clone(), submissions::TABLE);
    for row in &rows {
        partitions.ensure(row.submitted_at).await?;
    }
    let inserted = sqlx::query!(
        "insert into submissions (id, name, email, message, status, submitted_at, document_insights)
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::jsonb[])",
        &rows.iter().map(|row| row.id).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.email.clone()).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.message.to_owned()).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.status.to_owned()).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.submitted_at).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.insights.clone()).collect::<Vec<_>>(),
    );
    let submissions = inserted.execute(&db).await?.rows_affected();
    Ok(submissions + documents::seed(&db, &rows).await?)
}

struct Sample {
    id: Uuid,
    name: String,
    email: String,
    message: &'static str,
    status: &'static str,
    submitted_at: DateTime<Utc>,
    insights: serde_json::Value,
    documents: u32,
}

impl Sample {
    /// The same number always makes the same person; only the times follow the calendar.
    fn new(number: u32, now: DateTime<Utc>) -> Self {
        let first = pick(&FIRST_NAMES, number);
        let last = pick(&LAST_NAMES, number);
        let submitted_at =
            now - TimeDelta::minutes(i64::from(number) * i64::from(DAYS) * 24 * 60 / i64::from(SUBMISSIONS));
        let language = pick(&["en", "de", "fr", "ja"], number / 3);
        Self {
            id: mint_id(submitted_at),
            name: format!("{first} {last}"),
            email: format!("{}.{}@{}", first.to_lowercase(), last.to_lowercase(), pick(&DOMAINS, number / 2)),
            message: pick(&SUBJECTS, number),
            status: pick(&STATUSES, number / 5),
            submitted_at,
            documents: if number % 3 == 1 { 1 + number % 4 } else { 0 },
            insights: if number.is_multiple_of(3) {
                json!({"language": language, "urgent": number.is_multiple_of(7)})
            } else {
                json!({})
            },
        }
    }
}

fn pick(of: &[&'static str], number: u32) -> &'static str {
    of[number as usize % of.len()]
}
