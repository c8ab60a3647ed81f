use std::io::{self, BufRead as _, BufReader, Read};

use sha2::{Digest as _, Sha256};

use super::Result;

const READ_BYTES: usize = 256 << 10;
/// A line of a table, or a text in an `insert`, is held in memory.
pub(super) const MAX_BYTES: usize = 64 << 20;
/// Of what begins like this, people should hear what it is.
const NOT_TEXT: [(&[u8], &str); 7] = [
    (b"PGDMP", "in pg_dump's custom format; `pg_restore --file=dump.sql FILE` makes a plain one of it"),
    (b"\x1f\x8b", "compressed with gzip; `gunzip --stdout FILE | selvedge import pagila -` reads it"),
    (b"BZh", "compressed with bzip2; unpack it first"),
    (b"\xfd7zXZ", "compressed with xz; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
    (b"PK\x03\x04", "a zip archive; unpack it first"),
    (b"toc.dat\0", "in pg_dump's tar format; `pg_restore --file=dump.sql FILE` makes a plain one of it"),
];

/// The bytes of a dump, and where we are in it.
pub(super) struct Source {
    input: BufReader<Hashing>,
    /// Of the next byte, from 1 on.
    line: u64,
}

impl Source {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Result<Self> {
        let hashing = Hashing { input, sha256: Sha256::new() };
        let mut source = Self { input: BufReader::with_capacity(READ_BYTES, hashing), line: 1 };
        let start = source.input.fill_buf().map_err(unreadable)?;
        if let Some((_, what)) = NOT_TEXT.iter().find(|(magic, _)| start.starts_with(magic)) {
            return Err(format!("the file is {what}").into());
        }
        if start.contains(&0) {
            return Err("the file is not text".into());
        }
        if start.starts_with(b"\xef\xbb\xbf") {
            source.input.consume(3);
        }
        Ok(source)
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn peek(&mut self) -> Result<Option<u8>> {
        Ok(self.input.fill_buf().map_err(unreadable)?.first().copied())
    }

    pub(super) fn next(&mut self) -> Result<Option<u8>> {
        let next = self.peek()?;
        if let Some(byte) = next {
            self.input.consume(1);
            self.line += u64::from(byte == b'\n');
        }
        Ok(next)
    }

    /// Reads the rest of the line, without its end; answers with whether it has one.
    pub(super) fn rest_of_line(&mut self, line: &mut Vec<u8>) -> Result<bool> {
        line.clear();
        let limit = MAX_BYTES as u64 + 1;
        self.input.by_ref().take(limit).read_until(b'\n', line).map_err(unreadable)?;
        if line.last() != Some(&b'\n') {
            return match line.len() {
                0..=MAX_BYTES => Ok(false),
                _ => Err(format!("line {}: it is longer than {MAX_BYTES} bytes", self.line).into()),
            };
        }
        self.line += 1;
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(true)
    }

    /// The SHA-256 of a file that has been read to its end.
    pub(super) fn sha256(self) -> [u8; 32] {
        self.input.into_inner().sha256.finalize().into()
    }
}

struct Hashing {
    input: Box<dyn Read + Send>,
    sha256: Sha256,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.read(buffer)?;
        self.sha256.update(&buffer[..bytes]);
        Ok(bytes)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn unreadable(error: io::Error) -> String {
    format!("the file cannot be read: {error}")
}
