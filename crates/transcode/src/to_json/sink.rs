//! Where JSON is written: a buffer that is large enough before anything is written to it, so that each piece is one copy of
//! a known size.

use super::escape;
use super::fault::{Fault, Step};

/// How far texts that are known beforehand are copied whatever their length.
const SHORT: usize = 32;
/// Room that is not given back: an answer may be kept for as long as its receiver takes.
const SPARE: usize = 64 << 10;
/// Room behind each text, so that what is written next rarely needs to ask for some.
const SLACK: usize = 64;

/// A text that was rendered when the plans were made.
#[derive(Clone, Debug)]
pub(super) struct Text {
    length: usize,
    /// Its beginning, padded.
    short: [u8; SHORT],
    /// All of it, if it is longer.
    long: Box<[u8]>,
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut short = [0; SHORT];
        let long = if bytes.len() > SHORT { Box::from(bytes) } else { Box::default() };
        let kept = bytes.len().min(SHORT);
        short[..kept].copy_from_slice(&bytes[..kept]);
        Self { length: bytes.len(), short, long }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        if self.length <= SHORT { &self.short[..self.length] } else { &self.long }
    }
}

/// JSON in the making.
pub(super) struct Sink {
    /// What is written, and room for more.
    bytes: Vec<u8>,
    /// How much is written.
    at: usize,
    /// How much may be written.
    limit: usize,
}

impl Sink {
    /// Goes on where `bytes` ends; `likely` is how much more is to come, as far as one can tell.
    pub(super) fn new(mut bytes: Vec<u8>, likely: usize, limit: usize) -> Self {
        let at = bytes.len();
        bytes.resize(at + likely.min(limit) + SLACK, 0);
        Self { bytes, at, limit: at.saturating_add(limit) }
    }

    /// Whether all that was written is allowed.
    pub(super) fn check(&self) -> Step {
        if self.at > self.limit { Err(too_large()) } else { Ok(()) }
    }

    /// What was written up to a place.
    pub(super) fn into_bytes(mut self, end: usize) -> Vec<u8> {
        self.bytes.truncate(end);
        if self.bytes.capacity() - end > SPARE {
            self.bytes.shrink_to_fit();
        }
        self.bytes
    }

    /// How much is written.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Forgets what was written from a place on.
    #[inline]
    pub(super) fn rewind(&mut self, at: usize) {
        self.at = at;
    }

    /// Whether just this was written from a place on.
    #[inline]
    pub(super) fn ends_with(&self, from: usize, text: &Text) -> bool {
        self.bytes[from..self.at] == *text.bytes()
    }

    /// Whether what was written from a place on begins with a byte.
    pub(super) fn begins_with(&self, from: usize, byte: u8) -> bool {
        self.bytes[from..self.at].first() == Some(&byte)
    }

    /// Puts one byte over another.
    #[inline]
    pub(super) fn replace(&mut self, at: usize, byte: u8) {
        self.bytes[at] = byte;
    }

    #[inline]
    pub(super) fn byte(&mut self, byte: u8) -> Step {
        if self.at == self.bytes.len() {
            self.grow(1)?;
        }
        self.bytes[self.at] = byte;
        self.at += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn text(&mut self, text: &Text) -> Step {
        match self.bytes[self.at..].first_chunk_mut() {
            Some(room) if text.length <= SHORT => {
                *room = text.short;
                self.at += text.length;
                Ok(())
            }
            _ => self.text_slowly(text),
        }
    }

    /// A long text, or one near the end of the buffer.
    #[cold]
    fn text_slowly(&mut self, text: &Text) -> Step {
        self.bytes(text.bytes())
    }

    /// The first bytes of an array, which is copied as a whole.
    #[inline]
    pub(super) fn head<const N: usize>(&mut self, bytes: &[u8; N], length: usize) -> Step {
        if self.bytes.len() - self.at < N {
            self.grow(N)?;
        }
        self.bytes[self.at..][..N].copy_from_slice(bytes);
        self.at += length;
        Ok(())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Step {
        self.room(bytes.len())?.copy_from_slice(bytes);
        self.at += bytes.len();
        Ok(())
    }

    /// A string with its quotes, escaped where it must be.
    #[inline]
    pub(super) fn string(&mut self, text: &[u8]) -> Step {
        if let [first, inner @ .., last] = self.room(text.len() + 2)? {
            let seen = escape::copy(text, inner);
            if seen == escape::PLAIN || seen == escape::NOT_ASCII && str::from_utf8(text).is_ok() {
                *first = b'"';
                *last = b'"';
                self.at += text.len() + 2;
                return Ok(());
            }
        }
        self.escaped_string(text)
    }

    #[cold]
    fn escaped_string(&mut self, text: &[u8]) -> Step {
        let text = str::from_utf8(text).map_err(|_| Fault::new("the text is not UTF-8"))?;
        self.byte(b'"')?;
        for piece in escape::pieces(text.as_bytes()) {
            let room = self.room(piece.plain.len() + piece.escaped.len())?;
            let (plain, escaped) = room.split_at_mut(piece.plain.len());
            plain.copy_from_slice(piece.plain);
            escaped.copy_from_slice(piece.escaped);
            self.at += piece.plain.len() + piece.escaped.len();
        }
        self.byte(b'"')
    }

    /// Bytes as base64, with the quotes.
    pub(super) fn base64(&mut self, bytes: &[u8]) -> Step {
        use base64::Engine as _;
        let length = bytes.len().div_ceil(3) * 4;
        self.byte(b'"')?;
        let room = self.room(length)?;
        base64::engine::general_purpose::STANDARD
            .encode_slice(bytes, room)
            .expect("four characters for each three bytes");
        self.at += length;
        self.byte(b'"')
    }

    /// Room for so many bytes, and somewhat more behind it.
    #[inline]
    fn room(&mut self, length: usize) -> Result<&mut [u8], Fault> {
        if self.bytes.len() - self.at < length {
            self.grow(length)?;
        }
        Ok(&mut self.bytes[self.at..][..length])
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Step {
        let needed = self.at + more;
        if needed > self.limit + SLACK {
            return Err(too_large());
        }
        self.bytes.resize((needed + SLACK).max(self.bytes.len() * 2).min(self.limit + 2 * SLACK), 0);
        Ok(())
    }
}

#[cold]
fn too_large() -> Fault {
    Fault::too_large("the result is larger than is allowed")
}
