//! Brings a dump of Pagila, or of Sakila for PostgreSQL, into the catalog, in the place of all that is there.
//!
//! Everything happens in one transaction, which the caller begins and commits: a file that is broken changes nothing. The
//! rows go into temporary tables first, where PostgreSQL reads and checks the values; only when all of them are there and
//! every reference leads somewhere are the catalog's own tables locked and replaced.

mod check;
mod dump;
mod held;
mod insert;
mod replace;
mod rows;
mod source;
mod staging;
mod tables;
mod tokens;
mod values;

use std::collections::BTreeSet;
use std::io::Read;
use std::thread;

use selvedge_kit::StartError;
use sqlx::postgres::PgConnection;
use tokio::sync::mpsc;

pub use held::{Held, held};
use tables::TABLES;

type Result<T, E = StartError> = std::result::Result<T, E>;

/// A file whose rows are staged.
pub struct Staged {
    /// What became of the rows of each table, in the order in which they are written.
    pub counts: Vec<Counts>,
    /// The SHA-256 of the file.
    pub sha256: [u8; 32],
    /// How many lines the file has.
    pub lines: u64,
    /// The tables of the file that have no place here.
    pub unused: BTreeSet<String>,
}

/// What became of the rows of a table.
pub struct Counts {
    /// What the file calls the table; partitions count as one.
    pub table: &'static str,
    /// How many rows the file has.
    pub read: u64,
    /// How many of them the file had before, each the same in every column; they are not written a second time.
    pub refused: u64,
    /// How many are in the catalog now.
    pub written: u64,
}

/// Reads a file into temporary tables. Needs a transaction, and the rights of the schema's owner.
pub async fn stage(connection: &mut PgConnection, input: Box<dyn Read + Send>) -> Result<Staged> {
    staging::create(connection).await?;
    let (sender, mut chunks) = mpsc::channel(1);
    // A thread that the runtime does not wait for at the end: it may be waiting for the standard input.
    let reader = thread::spawn(move || dump::read(input, sender));
    let read = staging::fill(connection, &mut chunks).await?;
    // There are no more chunks, so it has come to its end.
    let found = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let counts = TABLES.iter().zip(read);
    let counts: Vec<Counts> =
        counts.map(|(table, read)| Counts { table: table.name, read, refused: 0, written: 0 }).collect();
    if !counts.iter().any(|counts| counts.table == "film" && counts.read > 0) {
        return Err("this is no dump of Pagila: it has no rows of a table film".into());
    }
    staging::analyze(connection).await?;
    Ok(Staged { counts, sha256: found.sha256, lines: found.lines, unused: found.unused })
}

/// Sorts out rows that the file has twice, and looks whether all the others fit together.
pub async fn check(connection: &mut PgConnection, staged: &mut Staged) -> Result<()> {
    for (table, counts) in TABLES.iter().zip(&mut staged.counts) {
        counts.refused = check::delete_repeated(connection, table).await?;
        check::keys(connection, table).await?;
    }
    for table in &TABLES {
        check::references(connection, table).await?;
    }
    Ok(())
}

/// Waits until nobody uses the catalog, and keeps everybody out until the transaction ends.
pub async fn lock(connection: &mut PgConnection) -> Result<()> {
    replace::lock(connection).await
}

/// Writes what was staged and checked in the place of all that is there, and remembers where it came from.
pub async fn replace(connection: &mut PgConnection, staged: &mut Staged) -> Result<()> {
    let written = replace::replace(connection, &staged.sha256).await?;
    for (counts, written) in staged.counts.iter_mut().zip(written) {
        counts.written = written;
    }
    Ok(())
}
