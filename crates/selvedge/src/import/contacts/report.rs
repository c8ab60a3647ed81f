//! What became of the rows: while they are being stored, at the end, and where it breaks off.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use selvedge_proto::contacts::v1::ImportSubmissionsResponse;
use serde_json::Value;

use super::slices::Slice;
use crate::Result;

const EXTERNAL_ID_TAKEN: &str = "EXTERNAL_ID_TAKEN";

/// A row that was not stored.
pub(super) struct Refused {
    pub(super) row: u64,
    pub(super) reason: String,
    pub(super) description: String,
    pub(super) text: Vec<u8>,
}

pub(super) struct Report {
    began: Instant,
    bar: ProgressBar,
    refused_path: PathBuf,
    refused_file: BufWriter<File>,
    skipped: u64,
    /// The last row that is done with, one way or the other.
    done: u64,
    /// The last row of the slice that is on its way: what became of it is not known.
    in_doubt: Option<u64>,
    stored: u64,
    refused: u64,
    there_already: u64,
}

impl Report {
    /// Before the first row. The file for the refused ones must be new or empty, and is opened at once: to learn that it
    /// cannot be written when rows have been stored would be too late.
    pub(super) fn new(refused_path: PathBuf, skipped: u64, length: Option<u64>) -> Result<Self> {
        let path = refused_path.display();
        let cannot = |error| format!("cannot write {path}: {error}");
        let file = OpenOptions::new().append(true).create(true).open(&refused_path).map_err(cannot)?;
        if file.metadata().map_err(cannot)?.len() > 0 {
            let hint = "move it away, or name another file with --refused";
            return Err(format!("{path} has the refused rows of an earlier import: {hint}").into());
        }
        Ok(Self {
            began: Instant::now(),
            bar: bar(length),
            refused_file: BufWriter::new(file),
            refused_path,
            skipped,
            done: skipped,
            in_doubt: None,
            stored: 0,
            refused: 0,
            there_already: 0,
        })
    }

    /// A slice is about to be sent.
    pub(super) fn begin(&mut self, slice: &Slice) {
        self.in_doubt = Some(slice.last);
    }

    /// The call failed, but it is certain that it stored nothing.
    pub(super) fn nothing_was_stored(&mut self) {
        self.in_doubt = None;
    }

    /// The answer to the slice has come.
    pub(super) fn add(&mut self, mut slice: Slice, answer: ImportSubmissionsResponse) -> Result<()> {
        self.in_doubt = None;
        self.done = slice.last;
        self.stored += answer.accepted_count.cast_unsigned();
        self.there_already += answer.duplicate_count.cast_unsigned();
        self.refused += (answer.refused_count - answer.duplicate_count).cast_unsigned();
        self.refused += slice.malformed.len() as u64;
        let mut all = slice.malformed;
        for refused in answer.refused.into_iter().filter(|refused| refused.reason != EXTERNAL_ID_TAKEN) {
            let place = usize::try_from(refused.row).ok().and_then(|row| row.checked_sub(1));
            let sent = place.and_then(|place| slice.sent.get_mut(place));
            let (row, text) = sent.ok_or("the service refused a row that it was not sent")?;
            let (row, text) = (*row, std::mem::take(text));
            all.push(Refused { row, reason: refused.reason, description: refused.description, text });
        }
        all.sort_by_key(|refused| refused.row);
        self.write(&all)?;
        self.show(slice.bytes_read);
        Ok(())
    }

    fn write(&mut self, all: &[Refused]) -> Result<()> {
        let mut write = || -> io::Result<()> {
            for refused in all {
                let text = String::from_utf8_lossy(&refused.text);
                let [reason, description, text] =
                    [&refused.reason, &refused.description, &*text].map(Value::from);
                writeln!(
                    self.refused_file,
                    r#"{{"row":{},"reason":{reason},"description":{description},"text":{text}}}"#,
                    refused.row
                )?;
            }
            self.refused_file.flush()
        };
        let cannot =
            |error| format!("cannot write all refused rows to {}: {error}", self.refused_path.display());
        Ok(write().map_err(cannot)?)
    }

    fn show(&self, bytes_read: u64) {
        let rows = self.done - self.skipped;
        self.bar.set_message(format!("{} rows, {} rows/s", HumanCount(rows), HumanCount(self.rate())));
        self.bar.set_position(bytes_read);
    }

    /// Tells how it ended.
    pub(super) fn finish(self, result: Result<()>) -> Result<ExitCode> {
        self.bar.finish_and_clear();
        let is_file = self.refused_path.is_file();
        if self.refused == 0 && is_file {
            fs::remove_file(&self.refused_path)?;
        }
        if let Err(error) = result {
            return Err(self.broken_off(&error.to_string()).into());
        }
        let (seconds, rate) = (self.began.elapsed().as_secs_f64(), self.rate());
        let sign = if self.refused == 0 { '✓' } else { '✗' };
        eprintln!("  {sign} {}, in {seconds:.1} s ({rate} rows/s)", self.counts());
        if self.refused > 0 {
            eprintln!("    the refused rows are in {}", self.refused_path.display());
        }
        Ok(if self.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// What is known of which rows, and how to go on.
    fn broken_off(&self, error: &str) -> String {
        let Self { skipped, done, .. } = self;
        let mut text = format!("the import broke off: {error}");
        if done > skipped {
            text += &format!("\n  rows {} to {done} are done with: {}", skipped + 1, self.counts());
        }
        if self.refused > 0 {
            text += &format!("\n  the refused rows are in {}", self.refused_path.display());
        }
        match self.in_doubt {
            None if done == skipped => text += "\n  no row is stored",
            None => text += &format!("\n  no other row is stored; go on with --skip {done}"),
            Some(last) => {
                let first = done + 1;
                text += &format!(
                    "\n  rows {first} to {last} are in doubt: either all that can be stored of them are, or none is\
                     \n  look for them, and go on with --skip {last} if they are there, or else with --skip {done};\
                     \n  rows with an externalId may be sent again in either case"
                );
            }
        }
        text
    }

    fn counts(&self) -> String {
        format!("{} stored, {} there already, {} refused", self.stored, self.there_already, self.refused)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "it is shown to people"
    )]
    fn rate(&self) -> u64 {
        ((self.done - self.skipped) as f64 / self.began.elapsed().as_secs_f64()) as u64
    }
}

/// Nothing of it is drawn where nobody sees it.
fn bar(length: Option<u64>) -> ProgressBar {
    let (bar, template) = match length {
        Some(length) => (ProgressBar::new(length), "  {bar:30} {bytes} of {total_bytes}, {msg}, {eta} left"),
        None => (ProgressBar::new_spinner(), "  {spinner} {bytes}, {msg}"),
    };
    bar.with_style(ProgressStyle::with_template(template).expect("the template is right"))
}
