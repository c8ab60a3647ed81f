//! SQL, cut into its tokens.

use super::Result;
use super::source::{MAX_BYTES, Source};

/// `pg_dump` writes these at both ends, so a dump that has the one and not the other is not complete.
const HEADER: &[u8] = b"PostgreSQL database dump";
const TRAILER: &[u8] = b"PostgreSQL database dump complete";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a name, in lower case.
    Word(String),
    /// A quoted name.
    Name(String),
    /// A constant in quotes, or between dollars, without them.
    Text(Vec<u8>),
    Number(String),
    Sign(u8),
    End,
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

pub(super) struct Tokens {
    pub(super) source: Source,
    header: bool,
    trailer: bool,
}

impl Tokens {
    pub(super) fn new(source: Source) -> Self {
        Self { source, header: false, trailer: false }
    }

    /// Whether the file says that it goes on, after its end.
    pub(super) fn is_cut(&self) -> bool {
        self.header && !self.trailer
    }

    /// The first token of a statement. What is for `psql` is passed over.
    pub(super) fn first(&mut self) -> Result<Token> {
        loop {
            match self.next()? {
                Token::Sign(b'\\') => {
                    self.source.rest_of_line(&mut vec![])?;
                }
                token => return Ok(token),
            }
        }
    }

    pub(super) fn next(&mut self) -> Result<Token> {
        loop {
            let Some(byte) = self.source.next()? else { return Ok(Token::End) };
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b'\x0c' => {}
                b'-' if self.source.peek()? == Some(b'-') => self.comment()?,
                b'/' if self.source.peek()? == Some(b'*') => self.long_comment()?,
                b'\'' => return Ok(Token::Text(self.text(false)?)),
                b'"' => return Ok(Token::Name(utf8(self.quoted(b'"')?)?)),
                b'$' => return self.dollar(),
                b'0'..=b'9' => return self.number(byte),
                b'.' if matches!(self.source.peek()?, Some(b'0'..=b'9')) => return self.number(byte),
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => return self.word(byte),
                sign => return Ok(Token::Sign(sign)),
            }
        }
    }

    fn comment(&mut self) -> Result<()> {
        let mut line = vec![];
        self.source.rest_of_line(&mut line)?;
        let text = line.strip_prefix(b"-").unwrap_or(&line).trim_ascii();
        self.header |= text == HEADER;
        self.trailer |= text == TRAILER;
        Ok(())
    }

    /// Comments of this kind may be inside each other.
    fn long_comment(&mut self) -> Result<()> {
        let began = self.source.line();
        let (mut depth, mut before) = (0_u32, b'/');
        loop {
            let Some(byte) = self.source.next()? else { return Err(unfinished("a comment", began)) };
            match (before, byte) {
                (b'/', b'*') => depth += 1,
                (b'*', b'/') => depth -= 1,
                _ => {
                    before = byte;
                    continue;
                }
            }
            if depth == 0 {
                return Ok(());
            }
            // The same sign is not part of two marks.
            before = 0;
        }
    }

    fn word(&mut self, first: u8) -> Result<Token> {
        let mut word = vec![first.to_ascii_lowercase()];
        while let Some(byte) = self.source.peek()? {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$' | 0x80.. => {
                    push(&mut word, byte.to_ascii_lowercase(), self.source.line())?;
                    self.source.next()?;
                }
                b'\'' if word == b"e" => {
                    self.source.next()?;
                    return Ok(Token::Text(self.text(true)?));
                }
                _ => break,
            }
        }
        Ok(Token::Word(utf8(word)?))
    }

    fn number(&mut self, first: u8) -> Result<Token> {
        let mut number = vec![first];
        while let Some(byte) = self.source.peek()? {
            let sign = matches!(byte, b'+' | b'-') && matches!(number.last(), Some(b'e' | b'E'));
            if !sign && !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'_') {
                break;
            }
            push(&mut number, byte, self.source.line())?;
            self.source.next()?;
        }
        Ok(Token::Number(utf8(number)?))
    }

    /// What is between two of these, one of which is written twice inside.
    fn quoted(&mut self, quote: u8) -> Result<Vec<u8>> {
        let began = self.source.line();
        let mut text = vec![];
        loop {
            let Some(byte) = self.source.next()? else { return Err(unfinished("a text in quotes", began)) };
            if byte == quote {
                if self.source.peek()? != Some(quote) {
                    return Ok(text);
                }
                self.source.next()?;
            }
            push(&mut text, byte, began)?;
        }
    }

    fn text(&mut self, with_escapes: bool) -> Result<Vec<u8>> {
        if !with_escapes {
            return self.quoted(b'\'');
        }
        let began = self.source.line();
        let mut text = vec![];
        loop {
            let Some(byte) = self.source.next()? else { return Err(unfinished("a text in quotes", began)) };
            match byte {
                b'\'' if self.source.peek()? == Some(b'\'') => {
                    self.source.next()?;
                    push(&mut text, byte, began)?;
                }
                b'\'' => return Ok(text),
                b'\\' => {
                    let escaped = self.escaped(began)?;
                    push(&mut text, escaped, began)?;
                }
                byte => push(&mut text, byte, began)?,
            }
        }
    }

    /// What stands after a backslash. Those with digits are in no dump.
    fn escaped(&mut self, began: u64) -> Result<u8> {
        match self.source.next()? {
            Some(b'b') => Ok(b'\x08'),
            Some(b'f') => Ok(b'\x0c'),
            Some(b'n') => Ok(b'\n'),
            Some(b'r') => Ok(b'\r'),
            Some(b't') => Ok(b'\t'),
            Some(b'0'..=b'9' | b'x' | b'u' | b'U') => {
                Err(format!("line {began}: a text has an escape with digits, which cannot be read").into())
            }
            Some(byte) => Ok(byte),
            None => Err(unfinished("a text in quotes", began)),
        }
    }

    /// `$$ text $$` or `$tag$ text $tag$`; anything else with a dollar is only a sign.
    fn dollar(&mut self) -> Result<Token> {
        let began = self.source.line();
        let mut mark = vec![b'$'];
        while let Some(byte) = self.source.peek()? {
            if byte != b'$' && !byte.is_ascii_alphanumeric() && byte != b'_' {
                return Ok(Token::Sign(b'$'));
            }
            push(&mut mark, byte, began)?;
            self.source.next()?;
            if byte == b'$' {
                break;
            }
        }
        let mut text = vec![];
        while !text.ends_with(&mark) {
            let Some(byte) = self.source.next()? else {
                return Err(unfinished("a text between dollars", began));
            };
            push(&mut text, byte, began)?;
        }
        text.truncate(text.len() - mark.len());
        Ok(Token::Text(text))
    }
}

fn push(text: &mut Vec<u8>, byte: u8, line: u64) -> Result<()> {
    if text.len() == MAX_BYTES {
        return Err(format!("line {line}: a text is longer than {MAX_BYTES} bytes").into());
    }
    text.push(byte);
    Ok(())
}

fn utf8(name: Vec<u8>) -> Result<String> {
    Ok(String::from_utf8(name).map_err(|_| "a name in the file is not UTF-8")?)
}

fn unfinished(what: &str, line: u64) -> super::StartError {
    format!("the file ends in the middle of {what} that begins in line {line}").into()
}
