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
    pub(crate) text: Cow<'a, str>,
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
            let mut rest = line.to_str().map_err(drop)?.trim();
            if rest == "*" {
                return Ok(Some(Self::Any));
            }
            while !rest.is_empty() {
                let (tag, behind) = tag(rest).ok_or(())?;
                tags.push(tag);
                rest = behind.trim_start();
                rest = match rest.strip_prefix(',') {
                    Some(rest) => rest.trim_start(),
                    None if rest.is_empty() => rest,
                    None => return Err(()),
                };
            }
        }
        Ok(Some(Self::Tags(tags)))
    }

    /// Whether a response with this etag is what the caller has already (`If-None-Match`, the weak comparison).
    pub(crate) fn has(&self, etag: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => etag.is_some_and(|etag| tags.iter().any(|tag| tag.text == etag)),
        }
    }

    /// Whether a response with this etag is what the caller insists on (`If-Match`, the strong comparison).
    pub(crate) fn allows(&self, etag: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => etag.is_some_and(|etag| tags.iter().any(|tag| !tag.weak && tag.text == etag)),
        }
    }
}

fn tag(text: &str) -> Option<(Tag<'_>, &str)> {
    let (weak, quoted) = text.strip_prefix("W/").map_or((false, text), |rest| (true, rest));
    let (inner, behind) = quoted.strip_prefix('"')?.split_once('"')?;
    let text = percent_encoding::percent_decode_str(inner).decode_utf8().ok()?;
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

    fn read(lines: &[&str]) -> Result<Option<Vec<(bool, String)>>, ()> {
        let name = http::header::IF_MATCH;
        let headers = lines.iter().map(|line| (name.clone(), line.parse().unwrap())).collect::<HeaderMap>();
        Ok(Condition::read(&headers, &name)?.map(|condition| match condition {
            Condition::Any => vec![(false, "*".to_owned())],
            Condition::Tags(tags) => tags.into_iter().map(|tag| (tag.weak, tag.text.into_owned())).collect(),
        }))
    }

    #[test]
    fn lists_are_read_and_nonsense_is_not() {
        let plain = |text: &str| (false, text.to_owned());
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["*"]), Ok(Some(vec![plain("*")])));
        assert_eq!(
            read(&["\"a\", W/\"b\" ,\"c,d\""]),
            Ok(Some(vec![plain("a"), (true, "b".into()), plain("c,d")]))
        );
        assert_eq!(read(&["\"a\"", "\"b\""]), Ok(Some(vec![plain("a"), plain("b")])));
        for wrong in ["a", "\"a", "\"a\" \"b\"", "w/\"a\"", "\"%ff\""] {
            assert_eq!(read(&[wrong]), Err(()), "{wrong}");
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
