//! Submissions by number: the same number always makes the same one; only the times follow the calendar.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use selvedge_kit::convert;
use selvedge_proto::contacts::v1::{Submission, SubmissionStatus};
use serde_json::json;
use uuid::Uuid;

/// About fourteen months.
const DAYS: i64 = 425;

/// How many submissions have the insights that the bench looks for, however many there are.
pub(crate) const MATCHES: u64 = 50;
pub(crate) const SOUGHT: &str = "x7";

const FIRST_NAMES: [&str; 8] = ["Ada", "Bao", "Chidi", "Dunya", "Emre", "Freya", "Goran", "Hana"];
const LAST_NAMES: [&str; 7] = ["Abe", "Brandt", "Castro", "Diallo", "Eriksen", "Fofana", "Gupta"];
const PROVIDERS: [&str; 8] = [
    "example.com",
    "example.org",
    "example.net",
    "mail.example",
    "post.example",
    "letters.example",
    "web.example",
    "online.example",
];
/// The domains of their own that one in five writes from.
const OTHER_DOMAINS: u64 = 5_000;
const SENTENCES: [&str; 7] = [
    "Could you send me the price list for this year, please?",
    "The zip of the jacket that I bought last month is broken.",
    "We would like to order three hundred metres of twill.",
    "Do you give tours of the mill on a Saturday as well?",
    "My parcel has not arrived yet, although it was sent on Monday.",
    "Which of your fabrics can be washed at sixty degrees?",
    "Are you looking for somebody at the looms this autumn?",
];
const STATUSES: [SubmissionStatus; 8] = [
    SubmissionStatus::New,
    SubmissionStatus::New,
    SubmissionStatus::Contacted,
    SubmissionStatus::Contacted,
    SubmissionStatus::Qualified,
    SubmissionStatus::Closed,
    SubmissionStatus::Closed,
    SubmissionStatus::Spam,
];

/// So many submissions, evenly spread over fourteen months until today; the oldest comes first.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) count: u64,
    first: DateTime<Utc>,
    external_ids: bool,
}

impl Rows {
    /// As an older system has them.
    pub(crate) fn with_external_ids(count: u64) -> Self {
        Self { external_ids: true, ..Self::new(count) }
    }

    pub(crate) fn new(count: u64) -> Self {
        let today = Utc::now().date_naive().and_time(NaiveTime::MIN).and_utc();
        Self { count, first: today - TimeDelta::days(DAYS), external_ids: false }
    }

    /// A time of every month that has a row.
    pub(crate) fn months(&self) -> impl Iterator<Item = DateTime<Utc>> {
        let first = self.first;
        (0..=DAYS / 15).map(move |half| first + TimeDelta::days(15 * half)).chain([self.time(self.count - 1)])
    }

    pub(crate) fn submission(&self, number: u64) -> Submission {
        let row = self.row(number);
        Submission {
            external_id: row.external_id,
            name: row.name,
            email: row.email,
            message: row.message,
            status: row.status.into(),
            submitted_at: Some(convert::timestamp(row.submitted_at)),
            document_insights: row.campaign.map(|campaign| campaign_insights(&campaign)),
            ..Submission::default()
        }
    }

    /// A line of text for `copy submissions (COLUMNS)`. Nothing in it needs to be escaped.
    pub(crate) fn write_line(&self, number: u64, line: &mut String) {
        let row = self.row(number);
        let id = mint_id(row.submitted_at, u128::from(mixed(number)));
        let status = status_column(row.status);
        let time = row.submitted_at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let external_id = row.external_id.as_deref().unwrap_or("\\N");
        let insights = row.campaign.map_or_else(|| json!({}), |campaign| json!({"campaign": campaign}));
        writeln!(
            line,
            "{id}\t{external_id}\t{}\t{}\t{}\t{status}\t{time}\t{insights}",
            row.name, row.email, row.message
        )
        .expect("writing to a string cannot fail");
    }

    fn time(&self, number: u64) -> DateTime<Utc> {
        let micros = i128::from(DAYS) * 86_400_000_000 * i128::from(number) / i128::from(self.count);
        self.first + TimeDelta::microseconds(i64::try_from(micros).expect("fourteen months fit"))
    }

    fn row(&self, number: u64) -> Row {
        let random = mixed(number);
        let (first, last) = (pick(&FIRST_NAMES, random), pick(&LAST_NAMES, random >> 8));
        let domain = if random.is_multiple_of(5) {
            format!("company-{}.example", (random >> 16) % OTHER_DOMAINS)
        } else {
            pick(&PROVIDERS, random >> 16).to_owned()
        };
        let sentences = [24, 32, 40].map(|bits| pick(&SENTENCES, random >> bits));
        let apart = self.count / MATCHES;
        let sought = number.is_multiple_of(apart) && number / apart < MATCHES;
        Row {
            external_id: self.external_ids.then(|| format!("crm-{number:08}")),
            name: format!("{first} {last}"),
            email: format!("{first}.{last}.{}@{domain}", (random >> 40) % 10_000).to_lowercase(),
            message: sentences.join(" "),
            status: STATUSES[usize::try_from(random >> 61).expect("three bits fit")],
            submitted_at: self.time(number),
            campaign: match number % 3 {
                _ if sought => Some(SOUGHT.to_owned()),
                0 => Some(format!("c{}", (random >> 48) % 200)),
                _ => None,
            },
        }
    }
}

/// What `write_line` writes.
pub(crate) const COLUMNS: &str =
    "id, external_id, name, email, message, status, submitted_at, document_insights";

struct Row {
    external_id: Option<String>,
    name: String,
    email: String,
    message: String,
    status: SubmissionStatus,
    submitted_at: DateTime<Utc>,
    campaign: Option<String>,
}

/// An id as the service makes them.
pub(crate) fn mint_id(at: DateTime<Utc>, random: u128) -> Uuid {
    let bytes = random.to_le_bytes();
    let random = bytes.first_chunk().expect("sixteen bytes have ten");
    uuid::Builder::from_unix_timestamp_millis(at.timestamp_millis().unsigned_abs(), random).into_uuid()
}

/// A status as the column has it.
pub(crate) fn status_column(status: SubmissionStatus) -> &'static str {
    status.as_str_name().trim_start_matches("SUBMISSION_STATUS_")
}

/// Insights with this campaign and nothing else.
pub(crate) fn campaign_insights(campaign: &str) -> Struct {
    let value = Value { kind: Some(Kind::StringValue(campaign.to_owned())) };
    Struct { fields: [("campaign".to_owned(), value)].into() }
}

/// As good as random, and always the same: the finalizer of `SplitMix64`.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn pick(of: &[&'static str], random: u64) -> &'static str {
    let length = u64::try_from(of.len()).expect("a short list");
    of[usize::try_from(random % length).expect("it is below the length")]
}
