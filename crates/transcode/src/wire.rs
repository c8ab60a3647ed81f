//! The protobuf wire format, as far as both directions need it.

mod skip;
mod write;

pub(crate) use skip::{Groups, skip};
pub(crate) use write::{close, open, write_tag, write_varint};

/// The wire type of integers of variable length.
pub(crate) const VARINT: u32 = 0;
/// The wire type of eight bytes.
pub(crate) const FIXED_64: u32 = 1;
/// The wire type of what says its length: text, messages, packed lists.
pub(crate) const LENGTH: u32 = 2;
/// The wire type of the beginning of a group.
pub(crate) const START: u32 = 3;
/// The wire type of the end of a group.
pub(crate) const END: u32 = 4;
/// The wire type of four bytes.
pub(crate) const FIXED_32: u32 = 5;

/// Bytes that are no message at all, whatever its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// The message ends in the middle of something.
    Truncated,
    /// A varint of more than ten bytes.
    Varint,
    /// A tag with the field number 0 or one that is too large, or with a wire type that does not exist.
    Tag,
    /// The end of a group without its beginning, or the other way round.
    Group,
}

impl Malformed {
    /// In words.
    pub(crate) fn problem(self) -> &'static str {
        match self {
            Self::Truncated => "the message is cut off",
            Self::Varint => "a varint has more than ten bytes",
            Self::Tag => "a tag is invalid",
            Self::Group => "the beginning and the end of a group do not match",
        }
    }
}

/// Reads a varint.
#[inline]
pub(crate) fn varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    match **rest {
        [first, ref tail @ ..] if first < 0x80 => {
            *rest = tail;
            Ok(u64::from(first))
        }
        [first, second, ref tail @ ..] if second < 0x80 => {
            *rest = tail;
            Ok(u64::from(first & 0x7f) | u64::from(second) << 7)
        }
        _ => long_varint(rest),
    }
}

fn long_varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    let Some(word) = rest.first_chunk().map(|word| u64::from_le_bytes(*word)) else {
        return slow_varint(rest);
    };
    // The first byte whose highest bit is not set is the last one.
    let last = !word & 0x8080_8080_8080_8080;
    if last == 0 {
        return slow_varint(rest);
    }
    *rest = &rest[last.trailing_zeros() as usize / 8 + 1..];
    // Seven bits of each byte up to it, pushed together in pairs, then in pairs of pairs, and so on.
    let word = word & (last ^ (last - 1)) & 0x7f7f_7f7f_7f7f_7f7f;
    let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
    Ok(word & 0x0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4)
}

/// Byte by byte: near the end of the message, or very long.
fn slow_varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    let mut number = 0;
    for (at, &byte) in rest.iter().take(10).enumerate() {
        // What does not fit into 64 bits is dropped, as everywhere.
        number |= u64::from(byte & 0x7f) << (at * 7);
        if byte < 0x80 {
            *rest = &rest[at + 1..];
            return Ok(number);
        }
    }
    Err(if rest.len() < 10 { Malformed::Truncated } else { Malformed::Varint })
}

/// Reads a tag: the number of a field times eight, plus its wire type.
#[inline]
pub(crate) fn tag(rest: &mut &[u8]) -> Result<u32, Malformed> {
    let tag = match **rest {
        [first, ref tail @ ..] if first < 0x80 => {
            *rest = tail;
            u32::from(first)
        }
        [first, second, ref tail @ ..] if second < 0x80 => {
            *rest = tail;
            u32::from(first & 0x7f) | u32::from(second) << 7
        }
        _ => u32::try_from(long_varint(rest)?).map_err(|_| Malformed::Tag)?,
    };
    if tag < 8 { Err(Malformed::Tag) } else { Ok(tag) }
}

/// Reads what says its length.
#[inline]
pub(crate) fn bytes<'w>(rest: &mut &'w [u8]) -> Result<&'w [u8], Malformed> {
    let length = varint(rest)?;
    let length = usize::try_from(length).map_err(|_| Malformed::Truncated)?;
    let (bytes, tail) = rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
    *rest = tail;
    Ok(bytes)
}

/// Reads four or eight bytes.
#[inline]
pub(crate) fn fixed<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (bytes, tail) = rest.split_first_chunk().ok_or(Malformed::Truncated)?;
    *rest = tail;
    Ok(*bytes)
}

/// The integer that zigzag coding makes of a varint.
#[inline]
pub(crate) fn zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_of_all_lengths() {
        for shift in 0..64 {
            for number in [1 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut wire = vec![];
                prost::encoding::encode_varint(number, &mut wire);
                wire.push(7);
                let mut rest = wire.as_slice();
                assert_eq!(varint(&mut rest), Ok(number));
                assert_eq!(rest, [7]);
                // With more behind it, there is a faster way.
                wire.extend([0xff; 8]);
                let mut rest = wire.as_slice();
                assert_eq!(varint(&mut rest), Ok(number));
                assert_eq!(rest.len(), 9);
            }
        }
        assert_eq!(varint(&mut [0x80; 9].as_slice()), Err(Malformed::Truncated));
        assert_eq!(varint(&mut [0x80; 10].as_slice()), Err(Malformed::Varint));
        assert_eq!(varint(&mut [].as_slice()), Err(Malformed::Truncated));
    }

    #[test]
    fn tags_have_a_number_that_fits() {
        assert_eq!(tag(&mut [0x08].as_slice()), Ok(8));
        assert_eq!(tag(&mut [0x02].as_slice()), Err(Malformed::Tag));
        assert_eq!(tag(&mut [0x80, 0x80, 0x80, 0x80, 0x10].as_slice()), Err(Malformed::Tag));
    }

    #[test]
    fn zigzag_goes_both_ways() {
        assert_eq!([0, 1, 2, u64::MAX, u64::MAX - 1].map(zigzag), [0, -1, 1, i64::MIN, i64::MAX]);
    }
}
