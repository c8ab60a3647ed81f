//! Which bytes of a text JSON wants escaped.

/// Copies a text of the same length as the room for it, as long as nothing of it needs an escape and all of it is ASCII.
///
/// Otherwise what is in the room afterwards is of no use. Whole words are copied and looked at, the last of them
/// overlapping the one before: texts are short, and going through their last few bytes one by one would take longer than
/// all of the rest.
#[inline]
pub(super) fn copy_plain(from: &[u8], to: &mut [u8]) -> bool {
    match from.len() {
        16.. => copy_blocks(from, to),
        8.. => {
            let first = copy_word(from.first_chunk(), to.first_chunk_mut());
            let last = copy_word(from.last_chunk(), to.last_chunk_mut());
            !(has_special(first) | has_special(last))
        }
        4.. => {
            let first = copy_half(from.first_chunk(), to.first_chunk_mut());
            let last = copy_half(from.last_chunk(), to.last_chunk_mut());
            !has_special(u64::from(first) << 32 | u64::from(last))
        }
        _ => {
            to.copy_from_slice(from);
            from.iter().all(|&byte| special(byte) == 0)
        }
    }
}

/// Text in blocks of sixteen bytes, which compilers know how to look at in one go.
fn copy_blocks(from: &[u8], to: &mut [u8]) -> bool {
    let mut found = [0; 16];
    for (from, to) in from.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
        *to = *from;
        look(from, &mut found);
    }
    if let (Some(from), Some(to)) = (from.last_chunk(), to.last_chunk_mut()) {
        *to = *from;
        look(from, &mut found);
    }
    found.iter().fold(0, |all, byte| all | byte) == 0
}

#[inline]
fn look(block: &[u8; 16], found: &mut [u8; 16]) {
    for (byte, found) in block.iter().zip(found) {
        *found |= special(*byte);
    }
}

#[inline]
fn special(byte: u8) -> u8 {
    // As a signed number, what is not ASCII is below zero.
    u8::from(byte.cast_signed() < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\')
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

/// Whether any of eight bytes is special.
#[inline]
fn has_special(word: u64) -> bool {
    word & HIGH != 0 || to_escape(word) != 0
}

const EACH: u64 = u64::MAX / 255;
const HIGH: u64 = EACH * 0x80;

/// The highest bit of the first byte of eight that is ASCII and must be escaped, and of any of those behind it.
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
                    let is_plain = copy_plain(text.as_bytes(), &mut room);
                    assert_eq!(is_plain, text.is_ascii() && json.len() == text.len() + 2, "{text:?}");
                    assert!(!is_plain || room == text.as_bytes());
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
