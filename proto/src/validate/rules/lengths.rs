//! Lengths of text, bytes, lists and maps.

use crate::validate::{Path, Violations};

/// What a length counts.
#[derive(Clone, Copy)]
pub enum Unit {
    /// Unicode scalar values of a string.
    Characters,
    /// Bytes of a string or of bytes.
    Bytes,
    /// Items of a list.
    Items,
    /// Entries of a map.
    Entries,
}

/// `actual == wanted`.
pub fn same_len(actual: usize, wanted: usize, unit: Unit, at: &Path<'_>, out: &mut Violations) {
    if actual != wanted {
        add("exactly", actual, wanted, unit, at, out);
    }
}

/// `actual >= limit`.
pub fn min_len(actual: usize, limit: usize, unit: Unit, at: &Path<'_>, out: &mut Violations) {
    if actual < limit {
        if limit == 1 {
            out.add(at, format_args!("must not be empty"));
        } else {
            add("at least", actual, limit, unit, at, out);
        }
    }
}

/// `actual <= limit`.
pub fn max_len(actual: usize, limit: usize, unit: Unit, at: &Path<'_>, out: &mut Violations) {
    if actual > limit {
        add("at most", actual, limit, unit, at, out);
    }
}

fn add(relation: &str, actual: usize, limit: usize, unit: Unit, at: &Path<'_>, out: &mut Violations) {
    let (one, many) = match unit {
        Unit::Characters => ("character long, is", "characters long, is"),
        Unit::Bytes => ("byte long, is", "bytes long, is"),
        Unit::Items => ("item, has", "items, has"),
        Unit::Entries => ("entry, has", "entries, has"),
    };
    let verb = if matches!(unit, Unit::Characters | Unit::Bytes) { "be" } else { "have" };
    let counted = if limit == 1 { one } else { many };
    out.add(at, format_args!("must {verb} {relation} {limit} {counted} {actual}"));
}
