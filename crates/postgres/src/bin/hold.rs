//! Runs a cluster until standard input ends or the process is killed: `hold DIRECTORY`, or `hold --ephemeral`.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use selvedge_postgres::{Cluster, Options};

fn main() -> ExitCode {
    match hold() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn hold() -> Result<(), Box<dyn std::error::Error>> {
    let argument = std::env::args().nth(1).ok_or("usage: hold DIRECTORY | --ephemeral")?;
    let options = if argument == "--ephemeral" { Options::ephemeral()? } else { Options::new(argument) };
    let cluster = Cluster::start(options)?;
    let mut out = io::stdout().lock();
    writeln!(out, "data_dir={}\npid={}", cluster.data_dir().display(), cluster.pid())?;
    for note in cluster.notes() {
        writeln!(out, "note={note}")?;
    }
    writeln!(out, "url={}", cluster.url("postgres"))?;
    out.flush()?;
    io::stdin().read_to_end(&mut vec![])?;
    Ok(cluster.stop()?)
}
