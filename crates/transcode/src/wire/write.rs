//! Appending to a message.

/// Appends a number in groups of seven bits.
#[inline]
pub(crate) fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_bits(value));
}

/// Appends what comes before a value: the number of its field, and how it is written.
#[inline]
pub(crate) fn write_tag(out: &mut Vec<u8>, number: u32, wire_type: u32) {
    write_varint(out, u64::from(number << 3 | wire_type));
}

/// Leaves room for the length of what is appended from now on, and tells where: for [`close`].
#[inline]
pub(crate) fn open(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Writes the length of what was appended since [`open`]. Most of it is short, so that one byte was left for its length;
/// what is longer moves.
#[inline]
pub(crate) fn close(out: &mut Vec<u8>, opened: usize) {
    let length = out.len() - opened;
    if length < 0x80 {
        out[opened - 1] = low_bits(length as u64);
    } else {
        close_long(out, opened, length);
    }
}

fn close_long(out: &mut Vec<u8>, opened: usize, length: usize) {
    let bits = (usize::BITS - length.leading_zeros()) as usize;
    let more = bits.div_ceil(7) - 1;
    out.resize(out.len() + more, 0);
    out.copy_within(opened..opened + length, opened + more);
    let mut rest = length as u64;
    for byte in &mut out[opened - 1..opened + more - 1] {
        *byte = low_bits(rest) | 0x80;
        rest >>= 7;
    }
    out[opened + more - 1] = low_bits(rest);
}

#[inline]
fn low_bits(value: u64) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_all_sizes_come_before_what_they_measure() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152] {
            let mut out = vec![7];
            let opened = open(&mut out);
            out.extend((0..length).map(|at: u32| at.to_le_bytes()[0]));
            close(&mut out, opened);
            let mut rest = &out[1..];
            let content = crate::wire::bytes(&mut rest).expect("a length with its bytes");
            assert!(content.iter().copied().eq((0..length).map(|at| at.to_le_bytes()[0])), "{length}");
            assert!(rest.is_empty() && out[0] == 7);
        }
    }

    #[test]
    fn varints_of_all_lengths() {
        for shift in 0..64 {
            for number in [1 << shift, u64::MAX >> shift] {
                let (mut ours, mut theirs) = (vec![], vec![]);
                write_varint(&mut ours, number);
                prost::encoding::encode_varint(number, &mut theirs);
                assert_eq!(ours, theirs);
            }
        }
    }
}
