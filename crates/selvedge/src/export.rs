//! Writes all rows of a resource.

mod sink;

use std::fs::{self, File};
use std::io::{self, ErrorKind, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use selvedge_kit::StartError;
use selvedge_proto::contacts::v1::{ExportSubmissionsRequest, Submission};
use tonic::Streaming;

use crate::Result;
use crate::bulk::message::MessageType;
use crate::bulk::{Format, Resource, explain};
use crate::progress::Progress;
use sink::Sink;

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    resource: Resource,
    /// How to write the rows; when absent, as the extension of the output file says, or else as NDJSON.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where to write them, if not to the standard output. They are in FILE.partial until all of them are there; a FILE
    /// that exists is then replaced.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only some of them: an `ExportSubmissionsRequest` as JSON, such as '{"email": "ada@example.com"}'.
    #[arg(long, value_name = "JSON")]
    filter: Option<String>,
}

impl Export {
    pub(crate) async fn run(self) -> Result<()> {
        let filter = self.filter()?;
        let of_file = self.output.as_deref().and_then(Format::of);
        let format = self.format.or(of_file).unwrap_or(Format::Ndjson);
        let progress = Progress::new();
        let mut client = self.resource.client().await?;
        let answer = client.export_submissions(filter).await.map_err(|status| explain(&status))?;
        let rows = match &self.output {
            Some(path) => Some(to_file(answer.into_inner(), format, path).await?),
            None => to_stdout(answer.into_inner(), format).await?,
        };
        if let Some(rows) = rows {
            eprintln!("  ✓ {rows} rows exported in {}", progress.total());
        }
        Ok(())
    }

    fn filter(&self) -> Result<ExportSubmissionsRequest> {
        let Some(filter) = &self.filter else { return Ok(ExportSubmissionsRequest::default()) };
        let request = MessageType::of_contacts("ExportSubmissionsRequest");
        let parsed = request.parse(filter);
        let fields = request.names().join(", ");
        Ok(parsed.map_err(|error| format!("--filter: {error} (its fields are: {fields})"))?)
    }
}

/// Whoever reads it may stop when it has enough: that is no failure, but not the number of rows either.
async fn to_stdout(rows: Streaming<Submission>, format: Format) -> Result<Option<u64>> {
    let mut stdout = stdout().lock();
    let mut sink = Sink::new(&mut stdout, format)?;
    match write(rows, &mut sink).await {
        Err(error) if is_closed_pipe(&error) => Ok(None),
        Err(error) => Err(format!("the export broke off after {} rows: {error}", sink.rows()).into()),
        Ok(()) => Ok(Some(sink.rows())),
    }
}

/// The file has its name only once it is complete.
async fn to_file(rows: Streaming<Submission>, format: Format, path: &Path) -> Result<u64> {
    if path.exists() && !path.is_file() {
        let hint = "without --output, the rows go to the standard output";
        return Err(format!("{} is not a file; {hint}", path.display()).into());
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let cannot = |error: io::Error| format!("cannot write {}: {error}", partial.display());
    let mut file = File::create(&partial).map_err(cannot)?;
    let mut sink = Sink::new(&mut file, format)?;
    let written = write(rows, &mut sink).await;
    let count = sink.rows();
    drop(sink);
    written.map_err(|error| {
        format!("the export broke off after {count} rows, see {}: {error}", partial.display())
    })?;
    file.sync_all().map_err(cannot)?;
    fs::rename(&partial, path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
    Ok(count)
}

async fn write(mut rows: Streaming<Submission>, sink: &mut Sink<'_>) -> Result<()> {
    while let Some(row) = rows.message().await.map_err(|status| explain(&status))? {
        sink.write(&row)?;
    }
    Ok(sink.finish()?)
}

fn is_closed_pipe(error: &StartError) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
