//! What callers ask for, and what each of them would be told alone.

use std::collections::HashMap;

use rand::Rng as _;
use rand::rngs::StdRng;
use selvedge_kit::idempotency::Repeatable;
use selvedge_kit::{Code, Error};

/// The values that notes may have are smaller.
pub(crate) const TOO_LARGE: i32 = 100;
/// A key that a note has from the beginning.
pub(crate) const TAKEN: i32 = 7;
/// The rest of the keys that several want.
const WANTED: std::ops::Range<i32> = 10..14;
/// The notes that are there from the beginning have these ids; and this is what is in the one with an id.
pub(crate) const READABLE: std::ops::Range<i64> = 1..21;
pub(crate) fn readable(id: i64) -> i32 {
    i32::try_from(id).unwrap() * 3
}

/// A call of some caller.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) number: i32,
    pub(crate) lane: &'static str,
    pub(crate) what: What,
    pub(crate) request: Option<Repeatable>,
    request_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// What is in a note; -1 where there is none.
    Read(i64),
    /// A new note, answered with its id.
    Insert { key: Option<i32>, value: i32 },
}

/// What a caller was told.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answer(i64),
    Refused(&'static str),
    /// It may or may not have been done.
    Unknown,
}

/// A note as it is stored.
#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: i64,
    number: i32,
    key: Option<i32>,
    value: i32,
}

impl Outcome {
    pub(crate) fn of(answer: Result<i64, Error>) -> Self {
        match answer {
            Ok(answer) => Self::Answer(answer),
            Err(error) => match error.code() {
                Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => Self::Unknown,
                _ => Self::Refused(error.reason()),
            },
        }
    }
}

impl Call {
    /// Calls share request ids with those that have the same `first`.
    pub(crate) fn random(random: &mut StdRng, first: i32, number: i32) -> Self {
        let own = format!("own {number}");
        let insert = |key, value, id: String| (What::Insert { key, value }, id);
        let (what, request_id) = match random.random_range(0..16) {
            0..4 => (What::Read(random.random_range(1..READABLE.end + 5)), String::new()),
            4..6 => insert(None, 1, String::new()),
            6..8 => insert(None, 1, own),
            8 => insert(None, TOO_LARGE, own),
            9 => insert(Some(TAKEN), 1, String::new()),
            10 => insert(Some(random.random_range(WANTED)), 1, String::new()),
            11 => insert(Some(random.random_range(WANTED)), 1, own),
            // Somebody asks again and again; now and then it is another request under the same id.
            _ => insert(
                None,
                1 + i32::from(random.random_ratio(1, 5)),
                format!("same {first} {}", random.random_range(0..8)),
            ),
        };
        let request = Repeatable::new(&request_id, &format!("{what:?}"));
        Self { number, lane: ["", "a", "b"][random.random_range(0..3)], what, request, request_id }
    }

    /// Whether asking again finds out what became of it.
    pub(crate) fn may_be_repeated(&self) -> bool {
        self.request.is_some() || matches!(self.what, What::Read(_))
    }

    /// Whether it may be told this, as far as it alone is concerned.
    fn may_be_refused(&self, reason: &str) -> bool {
        match self.what {
            What::Read(_) => false,
            What::Insert { value: TOO_LARGE, .. } => reason == "VALUE_TOO_LARGE",
            What::Insert { key: Some(_), .. } => reason == "KEY_TAKEN",
            What::Insert { .. } => reason == "REQUEST_ID_REUSED" && self.request_id.starts_with("same"),
        }
    }
}

/// What is wrong with what callers were told, and with what is stored now.
pub(crate) fn violations(told: &[(Call, Outcome)], rows: &[Row]) -> Vec<String> {
    let mut wrong = vec![];
    let by_id: HashMap<i64, &Row> = rows.iter().map(|row| (row.id, row)).collect();
    let mut known_ids: HashMap<&str, Vec<i64>> = HashMap::new();
    for (call, outcome) in told {
        let own = rows.iter().filter(|row| row.number == call.number).count();
        if own > 1 {
            wrong.push(format!("{call:?} has {own} rows"));
        }
        match (call.what, outcome) {
            (_, Outcome::Unknown) => {}
            (What::Read(id), Outcome::Answer(answer)) => {
                let expected = if READABLE.contains(&id) { readable(id).into() } else { -1 };
                if *answer != expected {
                    wrong.push(format!("{call:?} was answered with {answer}, not {expected}"));
                }
            }
            (What::Insert { key, value }, Outcome::Answer(id)) => {
                known_ids.entry(&call.request_id).or_default().push(*id);
                let is_its_own = |row: &&Row| {
                    let shares = call.request_id.starts_with("same");
                    (row.key, row.value) == (key, value) && (row.number == call.number || shares)
                };
                let never = key == Some(TAKEN) || value == TOO_LARGE;
                if never || !by_id.get(id).is_some_and(is_its_own) {
                    wrong.push(format!("{call:?} was answered with {id}, which is not its own"));
                }
            }
            (_, Outcome::Refused(reason)) => {
                if !call.may_be_refused(reason) || own > 0 {
                    wrong.push(format!("{call:?} was refused with {reason} and has {own} rows"));
                }
            }
        }
    }
    wrong.extend(wrong_with_keys(told, rows));
    wrong.extend(wrong_with_requests(told, rows, &known_ids));
    wrong
}

/// Of several that want the same key one gets it; the others are refused because it has.
fn wrong_with_keys(told: &[(Call, Outcome)], rows: &[Row]) -> Vec<String> {
    let mut wrong = vec![];
    for wanted in WANTED {
        let wants = |call: &Call| matches!(call.what, What::Insert { key, .. } if key == Some(wanted));
        let refused = told.iter().any(|(call, told)| wants(call) && matches!(told, Outcome::Refused(_)));
        if refused && !rows.iter().any(|row| row.key == Some(wanted)) {
            wrong.push(format!("the key {wanted} was refused and nobody has it"));
        }
    }
    wrong
}

/// A request id stands for one row, whoever asked for it and however often.
fn wrong_with_requests(
    told: &[(Call, Outcome)],
    rows: &[Row],
    known_ids: &HashMap<&str, Vec<i64>>,
) -> Vec<String> {
    let mut wrong = vec![];
    for (request_id, ids) in known_ids.iter().filter(|(request_id, _)| !request_id.is_empty()) {
        if ids.iter().any(|id| *id != ids[0]) {
            wrong.push(format!("a request id stands for several answers: {request_id}, {ids:?}"));
        }
    }
    let mut stored: HashMap<&str, usize> = HashMap::new();
    for (call, _) in told.iter().filter(|(call, _)| call.request_id.starts_with("same")) {
        *stored.entry(&call.request_id).or_default() +=
            rows.iter().filter(|row| row.number == call.number).count();
    }
    for (request_id, stored) in stored {
        let settled = told
            .iter()
            .any(|(call, told)| call.request_id == request_id && !matches!(told, Outcome::Unknown));
        if stored > 1 || (settled && stored == 0) {
            wrong.push(format!("a request id stands for {stored} rows: {request_id}"));
        }
    }
    wrong
}
