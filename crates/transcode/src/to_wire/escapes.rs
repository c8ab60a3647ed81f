//! What the escapes in a JSON string stand for.

use super::fault::{Fault, Parsed, shortened};

/// Appends what a string says that stood between quotes.
pub(super) fn write(raw: &str, out: &mut Vec<u8>) -> Parsed {
    let mut rest = raw;
    while let Some(plain) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..plain]);
        let escape = &rest.as_bytes()[plain + 1..];
        let byte = match escape.first() {
            Some(&byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let (letter, length) = unicode(escape)
                    .ok_or_else(|| Fault::new(format!("`{}` is no character", first_of(rest, plain, 12))))?;
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[plain + 1 + length..];
                continue;
            }
            _ => return Err(Fault::new(format!("`{}` is no escape of JSON", first_of(rest, plain, 2)))),
        };
        out.push(byte);
        rest = &rest[plain + 2..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(())
}

/// The character of `uXXXX`, or of two such that are a surrogate pair, and how long they are.
fn unicode(escape: &[u8]) -> Option<(char, usize)> {
    let first = unit(escape)?;
    if !(0xd800..0xe000).contains(&first) {
        return Some((char::from_u32(first)?, 5));
    }
    let second = unit(escape.get(5..)?.strip_prefix(b"\\")?)?;
    let is_pair = first < 0xdc00 && (0xdc00..0xe000).contains(&second);
    let letter = is_pair.then(|| 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))?;
    Some((char::from_u32(letter)?, 11))
}

fn unit(escape: &[u8]) -> Option<u32> {
    let digits = escape.strip_prefix(b"u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |number, &digit| Some(number << 4 | char::from(digit).to_digit(16)?))
}

fn first_of(text: &str, from: usize, length: usize) -> &str {
    let text = &text[from..];
    shortened(&text[..text.floor_char_boundary(length)])
}
