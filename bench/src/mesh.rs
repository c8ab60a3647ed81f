//! The mesh as it is deployed, a process for each service, beside what else could be in its place: in turn, each contender
//! does the same work on the same data.

mod agree;
mod binaries;
mod calls;
mod contenders;
mod cpu;
mod database;
mod echo;
mod machine;
mod pgbench;
mod plot;
mod processes;
mod python;
mod report;
mod results;
mod sink;
mod stage;
mod targets;
mod turn;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use clap::Args;

use crate::Result;
use crate::load::Work;
use crate::table::say;
use binaries::root;
use contenders::{Contender, USUAL};
use report::Question;
use results::Results;
use stage::Stage;
use turn::{Outcome, Task, Turn};

/// What to measure of the mesh.
#[derive(Args)]
pub(crate) struct Mesh {
    /// Only these works; when absent, all of them
    #[arg(value_enum)]
    works: Vec<Work>,
    #[command(flatten)]
    options: Options,
    /// Requests that are due each second at fixed times: an open loop, in which a stall is seen
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
}

#[derive(Args)]
pub(crate) struct All {
    #[command(flatten)]
    options: Options,
    /// How long the gateway is at its peak before memory is looked at
    #[arg(long, default_value_t = 60.0, value_parser = seconds)]
    soak: f64,
}

#[derive(Args)]
struct Options {
    /// How many connections, with a request in flight on each
    #[arg(long, value_delimiter = ',', default_value = "1,16,64,256", value_parser = clap::value_parser!(u32).range(1..=4096))]
    connections: Vec<u32>,
    /// How often the contenders take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long a turn is measured; whole seconds for pgbench
    #[arg(long, default_value_t = 3.0, value_parser = seconds)]
    seconds: f64,
    /// Who takes part; when absent, all but variants of them
    #[arg(long, value_enum, value_delimiter = ',')]
    contenders: Vec<Contender>,
    /// The share of traces that are recorded, from 0 to 1
    #[arg(long, default_value_t = 0.01, value_parser = share)]
    trace_ratio: f64,
    /// The directory for the results
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.05..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("must be a number from 0.05 to 3600".into()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.1..=1e6).contains(&rate) => Ok(rate),
        _ => Err("must be a number from 0.1 to 1000000".into()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("must be a number from 0 to 1".into()),
    }
}

impl Mesh {
    pub(crate) async fn run(self) -> Result<()> {
        let works = if self.works.is_empty() { ALL.to_vec() } else { self.works };
        let mut contenders = self.options.contenders();
        if self.rate.is_some() {
            // It has an open loop of its own, whose figures are other ones.
            contenders.retain(|contender| *contender != Contender::Pgbench);
        }
        let (stage, mut results) = self.options.begin(&contenders).await?;
        for work in works {
            for connections in self.options.connections() {
                let question = Question { work, connections, due: self.rate };
                results.turns.extend(self.options.turns(&stage, &contenders, question).await);
            }
        }
        self.options.end(&stage, results, self.options.out.as_deref()).await
    }
}

impl All {
    pub(crate) async fn run(self) -> Result<()> {
        let out = match &self.options.out {
            Some(out) => out.clone(),
            None => root().join("bench/results").join(Utc::now().format("%Y-%m-%d").to_string()),
        };
        let usual = self.options.contenders();
        let asked = |work| usual.iter().chain(usual.iter().flat_map(move |it| it.variants(work))).copied();
        let everyone: BTreeSet<_> = ALL.into_iter().flat_map(asked).collect();
        let (stage, mut results) = self.options.begin(&Vec::from_iter(everyone)).await?;
        let peak = self.options.peak_connections();
        for work in ALL {
            for connections in self.options.connections() {
                let contenders = if connections == peak { asked(work).collect() } else { usual.clone() };
                let question = Question { work, connections, due: None };
                results.turns.extend(self.options.turns(&stage, &contenders, question).await);
            }
        }
        if usual.contains(&Contender::Gateway) {
            self.soak(&stage, &mut results).await;
            self.open(&stage, &mut results).await;
        }
        self.options.end(&stage, results, Some(&out)).await
    }

    /// Looks at what memory is taken after a while at the peak.
    async fn soak(&self, stage: &Stage, results: &mut Results) {
        let connections = self.options.peak_connections();
        let task = Task { work: Work::Film, contender: Contender::Gateway, connections, round: 1, due: None };
        match stage.turn(task, Duration::from_secs_f64(self.soak)).await.outcome {
            Outcome::Figures(figures) => results.memory = figures.memory,
            // It is not one of the turns, and a longer one: its rate is not theirs.
            Outcome::Failure(failure) => results.failures.push(failure),
        }
        results.soak = self.soak;
    }

    /// Half of what the gateway can take is due at fixed times.
    async fn open(&self, stage: &Stage, results: &mut Results) {
        let connections = self.options.peak_connections();
        let closed = Question { work: Work::Film, connections, due: None };
        let standings = report::standings(&results.turns, closed);
        let gateway = standings.into_iter().find(|standing| standing.contender == Contender::Gateway);
        // Without a peak it failed, which has been said.
        let Some(peak) = gateway.and_then(|gateway| Some(gateway.medians?.rate)) else { return };
        let question = Question { due: Some((peak / 2.0).max(1.0)), ..closed };
        let ours = self.options.contenders();
        let ours = ours.into_iter().filter(|it| matches!(it, Contender::Grpc | Contender::Gateway));
        let ours: Vec<_> = ours.collect();
        results.turns.extend(self.options.turns(stage, &ours, question).await);
        results.open = Some(question);
    }
}

/// With so many connections peaks are looked at, or with as many as there are below.
const PEAK: usize = 64;
/// How long the first traces may take: a service sends them now and then.
const TRACES: Duration = Duration::from_secs(15);

const ALL: [Work; 6] = [Work::Film, Work::Page, Work::Search, Work::Create, Work::Visit, Work::Mix];

impl Options {
    fn contenders(&self) -> Vec<Contender> {
        if self.contenders.is_empty() { USUAL.to_vec() } else { self.contenders.clone() }
    }

    fn connections(&self) -> impl Iterator<Item = usize> {
        self.connections.iter().filter_map(|connections| usize::try_from(*connections).ok())
    }

    /// Of the numbers of connections, the one at which peaks are looked at.
    fn peak_connections(&self) -> usize {
        self.connections().filter(|it| *it <= PEAK).max().unwrap_or(1)
    }

    /// Starts everything, and looks whether they all answer the same.
    async fn begin(&self, contenders: &[Contender]) -> Result<(Stage, Results)> {
        let machine = machine::describe()?;
        let stage = Stage::start(contenders, self.trace_ratio).await?;
        if cfg!(debug_assertions) {
            say("*** THIS IS A DEBUG BUILD: ITS FIGURES MEAN NOTHING. Use `cargo run --release`. ***\n");
        }
        let agreed: Vec<_> = stage.agree().await?.into_iter().map(Contender::name).collect();
        say(&format!("the same JSON comes from: {}", agreed.join(", ")));
        let absent = stage.absent.iter().map(|(contender, why)| (contender.name(), why.clone())).collect();
        Ok((stage, Results { machine, absent, ..Results::default() }))
    }

    /// Lets the contenders take turns, and prints their table.
    async fn turns(&self, stage: &Stage, contenders: &[Contender], question: Question) -> Vec<Turn> {
        let Question { work, connections, due } = question;
        let mut turns = vec![];
        for round in 1..=self.rounds {
            for contender in stage.present(contenders) {
                let task = Task { work, contender, connections, round, due };
                turns.push(stage.turn(task, Duration::from_secs_f64(self.seconds)).await);
            }
        }
        report::print(&turns);
        turns
    }

    /// Writes the results where they are wanted; fails if any turn did.
    async fn end(&self, stage: &Stage, mut results: Results, out: Option<&Path>) -> Result<()> {
        // Of a share of the traces there may be none in a short run.
        let traced = stage.targets.keys().any(|contender| contender.records_all());
        results.trace_bytes = stage.sink.bytes_soon(if traced { TRACES } else { Duration::ZERO }).await;
        if traced && results.trace_bytes == 0 {
            results.failures.push("no trace arrived at the collector".into());
        }
        for (contender, why) in &results.absent {
            eprintln!("*** {contender} WAS LEFT OUT: {why}");
        }
        if let Some(out) = out {
            results.write(out)?;
        }
        match results.failed() {
            0 => Ok(()),
            failed => Err(format!("{failed} turns failed: see above").into()),
        }
    }
}
