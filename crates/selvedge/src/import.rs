//! Stores what is in a file.

mod contacts;
mod pagila;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::Result;

#[derive(Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Submissions of the contact form, as rows of NDJSON or CSV.
    ///
    /// They are sent in slices of up to 1,000 rows, each of which is stored at once or, if something breaks, not at all. A
    /// row that cannot be stored does not stop the others: it is written to another file, with its number and the reason.
    /// A row whose externalId is taken is there already, and is only counted. The exit code is 0 if in the end all rows are
    /// there, and 1 if not. Blank lines are no rows; a row has 4 MiB at most.
    Contacts(contacts::Contacts),
    /// A whole catalog: a dump of Pagila, or of Sakila for PostgreSQL, in the place of all films, stores and rentals.
    ///
    /// All of it is stored at once or, where something is wrong, nothing; what is wrong is said with its line and table.
    /// Sample data is replaced when you say yes; what anybody has changed, or an earlier import, only with --replace. The
    /// same file again changes nothing. Rows that the file has twice are written once, and counted as refused.
    Pagila(pagila::Pagila),
}

impl Import {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        match self.what {
            What::Contacts(contacts) => contacts.run().await,
            What::Pagila(pagila) => pagila.run().await,
        }
    }
}
