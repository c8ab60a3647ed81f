//! JSON, token by token.

use super::escapes;
use super::fault::{Fault, Parsed, shortened};
use super::scan::end_of_plain;

/// JSON text and how far it has been read.
pub(super) struct Reader<'j> {
    pub(super) json: &'j str,
    pub(super) at: usize,
}

/// A string as it stands between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Text<'j> {
    pub(super) raw: &'j str,
    pub(super) is_escaped: bool,
}

impl<'j> Reader<'j> {
    #[inline]
    pub(super) fn rest(&self) -> &'j [u8] {
        self.json.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte; 0, which begins nothing, at the end.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.json.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Passes over white space.
    #[inline]
    pub(super) fn space(&mut self) {
        if self.peek() <= b' ' {
            self.more_space();
        }
    }

    fn more_space(&mut self) {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        // Indentation is most of it.
        while self.rest().starts_with(b"        ") {
            self.at += 8;
        }
        self.at += self.rest().iter().take_while(|byte| is_space(byte)).count();
    }

    /// Reads a mark such as `{` if it is next.
    #[inline]
    pub(super) fn take(&mut self, mark: u8) -> bool {
        let is_next = self.peek() == mark;
        self.at += usize::from(is_next);
        is_next
    }

    /// Whether another element follows, in what ends with a mark; the comma before it or the mark is read.
    #[inline]
    pub(super) fn another(&mut self, end: u8) -> Parsed<bool> {
        self.space();
        if self.take(b',') {
            self.space();
            return Ok(true);
        }
        if self.take(end) {
            return Ok(false);
        }
        Err(self.syntax(&format!("`,` or `{}`", char::from(end))))
    }

    /// The colon behind a key, with the space around it.
    #[inline]
    pub(super) fn colon(&mut self) -> Parsed {
        self.space();
        if !self.take(b':') {
            return Err(self.syntax("`:`"));
        }
        self.space();
        Ok(())
    }

    /// A word: `null`, `true`, `false`.
    #[inline]
    pub(super) fn word(&mut self, word: &str) -> Parsed {
        if self.rest().starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.syntax(&format!("`{word}`")))
    }

    /// A string. What its escapes stand for is not looked at.
    #[inline]
    pub(super) fn string(&mut self, expected: &str) -> Parsed<Text<'j>> {
        if !self.take(b'"') {
            return Err(self.expected(expected));
        }
        let from = self.at;
        let end = end_of_plain(self.json.as_bytes(), from);
        if self.json.as_bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Text { raw: &self.json[from..end], is_escaped: false });
        }
        self.escaped_string(from, end)
    }

    fn escaped_string(&mut self, from: usize, mut end: usize) -> Parsed<Text<'j>> {
        loop {
            match self.json.as_bytes().get(end) {
                Some(b'"') => {
                    self.at = end + 1;
                    return Ok(Text { raw: &self.json[from..end], is_escaped: true });
                }
                Some(b'\\') => end = end_of_plain(self.json.as_bytes(), end + 2),
                Some(_) => {
                    self.at = end;
                    return Err(Fault::new(format!("a control character in a string, {}", self.position())));
                }
                None => {
                    self.at = end;
                    return Err(self.syntax("`\"`"));
                }
            }
        }
    }

    /// A number as it is written.
    pub(super) fn number(&mut self, expected: &str) -> Parsed<&'j str> {
        let length = number_length(self.rest()).ok_or_else(|| self.expected(expected))?;
        let from = self.at;
        self.at += length;
        Ok(&self.json[from..self.at])
    }

    /// Something else is here.
    #[cold]
    pub(super) fn expected(&self, what: &str) -> Fault {
        let found = match self.peek() {
            b'"' => "a string",
            b'{' => "an object",
            b'[' => "a list",
            _ if number_length(self.rest()).is_some() => "a number",
            _ => {
                let words = ["null", "true", "false"];
                let Some(word) = words.into_iter().find(|word| self.rest().starts_with(word.as_bytes()))
                else {
                    return self.syntax(what);
                };
                word
            }
        };
        Fault::new(format!("expected {what}, found {found}"))
    }

    /// What is here is not JSON.
    #[cold]
    pub(super) fn syntax(&self, expected: &str) -> Fault {
        let found = match self.json.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found @ ('"' | '\'')) => format!("`{found}`"),
            Some(found) => format!("`{}`", found.escape_debug()),
            None => "the end".to_owned(),
        };
        Fault::new(format!("expected {expected}, found {found}, {}", self.position()))
    }

    /// For people, who count from 1.
    fn position(&self) -> String {
        let before = &self.json[..self.json.floor_char_boundary(self.at)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        format!("line {line}, column {column}")
    }
}

impl<'j> Text<'j> {
    /// What it says, if it needs no more room than there is in the JSON; else it is made in `scratch`.
    pub(super) fn read<'t>(self, scratch: &'t mut Vec<u8>) -> Parsed<&'t str>
    where
        'j: 't,
    {
        if !self.is_escaped {
            return Ok(self.raw);
        }
        scratch.clear();
        escapes::write(self.raw, scratch)?;
        std::str::from_utf8(scratch).map_err(|_| Fault::new(format!("{:?} is not text", shortened(self.raw))))
    }
}

/// How long the number is that a text begins with, by the grammar of JSON.
pub(super) fn number_length(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(text.first() == Some(&b'-'));
    at += match text.get(at)? {
        b'0' => 1,
        b'1'..=b'9' => digits(at),
        _ => return None,
    };
    if text.get(at) == Some(&b'.') {
        at += 1 + Some(digits(at + 1)).filter(|&count| count > 0)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at += Some(digits(at)).filter(|&count| count > 0)?;
    }
    Some(at)
}
