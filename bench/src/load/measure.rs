//! Closed and open loops, and what is measured of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use hdrhistogram::Histogram;
use tokio::runtime::Handle;
use tokio::time::{sleep_until, timeout};

use super::pace::{self, Dues};
use super::visits::Visits;
use super::{Answer, Client, Known, Target, Window, Work};
use crate::Result;

/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// A histogram knows a time to three digits.
const DIGITS: u8 = 3;

/// How a load is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) work: Work,
    pub(crate) connections: usize,
    /// What is not measured yet.
    pub(crate) warm_up: Duration,
    pub(crate) time: Duration,
    /// Requests a second that are due at fixed times, whatever becomes of those before; when absent, each connection
    /// sends the next request as soon as it has its answer.
    pub(crate) rate: Option<f64>,
}

/// What came of it.
pub(crate) struct Measured {
    /// Answers a second.
    pub(crate) rate: f64,
    /// Answers in the time that was measured.
    pub(crate) answers: u64,
    /// In nanoseconds: from the request, or from when that was due, to its answer.
    pub(crate) latencies: Histogram<u64>,
    /// What was stored, before and after that time as well.
    pub(crate) created: u64,
    pub(crate) visited: u64,
}

/// Makes the load on another runtime, and looks at something when the time that is measured begins and when it ends.
pub(crate) async fn run<S>(
    on: &Handle,
    target: Target,
    plan: Plan,
    known: Arc<Known>,
    look: impl Fn() -> Result<S>,
) -> Result<(Measured, S, S)> {
    let connect = (0..plan.connections).map(|_| on.spawn(Client::connect(target)));
    let clients = try_join_all(connect).await?.into_iter().collect::<Result<Vec<_>>>()?;
    let begin = Instant::now();
    let from = begin + plan.warm_up;
    let window = Window { from, to: from + plan.time };
    let dues: Vec<Option<Dues>> = match plan.rate {
        Some(rate) => pace::start(plan.connections, rate, begin, window.to).into_iter().map(Some).collect(),
        None => clients.iter().map(|_| None).collect(),
    };
    let drives = clients.into_iter().zip(dues).map(|(client, dues)| {
        let known = Arc::clone(&known);
        on.spawn(drive(client, plan.work, known, window, dues))
    });
    let drives: Vec<_> = drives.collect();
    sleep_until(window.from.into()).await;
    let before = look()?;
    sleep_until(window.to.into()).await;
    let after = look()?;
    let done = timeout(PATIENCE, try_join_all(drives)).await.map_err(|_| "an answer does not come")??;
    let measured = sum(done.into_iter().collect::<Result<_>>()?, plan.time)?;
    Ok((measured, before, after))
}

/// What one connection did.
struct Driven {
    answers: u64,
    latencies: Histogram<u64>,
    created: u64,
    visits: Visits,
}

async fn drive(
    mut client: Client,
    work: Work,
    known: Arc<Known>,
    window: Window,
    mut dues: Option<Dues>,
) -> Result<Driven> {
    let is_open = dues.is_some();
    let latencies = Histogram::new(DIGITS)?;
    let mut driven = Driven { answers: 0, latencies, created: 0, visits: Visits::default() };
    let mut now = Instant::now();
    loop {
        let began = match &mut dues {
            None if now < window.to => now,
            None => break,
            Some(dues) => match dues.recv().await {
                Some(due) => due,
                None => break,
            },
        };
        let answer = client.call(work.next(&known)).await?;
        now = Instant::now();
        match answer {
            Answer::Read => {}
            Answer::Created => driven.created += 1,
            Answer::Visited(number) => driven.visits.add(number)?,
        }
        driven.answers += u64::from(window.has(now));
        // Of what was due in time nothing may be left out, least of all what came too late.
        if window.has(if is_open { began } else { now }) {
            driven.latencies.record(u64::try_from((now - began).as_nanos())?)?;
        }
    }
    Ok(driven)
}

fn sum(all: Vec<Driven>, time: Duration) -> Result<Measured> {
    let mut latencies = Histogram::new(DIGITS)?;
    let (mut answers, mut created) = (0, 0);
    let mut visits = Vec::with_capacity(all.len());
    for driven in all {
        latencies.add(&driven.latencies)?;
        answers += driven.answers;
        created += driven.created;
        visits.push(driven.visits);
    }
    let rate = f64::from(u32::try_from(answers)?) / time.as_secs_f64();
    Ok(Measured { rate, answers, latencies, created, visited: Visits::count(visits)? })
}

#[cfg(test)]
mod tests;
