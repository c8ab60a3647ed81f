use std::io;
use std::thread::{self, JoinHandle};

use prost::Message;
use selvedge_proto::contacts::v1::ImportSubmissionsRequest;
use tokio::sync::mpsc;

use super::report::Refused;
use super::rows::Rows;
use crate::Result;

/// The service lists so many refused rows, and a chunk of its has room for more than such a slice: a slice is stored
/// entirely or, if the call fails, not at all.
const SLICE_ROWS: u64 = 1_000;
const SLICE_BYTES: usize = 4 << 20;
/// The largest message that a service takes by default.
const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// Rows that follow each other.
pub(super) struct Slice {
    /// The numbers of its first and its last row, from 1 on.
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) requests: Vec<ImportSubmissionsRequest>,
    /// The number and the text of the row of each request.
    pub(super) sent: Vec<(u64, Vec<u8>)>,
    /// Those for which there is no request.
    pub(super) malformed: Vec<Refused>,
    /// How many bytes of the file had been read after its last row.
    pub(super) bytes_read: u64,
    /// Of its messages or its text, whichever is more.
    bytes: usize,
}

/// Slices of a file that are read, a few ahead of whoever takes them.
pub(super) struct Slices {
    slices: mpsc::Receiver<Slice>,
    reader: JoinHandle<io::Result<()>>,
}

impl Slices {
    /// All rows but the first ones.
    pub(super) fn of(rows: Rows, skip: u64) -> Self {
        let (sender, slices) = mpsc::channel(1);
        // A thread that the runtime does not wait for at the end: it may be waiting for the standard input.
        Self { slices, reader: thread::spawn(move || cut(rows, skip, &sender)) }
    }

    pub(super) async fn next(&mut self) -> Option<Slice> {
        self.slices.recv().await
    }

    /// When there are no more slices: whether that was the end of the file.
    pub(super) fn end(self) -> Result<()> {
        match self.reader.join() {
            Ok(read) => Ok(read.map_err(|error| format!("the file cannot be read: {error}"))?),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn cut(mut rows: Rows, skip: u64, sender: &mpsc::Sender<Slice>) -> io::Result<()> {
    let mut number = 0;
    let mut slice = Slice::new(skip + 1);
    while rows.advance()? {
        number += 1;
        if number <= skip {
            continue;
        }
        slice.push(number, &rows);
        if slice.is_full() {
            // Nobody takes it where the import has failed, which is said there.
            let Ok(()) = sender.blocking_send(slice) else { return Ok(()) };
            slice = Slice::new(number + 1);
        }
    }
    if slice.last >= slice.first {
        sender.blocking_send(slice).ok();
    }
    Ok(())
}

impl Slice {
    fn new(first: u64) -> Self {
        Self {
            first,
            last: first - 1,
            requests: vec![],
            sent: vec![],
            malformed: vec![],
            bytes_read: 0,
            bytes: 0,
        }
    }

    /// Looked at after a row was added: so it has less than twice as many bytes.
    fn is_full(&self) -> bool {
        self.last + 1 - self.first >= SLICE_ROWS || self.bytes >= SLICE_BYTES
    }

    fn push(&mut self, number: u64, row: &Rows) {
        let text = row.text();
        let request = row.request().and_then(within_limit);
        let message_bytes = request.as_ref().map_or(0, Message::encoded_len);
        self.bytes += text.len().max(message_bytes);
        self.last = number;
        self.bytes_read = row.bytes_read();
        match request {
            Ok(request) => {
                self.requests.push(request);
                self.sent.push((number, text.to_vec()));
            }
            Err(description) => self.malformed.push(Refused {
                row: number,
                reason: "MALFORMED_ROW".to_owned(),
                description,
                text: text.to_vec(),
            }),
        }
    }
}

fn within_limit(request: ImportSubmissionsRequest) -> Result<ImportSubmissionsRequest, String> {
    match request.encoded_len() {
        bytes if bytes > MAX_MESSAGE_BYTES => {
            Err(format!("{bytes} bytes as a message, where {MAX_MESSAGE_BYTES} are allowed"))
        }
        _ => Ok(request),
    }
}
