use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader};
use selvedge_transcode::Field;
use serde_json::{Map, Value};

use super::{MAX_ROW_BYTES, Raw};
use crate::Result;
use crate::bulk::message::{MessageType, is_textual};

/// More than any message of ours has fields.
const MAX_CELLS: usize = 256;

/// Takes CSV apart, with the parser of the crate `csv`: the reader of that crate knows no limit, and would make one record
/// of a whole file in which one quote is not closed.
pub(super) struct Records {
    parser: Reader,
    columns: Vec<&'static Field>,
    /// The cells of the record, one after the other.
    cells: Vec<u8>,
    /// Where each of them ends.
    ends: [usize; MAX_CELLS],
    count: usize,
    has_too_many: bool,
    has_open_quote: bool,
}

impl Records {
    /// Reads the header, each cell of which must be the name of a field. Where there is none, there are no rows either.
    pub(super) fn new(input: &mut dyn BufRead, raw: &mut Raw, submission: MessageType) -> Result<Self> {
        let mut records = Self {
            parser: Reader::new(),
            columns: vec![],
            // So that it cannot be full before a row is too long.
            cells: vec![0; MAX_ROW_BYTES + 1],
            ends: [0; MAX_CELLS],
            count: 0,
            has_too_many: false,
            has_open_quote: false,
        };
        if records.advance(input, raw)? {
            raw.checked().map_err(|error| format!("the header is {error}"))?;
            records.columns = records.header(submission)?;
        }
        Ok(records)
    }

    fn header(&self, submission: MessageType) -> Result<Vec<&'static Field>, String> {
        let mut columns = Vec::<&Field>::new();
        for name in self.cells() {
            let name = String::from_utf8_lossy(name);
            let field = submission.field(&name).ok_or_else(|| {
                format!(
                    "the header has the column {name:?}, which is no field; there are: {}",
                    submission.names().join(", ")
                )
            })?;
            if columns.iter().any(|column| column.number == field.number) {
                return Err(format!("the header has the column {name:?} twice"));
            }
            columns.push(field);
        }
        Ok(columns)
    }

    /// Goes on to the next record, if there is one. Empty lines are none.
    pub(super) fn advance(&mut self, input: &mut dyn BufRead, raw: &mut Raw) -> io::Result<bool> {
        raw.clear();
        (self.count, self.has_too_many, self.has_open_quote) = (0, false, false);
        let (mut length, mut is_end) = (0, false);
        loop {
            let bytes = input.fill_buf()?;
            // The last line may lack its end, and gets one here. A record that goes on after it has a quote that is open.
            self.has_open_quote = is_end;
            is_end = bytes.is_empty();
            let bytes = if is_end && !self.has_open_quote { b"\n" } else { bytes };
            let (result, read, written, ends) =
                self.parser.read_record(bytes, &mut self.cells[length..], &mut self.ends[self.count..]);
            if !is_end {
                raw.push(&bytes[..read]);
                input.consume(read);
            }
            length += written;
            self.count += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                // What does not fit is not looked at; only the end of the record is.
                ReadRecordResult::OutputFull => length = 0,
                ReadRecordResult::OutputEndsFull => (self.count, self.has_too_many) = (0, true),
                ReadRecordResult::Record => {
                    raw.trim_line_ends();
                    return Ok(true);
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// The record as a JSON object.
    pub(super) fn json(&self) -> Result<String, String> {
        if self.has_open_quote {
            return Err("the file ends before a quote is closed".to_owned());
        }
        if self.has_too_many || self.count != self.columns.len() {
            return Err(format!("not as many cells as the header, which has {}", self.columns.len()));
        }
        let mut object = Map::new();
        for (field, cell) in self.columns.iter().zip(self.cells()).filter(|(_, cell)| !cell.is_empty()) {
            let name = &field.json_name;
            let value = if is_textual(field) {
                Value::String(String::from_utf8_lossy(cell).into_owned())
            } else {
                serde_json::from_slice(cell).map_err(|error| format!("{name} is not JSON: {error}"))?
            };
            object.insert(name.to_string(), value);
        }
        Ok(Value::Object(object).to_string())
    }

    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        self.ends[..self.count].iter().scan(0, |begin, end| {
            let cell = &self.cells[*begin..*end];
            *begin = *end;
            Some(cell)
        })
    }
}
