//! Whether each visit was given a number of its own.

use crate::Result;

/// The numbers that one connection was given.
#[derive(Default)]
pub(super) struct Visits(Vec<u64>);

impl Visits {
    pub(super) fn add(&mut self, number: u64) -> Result<()> {
        if self.0.last().is_some_and(|last| *last >= number) {
            return Err(format!("a visit was given {number} after a greater one").into());
        }
        self.0.push(number);
        Ok(())
    }

    /// Looks at those of all connections, and answers with how many there are.
    pub(super) fn count(all: impl IntoIterator<Item = Self>) -> Result<u64> {
        let mut numbers: Vec<u64> = all.into_iter().flat_map(|visits| visits.0).collect();
        numbers.sort_unstable();
        match numbers.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("two visits were given {}", pair[0]).into()),
            None => Ok(u64::try_from(numbers.len())?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visits(numbers: &[u64]) -> Visits {
        let mut visits = Visits::default();
        for number in numbers {
            visits.add(*number).unwrap();
        }
        visits
    }

    #[test]
    fn numbers_are_counted_over_all_connections() {
        assert_eq!(Visits::count([visits(&[1, 4]), visits(&[2, 3])]).unwrap(), 4);
    }

    #[test]
    fn a_number_given_twice_is_found() {
        assert!(Visits::count([visits(&[1, 4]), visits(&[2, 4])]).is_err());
        assert!(visits(&[1, 4]).add(4).is_err());
        assert!(visits(&[1, 4]).add(3).is_err());
    }
}
