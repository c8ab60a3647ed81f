//! Stores submissions, a slice at a time.

mod report;
mod rows;
mod slices;

use std::error::Error;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use futures::stream;
use selvedge_kit::stop_signal;
use selvedge_proto::contacts::v1::submission_service_client::SubmissionServiceClient;
use selvedge_proto::contacts::v1::{ImportSubmissionsRequest, ImportSubmissionsResponse};
use tokio::time::sleep;
use tonic::transport::Channel;
use tonic::{Code, ConnectError, Request, Response, Status};
use tonic_types::StatusExt as _;

use crate::Result;
use crate::bulk::{Format, ServiceAt, explain};
use report::Report;
use rows::Rows;
use slices::Slices;

const READ_BYTES: usize = 256 << 10;
/// A slice takes a fraction of a second.
const SLICE_TIMEOUT: Duration = Duration::from_mins(2);
/// The reasons of a service that turns a call away before it looks at it.
const TURNED_AWAY: [&str; 2] = ["TOO_MANY_BULK_CALLS", "OVERLOADED"];
/// Some minutes, at the pace that such a service asks for.
const MAX_TRIES: u32 = 60;
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(crate) struct Contacts {
    #[command(flatten)]
    service: ServiceAt,
    /// What to read; `-` is the standard input. NDJSON has an object a line, CSV a header with the names of fields; an
    /// empty cell is an absent field. What `export` writes can be read.
    file: PathBuf,
    /// How the file is written; when absent, as its extension says (of the standard input: NDJSON).
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where refused rows are written, an object with row, reason, description and text a line; when absent,
    /// FILE.refused.ndjson. It must not exist, or be empty; it is there afterwards only if a row was refused.
    #[arg(long, value_name = "PATH")]
    refused: Option<PathBuf>,
    /// How many rows to pass over at the beginning of the file.
    #[arg(long, value_name = "ROWS", default_value_t = 0)]
    skip: u64,
}

impl Contacts {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let (input, length) = self.open().map_err(|error| self.cannot_read(&error))?;
        let rows = Rows::new(input, self.format()?).map_err(|error| self.cannot_read(&error))?;
        let client = self.service.client().await?;
        let mut report = Report::new(self.refused_path(), self.skip, length)?;
        let slices = Slices::of(rows, self.skip);
        let result = tokio::select! {
            result = store(client, slices, &mut report) => result,
            signal = stop_signal() => Err(signal.map_or_else(Into::into, |()| "stopped".into())),
        };
        report.finish(result)
    }

    /// The rows, and how many bytes they are where that is known.
    fn open(&self) -> io::Result<(Box<dyn BufRead + Send>, Option<u64>)> {
        if self.is_stdin() {
            return Ok((Box::new(BufReader::with_capacity(READ_BYTES, stdin())), None));
        }
        let file = File::open(&self.file)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        let length = metadata.is_file().then_some(metadata.len());
        Ok((Box::new(BufReader::with_capacity(READ_BYTES, file)), length))
    }

    fn format(&self) -> Result<Format> {
        let known = self.format.or_else(|| Format::of(&self.file));
        match known {
            Some(format) => Ok(format),
            None if self.is_stdin() => Ok(Format::Ndjson),
            None => Err(format!("{}: say how it is written, with --format", self.file.display()).into()),
        }
    }

    fn refused_path(&self) -> PathBuf {
        match &self.refused {
            Some(path) => path.clone(),
            None if self.is_stdin() => PathBuf::from("refused.ndjson"),
            None => {
                let mut path = self.file.clone().into_os_string();
                path.push(".refused.ndjson");
                path.into()
            }
        }
    }

    fn cannot_read(&self, error: &impl Display) -> String {
        format!("cannot read {}: {error}", self.file.display())
    }

    fn is_stdin(&self) -> bool {
        self.file == Path::new("-")
    }
}

/// Sends one slice after the other. While one is being stored, the next is being read.
async fn store(
    mut client: SubmissionServiceClient<Channel>,
    mut slices: Slices,
    report: &mut Report,
) -> Result<()> {
    while let Some(slice) = slices.next().await {
        report.begin(&slice);
        match send(&mut client, &slice.requests).await {
            Ok(answer) => report.add(slice, answer)?,
            Err(status) => {
                if is_surely_not_stored(&status) {
                    report.nothing_was_stored();
                }
                return Err(explain(&status).into());
            }
        }
    }
    slices.end()
}

async fn send(
    client: &mut SubmissionServiceClient<Channel>,
    rows: &[ImportSubmissionsRequest],
) -> Result<ImportSubmissionsResponse, Status> {
    if rows.is_empty() {
        return Ok(ImportSubmissionsResponse::default());
    }
    let mut tries = 1;
    loop {
        let mut request = Request::new(stream::iter(rows.to_vec()));
        request.set_timeout(SLICE_TIMEOUT);
        match client.import_submissions(request).await {
            Err(status) if is_turned_away(&status) && tries < MAX_TRIES => {
                let wait = status.get_details_retry_info().and_then(|info| info.retry_delay);
                sleep(wait.unwrap_or(RETRY_AFTER)).await;
                tries += 1;
            }
            answer => return answer.map(Response::into_inner),
        }
    }
}

/// Only what the service itself says counts: a call that merely failed may have done its work.
fn is_turned_away(status: &Status) -> bool {
    status.get_details_error_info().is_some_and(|info| TURNED_AWAY.contains(&info.reason.as_str()))
}

fn is_surely_not_stored(status: &Status) -> bool {
    let mut causes = std::iter::successors(status.source(), |&error| error.source());
    is_turned_away(status)
        || causes.any(<dyn Error>::is::<ConnectError>)
        || [Code::InvalidArgument, Code::Unauthenticated, Code::PermissionDenied, Code::Unimplemented]
            .contains(&status.code())
}
