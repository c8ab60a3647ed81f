//! Calls that become statements together answer as they would alone.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use selvedge_kit::batch::{Batch, Limits};
use selvedge_kit::{Code, Context, Error, Result};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;

/// A database of sorts: it notes each statement, lets it through when told to, and keeps what was stored.
#[derive(Clone)]
struct Store(Arc<Inner>);

struct Inner {
    statements: Mutex<Vec<Vec<u32>>>,
    stored: Mutex<Vec<u32>>,
    gate: Semaphore,
    running: AtomicUsize,
    most_running: AtomicUsize,
    abandoned: AtomicUsize,
}

/// Counts a statement for as long as it runs, and notices one that does not come to its end.
struct Run<'a> {
    store: &'a Inner,
    ended: bool,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.store.running.fetch_sub(1, Ordering::SeqCst);
        if !self.ended {
            self.store.abandoned.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// What no statement may hold.
fn is_poison(call: u32) -> bool {
    call % 1000 == 13
}

impl Store {
    /// Lets so many statements through.
    fn open(permits: usize) -> Self {
        Self(Arc::new(Inner {
            statements: Mutex::default(),
            stored: Mutex::default(),
            gate: Semaphore::new(permits),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
            abandoned: AtomicUsize::new(0),
        }))
    }

    async fn run(self, calls: Vec<u32>) -> Result<Vec<String>> {
        let running = self.0.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most_running.fetch_max(running, Ordering::SeqCst);
        let mut run = Run { store: &self.0, ended: false };
        self.0.statements.lock().unwrap().push(calls.clone());
        self.0.gate.acquire().await.unwrap().forget();
        run.ended = true;
        if calls.iter().any(|call| is_poison(*call)) {
            return Err(poisoned());
        }
        self.0.stored.lock().unwrap().extend(&calls);
        Ok(calls.iter().map(|call| format!("row {call}")).collect())
    }

    fn batch(&self, limits: Limits) -> Arc<Batch<u32, String>> {
        let store = self.clone();
        Arc::new(Batch::new("test", limits, move |calls| store.clone().run(calls)))
    }

    fn let_through(&self, statements: usize) {
        self.0.gate.add_permits(statements);
    }

    fn statements(&self) -> Vec<Vec<u32>> {
        self.0.statements.lock().unwrap().clone()
    }

    async fn until(&self, what: &str, so: impl Fn(&Inner) -> bool) {
        let wait = async {
            while !so(&self.0) {
                yield_now().await;
            }
        };
        timeout(Duration::from_secs(30), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
    }
}

fn poisoned() -> Error {
    Error::new(Code::InvalidArgument, "POISONED", "it holds what it may not")
}

type Answer = JoinHandle<Result<String>>;

fn spawn(batch: &Arc<Batch<u32, String>>, rights: &'static str, call: u32) -> Answer {
    let batch = batch.clone();
    tokio::spawn(async move { batch.call(rights, call).await })
}

const ONE: Limits = Limits { in_flight: 1, calls: 1000 };

/// One statement that is held up, and behind it calls that wait.
async fn behind_one(
    store: &Store,
    batch: &Arc<Batch<u32, String>>,
    calls: &[(&'static str, u32)],
) -> Vec<Answer> {
    let mut answers = vec![spawn(batch, "", 0)];
    store.until("the first is under way", |store| !store.statements.lock().unwrap().is_empty()).await;
    for (rights, call) in calls {
        answers.push(spawn(batch, rights, *call));
        // So that they wait in this order.
        yield_now().await;
    }
    answers
}

#[tokio::test]
async fn a_lone_call_goes_at_once_and_those_that_come_meanwhile_go_together() {
    let store = Store::open(0);
    let batch = store.batch(ONE);
    let answers = behind_one(&store, &batch, &[("", 1), ("", 2), ("", 3)]).await;
    store.let_through(2);
    for (call, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.await.unwrap().unwrap(), format!("row {call}"));
    }
    assert_eq!(store.statements(), [vec![0], vec![1, 2, 3]]);
}

#[tokio::test]
async fn there_are_never_more_statements_or_calls_in_one_than_there_may_be() {
    let store = Store::open(1000);
    let batch = store.batch(Limits { in_flight: 3, calls: 10 });
    let answers = join_all((14..500).map(|call| spawn(&batch, "", call))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().is_ok()));
    assert!(store.statements().iter().all(|calls| calls.len() <= 10));
    assert!(store.0.most_running.load(Ordering::SeqCst) <= 3);
}

#[tokio::test]
async fn calls_with_different_rights_never_share_a_statement() {
    let store = Store::open(0);
    let batch = store.batch(ONE);
    let answers = behind_one(&store, &batch, &[("a", 1), ("b", 2), ("a", 3), ("b", 4)]).await;
    store.let_through(3);
    assert!(join_all(answers).await.into_iter().all(|answer| answer.unwrap().is_ok()));
    assert_eq!(store.statements(), [vec![0], vec![1, 3], vec![2, 4]]);
}

#[tokio::test]
async fn a_caller_that_leaves_takes_nobody_along_and_the_last_one_ends_the_statement() {
    let store = Store::open(0);
    let batch = store.batch(ONE);
    let mut answers = behind_one(&store, &batch, &[("", 1), ("", 2), ("", 3)]).await;
    store.let_through(1);
    store.until("the second is under way", |store| store.statements.lock().unwrap().len() == 2).await;
    answers.remove(1).abort();
    answers.remove(1).abort();
    yield_now().await;
    assert_eq!(store.0.abandoned.load(Ordering::SeqCst), 0, "one is still waiting for it");
    answers.remove(1).abort();
    store.until("the statement is ended", |store| store.abandoned.load(Ordering::SeqCst) == 1).await;

    // The place is free again.
    store.let_through(1);
    assert_eq!(spawn(&batch, "", 7).await.unwrap().unwrap(), "row 7");
}

#[tokio::test]
async fn lanes_take_turns() {
    let store = Store::open(0);
    let batch = store.batch(Limits { in_flight: 1, calls: 2 });
    let calls = [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("a", 5), ("b", 6), ("b", 7)];
    let answers = behind_one(&store, &batch, &calls).await;
    store.let_through(10);
    assert!(join_all(answers).await.into_iter().all(|answer| answer.unwrap().is_ok()));
    assert_eq!(store.statements(), [vec![0], vec![1, 2], vec![4, 6], vec![3, 5], vec![7]]);
}

#[tokio::test]
async fn those_who_left_do_not_pile_up_behind_a_statement_that_takes_long() {
    let store = Store::open(0);
    let batch = Arc::new(Batch::new("test", ONE, {
        let store = store.clone();
        move |calls: Vec<Arc<()>>| {
            let store = store.clone();
            async move { Ok(store.run(vec![0; calls.len()]).await?.into_iter().zip(calls).collect()) }
        }
    }));
    let payload = Arc::new(());
    let call = |lane: &'static str| {
        let (batch, payload) = (batch.clone(), payload.clone());
        async move { batch.call(lane, payload).await.map(|(row, _)| row) }
    };
    let first = tokio::spawn(call(""));
    store.until("the first is under way", |store| !store.statements.lock().unwrap().is_empty()).await;
    let stays = tokio::spawn(call("a"));
    yield_now().await;
    for _ in 0..5000 {
        assert!(call("").now_or_never().is_none());
        assert!(call("b").now_or_never().is_none());
    }
    let held = Arc::strong_count(&payload);
    assert!(held < 1000, "{held} calls are kept");
    store.let_through(10);
    for stayed in [first, stays] {
        assert_eq!(stayed.await.unwrap().unwrap(), "row 0");
    }
    assert_eq!(store.statements(), [[0], [0]]);
}

#[tokio::test]
async fn who_left_while_it_waited_is_in_no_statement() {
    let store = Store::open(0);
    let batch = store.batch(ONE);
    let mut answers = behind_one(&store, &batch, &[("", 1), ("", 2)]).await;
    let gone = answers.remove(1);
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    store.let_through(2);
    assert!(join_all(answers).await.into_iter().all(|answer| answer.unwrap().is_ok()));
    assert_eq!(store.statements(), [vec![0], vec![2]]);
}

#[tokio::test]
async fn of_five_hundred_only_the_poisoned_one_fails() {
    let store = Store::open(0);
    let batch = store.batch(ONE);
    let calls: Vec<_> = (1..=500).map(|call| ("", call)).collect();
    let answers = behind_one(&store, &batch, &calls).await;
    store.let_through(1000);
    for (call, answer) in (0..).zip(answers) {
        match answer.await.unwrap() {
            Ok(row) => assert_eq!((row, is_poison(call)), (format!("row {call}"), false)),
            Err(error) => assert_eq!((error.reason(), call), ("POISONED", 13)),
        }
    }
    let mut stored = store.0.stored.lock().unwrap().clone();
    stored.sort_unstable();
    assert_eq!(stored, (0..=500).filter(|call| !is_poison(*call)).collect::<Vec<_>>(), "each of them once");
    // The first, the batch, and two for each time that it is halved.
    assert!(store.statements().len() <= 2 + 2 * 9, "{}", store.statements().len());
}

#[tokio::test]
async fn what_no_caller_is_to_blame_for_is_not_tried_again() {
    for (code, told) in [
        (Code::Unavailable, (Code::Unavailable, "BROKEN")),
        (Code::Internal, (Code::Internal, "BROKEN")),
        // Nobody knows whether it had an effect.
        (Code::DeadlineExceeded, (Code::Unavailable, "OUTCOME_UNKNOWN")),
    ] {
        let tried = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Semaphore::new(0));
        let batch = Arc::new(Batch::new("test", ONE, {
            let (tried, gate) = (tried.clone(), gate.clone());
            move |calls: Vec<u32>| {
                let (tried, gate) = (tried.clone(), gate.clone());
                async move {
                    tried.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.unwrap().forget();
                    if calls == [0] {
                        return Ok(vec![String::new()]);
                    }
                    Err(Error::new(code, "BROKEN", "the line was cut"))
                }
            }
        }));
        let first = spawn(&batch, "", 0);
        while tried.load(Ordering::SeqCst) == 0 {
            yield_now().await;
        }
        let others: Vec<_> = (1..4).map(|call| spawn(&batch, "", call)).collect();
        yield_now().await;
        gate.add_permits(10);
        first.await.unwrap().unwrap();
        for answer in others {
            let error = answer.await.unwrap().unwrap_err();
            assert_eq!((error.code(), error.reason()), told);
        }
        assert_eq!(tried.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn a_panic_is_told_to_those_who_were_in_it_and_the_next_are_served() {
    let batch = Arc::new(Batch::new("test", ONE, |calls: Vec<u32>| async move {
        assert!(!calls.contains(&13), "a bug");
        Ok(calls.iter().map(|call| format!("row {call}")).collect())
    }));
    assert_eq!(spawn(&batch, "", 13).await.unwrap().unwrap_err().code(), Code::Internal);
    assert_eq!(spawn(&batch, "", 14).await.unwrap().unwrap(), "row 14");
}

#[tokio::test]
async fn a_panic_in_one_part_of_a_statement_leaves_the_other_parts_alone() {
    let store = Store::open(0);
    let batch = Arc::new(Batch::new("test", ONE, {
        let store = store.clone();
        move |calls: Vec<u32>| {
            assert_ne!(calls, [13], "a bug");
            store.clone().run(calls)
        }
    }));
    let mut answers = behind_one(&store, &batch, &[("", 1), ("", 13), ("", 2), ("", 3)]).await;
    store.let_through(10);
    assert_eq!(answers.remove(2).await.unwrap().unwrap_err().code(), Code::Internal);
    for (answer, call) in answers.into_iter().zip([0, 1, 2, 3]) {
        assert_eq!(answer.await.unwrap().unwrap(), format!("row {call}"));
    }
    assert_eq!(store.statements(), [vec![0], vec![1, 13, 2, 3], vec![1, 13], vec![1], vec![2, 3]]);
}

#[tokio::test]
async fn a_statement_has_the_longest_time_that_any_of_its_callers_has() {
    let seen = Arc::new(Mutex::new(vec![]));
    let gate = Arc::new(Semaphore::new(0));
    let batch = Arc::new(Batch::new("test", ONE, {
        let (seen, gate) = (seen.clone(), gate.clone());
        move |calls: Vec<u32>| {
            let (seen, gate) = (seen.clone(), gate.clone());
            async move {
                seen.lock().unwrap().push(Context::current().deadline);
                gate.acquire().await.unwrap().forget();
                Ok(calls.iter().map(ToString::to_string).collect::<Vec<_>>())
            }
        }
    }));
    let now = Instant::now();
    let call = |seconds| {
        let (batch, context) = (
            batch.clone(),
            Context { deadline: Some(now + Duration::from_secs(seconds)), ..Context::default() },
        );
        tokio::spawn(async move { context.scope(batch.call("", 1)).await })
    };
    let mut answers = vec![call(60)];
    while seen.lock().unwrap().is_empty() {
        yield_now().await;
    }
    answers.extend([call(70), call(90), call(80)]);
    yield_now().await;
    gate.add_permits(2);
    assert!(join_all(answers).await.into_iter().all(|answer| answer.unwrap().is_ok()));
    assert_eq!(*seen.lock().unwrap(), [60, 90].map(|seconds| Some(now + Duration::from_secs(seconds))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_calls_come_fail_and_leave_the_others_answer_as_they_would_alone() {
    for seed in 0..40 {
        let mut random = StdRng::seed_from_u64(seed);
        let store = Store::open(0);
        let limits = Limits { in_flight: random.random_range(1..4), calls: random.random_range(1..40) };
        let batch = store.batch(limits);
        let mut left = HashSet::new();
        let mut answers = vec![];
        for number in 0..300 {
            // One in ten is poisoned.
            let call = number * 1000 + if random.random_ratio(1, 10) { 13 } else { 1 };
            answers.push((call, spawn(&batch, ["", "a"][random.random_range(0..2)], call)));
            if random.random_ratio(1, 4) {
                store.let_through(1);
                yield_now().await;
            }
            if random.random_ratio(1, 8) {
                let (call, answer) = &answers[random.random_range(0..answers.len())];
                answer.abort();
                left.insert(*call);
            }
        }
        store.let_through(10_000);
        let mut acknowledged = HashSet::new();
        for (call, answer) in answers {
            match timeout(Duration::from_secs(30), answer).await.expect("each call is answered") {
                Ok(Ok(row)) => {
                    assert_eq!((row, is_poison(call)), (format!("row {call}"), false));
                    acknowledged.insert(call);
                }
                Ok(Err(error)) => assert_eq!((error.reason(), is_poison(call)), ("POISONED", true)),
                Err(gone) => assert!(gone.is_cancelled() && left.contains(&call)),
            }
        }
        let stored = store.0.stored.lock().unwrap().clone();
        let distinct: HashSet<u32> = stored.iter().copied().collect();
        assert_eq!(stored.len(), distinct.len(), "nothing is stored twice");
        assert!(acknowledged.is_subset(&distinct), "what was acknowledged is stored");
        assert!(
            distinct.difference(&acknowledged).all(|call| left.contains(call)),
            "the rest is of those who left"
        );
    }
}
