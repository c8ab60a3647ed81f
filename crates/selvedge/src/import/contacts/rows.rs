//! The rows of a file, one at a time: however long the file is, one row is all of it that is in memory.

mod records;

use std::io::{self, BufRead};

use selvedge_proto::contacts::v1::ImportSubmissionsRequest;
use selvedge_transcode::Field;

use crate::Result;
use crate::bulk::Format;
use crate::bulk::message::MessageType;
use records::Records;

/// The most bytes that a row may have.
pub(super) const MAX_ROW_BYTES: usize = 4 << 20;
/// What is kept of a row that has more.
const KEPT_BYTES: usize = 1_000;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) struct Rows {
    input: Box<dyn BufRead + Send>,
    layout: Layout,
    raw: Raw,
    request: MessageType,
    /// Where in the request a row is.
    submission: &'static Field,
}

enum Layout {
    Lines,
    Records(Box<Records>),
}

/// A row as it is in the file.
#[derive(Default)]
struct Raw {
    text: Vec<u8>,
    is_too_long: bool,
    /// All bytes that were read until now, of all rows.
    bytes_read: u64,
}

impl Rows {
    /// The rows of this input. Of CSV, the header is read and checked.
    pub(super) fn new(mut input: Box<dyn BufRead + Send>, format: Format) -> Result<Self> {
        let mut raw = Raw::default();
        let layout = match format {
            Format::Ndjson => Layout::Lines,
            Format::Csv => {
                let columns = MessageType::of_contacts("Submission");
                Layout::Records(Box::new(Records::new(&mut *input, &mut raw, columns)?))
            }
        };
        let request = MessageType::of_contacts("ImportSubmissionsRequest");
        let submission = request.field("submission").expect("it is a field of the request");
        Ok(Self { input, layout, raw, request, submission })
    }

    /// Goes on to the next row, if there is one.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        match &mut self.layout {
            Layout::Lines => next_line(&mut *self.input, &mut self.raw),
            Layout::Records(records) => records.advance(&mut *self.input, &mut self.raw),
        }
    }

    /// The submission that the row is, for sending, or why it is none.
    pub(super) fn request(&self) -> Result<ImportSubmissionsRequest, String> {
        let text = self.raw.checked()?;
        let made;
        let json = match &self.layout {
            Layout::Lines => text,
            Layout::Records(records) => {
                made = records.json()?;
                &made
            }
        };
        // As a part of the request, as a message may be nested only so deeply, and in the request it is nested once more.
        let request: ImportSubmissionsRequest = self.request.parse_field(self.submission, json)?;
        match request.submission {
            Some(_) => Ok(request),
            None => Err("expected an object, found null".to_owned()),
        }
    }

    /// The row as it is in the file, without the end of its line.
    pub(super) fn text(&self) -> &[u8] {
        &self.raw.text
    }

    /// How many bytes of the input have been read until now.
    pub(super) fn bytes_read(&self) -> u64 {
        self.raw.bytes_read
    }
}

impl Raw {
    fn clear(&mut self) {
        self.text.clear();
        self.is_too_long = false;
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes_read += bytes.len() as u64;
        self.is_too_long |= self.text.len() + bytes.len() > MAX_ROW_BYTES;
        if self.is_too_long {
            self.text.truncate(KEPT_BYTES);
        } else {
            self.text.extend_from_slice(bytes);
        }
    }

    /// Takes line ends away from both sides; the parser of CSV leaves some for the next record.
    fn trim_line_ends(&mut self) {
        let is_line_end = |byte: &u8| [b'\r', b'\n'].contains(byte);
        let end = self.text.iter().rposition(|byte| !is_line_end(byte)).map_or(0, |last| last + 1);
        self.text.truncate(end);
        let begin = self.text.iter().take_while(|byte| is_line_end(byte)).count();
        self.text.drain(..begin);
    }

    /// The text, if it is one.
    fn checked(&self) -> Result<&str, String> {
        if self.is_too_long {
            return Err(format!("longer than {MAX_ROW_BYTES} bytes; the text is its beginning"));
        }
        std::str::from_utf8(&self.text).map_err(|error| format!("not UTF-8: {error}"))
    }
}

/// Reads up to the next line that is not blank.
fn next_line(input: &mut dyn BufRead, raw: &mut Raw) -> io::Result<bool> {
    loop {
        let is_first = raw.bytes_read == 0;
        raw.clear();
        let is_there = read_line(input, raw)?;
        if is_first && raw.text.starts_with(BYTE_ORDER_MARK) {
            raw.text.drain(..BYTE_ORDER_MARK.len());
        }
        if !is_there || raw.is_too_long || !raw.text.trim_ascii().is_empty() {
            raw.trim_line_ends();
            return Ok(is_there);
        }
    }
}

fn read_line(input: &mut dyn BufRead, raw: &mut Raw) -> io::Result<bool> {
    let begin = raw.bytes_read;
    loop {
        let bytes = input.fill_buf()?;
        let end = bytes.iter().position(|byte| *byte == b'\n').map(|place| place + 1);
        let length = end.unwrap_or(bytes.len());
        raw.push(&bytes[..length]);
        input.consume(length);
        if end.is_some() || length == 0 {
            return Ok(raw.bytes_read > begin);
        }
    }
}

#[cfg(test)]
mod tests;
