//! Lists without equal items.

use std::cmp::Ordering;

use crate::validate::{Path, Violations};

/// Up to this length every pair is compared; beyond it sorting, which allocates, is faster.
const FEW: usize = 32;

/// No two items are equal in this order.
pub fn unique<T>(items: &[T], order: impl Fn(&T, &T) -> Ordering, at: &Path<'_>, out: &mut Violations) {
    let pair = if items.len() <= FEW { among_few(items, &order) } else { among_many(items, &order) };
    if let Some((first, second)) = pair {
        out.add(at, format_args!("must not contain an item twice: items {first} and {second} are equal"));
    }
}

fn among_few<T>(items: &[T], order: &impl Fn(&T, &T) -> Ordering) -> Option<(usize, usize)> {
    items.iter().enumerate().find_map(|(second, item)| {
        let first = items[..second].iter().position(|other| order(other, item).is_eq())?;
        Some((first, second))
    })
}

fn among_many<T>(items: &[T], order: &impl Fn(&T, &T) -> Ordering) -> Option<(usize, usize)> {
    let mut indices: Vec<usize> = (0..items.len()).collect();
    indices.sort_by(|&left, &right| order(&items[left], &items[right]));
    indices
        .windows(2)
        .find(|pair| order(&items[pair[0]], &items[pair[1]]).is_eq())
        .map(|pair| (pair[0], pair[1]))
}
