//! Which bytes of a text JSON wants escaped.

/// What was seen of a text: nothing that matters.
pub(super) const PLAIN: u8 = 0;
/// There is something in it that JSON wants escaped.
const ESCAPE: u8 = 1;
/// There is something in it that is not ASCII.
pub(super) const NOT_ASCII: u8 = 0x80;

/// Copies a text to where there is just room for it, and says what was seen on the way.
///
/// Whole words are copied and looked at, the last of them overlapping the one before: texts are short, and going through
/// their last few bytes one by one would take longer than all of the rest.
#[inline]
pub(super) fn copy(from: &[u8], to: &mut [u8]) -> u8 {
    match from.len() {
        16.. => copy_blocks(from, to),
        8.. => {
            let first = copy_word(from.first_chunk(), to.first_chunk_mut());
            let last = copy_word(from.last_chunk(), to.last_chunk_mut());
            look_at_word(first) | look_at_word(last)
        }
        4.. => {
            let first = copy_half(from.first_chunk(), to.first_chunk_mut());
            let last = copy_half(from.last_chunk(), to.last_chunk_mut());
            look_at_word(u64::from(first) << 32 | u64::from(last))
        }
        _ => {
            to.copy_from_slice(from);
            from.iter().fold(PLAIN, |seen, &byte| seen | look(byte))
        }
    }
}

/// Text in blocks of sixteen bytes, which compilers know how to look at in one go.
fn copy_blocks(from: &[u8], to: &mut [u8]) -> u8 {
    let mut seen = [PLAIN; 16];
    for (from, to) in from.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
        *to = *from;
        look_at_block(from, &mut seen);
    }
    if let (Some(from), Some(to)) = (from.last_chunk(), to.last_chunk_mut()) {
        *to = *from;
        look_at_block(from, &mut seen);
    }
    seen.iter().fold(PLAIN, |all, seen| all | seen)
}

#[inline]
fn look_at_block(block: &[u8; 16], seen: &mut [u8; 16]) {
    for (byte, seen) in block.iter().zip(seen) {
        *seen |= look(*byte);
    }
}

#[inline]
fn look(byte: u8) -> u8 {
    let escape = u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    (escape * ESCAPE) | (byte & NOT_ASCII)
}

#[inline]
fn copy_word(from: Option<&[u8; 8]>, to: Option<&mut [u8; 8]>) -> u64 {
    let (Some(from), Some(to)) = (from, to) else { return 0 };
    *to = *from;
    u64::from_le_bytes(*from)
}

#[inline]
fn copy_half(from: Option<&[u8; 4]>, to: Option<&mut [u8; 4]>) -> u32 {
    let (Some(from), Some(to)) = (from, to) else { return 0 };
    *to = *from;
    u32::from_le_bytes(*from)
}

#[inline]
fn look_at_word(word: u64) -> u8 {
    let not_ascii = if word & HIGH == 0 { PLAIN } else { NOT_ASCII };
    if to_escape(word) == 0 { not_ascii } else { not_ascii | ESCAPE }
}

const EACH: u64 = u64::MAX / 255;
const HIGH: u64 = EACH * 0x80;

/// The highest bit of the first byte of eight that must be escaped, and of any of those behind it.
#[inline]
fn to_escape(word: u64) -> u64 {
    // Each subtraction borrows from the highest bit of a byte that is too small for it, and only then from the next byte.
    let control = word.wrapping_sub(EACH * 0x20);
    let quote = (word ^ (EACH * 0x22)).wrapping_sub(EACH);
    let backslash = (word ^ (EACH * 0x5c)).wrapping_sub(EACH);
    (control | quote | backslash) & !word & HIGH
}

/// Some text as it is, and what follows it in its escaped form.
pub(super) struct Piece<'t> {
    pub(super) plain: &'t [u8],
    pub(super) escaped: &'t [u8],
}

/// A text in pieces, each of them up to the next byte that must be escaped.
pub(super) fn pieces(text: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let length = plain_length(rest);
        let (plain, tail) = rest.split_at(length);
        let escaped = tail.first().map_or(&[][..], |&byte| escaped(byte));
        rest = tail.get(1..).unwrap_or_default();
        Some(Piece { plain, escaped })
    })
}

/// How far a text can be copied as it is; that what is not ASCII is UTF-8 was seen before.
fn plain_length(text: &[u8]) -> usize {
    let (words, tail) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let found = to_escape(u64::from_le_bytes(*word));
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let plain = |&byte: &u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    words.len() * 8 + tail.iter().take_while(|byte| plain(byte)).count()
}

fn escaped(byte: u8) -> &'static [u8] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    const CONTROL: [[u8; 6]; 32] = {
        let mut all = [*b"\\u0000"; 32];
        let mut code = 0;
        while code < 32 {
            all[code][4] = HEX[code >> 4];
            all[code][5] = HEX[code & 15];
            code += 1;
        }
        all
    };
    match byte {
        b'"' => b"\\\"",
        b'\\' => b"\\\\",
        b'\n' => b"\\n",
        b'\r' => b"\\r",
        b'\t' => b"\\t",
        0x08 => b"\\b",
        0x0c => b"\\f",
        control => CONTROL.get(usize::from(control)).map_or(&[], |text| text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the JSON of a text is, by a writer that everybody trusts.
    fn oracle(text: &str) -> String {
        serde_json::to_string(text).expect("text is JSON")
    }

    fn escape(text: &str) -> String {
        let whole = pieces(text.as_bytes()).flat_map(|piece| [piece.plain, piece.escaped].concat());
        format!("\"{}\"", String::from_utf8(whole.collect()).expect("escapes are ASCII"))
    }

    #[test]
    fn each_character_at_each_place() {
        let characters = (0..0x180).chain([0x2028, 0xd7ff, 0xfffd, 0x0001_f600, 0x0010_ffff]);
        for character in characters.filter_map(char::from_u32) {
            for before in 0..35 {
                for after in [0, 1, 3, 7, 8, 15, 16, 17, 40] {
                    let text = format!("{}{character}{}", "x".repeat(before), "y".repeat(after));
                    let json = oracle(&text);
                    assert_eq!(escape(&text), json);
                    let mut room = vec![0; text.len()];
                    let seen = copy(text.as_bytes(), &mut room);
                    assert_eq!(seen & ESCAPE != 0, json.len() != text.len() + 2, "{text:?}");
                    assert_eq!(seen & NOT_ASCII != 0, !text.is_ascii(), "{text:?}");
                    assert_eq!(room, text.as_bytes());
                }
            }
        }
    }

    #[test]
    fn neighbours_do_not_borrow() {
        let bytes = [0x00, 0x01, 0x1f, b' ', b'!', b'"', b'#', b'[', b'\\', b']', 0x7f];
        for first in bytes {
            for second in bytes {
                for third in bytes {
                    for length in [3, 4, 5, 8, 12, 16, 24] {
                        let text = [first, second, third].repeat(8)[..length].to_vec();
                        let text = String::from_utf8(text).expect("ASCII");
                        assert_eq!(escape(&text), oracle(&text));
                    }
                }
            }
        }
    }
}
