//! How far a conversation may go from where it is.

use selvedge_proto::contacts::v1::SubmissionStatus::{
    self, Closed, Contacted, New, Qualified, Spam, Unspecified,
};

/// Every status there is.
pub(super) const ALL: [SubmissionStatus; 5] = [New, Contacted, Qualified, Closed, Spam];

/// Every move there is.
const MOVES: [(SubmissionStatus, SubmissionStatus); 10] = [
    (New, Contacted),
    (New, Qualified),
    (New, Closed),
    (New, Spam),
    (Contacted, Qualified),
    (Contacted, Closed),
    (Contacted, Spam),
    (Qualified, Closed),
    (Closed, Contacted),
    (Spam, New),
];

const PREFIX: &str = "SUBMISSION_STATUS_";

/// The statuses that may become this one; each may stay what it is.
pub(super) fn may_become(status: SubmissionStatus) -> Vec<&'static str> {
    let before = MOVES.iter().filter(|(_, to)| *to == status).map(|(from, _)| *from);
    before.chain([status]).filter_map(to_column).collect()
}

/// As the column has it; `None` for the absence of a status.
pub(super) fn to_column(status: SubmissionStatus) -> Option<&'static str> {
    (status != Unspecified).then(|| status.as_str_name().trim_start_matches(PREFIX))
}

/// The column's constraint rules out all that is not a status.
pub(super) fn from_column(text: &str) -> SubmissionStatus {
    SubmissionStatus::from_str_name(&format!("{PREFIX}{text}")).unwrap_or(Unspecified)
}
