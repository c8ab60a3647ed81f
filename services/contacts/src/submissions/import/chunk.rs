//! The submissions that are stored together, as PostgreSQL's binary `copy` wants them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use chrono::{DateTime, Datelike as _, Utc};
use prost::Message as _;
use selvedge_proto::contacts::v1::{RefusedSubmission, Submission};
use selvedge_proto::{Violations, check};

use super::super::EXTERNAL_ID_TAKEN;
use super::super::new::New;

const INVALID_SUBMISSION: &str = "INVALID_SUBMISSION";

/// A chunk is full when it has seen so many submissions, or has so many bytes of them. The proto says so as well.
const MAX_ROWS: usize = 5_000;
const MAX_BYTES: usize = 8 << 20;

/// What is said about a refused submission stays short, whatever is in it.
const MAX_DESCRIPTION_CHARS: usize = 1_000;
const MAX_EXTERNAL_ID_CHARS: usize = 255;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// PostgreSQL counts microseconds from the year 2000.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

pub(super) struct Chunk {
    /// The place of the next submission in the stream, from 1 on.
    next_row: i64,
    rows: usize,
    bytes: usize,
    lines: Vec<Line>,
    /// The data of all lines.
    data: Vec<u8>,
    external_ids: HashSet<String>,
    months: HashMap<(i32, u32), DateTime<Utc>>,
    refused: Vec<RefusedSubmission>,
}

/// A submission that can be stored, unless its external id turns out to be taken.
struct Line {
    row: i64,
    external_id: Option<String>,
    data: Range<usize>,
}

impl Chunk {
    /// An empty one, for the stream from this row on.
    pub(super) fn new(next_row: i64) -> Self {
        Self {
            next_row,
            rows: 0,
            bytes: 0,
            lines: vec![],
            data: vec![],
            external_ids: HashSet::new(),
            months: HashMap::new(),
            refused: vec![],
        }
    }

    pub(super) fn next_row(&self) -> i64 {
        self.next_row
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows >= MAX_ROWS || self.bytes >= MAX_BYTES
    }

    /// Takes the next submission, or refuses it.
    pub(super) fn add(&mut self, submission: Submission, now: DateTime<Utc>) {
        let row = self.next_row;
        self.next_row += 1;
        self.rows += 1;
        self.bytes += submission.encoded_len();
        let external_id = submission.external_id.clone();
        let new = match check(&submission) {
            Ok(()) => New::of(submission, now).map_err(|wrong| wrong.to_string()),
            Err(violations) => Err(described(violations)),
        };
        match new {
            Err(description) => self.refuse(row, external_id, INVALID_SUBMISSION, &description),
            Ok(_) if external_id.as_ref().is_some_and(|id| !self.external_ids.insert(id.clone())) => {
                self.refuse(row, external_id, EXTERNAL_ID_TAKEN, "came before in the same import");
            }
            Ok(new) => {
                let begin = self.data.len();
                write(&mut self.data, &new);
                self.lines.push(Line { row, external_id, data: begin..self.data.len() });
                self.months.insert((new.submitted_at.year(), new.submitted_at.month()), new.submitted_at);
            }
        }
    }

    /// A time of each month that has a submission.
    pub(super) fn months(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.months.values().copied()
    }

    /// Those that are to be stored.
    pub(super) fn external_ids(&self) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.external_id.as_deref()).collect()
    }

    /// Refuses those with one of these external ids.
    pub(super) fn refuse_taken(&mut self, taken: &HashSet<String>) {
        let is_taken = |line: &mut Line| line.external_id.as_ref().is_some_and(|id| taken.contains(id));
        let refused: Vec<Line> = self.lines.extract_if(.., is_taken).collect();
        for Line { row, external_id, .. } in refused {
            self.refuse(row, external_id, EXTERNAL_ID_TAKEN, "there is such a submission already");
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What `copy` reads. It is in order of the external ids, so that two imports that want the same do not wait for each
    /// other.
    pub(super) fn data(&mut self) -> Vec<u8> {
        self.lines.sort_by(|one, other| one.external_id.cmp(&other.external_id));
        let mut data = Vec::with_capacity(HEADER.len() + self.data.len() + TRAILER.len());
        data.extend(HEADER);
        for line in &self.lines {
            data.extend(&self.data[line.data.clone()]);
        }
        data.extend(TRAILER);
        data
    }

    /// Those that were refused, in the order in which they came.
    pub(super) fn into_refused(mut self) -> Vec<RefusedSubmission> {
        self.refused.sort_by_key(|refused| refused.row);
        self.refused
    }

    fn refuse(&mut self, row: i64, external_id: Option<String>, reason: &str, description: &str) {
        self.refused.push(RefusedSubmission {
            row,
            external_id: external_id.map(|id| shortened(&id, MAX_EXTERNAL_ID_CHARS)),
            reason: reason.to_owned(),
            description: shortened(description, MAX_DESCRIPTION_CHARS),
        });
    }
}

fn described(violations: Violations) -> String {
    let each = violations.into_vec().into_iter().map(|it| format!("{} {}", it.field, it.description));
    each.collect::<Vec<_>>().join("; ")
}

fn shortened(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

/// A row: the number of its fields, then each with its length before it, or -1 where there is none.
fn write(data: &mut Vec<u8>, new: &New) {
    const FIELDS: i16 = 8;
    data.extend(FIELDS.to_be_bytes());
    field(data, new.id.as_bytes());
    match &new.external_id {
        Some(id) => field(data, id.as_bytes()),
        None => data.extend((-1_i32).to_be_bytes()),
    }
    for text in [&new.name, &new.email, &new.message, new.status] {
        field(data, text.as_bytes());
    }
    field(data, &(new.submitted_at.timestamp_micros() - EPOCH_MICROS).to_be_bytes());
    // The binary form of jsonb: its version, then its text.
    field(data, format!("\u{1}{}", new.document_insights).as_bytes());
}

fn field(data: &mut Vec<u8>, value: &[u8]) {
    data.extend(i32::try_from(value.len()).expect("a message is small").to_be_bytes());
    data.extend_from_slice(value);
}
