//! However calls come, wait, fail and leave: together they are answered as each would be alone.
//!
//! Random calls meet a real PostgreSQL in statements of random sizes; some of their callers leave or have little time,
//! locks are in the way, and connections are cut. What each of them would be told alone is known (see `calls`).

mod calls;
mod database;
mod trouble;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use selvedge_kit::batch::{Batch, Limits};
use selvedge_kit::{Context, Result};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use calls::{Call, Outcome};
use database::{Fault, Store};
use trouble::Trouble;

const ROUNDS: u64 = 16;
const CALLS: i32 = 200;
/// On a machine that has much else to do, fewer of them will do.
const ENOUGH: Duration = Duration::from_secs(10);
/// Far above what a call takes.
const BOUND: Duration = Duration::from_secs(30);
/// Names the round that is to be seen again, as far as chance is ours.
const SEED: &str = "SELVEDGE_TEST_SEED";

/// What happened in some rounds.
#[derive(Debug, Default)]
struct Seen {
    violations: Vec<String>,
    answers: usize,
    refusals: usize,
    unknown: usize,
    shared: usize,
    statements: usize,
    cut: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_answered_together_as_they_would_be_alone() {
    let store = Store::new().await;
    let first = seed();
    let mut seen = Seen::default();
    let until = Instant::now() + ENOUGH;
    for seed in first..first + ROUNDS {
        if Instant::now() > until && seen.is_all_that_can_be() {
            break;
        }
        seen.add(round(&store, seed, None).await);
        assert!(seen.violations.is_empty(), "{SEED}={seed}: {:#?}", seen.violations);
    }
    assert!(seen.is_all_that_can_be(), "{SEED}={first}: {seen:?}");
    eprintln!("{SEED}={first}: {seen:?}");
}

/// The negative controls of the test above.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_as_it_would_be_alone_is_noticed() {
    let store = Store::new().await;
    let first = seed();
    for (fault, noticed) in [
        (Fault::AnswersInAnotherOrder, "was answered with"),
        (Fault::RowsAreLeftBehind, "has 2 rows"),
        (Fault::RequestIdsAreForgotten, "request id stands for"),
        (Fault::LanesAreForgotten, "lanes"),
    ] {
        let mut said = String::new();
        for seed in first..first + ROUNDS {
            for violation in round(&store, seed, Some(fault)).await.violations {
                writeln!(said, "{violation}").unwrap();
            }
            if said.contains(noticed) {
                break;
            }
        }
        assert!(said.contains(noticed), "{SEED}={first} {fault:?}: {said}");
    }
}

fn seed() -> u64 {
    let given = std::env::var(SEED).ok();
    given.map_or_else(|| rand::random_range(0..1 << 32), |seed| seed.parse().expect("the seed is a number"))
}

/// Some calls, from the first to the last of them, and what is wrong with what they were told.
async fn round(store: &Arc<Store>, seed: u64, fault: Option<Fault>) -> Seen {
    store.empty().await;
    let mut random = StdRng::seed_from_u64(seed);
    let limits = Limits { in_flight: random.random_range(1..4), calls: random.random_range(2..50) };
    let batch = Arc::new(Batch::new("notes", limits, {
        let store = store.clone();
        move |calls| store.clone().serve(calls, fault)
    }));
    let trouble = Trouble::begin(store, random.random());
    let numbers = store.numbers(CALLS);
    let first = numbers.start;
    let callers: Vec<_> = numbers
        .map(|number| {
            let call = Call::random(&mut random, first, number);
            let caller = Caller::random(&mut random, fault == Some(Fault::LanesAreForgotten));
            let batch = batch.clone();
            tokio::spawn(async move {
                let outcome = timeout(BOUND, caller.ask(&batch, call.clone())).await;
                (call, outcome.expect("each call is answered"))
            })
        })
        .collect();
    let mut told: Vec<(Call, Outcome)> =
        join_all(callers).await.into_iter().map(|told| told.expect("a caller does not panic")).collect();
    let cut = trouble.end().await;
    store.settle().await;

    let mut seen = Seen { cut, ..Seen::default() };
    for (_, outcome) in &told {
        match outcome {
            Outcome::Answer(_) => seen.answers += 1,
            Outcome::Refused(_) => seen.refusals += 1,
            Outcome::Unknown => seen.unknown += 1,
        }
    }
    (seen.statements, seen.shared) = store.violations_of(limits, &mut seen.violations);
    seen.violations.extend(calls::violations(&told, &store.rows().await));
    // Whoever does not know what became of a request asks again.
    for (call, outcome) in &mut told {
        // That a connection was cut while it was idle is found by whoever uses it next.
        let mut times = 0..10;
        while matches!(outcome, Outcome::Unknown) && call.may_be_repeated() {
            assert!(times.next().is_some(), "{SEED}={seed}: {call:?} is unknown with nothing in its way");
            *outcome = Outcome::of(batch.call(call.lane, call.clone()).await.and_then(|answer| answer));
        }
    }
    seen.violations.extend(calls::violations(&told, &store.rows().await));
    seen
}

/// When a caller asks, how long it has, and whether it leaves before that.
struct Caller {
    begins: Instant,
    deadline: Instant,
    leaves: Instant,
    forgets_its_lane: bool,
}

impl Caller {
    fn random(random: &mut StdRng, forgets_its_lane: bool) -> Self {
        let begins = Instant::now() + Duration::from_micros(random.random_range(0..60_000));
        let mut soon = |one_in| {
            let wait = if random.random_ratio(1, one_in) { random.random_range(0..80) } else { 60_000 };
            begins + Duration::from_millis(wait)
        };
        Self { begins, deadline: soon(6), leaves: soon(10), forgets_its_lane }
    }

    /// As the layers of a server do: the deadline and the end of the caller are kept from outside.
    async fn ask(self, batch: &Batch<Call, Result<i64>>, call: Call) -> Outcome {
        sleep_until(self.begins).await;
        let context = Context { deadline: Some(self.deadline.into_std()), ..Context::default() };
        let lane = if self.forgets_its_lane { "" } else { call.lane };
        let answer = context.scope(batch.call(lane, call));
        match timeout_at(self.deadline.min(self.leaves), answer).await {
            Ok(answer) => Outcome::of(answer.and_then(|answer| answer)),
            Err(_) => Outcome::Unknown,
        }
    }
}

impl Seen {
    /// Calls shared statements, were refused, and were left in the dark.
    fn is_all_that_can_be(&self) -> bool {
        [self.answers, self.refusals, self.unknown, self.shared, self.cut].iter().all(|number| *number > 0)
    }

    fn add(&mut self, other: Self) {
        self.violations.extend(other.violations);
        self.answers += other.answers;
        self.refusals += other.refusals;
        self.unknown += other.unknown;
        self.shared += other.shared;
        self.statements += other.statements;
        self.cut += other.cut;
    }
}
