//! `ImportSubmissions`, and `psql \copy` of the same rows into the same table.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use selvedge_contacts::SERVICE;
use selvedge_postgres::Installation;
use selvedge_proto::contacts::v1::ImportSubmissionsRequest;
use selvedge_testing::{Database, Served};
use sqlx::Executor as _;
use tempfile::NamedTempFile;
use tokio::process::Command;

use super::{COLUMNS, Rows, Submissions, discard, ensure_partitions, serve_empty};
use crate::table::{Table, note, thousands};
use crate::{Result, Size, libpq, memory};

const PSQL: &str = "psql \\copy";
const IMPORT: &str = "ImportSubmissions";

pub(super) async fn run(size: Size) -> Result<()> {
    let rows = Rows::with_external_ids(size.rows);
    let file = write_file(rows)?;
    let bytes = file.as_file().metadata()?.len() / rows.count;
    let what = format!(
        "import: {} rows of {bytes} bytes over fourteen months, into an empty table",
        thousands(rows.count)
    );
    let mut table = Table::new(what, "row");
    let few = Rows::with_external_ids(size.rows / 10);
    let (peak_of_few, _) = import(&mut Table::new("", "row"), few).await?;
    let (mut peak, mut left_by_copy, mut left_by_import) = (0, 0, 0);
    for _ in 0..size.rounds {
        left_by_copy = copy(&mut table, rows, file.path()).await?;
        (peak, left_by_import) = import(&mut table, rows).await?;
    }
    table.print();
    note(&format!(
        "changes that were still to be folded into the counts: {} after \\copy, {} after the import",
        thousands(left_by_copy),
        thousands(left_by_import)
    ));
    note(&format!(
        "peak resident memory of client and service, one process here: {} kB at {} rows, {} kB at {}",
        thousands(peak_of_few),
        thousands(few.count),
        thousands(peak),
        thousands(rows.count)
    ));
    Ok(())
}

/// One import; answers with the peak of memory in kilobytes, and with the changes that are not folded yet.
async fn import(table: &mut Table, rows: Rows) -> Result<(u64, u64)> {
    let served = serve_at_rest().await?;
    let mut client = Submissions::new(served.channel());
    let requests = (0..rows.count)
        .map(move |number| ImportSubmissionsRequest { submission: Some(rows.submission(number)) });
    memory::forget_peak()?;
    let work = async { Ok(client.import_submissions(tokio_stream::iter(requests)).await?.into_inner()) };
    let report = table.time(IMPORT, rows.count, work).await?;
    let peak = memory::peak_kilobytes()?;
    if u64::try_from(report.accepted_count)? != rows.count {
        return Err(format!("not all of the rows were imported: {report:?}").into());
    }
    Ok((peak, check(served, rows).await?))
}

/// One `\copy`. The service runs here as well: what it does in the background belongs to both.
async fn copy(table: &mut Table, rows: Rows, file: &Path) -> Result<u64> {
    let served = serve_at_rest().await?;
    ensure_partitions(&mut served.database.superuser().await, rows).await?;
    let mut psql = psql(&served.database)?;
    psql.args(["--command", &format!("\\copy submissions ({COLUMNS}) from '{}'", file.display())]);
    let work = async {
        let output = psql.output().await?;
        if output.status.success() {
            Ok(())
        } else {
            Err(format!("psql: {}", String::from_utf8_lossy(&output.stderr)).into())
        }
    };
    table.time(PSQL, rows.count, work).await?;
    check(served, rows).await
}

async fn serve_at_rest() -> Result<Served> {
    let served = serve_empty().await;
    served.database.superuser().await.execute("checkpoint").await?;
    Ok(served)
}

/// Everything must be there, and in its month; answers with the changes that are not folded into the counts yet.
async fn check(served: Served, rows: Rows) -> Result<u64> {
    let (left, stored, in_default): (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from submission_deltas), (select count(*) from submissions),
             (select count(*) from submissions_default)",
    )
    .fetch_one(&mut served.database.superuser().await)
    .await?;
    if (u64::try_from(stored)?, in_default) != (rows.count, 0) {
        return Err(format!("of {stored} rows, {in_default} are in the default partition").into());
    }
    discard(served).await?;
    Ok(u64::try_from(left)?)
}

fn psql(database: &Database) -> Result<Command> {
    let mut command = libpq::command(psql_program()?, database, SERVICE);
    command.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]).env("PGCLIENTENCODING", "UTF8");
    Ok(command)
}

fn psql_program() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = [Installation::find()?.bin].into_iter().chain(std::env::split_paths(&path));
    let found = places.map(|place| place.join("psql")).find(|program| program.is_file());
    Ok(found.ok_or("there is no psql beside PostgreSQL's programs, nor on PATH")?)
}

fn write_file(rows: Rows) -> Result<NamedTempFile> {
    let file = NamedTempFile::new()?;
    let mut writer = BufWriter::new(File::options().write(true).open(file.path())?);
    let mut line = String::new();
    for number in 0..rows.count {
        line.clear();
        rows.write_line(number, &mut line);
        writer.write_all(line.as_bytes())?;
    }
    writer.flush()?;
    Ok(file)
}
