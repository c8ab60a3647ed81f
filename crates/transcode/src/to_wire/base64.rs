//! Bytes as text: both alphabets, with padding or without.

/// What each byte stands for; [`NONE`] for what stands for nothing.
const VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [NONE; 256];
    let mut at = 0;
    while at < 64 {
        #[expect(clippy::cast_possible_truncation, reason = "less than 64")]
        let value = at as u8;
        values[alphabet[at] as usize] = value;
        at += 1;
    }
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values
};

const NONE: u8 = 0xff;

/// How many bytes a text stands for, if it is base64 as far as its length tells.
pub(super) fn decoded_length(text: &[u8]) -> Option<usize> {
    let digits = without_padding(text)?;
    Some(digits.len() / 4 * 3 + digits.len() % 4 * 3 / 4)
}

/// Appends the bytes that a text stands for; `None` if it is not base64.
pub(super) fn decode(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let digits = without_padding(text)?;
    let (blocks, rest) = digits.as_chunks::<4>();
    for block in blocks {
        let [_, bytes @ ..] = value(*block)?.to_be_bytes();
        out.extend_from_slice(&bytes);
    }
    if !rest.is_empty() {
        let mut block = [b'A'; 4];
        block[..rest.len()].copy_from_slice(rest);
        let bytes = value(block)?.to_be_bytes();
        out.extend_from_slice(&bytes[1..rest.len()]);
    }
    Some(())
}

fn value(block: [u8; 4]) -> Option<u32> {
    let [a, b, c, d] = block.map(|byte| VALUES[byte as usize]);
    // None of the 64 values has the highest bit, and what stands for nothing has.
    ((a | b | c | d) & 0x80 == 0)
        .then(|| u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d))
}

/// Padding fills a block of four if it is there at all. One digit alone is less than a byte.
fn without_padding(text: &[u8]) -> Option<&[u8]> {
    let digits = match text {
        [digits @ .., b'=', b'='] | [digits @ .., b'='] => {
            if !text.len().is_multiple_of(4) {
                return None;
            }
            digits
        }
        _ => text,
    };
    (digits.len() % 4 != 1).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_with_and_without_padding() {
        let cases: &[(&str, Option<&[u8]>)] = &[
            ("", Some(b"")),
            ("AQI=", Some(b"\x01\x02")),
            ("AQI", Some(b"\x01\x02")),
            ("AQ==", Some(b"\x01")),
            ("AQ", Some(b"\x01")),
            ("AQID", Some(b"\x01\x02\x03")),
            ("+/+/", Some(b"\xfb\xff\xbf")),
            ("-_-_", Some(b"\xfb\xff\xbf")),
            // The last bits are of no byte.
            ("-_", Some(b"\xfb")),
            ("A", None),
            ("AQ=", None),
            ("A===", None),
            ("====", None),
            ("=", None),
            ("AQ=I", None),
            ("AQ I", None),
            ("AQI\n", None),
            ("A\u{e9}", None),
        ];
        for (text, expected) in cases {
            let mut out = vec![];
            let decoded = decode(text.as_bytes(), &mut out).map(|()| out.as_slice());
            assert_eq!(decoded, *expected, "{text}");
            if let Some(bytes) = expected {
                assert_eq!(decoded_length(text.as_bytes()), Some(bytes.len()), "{text}");
            }
        }
    }

    #[test]
    fn whatever_was_encoded_comes_back() {
        let bytes = (0..=u8::MAX).cycle().take(700).collect::<Vec<_>>();
        for length in 0..bytes.len() {
            use base64::Engine as _;
            for engine in [&base64::prelude::BASE64_STANDARD, &base64::prelude::BASE64_URL_SAFE] {
                let mut out = vec![];
                decode(engine.encode(&bytes[..length]).as_bytes(), &mut out).expect("it is base64");
                assert_eq!(out, bytes[..length]);
            }
        }
    }
}
