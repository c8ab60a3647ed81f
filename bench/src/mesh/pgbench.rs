//! pgbench, with the statements that a service sends, a row at a time.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use selvedge_postgres::Installation;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::cpu::{Taken, Watch};
use super::database::Database;
use super::processes;
use crate::Result;
use crate::load::{COUNTER, Known, MESSAGE, PAGE, Target, Work, once, page_tokens, pages};
use crate::statement::filled;

const PATIENCE: Duration = Duration::from_mins(2);
/// Of so many transactions the latency is written down.
const SAMPLING: &str = "0.2";
/// More clients than this are served by a second thread.
const CLIENTS_OF_A_THREAD: usize = 16;
/// So many are connected in a second at the least.
const CLIENTS_A_SECOND: usize = 64;
/// How often a statement is looked for, should the service have sent another one in the meantime.
const ATTEMPTS: usize = 5;
const MICROSECOND: u64 = 1_000;

/// The scripts of each work, with their weights.
#[derive(Default)]
pub(super) struct Scripts(BTreeMap<Work, Vec<(PathBuf, u32)>>);

/// What came of a run.
pub(super) struct Run {
    pub(super) rate: f64,
    /// In nanoseconds.
    pub(super) latencies: Histogram<u64>,
    /// All of them, those that were not measured too.
    pub(super) transactions: u64,
    pub(super) before: Taken,
    pub(super) after: Taken,
}

impl Scripts {
    /// Writes them into this directory. The statements that read are those that this service has just sent.
    pub(super) async fn new(
        database: &Database,
        known: &Known,
        service: Target,
        directory: &Path,
    ) -> Result<Self> {
        // That of a call which is alone.
        let film = statement(database, service, Work::Film, known, "from films where films.id = ").await?;
        answers(database, &filled(&film, &["1"])?, 1..=1).await?;
        let film = format!("\\set id random(1, {})\n{}", known.films, filled(&film, &[":id"])?);
        // Whether there is another page is known from one film more.
        let limit = PAGE + 1;
        let mut page_scripts = vec![];
        for (page, token) in pages(known.films).zip(page_tokens(service, known.films).await?) {
            let asked = Known { pages: vec![token], ..known.clone() };
            let script = self::page(database, service, &asked, page).await?;
            answers(database, &script, limit..=limit).await?;
            page_scripts.push((script, 1));
        }
        let search = statement(database, service, Work::Search, known, "websearch_to_tsquery").await?;
        let mut searches = vec![];
        for word in &known.words {
            let search = filled(&search, &[&format!("'{word}'"), "null::real", "null", &limit.to_string()])?;
            answers(database, &search, 1..=limit).await?;
            searches.push((search, 1));
        }
        let scripts = [
            (Work::Film, vec![(film.clone(), 1)]),
            (Work::Page, page_scripts),
            (Work::Search, searches),
            (Work::Create, vec![(create(), 1)]),
            (Work::Visit, vec![(visit(), 1)]),
            (Work::Mix, vec![(film, 4), (create(), 1)]),
        ];
        let mut all = BTreeMap::new();
        for (work, scripts) in scripts {
            let mut files = vec![];
            for (number, (script, weight)) in scripts.into_iter().enumerate() {
                let file = directory.join(format!("{work:?}-{number}.sql"));
                fs::write(&file, format!("{};\n", on_one_line(&script)))?;
                files.push((file, weight));
            }
            all.insert(work, files);
        }
        Ok(Self(all))
    }

    /// Runs for so many seconds, and one before them, in which each client prepares its statements.
    pub(super) async fn run(
        &self,
        database: &Database,
        work: Work,
        clients: usize,
        seconds: u64,
        watch: &Watch,
    ) -> Result<Run> {
        let logs = tempfile::tempdir()?;
        let mut command = processes::command(Installation::find()?.bin.join("pgbench"));
        database.tell(&mut command);
        let threads = if clients > CLIENTS_OF_A_THREAD { "2" } else { "1" };
        command.args(["--no-vacuum", "--protocol", "prepared", "--jobs", threads, "--progress", "1"]);
        // The time begins before its clients are connected, and what comes after the last second is left out.
        let connecting = u64::try_from(clients / CLIENTS_A_SECOND)?;
        command.args(["--client", &clients.to_string(), "--time", &(connecting + seconds + 2).to_string()]);
        command.args(["--log", "--sampling-rate", SAMPLING, "--log-prefix"]).arg(logs.path().join("log"));
        for (file, weight) in &self.0[&work] {
            command.arg("--file").arg(format!("{}@{weight}", file.display()));
        }
        command.env("PGOPTIONS", "-c search_path=catalog,contacts,public");
        let mut command = Command::from(command);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut watch = watch.clone();
        watch.add("pgbench", child.id().ok_or("pgbench has ended")?);
        let errors = child.stderr.take().ok_or("it is piped")?;
        let window = timeout(PATIENCE, Window::watch(BufReader::new(errors), seconds, &watch));
        let window = window.await.map_err(|_| "pgbench does not end")??;
        let mut said = String::new();
        child.stdout.take().ok_or("it is piped")?.read_to_string(&mut said).await?;
        let status = child.wait().await?;
        let transactions = said
            .lines()
            .find_map(|line| line.strip_prefix("number of transactions actually processed: ")?.parse().ok());
        let (Some(transactions), true, true, [Some(before), Some(after)]) =
            (transactions, status.success(), said.contains("number of failed transactions: 0"), window.taken)
        else {
            let measured = window.rates.len();
            let said = format!("{said}{}", window.said);
            return Err(format!("pgbench: {status}, {measured} of {seconds} s measured\n{said}").into());
        };
        let latencies = latencies(logs.path(), window.from, window.to)?;
        let rate = window.rates.iter().sum::<f64>() / f64::from(u32::try_from(window.rates.len())?);
        Ok(Run { rate, latencies, transactions, before, after })
    }
}

/// The seconds of a run that are measured.
#[derive(Default)]
struct Window {
    rates: Vec<f64>,
    taken: [Option<Taken>; 2],
    /// Since 1970.
    from: Duration,
    to: Duration,
    /// What was no report of progress.
    said: String,
}

impl Window {
    /// Follows its reports, one a second, to the end. The first one ends the time that is not measured.
    async fn watch(
        errors: impl tokio::io::AsyncBufRead + Unpin,
        seconds: u64,
        watch: &Watch,
    ) -> Result<Self> {
        let mut window = Self::default();
        let mut lines = errors.lines();
        let mut reports = 0;
        while let Some(line) = lines.next_line().await? {
            let report = line
                .strip_prefix("progress: ")
                .and_then(|line| line.split(", ").nth(1)?.strip_suffix(" tps"));
            let Some(rate) = report else {
                window.said += &(line + "\n");
                continue;
            };
            if (1..=seconds).contains(&reports) {
                window.rates.push(rate.parse()?);
            }
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
            if reports == 0 {
                window.from = now;
                window.taken[0] = Some(watch.taken()?);
            } else if reports == seconds {
                window.to = now;
                window.taken[1] = Some(watch.taken()?);
            }
            reports += 1;
        }
        Ok(window)
    }
}

/// The latencies in its log, of what ended in this time.
fn latencies(directory: &Path, from: Duration, to: Duration) -> Result<Histogram<u64>> {
    let mut latencies = Histogram::new(3)?;
    for entry in fs::read_dir(directory)? {
        for line in fs::read_to_string(entry?.path())?.lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            let [_, _, latency, _, seconds, microseconds, ..] = fields[..] else {
                return Err(format!("the log of pgbench is not as it should be: {line}").into());
            };
            let at = Duration::from_secs(seconds.parse()?) + Duration::from_micros(microseconds.parse()?);
            if (from..to).contains(&at) {
                latencies.record(MICROSECOND * latency.parse::<u64>()?)?;
            }
        }
    }
    Ok(latencies)
}

/// pgbench looks at no answer. So a statement is tried before.
async fn answers(database: &Database, statement: &str, wanted: RangeInclusive<usize>) -> Result<()> {
    let rows = database.rows(statement).await?;
    if wanted.contains(&rows) {
        return Ok(());
    }
    Err(format!("a statement for pgbench answers with {rows} rows: {statement}").into())
}

/// The statement for a page: of the first one the service knows no place after which it would begin.
async fn page(database: &Database, service: Target, known: &Known, page: usize) -> Result<String> {
    if page == 0 {
        return statement(database, service, Work::Page, known, "from films where true order by").await;
    }
    let statement = statement(database, service, Work::Page, known, "from films where true and").await?;
    let (key, id) = database.place(page * PAGE).await?;
    filled(&statement, &[&format!("'{}'", key.replace('\'', "''")), &id.to_string()])
}

/// The statement with these words that the service sends for this work.
async fn statement(
    database: &Database,
    service: Target,
    work: Work,
    known: &Known,
    words: &str,
) -> Result<String> {
    for _ in 0..ATTEMPTS {
        once(service, work, known).await?;
        if let Some(statement) = database.last_statement(words).await? {
            return Ok(statement);
        }
    }
    Err(format!("the service sends no statement with {words:?}").into())
}

/// To pgbench, a line that begins with a backslash is a command of its own, and any other a part of a statement.
fn on_one_line(script: &str) -> String {
    match script.strip_prefix('\\').and_then(|script| script.split_once('\n')) {
        Some((command, statement)) => format!("\\{command}\n{}", statement.replace('\n', " ")),
        None => script.replace('\n', " "),
    }
}

/// A row, as somebody writes it who stores one at a time. The key carries the time, which costs little beside the rest.
fn create() -> String {
    format!(
        "\\set number random(1, 9000000000000000000)
         insert into submissions (id, name, email, message, status, submitted_at, document_insights)
         values (
             (left(uuid_v7_floor(now())::text, 14) || '7' || right(gen_random_uuid()::text, 21))::uuid,
             'Ada Lovelace', 'ada.' || :number::bigint || '@example.com', '{MESSAGE}', 'NEW', now(), '{{}}')
         returning id, external_id, name, email, message, status, submitted_at, document_insights, created_at,
             updated_at"
    )
}

fn visit() -> String {
    format!(
        "update visitors set count = count + 1, last_updated = greatest(clock_timestamp(), last_updated)
         where counter = '{COUNTER}' returning counter, count, last_updated"
    )
}
