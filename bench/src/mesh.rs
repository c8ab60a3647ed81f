//! The mesh as it is deployed, a process for each service, beside what else could be in its place: in turn, each contender
//! does the same work on the same data.

mod binaries;
mod contenders;
mod cpu;
mod database;
mod pgbench;
mod processes;
mod python;
mod report;
mod sink;
mod stage;
mod turn;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::Result;
use crate::load::Work;
use contenders::{Contender, USUAL};
use stage::Stage;
use turn::{Task, Turn};

/// What to measure of the mesh.
#[derive(Args)]
pub(crate) struct Mesh {
    /// Only these works; when absent, all of them
    #[arg(value_enum)]
    works: Vec<Work>,
    #[command(flatten)]
    options: Options,
    /// Requests that are due each second at fixed times: an open loop, in which a stall is seen
    #[arg(long)]
    rate: Option<f64>,
}

#[derive(Args)]
pub(crate) struct All {
    #[command(flatten)]
    options: Options,
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
    /// Who takes part; when absent, all but those that are about traces
    #[arg(long, value_enum, value_delimiter = ',')]
    contenders: Vec<Contender>,
    /// The share of traces that are recorded, from 0 to 1
    #[arg(long, default_value_t = 0.01)]
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

impl Mesh {
    pub(crate) async fn run(self) -> Result<()> {
        let works = if self.works.is_empty() { ALL.to_vec() } else { self.works };
        let mut contenders = self.options.contenders();
        if self.rate.is_some() {
            contenders.retain(|contender| *contender != Contender::Pgbench);
        }
        let stage = Stage::start(&contenders, self.options.trace_ratio).await?;
        let mut turns = vec![];
        for work in works {
            for connections in self.options.connections() {
                turns.extend(self.options.turns(&stage, &contenders, work, connections, self.rate).await);
            }
        }
        Ok(())
    }
}

impl All {
    pub(crate) async fn run(self) -> Result<()> {
        Ok(())
    }
}

const ALL: [Work; 6] = [Work::Film, Work::Page, Work::Search, Work::Create, Work::Visit, Work::Mix];

impl Options {
    fn contenders(&self) -> Vec<Contender> {
        if self.contenders.is_empty() { USUAL.to_vec() } else { self.contenders.clone() }
    }

    fn connections(&self) -> impl Iterator<Item = usize> {
        self.connections.iter().filter_map(|connections| usize::try_from(*connections).ok())
    }

    /// Lets the contenders take turns, and prints their table.
    async fn turns(
        &self,
        stage: &Stage,
        contenders: &[Contender],
        work: Work,
        connections: usize,
        due: Option<f64>,
    ) -> Vec<Turn> {
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
}
