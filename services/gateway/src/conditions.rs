//! Conditional requests: the etags of `If-Match` and `If-None-Match`, and how an etag of a message becomes one of HTTP.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};

/// What a header asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Condition<'a> {
    /// `*`: anything that is there.
    Any,
    /// One of these.
    Tags(Vec<Tag<'a>>),
}

/// An entity tag, without its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    pub(crate) weak: bool,
    /// `None` where no etag of a message is ever written like this.
    pub(crate) text: Option<Cow<'a, str>>,
}

impl<'a> Condition<'a> {
    /// Reads a header, all its lines; `Err` when it is not what HTTP says it is.
    pub(crate) fn read(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<Self>, ()> {
        let mut tags = vec![];
        let mut lines = headers.get_all(name).iter().peekable();
        if lines.peek().is_none() {
            return Ok(None);
        }
        for line in lines {
            let mut rest = line.as_bytes().trim_ascii();
            if rest == b"*" {
                return Ok(Some(Self::Any));
            }
            while !rest.is_empty() {
                // Between two commas there may be nothing.
                if rest[0] != b',' {
                    let (tag, behind) = tag(rest).ok_or(())?;
                    tags.push(tag);
                    rest = behind.trim_ascii_start();
                }
                rest = match rest.split_first() {
                    Some((b',', rest)) => rest.trim_ascii_start(),
                    Some(_) => return Err(()),
                    None => rest,
                };
            }
        }
        Ok(Some(Self::Tags(tags)))
    }

    /// Whether a response with this etag is what the caller has already (`If-None-Match`, the weak comparison).
    pub(crate) fn has(&self, etag: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => etag.is_some_and(|etag| tags.iter().any(|tag| tag.is(etag))),
        }
    }

    /// Whether a response with this etag is what the caller insists on (`If-Match`, the strong comparison).
    pub(crate) fn allows(&self, etag: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => etag.is_some_and(|etag| tags.iter().any(|tag| !tag.weak && tag.is(etag))),
        }
    }
}

impl Tag<'_> {
    fn is(&self, etag: &str) -> bool {
        self.text.as_deref() == Some(etag)
    }
}

fn tag(text: &[u8]) -> Option<(Tag<'_>, &[u8])> {
    let (weak, quoted) = text.strip_prefix(b"W/").map_or((false, text), |rest| (true, rest));
    let quoted = quoted.strip_prefix(b"\"")?;
    let end = quoted.iter().position(|&byte| byte == b'"')?;
    let (inner, behind) = (&quoted[..end], &quoted[end + 1..]);
    let decoded = || percent_encoding::percent_decode(inner).decode_utf8().ok();
    let text = if inner.is_ascii() { decoded() } else { None };
    Some((Tag { weak, text }, behind))
}

/// The header for the etag of a message. What may not stand between quotes is percent-encoded, so that the way back is
/// certain.
pub(crate) fn header(etag: &str) -> Option<HeaderValue> {
    let kept = |byte: u8| (0x21..0x7f).contains(&byte) && byte != b'"' && byte != b'%';
    let mut text = String::with_capacity(etag.len() + 2);
    text.push('"');
    for byte in etag.bytes() {
        if kept(byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(percent_encoding::percent_encode_byte(byte));
        }
    }
    text.push('"');
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Tags = Vec<(bool, Option<String>)>;

    fn read(lines: &[&[u8]]) -> Result<Option<Tags>, ()> {
        let name = http::header::IF_MATCH;
        let value = |line| HeaderValue::from_bytes(line).unwrap();
        let headers = lines.iter().map(|line| (name.clone(), value(line))).collect::<HeaderMap>();
        Ok(Condition::read(&headers, &name)?.map(|condition| match condition {
            Condition::Any => vec![plain("*")],
            Condition::Tags(tags) => {
                tags.into_iter().map(|tag| (tag.weak, tag.text.map(Cow::into_owned))).collect()
            }
        }))
    }

    fn plain(text: &str) -> (bool, Option<String>) {
        (false, Some(text.to_owned()))
    }

    #[test]
    fn lists_are_read_and_nonsense_is_not() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"*"]), Ok(Some(vec![plain("*")])));
        assert_eq!(
            read(&[b"\"a\", W/\"b\" ,\"c,d\""]),
            Ok(Some(vec![plain("a"), (true, Some("b".into())), plain("c,d")]))
        );
        assert_eq!(read(&[b"\"a\"", b"\"b\""]), Ok(Some(vec![plain("a"), plain("b")])));
        for wrong in ["a", "\"a", "\"a\" \"b\"", "w/\"a\"", ", a", "\"a\", *"] {
            assert_eq!(read(&[wrong.as_bytes()]), Err(()), "{wrong}");
        }
    }

    #[test]
    fn nothing_between_commas_is_nothing() {
        for list in ["\"a\", , \"b\"", ", \"a\",\"b\"", ",,\"a\" ,\t, \"b\",, ,"] {
            assert_eq!(read(&[list.as_bytes()]), Ok(Some(vec![plain("a"), plain("b")])), "{list}");
        }
        assert_eq!((read(&[b""]), read(&[b", ,"])), (Ok(Some(vec![])), Ok(Some(vec![]))));
    }

    #[test]
    fn what_is_not_written_by_us_is_an_etag_that_nothing_has() {
        for foreign in [&b"\"%ff\""[..], b"\"\xe9\"", "\"sp\u{e4}t\"".as_bytes()] {
            let with_ours = [foreign, b", \"a\""].concat();
            assert_eq!(read(&[&with_ours]), Ok(Some(vec![(false, None), plain("a")])));
        }
    }

    #[test]
    fn every_etag_of_a_message_comes_back() {
        for etag in ["", "65d", "\"quoted\"", "W/\"a\"", "100%", "späť", "a b"] {
            let header = header(etag).unwrap();
            let headers = HeaderMap::from_iter([(http::header::IF_NONE_MATCH, header)]);
            let condition = Condition::read(&headers, &http::header::IF_NONE_MATCH).unwrap().unwrap();
            assert!(condition.has(Some(etag)) && condition.allows(Some(etag)), "{etag}");
            assert!(!condition.has(Some("other")));
        }
    }
}
