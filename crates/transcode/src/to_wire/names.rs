//! Numbers by name: a hash table that is built once and whose names nobody outside can choose.

/// What is looked up by its name.
#[derive(Debug)]
pub(super) struct Names {
    /// At least half of them are empty, and their number is a power of two.
    slots: Box<[Option<Slot>]>,
}

#[derive(Clone, Debug)]
struct Slot {
    hash: u64,
    name: Box<str>,
    value: u32,
}

impl Names {
    /// Of two equal names the first counts.
    pub(super) fn new<'n>(names: impl Iterator<Item = (&'n str, u32)> + Clone) -> Self {
        let size = (names.clone().count() * 2 + 1).next_power_of_two();
        let mut table = Self { slots: vec![None; size].into() };
        for (name, value) in names {
            let hash = hash(name.as_bytes());
            let at = table.find(hash, name);
            table.slots[at].get_or_insert_with(|| Slot { hash, name: name.into(), value });
        }
        table
    }

    #[inline]
    pub(super) fn get(&self, name: &str) -> Option<u32> {
        let at = self.find(hash(name.as_bytes()), name);
        self.slots[at].as_ref().map(|slot| slot.value)
    }

    /// Where the name is, or where it would be.
    fn find(&self, hash: u64, name: &str) -> usize {
        let mask = self.slots.len() - 1;
        // The upper half is the better mixed one.
        let mut at = (hash >> 32) as usize & mask;
        while self.slots[at].as_ref().is_some_and(|slot| slot.hash != hash || &*slot.name != name) {
            at = (at + 1) & mask;
        }
        at
    }
}

fn hash(name: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = name.as_chunks::<8>();
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    let hash = words.iter().fold(name.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    mix(hash, rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        for count in [0, 1, 2, 3, 100, 2_000] {
            let names = (0..count).map(|at| format!("field_with_a_longer_name_{at}")).collect::<Vec<_>>();
            let table = Names::new(names.iter().map(String::as_str).zip(0..));
            for (name, at) in names.iter().zip(0..) {
                assert_eq!(table.get(name), Some(at));
                assert_eq!(table.get(&name[1..]), None);
            }
            assert_eq!(table.get(""), None);
        }
        assert_eq!(Names::new([("a", 1), ("a", 2)].into_iter()).get("a"), Some(1));
    }
}
