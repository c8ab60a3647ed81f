//! Passing over values that nobody asked for.

use std::collections::HashMap;

use super::{END, FIXED_32, FIXED_64, LENGTH, Malformed, START, VARINT, bytes, fixed, tag, varint};

/// Passes over the value behind a tag; a group with all that is in it.
pub(crate) fn skip(tag: u32, rest: &mut &[u8]) -> Result<(), Malformed> {
    match tag & 7 {
        START => group(tag, rest, None).map(drop),
        _ => skip_one(tag, rest),
    }
}

fn skip_one(tag: u32, rest: &mut &[u8]) -> Result<(), Malformed> {
    match tag & 7 {
        VARINT => varint(rest).map(drop),
        FIXED_64 => fixed::<8>(rest).map(drop),
        LENGTH => bytes(rest).map(drop),
        FIXED_32 => fixed::<4>(rest).map(drop),
        END => Err(Malformed::Group),
        _ => Err(Malformed::Tag),
    }
}

/// Where groups end that are inside of groups which were passed over.
///
/// The end of a group is found by reading all of it. Groups in groups would be read once for each group around them, were
/// it not for this.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// The length of what is in a group, by the address of its first byte.
    lengths: HashMap<usize, usize>,
}

impl Groups {
    /// Reads a group behind its first tag, its last tag included; gives what is between them.
    pub(crate) fn read<'w>(&mut self, tag: u32, rest: &mut &'w [u8]) -> Result<&'w [u8], Malformed> {
        if let Some(&length) = self.lengths.get(&address(rest)) {
            let (content, tail) = rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
            *rest = tail;
            super::tag(rest)?;
            return Ok(content);
        }
        group(tag, rest, Some(self))
    }
}

fn address(rest: &[u8]) -> usize {
    rest.as_ptr() as usize
}

fn group<'w>(
    outermost: u32,
    rest: &mut &'w [u8],
    mut groups: Option<&mut Groups>,
) -> Result<&'w [u8], Malformed> {
    let whole = *rest;
    // The groups that are open, with the places where they began. No recursion: they may be a million deep.
    let mut open = vec![];
    let mut innermost = (outermost, whole);
    loop {
        let before = *rest;
        let next = tag(rest)?;
        match next & 7 {
            START => open.push(std::mem::replace(&mut innermost, (next, *rest))),
            END if next >> 3 != innermost.0 >> 3 => return Err(Malformed::Group),
            END => {
                let content = &innermost.1[..innermost.1.len() - before.len()];
                let Some(outer) = open.pop() else { return Ok(content) };
                if let Some(groups) = &mut groups {
                    groups.lengths.insert(address(content), content.len());
                }
                innermost = outer;
            }
            _ => skip_one(next, rest)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_end_where_they_began() {
        // 1 { 2: 5  3 { } } 4: 6
        let wire = [0x0b, 0x10, 5, 0x1b, 0x1c, 0x0c, 0x20, 6];
        let mut rest = &wire[1..];
        assert_eq!(Groups::default().read(0x0b, &mut rest), Ok(&wire[1..5]));
        assert_eq!(rest, [0x20, 6]);
        let mut rest = &wire[1..];
        assert_eq!(skip(0x0b, &mut rest), Ok(()));
        assert_eq!(rest, [0x20, 6]);
        assert_eq!(skip(0x0b, &mut [0x14].as_slice()), Err(Malformed::Group));
        assert_eq!(skip(0x0b, &mut [0x10, 5].as_slice()), Err(Malformed::Truncated));
        assert_eq!(skip(0x0c, &mut [0x10, 5].as_slice()), Err(Malformed::Group));
        assert_eq!(skip(0x0e, &mut [0x10, 5].as_slice()), Err(Malformed::Tag));
    }

    #[test]
    fn inner_groups_are_found_again() {
        let wire = [0x1b, 0x13, 0x10, 5, 0x14, 0x1c, 0x0c];
        let mut groups = Groups::default();
        let content = groups.read(0x0b, &mut wire.as_slice()).expect("a group");
        let mut inner = &content[1..];
        assert_eq!(groups.lengths.get(&address(inner)), Some(&4));
        assert_eq!(groups.read(0x1b, &mut inner), Ok(&wire[1..5]));
        assert!(inner.is_empty());
    }

    #[test]
    fn depth_costs_no_stack() {
        let mut wire = vec![0x0b; 1_000_000];
        wire.resize(2_000_001, 0x0c);
        let mut rest = wire.as_slice();
        assert_eq!(skip(0x0b, &mut rest), Ok(()));
        assert!(rest.is_empty());
    }
}
