//! Puts a dump of Pagila in the place of the catalog's data.

use std::fs::File;
use std::io::{ErrorKind, IsTerminal as _, Read, Write as _, stderr, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use selvedge_catalog::pagila::{self, Counts, Held, Staged};
use selvedge_kit::stop_signal;
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use crate::Result;
use crate::database::Target;
use crate::progress::Progress;

#[derive(Args)]
pub(crate) struct Pagila {
    /// What to read: what `pg_dump` wrote, as plain SQL, with `copy` or with `insert`; `-` is the standard input.
    file: PathBuf,
    /// Replace the sample data without asking.
    #[arg(long)]
    yes: bool,
    /// Replace whatever is there, without asking.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    target: Target,
}

impl Pagila {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let input = self.open().map_err(|error| format!("cannot read {}: {error}", self.file.display()))?;
        let mut connection = self.connect().await?;
        tokio::select! {
            done = self.import(&mut connection, input) => done?,
            // The connection goes, and with it all that was done: it is one transaction.
            signal = stop_signal() => return signal.map_or_else(|error| Err(error.into()), |()| Err("stopped".into())),
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn import(&self, connection: &mut PgConnection, input: Box<dyn Read + Send>) -> Result<()> {
        let progress = Progress::new();
        let before = pagila::held(connection).await.map_err(|error| not_migrated(&error))?;
        // An earlier import may be of the same file, which is known when all of it has been read.
        if !matches!(before, Held::Import { .. }) {
            self.may_replace(&before, &[])?;
        }
        if before == Held::Seed {
            self.ask().await?;
        }

        let mut transaction = connection.begin().await?;
        let name = self.file.display();
        let staged = pagila::stage(&mut transaction, input);
        let read = |staged: &Staged| format!("{name}: {} lines", staged.lines);
        let mut staged = progress.step(&format!("reading {name}"), staged, read).await?;
        if !staged.unused.is_empty() {
            let tables: Vec<&str> = staged.unused.iter().map(String::as_str).collect();
            progress.note(&format!("without use here: {}", tables.join(", ")));
        }
        let check = pagila::check(&mut transaction, &mut staged);
        progress.step("checking", check, |()| "everything leads somewhere".into()).await?;

        let lock = pagila::lock(&mut transaction);
        progress
            .step("waiting until nobody uses the catalog", lock, |()| "the catalog is ours".into())
            .await?;
        let now = pagila::held(&mut transaction).await?;
        if matches!(&now, Held::Import { sha256, .. } if *sha256 == staged.sha256) {
            transaction.rollback().await?;
            progress.note("this very file is there already, and nothing has changed since: nothing to do");
            return Ok(());
        }
        self.may_replace(&now, &staged.sha256)?;
        if before == Held::Nothing && now != Held::Nothing && !self.replace {
            return Err(
                "somebody has put something into the catalog in the meantime; nothing was changed".into()
            );
        }
        let replace = async {
            pagila::replace(&mut transaction, &mut staged).await?;
            Ok::<_, selvedge_kit::StartError>(transaction.commit().await?)
        };
        progress.step("replacing", replace, |()| "replaced, and the reports with it".into()).await?;
        show(&staged.counts);
        Ok(())
    }

    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        if self.is_stdin() {
            return Ok(Box::new(stdin()));
        }
        let file = File::open(&self.file)?;
        if file.metadata()?.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        Ok(Box::new(file))
    }

    /// As the owner of the schema, who alone may replace everything at once.
    async fn connect(&self) -> Result<PgConnection> {
        let options = self.target.connect_options()?.options([("search_path", "catalog")]);
        let connected = options.connect().await;
        let mut connection = connected.map_err(|error| format!("cannot connect to the database: {error}"))?;
        // A process that was killed cannot say that it has left.
        let set = "set client_connection_check_interval = '2s'; set role catalog_owner";
        connection.execute(set).await.map_err(|error| {
            format!("cannot act as catalog_owner: {error}\n(`selvedge migrate up` as a superuser makes it)")
        })?;
        Ok(connection)
    }

    /// Refuses what was not asked for.
    fn may_replace(&self, held: &Held, sha256: &[u8]) -> Result<()> {
        let there = match held {
            _ if self.replace => return Ok(()),
            Held::Nothing | Held::Seed => return Ok(()),
            Held::Import { sha256: of, .. } if of == sha256 => return Ok(()),
            Held::Import { at, .. } => format!("an earlier import, of {}", at.format("%F %T UTC")),
            Held::Changed => "data that somebody has made or changed".to_owned(),
        };
        Err(format!("the catalog holds {there}\n(nothing was changed; --replace replaces all of it)").into())
    }

    async fn ask(&self) -> Result<()> {
        if self.yes || self.replace {
            return Ok(());
        }
        let refused = "the catalog holds the sample data\n(nothing was changed; --yes replaces all of it)";
        if self.is_stdin() || !stdin().is_terminal() {
            return Err(refused.into());
        }
        eprint!("  replace the sample data of the catalog? [y/N] ");
        stderr().flush()?;
        let (sender, answer) = tokio::sync::oneshot::channel();
        // A thread that the runtime does not wait for at the end.
        std::thread::spawn(move || {
            let mut line = String::new();
            stdin().read_line(&mut line).ok();
            sender.send(line).ok();
        });
        match answer.await?.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(refused.into()),
        }
    }

    fn is_stdin(&self) -> bool {
        self.file == Path::new("-")
    }
}

fn not_migrated(error: &selvedge_kit::StartError) -> String {
    format!("{error}\n(is the schema of the catalog up to date? `selvedge migrate up` makes it so)")
}

/// What became of the rows. What was asked for goes to the standard output.
#[expect(clippy::print_stdout, reason = "it is the answer of the command")]
fn show(counts: &[Counts]) {
    println!("{:<16} {:>10} {:>10} {:>10}", "table", "read", "written", "refused");
    for Counts { table, read, written, refused } in counts {
        println!("{table:<16} {read:>10} {written:>10} {refused:>10}");
    }
    let sum = |of: fn(&Counts) -> u64| counts.iter().map(of).sum::<u64>();
    let (read, written, refused) =
        (sum(|counts| counts.read), sum(|counts| counts.written), sum(|counts| counts.refused));
    println!("{:<16} {read:>10} {written:>10} {refused:>10}", "all");
}
