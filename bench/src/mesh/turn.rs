//! A contender's turn.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::contenders::Contender;
use super::cpu::{Memory, Taken};
use super::database::Stored;
use super::stage::Stage;
use crate::Result;
use crate::load::{self, Measured, Plan, Work};

const MICROSECONDS: f64 = 1e6;
/// Of a millisecond.
const NANOSECONDS: f64 = 1e6;
const WARM_UP: Duration = Duration::from_millis(500);

/// What a turn is about.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Task {
    pub(super) work: Work,
    pub(super) contender: Contender,
    pub(super) connections: usize,
    pub(super) round: u32,
    /// Requests that are due each second, where it is an open loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) due: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Turn {
    #[serde(flatten)]
    pub(super) task: Task,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Figures(Figures),
    Failure(String),
}

#[derive(Debug, Serialize)]
pub(super) struct Figures {
    /// Answers a second.
    pub(super) rate: f64,
    /// Milliseconds, by the share of answers that took at most as long.
    pub(super) latency: Latency,
    /// Microseconds of CPU for each answer, by process.
    pub(super) cpu: BTreeMap<&'static str, f64>,
    /// Mebibytes, by process.
    pub(super) memory: BTreeMap<&'static str, Memory>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Latency {
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    #[serde(rename = "p99.9")]
    pub(super) p999: f64,
    pub(super) max: f64,
}

impl Latency {
    /// Of nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "no answer takes months")]
    fn of(latencies: &Histogram<u64>) -> Self {
        let millis = |share| latencies.value_at_quantile(share) as f64 / NANOSECONDS;
        Self { p50: millis(0.5), p90: millis(0.9), p99: millis(0.99), p999: millis(0.999), max: millis(1.0) }
    }
}

impl Stage {
    /// One contender does one work for a while. A wrong answer, or none, fails its turn, and the others go on.
    pub(super) async fn turn(&self, task: Task, time: Duration) -> Turn {
        let outcome = match self.figures(task, time).await {
            Ok(figures) => Outcome::Figures(figures),
            Err(error) => {
                let Task { work, contender, connections, .. } = task;
                eprintln!("*** {}, {work:?}, {connections} connections FAILED: {error}", contender.name());
                Outcome::Failure(error.to_string())
            }
        };
        Turn { task, outcome }
    }

    async fn figures(&self, task: Task, time: Duration) -> Result<Figures> {
        let writes = task.work.writes();
        if writes {
            self.database.rest().await?;
        }
        let before = if writes { Some(self.database.stored().await?) } else { None };
        let (figures, acknowledged) = match self.targets.get(&task.contender) {
            None => self.pgbench(task, time).await?,
            Some(target) => {
                let Task { work, contender, connections, due, .. } = task;
                let plan = Plan { work, connections, warm_up: WARM_UP, time, rate: due };
                let known = Arc::clone(&self.known[&contender]);
                let look = || self.watch.taken();
                let (measured, before, after) =
                    load::run(self.load().handle(), *target, plan, known, look).await?;
                (self.measured(&measured, &before, &after)?, acknowledged(&measured)?)
            }
        };
        if let (Some(before), Some(acknowledged)) = (before, acknowledged) {
            let after = self.database.stored().await?;
            let stored = Stored {
                submissions: after.submissions - before.submissions,
                visits: after.visits - before.visits,
            };
            if stored != acknowledged {
                return Err(format!("it acknowledged {acknowledged:?}, and stored {stored:?}").into());
            }
        }
        Ok(figures)
    }

    fn measured(&self, measured: &Measured, before: &Taken, after: &Taken) -> Result<Figures> {
        if measured.answers == 0 {
            return Err("there was no answer in time".into());
        }
        let answers = f64::from(u32::try_from(measured.answers)?);
        let cpu = cpu(before, after, answers);
        let latency = Latency::of(&measured.latencies);
        Ok(Figures { rate: measured.rate, latency, cpu, memory: self.watch.memory()? })
    }

    async fn pgbench(&self, task: Task, time: Duration) -> Result<(Figures, Option<Stored>)> {
        let seconds = time.as_secs().max(1);
        let run = self.scripts.run(&self.database, task.work, task.connections, seconds, &self.watch).await?;
        let answers = run.rate * f64::from(u32::try_from(seconds)?);
        let cpu = cpu(&run.before, &run.after, answers);
        let transactions = i64::try_from(run.transactions)?;
        let stored = match task.work {
            Work::Create => Some(Stored { submissions: transactions, visits: 0 }),
            Work::Visit => Some(Stored { submissions: 0, visits: transactions }),
            _ => None,
        };
        let latency = Latency::of(&run.latencies);
        Ok((Figures { rate: run.rate, latency, cpu, memory: BTreeMap::new() }, stored))
    }
}

/// What the load was told to be stored, which must then be there.
fn acknowledged(measured: &Measured) -> Result<Option<Stored>> {
    let submissions = i64::try_from(measured.created)?;
    Ok(Some(Stored { submissions, visits: i64::try_from(measured.visited)? }))
}

/// For each answer, by process; what just stands by is left out.
fn cpu(before: &Taken, after: &Taken, answers: f64) -> BTreeMap<&'static str, f64> {
    const STANDING_BY: f64 = 0.01;
    let taken: BTreeMap<_, _> = after
        .iter()
        .map(|(name, taken)| (*name, (taken - before.get(name).unwrap_or(&0.0)) * MICROSECONDS / answers))
        .collect();
    let all: f64 = taken.values().sum();
    taken.into_iter().filter(|(_, taken)| *taken > STANDING_BY * all).collect()
}
