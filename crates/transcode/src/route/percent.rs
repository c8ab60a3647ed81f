//! Percent-encoding, strictly: what is not well-formed is an error, not itself.

use std::borrow::Cow;

/// What an encoded text may hold besides.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Nothing.
    Segment,
    /// Slashes between segments; an encoded one stays encoded, so that it can be told from those.
    Segments,
    /// `+` for a space.
    Form,
}

/// The text that was encoded, or why it cannot be.
pub(crate) fn decode(text: &str, dialect: Dialect) -> Result<Cow<'_, str>, &'static str> {
    let is_special = |byte: &u8| *byte == b'%' || (*byte == b'+' && dialect == Dialect::Form);
    let Some(first) = text.bytes().position(|byte| is_special(&byte)) else { return Ok(Cow::Borrowed(text)) };
    let mut decoded = Vec::with_capacity(text.len());
    let (plain, mut rest) = text.as_bytes().split_at(first);
    decoded.extend_from_slice(plain);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if !is_special(&byte) {
            decoded.push(byte);
        } else if byte == b'+' {
            decoded.push(b' ');
        } else {
            let [high, low, after @ ..] = after else { return Err("ends within a percent-encoding") };
            let value = hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low);
            match value.ok_or("has a `%` that is not followed by two hexadecimal digits")? {
                b'/' if dialect == Dialect::Segments => decoded.extend_from_slice(&[b'%', *high, *low]),
                value => decoded.push(value),
            }
            rest = after;
        }
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| "is not UTF-8 when decoded")
}

/// Encodes all but the characters that http.proto leaves alone. Of several segments, slashes and the encoded slashes that
/// [`decode`] left are what they are.
pub(crate) fn encode(text: &str, dialect: Dialect, out: &mut String) {
    for (at, byte) in text.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let is_slash = || byte == b'/' || text.as_bytes()[at..].get(..3).is_some_and(is_encoded_slash);
        if is_plain || (dialect == Dialect::Segments && is_slash()) {
            out.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value)]);
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

fn is_encoded_slash(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"%2f")
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
