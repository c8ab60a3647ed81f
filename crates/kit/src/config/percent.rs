//! Percent escapes, as URLs have them.

/// The positions of `%` that do not begin an escape.
pub(super) fn strays(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices('%').map(|(at, _)| at).filter(move |at| escaped(&text.as_bytes()[*at..]).is_none())
}

/// The text with its escapes resolved; an error says what is wrong with them, and nothing of the text.
pub(super) fn decode(text: &str) -> Result<String, &'static str> {
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            decoded.push(
                escaped(rest).ok_or("holds a `%` without two hexadecimal digits after it; write `%25`")?,
            );
            rest = &rest[3..];
        } else {
            decoded.push(byte);
            rest = after;
        }
    }
    match String::from_utf8(decoded) {
        Ok(decoded) if decoded.contains('\0') => Err("holds `%00`, which PostgreSQL cannot take"),
        Ok(decoded) => Ok(decoded),
        Err(_) => Err("holds escapes that are not UTF-8"),
    }
}

/// The byte that the escape at the beginning stands for.
fn escaped(text: &[u8]) -> Option<u8> {
    let &[b'%', high, low, ..] = text else { return None };
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_once() {
        for (text, decoded) in
            [("", ""), ("a+b", "a+b"), ("%23%2f%2F", "#//"), ("%C3%A9", "é"), ("%2523", "%23"), ("é", "é")]
        {
            assert_eq!(decode(text).as_deref(), Ok(decoded), "{text}");
        }
    }

    #[test]
    fn broken_escapes_are_errors() {
        for wrong in ["%", "a%", "%2", "%zz", "%+1", "% 1", "%2é", "%é1", "%00", "%FF", "%C3"] {
            assert!(decode(wrong).is_err(), "{wrong}");
        }
        assert_eq!(strays("%41%%42%").collect::<Vec<_>>(), [3, 7]);
    }
}
