//! Where the plain part of a JSON string ends.

/// The place of the first quote, backslash or control character from `at` on; the end of the text if there is none.
#[inline]
pub(super) fn end_of_plain(json: &[u8], mut at: usize) -> usize {
    while let Some(block) = json.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = first_special(*block);
        if found < WIDTH {
            return at + found;
        }
        at += WIDTH;
    }
    while json.get(at).is_some_and(|&byte| !is_special(byte)) {
        at += 1;
    }
    at.min(json.len())
}

fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

const WIDTH: usize = 8;

/// All eight bytes at once. Of several that are special only the first is certain, which is the one that is asked for.
#[inline]
fn first_special(block: [u8; WIDTH]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let block = u64::from_le_bytes(block);
    let zeros = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
    let quote = zeros(block ^ (ONES * u64::from(b'"')));
    let backslash = zeros(block ^ (ONES * u64::from(b'\\')));
    let control = block.wrapping_sub(ONES * 0x20) & !block;
    ((quote | backslash | control) & HIGH).trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_byte_by_byte() {
        for length in 0..70 {
            for special in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'a'; length];
                    text[special] = byte;
                    // A second one behind it must not hide the first.
                    if let Some(next) = text.get_mut(special + 2) {
                        *next = b'"';
                    }
                    let expected = text.iter().position(|&byte| is_special(byte)).unwrap_or(length);
                    assert_eq!(end_of_plain(&text, 0), expected, "{byte} at {special} of {length}");
                }
            }
        }
        assert_eq!(end_of_plain(b"", 0), 0);
        assert_eq!(end_of_plain(b"a", 7), 1, "behind the end is at the end");
    }
}
