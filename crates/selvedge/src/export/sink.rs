use std::io::{self, BufWriter, Write};

use selvedge_proto::contacts::v1::Submission;
use serde_json::Value;

use crate::bulk::Format;
use crate::bulk::message::MessageType;

/// Large enough that writing is not what an export waits for.
const BUFFER_BYTES: usize = 256 << 10;

/// Where the rows go, and how they are written there.
pub(super) struct Sink<'a> {
    submission: MessageType,
    writer: Writer<'a>,
    rows: u64,
}

enum Writer<'a> {
    Ndjson(BufWriter<&'a mut dyn Write>),
    Csv { columns: Vec<String>, records: Box<csv::Writer<&'a mut dyn Write>> },
}

impl<'a> Sink<'a> {
    pub(super) fn new(to: &'a mut dyn Write, format: Format) -> io::Result<Self> {
        let submission = MessageType::of_contacts("Submission");
        let writer = match format {
            Format::Ndjson => Writer::Ndjson(BufWriter::with_capacity(BUFFER_BYTES, to)),
            Format::Csv => {
                let columns = submission.names();
                let mut records = csv::WriterBuilder::new().buffer_capacity(BUFFER_BYTES).from_writer(to);
                records.write_record(&columns).map_err(io_error)?;
                Writer::Csv { columns, records: Box::new(records) }
            }
        };
        Ok(Self { submission, writer, rows: 0 })
    }

    /// How many rows it has taken.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn write(&mut self, row: &Submission) -> io::Result<()> {
        let row = self.submission.json(row).map_err(io::Error::other)?;
        match &mut self.writer {
            Writer::Ndjson(lines) => {
                lines.write_all(&row)?;
                lines.write_all(b"\n")?;
            }
            Writer::Csv { columns, records } => {
                records.write_record(cells(columns, &row)?).map_err(io_error)?;
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Writes what is still in the buffer.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Writer::Ndjson(lines) => lines.flush(),
            Writer::Csv { records, .. } => records.flush(),
        }
    }
}

/// A string as it is, of anything else its JSON; nothing where there is nothing.
fn cells(columns: &[String], row: &[u8]) -> io::Result<impl Iterator<Item = String>> {
    let mut object: Value = serde_json::from_slice(row)?;
    Ok(columns.iter().map(move |column| match object.get_mut(column).map(Value::take) {
        None => String::new(),
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
    }))
}

/// The cause of it, so that a closed pipe can be told from the rest.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
