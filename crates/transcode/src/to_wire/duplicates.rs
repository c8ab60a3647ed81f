//! Which keys an object has had, and what becomes of those that come again.

use std::collections::HashMap;

use super::fault::{Fault, Parsed};
use super::plan::FieldPlan;
use crate::wire;

/// A set of small numbers: of the fields of most messages, without an allocation.
#[derive(Default)]
pub(super) struct Seen {
    first: [u64; 2],
    more: Vec<u64>,
}

impl Seen {
    /// Whether it was not there yet.
    #[inline]
    pub(super) fn insert(&mut self, number: usize) -> bool {
        let word = self.word(number);
        let bit = 1 << (number % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    pub(super) fn remove(&mut self, number: usize) {
        *self.word(number) &= !(1 << (number % 64));
    }

    pub(super) fn contains(&mut self, number: usize) -> bool {
        *self.word(number) & 1 << (number % 64) != 0
    }

    #[inline]
    fn word(&mut self, number: usize) -> &mut u64 {
        match number / 64 {
            word @ (0 | 1) => &mut self.first[word],
            word => {
                if self.more.len() < word - 1 {
                    self.more.resize(word - 1, 0);
                }
                &mut self.more[word - 2]
            }
        }
    }
}

/// The fields of an object that came again, where that is allowed: the last one wins.
#[derive(Default)]
pub(super) struct Again {
    /// The number of the field, and what had been written when it came again.
    fields: Vec<(u32, usize)>,
    /// The oneofs that are set, by which field.
    held: Vec<(usize, usize)>,
}

impl Again {
    pub(super) fn add(&mut self, field: &FieldPlan, written: usize) {
        self.fields.push((field.number, written));
    }

    /// A oneof is set by a field.
    pub(super) fn hold(&mut self, oneof: usize, field: usize) {
        self.held.push((oneof, field));
    }

    /// The oneof that a field had set, which it does no more.
    pub(super) fn release(&mut self, field: usize) -> Option<usize> {
        let at = self.held.iter().position(|&(_, holder)| holder == field)?;
        Some(self.held.swap_remove(at).0)
    }

    /// Takes out of a message what was written of fields before they came again. One walk, however many they are.
    #[inline]
    pub(super) fn remove_earlier(self, out: &mut Vec<u8>, from: usize) -> Parsed {
        if self.fields.is_empty() { Ok(()) } else { self.walk(out, from) }
    }

    #[cold]
    fn walk(self, out: &mut Vec<u8>, from: usize) -> Parsed {
        let last = self.fields.into_iter().collect::<HashMap<_, _>>();
        let (mut at, mut kept) = (from, from);
        while at < out.len() {
            let mut rest = &out[at..];
            let tag = wire::tag(&mut rest).and_then(|tag| wire::skip(tag, &mut rest).map(|()| tag));
            let tag = tag.map_err(|malformed| Fault::new(malformed.problem()))?;
            let end = out.len() - rest.len();
            if last.get(&(tag >> 3)).is_none_or(|&last| at >= last) {
                out.copy_within(at..end, kept);
                kept += end - at;
            }
            at = end;
        }
        out.truncate(kept);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_any_size() {
        let mut seen = Seen::default();
        for number in [0, 63, 64, 127, 128, 191, 192, 5_000] {
            assert!(!seen.contains(number));
            assert!(seen.insert(number), "{number} is new");
            assert!(!seen.insert(number), "{number} was there");
        }
        seen.remove(128);
        assert!(!seen.contains(128) && seen.contains(127) && seen.contains(191));
    }
}
