//! Natural batching: while a statement of a kind is under way, the calls of that kind that come wait, and become the
//! next statement.
//!
//! There is no timer: a call that finds nothing under way goes at once, alone. Under load one statement serves many
//! callers, and none of them notices: each has its own deadline, its own result and its own error, and may leave without
//! taking the others along.

mod queue;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use opentelemetry::trace::TraceContextExt as _;
use tokio::sync::oneshot;
use tracing::{Instrument as _, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{Code, Context, Error, Result};
use queue::Queue;

/// Calls of one kind, that become statements together.
///
/// ```no_run
/// # use selvedge_kit::{Db, batch::{Batch, Limits}};
/// # async fn names(db: Db, ids: Vec<i32>) -> selvedge_kit::Result<Vec<Option<String>>> { Ok(vec![]) }
/// # async fn example(db: Db) -> selvedge_kit::Result<()> {
/// let name_of = Batch::new("names", Limits::default(), move |ids| names(db.clone(), ids));
/// let name = name_of.call("", 42).await?;
/// # Ok(())
/// # }
/// ```
pub struct Batch<C, A>(Arc<Inner<C, A>>);

/// How large batches become.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most statements at once.
    pub in_flight: usize,
    /// The most calls in a statement.
    pub calls: usize,
}

impl Limits {
    /// For what only reads, and so waits for nobody: as many statements as half of the cores can be busy with, if that is
    /// more than two. With more of them each would have fewer calls, and a call in a large statement costs a fraction of
    /// one in a small.
    pub fn of_reads() -> Self {
        let (cores, usual) = (available_parallelism().map_or(1, usize::from), Self::default());
        Self { in_flight: usual.in_flight.max(cores / 2), ..usual }
    }
}

impl Default for Limits {
    /// Two, so that PostgreSQL has something to do while the answers of the one before are read and given out.
    fn default() -> Self {
        Self { in_flight: 2, calls: 256 }
    }
}

type Work<C, A> = Box<dyn Fn(Vec<C>) -> BoxFuture<'static, Result<Vec<A>>> + Send + Sync>;

struct Inner<C, A> {
    name: &'static str,
    limits: Limits,
    work: Work<C, A>,
    state: Mutex<State<C, A>>,
}

struct State<C, A> {
    queue: Queue<C, A>,
    in_flight: usize,
}

/// A call that waits for its answer.
struct Waiting<C, A> {
    call: C,
    lane: Arc<str>,
    context: Context,
    span: Span,
    answer: oneshot::Sender<Result<A>>,
}

impl<C: Clone + Send + 'static, A: Send + 'static> Batch<C, A> {
    /// Calls that `work` does together: it is given the calls and answers with as many results, in their order.
    ///
    /// When it fails because of one of them, which its error says, it must have left nothing behind: it is then done again
    /// with half of them, until only the guilty one fails.
    pub fn new<F>(
        name: &'static str,
        limits: Limits,
        work: impl Fn(Vec<C>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Vec<A>>> + Send + 'static,
    {
        assert!(limits.in_flight > 0 && limits.calls > 0, "without a call or a statement nobody is served");
        let work: Work<C, A> = Box::new(move |calls| Box::pin(work(calls)));
        let state = Mutex::new(State { queue: Queue::new(), in_flight: 0 });
        Self(Arc::new(Inner { name, limits, work, state }))
    }

    /// Makes a call, alone or with others that have the same `lane`.
    pub async fn call(&self, lane: &str, call: C) -> Result<A> {
        let (sender, answer) = oneshot::channel();
        let waiting = Waiting {
            call,
            lane: lane.into(),
            context: Context::current(),
            span: Span::current(),
            answer: sender,
        };
        if self.0.enqueue(waiting) {
            tokio::spawn(serve_all(self.0.clone()));
        }
        answer.await.unwrap_or_else(|_| Err(Error::internal("a batch ended without an answer to each call")))
    }
}

/// Serves one batch after the other until nobody waits.
async fn serve_all<C: Clone + Send + 'static, A: Send + 'static>(inner: Arc<Inner<C, A>>) {
    while let Some(batch) = inner.next() {
        inner.serve(batch).await;
    }
}

impl<C: Clone, A> Inner<C, A> {
    /// Whether there is room for another statement, which the caller must then see to.
    fn enqueue(&self, call: Waiting<C, A>) -> bool {
        let mut state = self.state();
        state.queue.push(call);
        let room = state.in_flight < self.limits.in_flight;
        state.in_flight += usize::from(room);
        room
    }

    /// The calls of the next statement. `None` gives the place up, under the same lock, so that whoever comes next takes
    /// it.
    fn next(&self) -> Option<Vec<Waiting<C, A>>> {
        let mut state = self.state();
        let batch = state.queue.next(self.limits.calls);
        if batch.is_empty() {
            state.in_flight -= 1;
            return None;
        }
        Some(batch)
    }

    async fn serve(&self, batch: Vec<Waiting<C, A>>) {
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            part.retain(|call| !call.answer.is_closed());
            // A panic is the end of those who were in it. Those who wait must not wait for ever.
            let attempt = AssertUnwindSafe(self.attempt(&mut part)).catch_unwind().await;
            let panicked = |_| Some(Err(Error::internal(format!("the batch of {} panicked", self.name))));
            match attempt.unwrap_or_else(panicked) {
                None => {}
                Some(Ok(answers)) => {
                    for (call, answer) in part.into_iter().zip(answers) {
                        // One that left does not want it.
                        call.answer.send(Ok(answer)).ok();
                    }
                }
                Some(Err(error)) if part.len() > 1 && error.blames_the_request() => {
                    let second = part.split_off(part.len() / 2);
                    parts.extend([second, part]);
                }
                Some(Err(error)) => fail(part, error),
            }
        }
    }

    /// Does them all at once; `None` when the last of the callers left before it was done, which ends the statement.
    async fn attempt(&self, part: &mut [Waiting<C, A>]) -> Option<Result<Vec<A>>> {
        let (span, context) = circumstances(self.name, part)?;
        let calls: Vec<C> = part.iter().map(|call| call.call.clone()).collect();
        let expected = calls.len();
        let work = context.scope((self.work)(calls)).instrument(span);
        let all_left = async {
            for call in part {
                call.answer.closed().await;
            }
        };
        tokio::select! {
            biased;
            done = work => Some(done.and_then(|answers| {
                let each = answers.len() == expected;
                each.then_some(answers).ok_or_else(|| Error::internal("a batch has not an answer to each call"))
            })),
            () = all_left => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State<C, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a statement for several callers is done in: the trace of the first of them that is recorded, where the others have
/// a link to it. A call that is alone needs no span of its batch.
fn circumstances<C, A>(name: &'static str, part: &[Waiting<C, A>]) -> Option<(Span, Context)> {
    let mut recorded = part.iter().filter(|call| !call.span.is_none());
    let first = recorded.next().or(part.first())?;
    let context = Context { deadline: longest(part), ..first.context.clone() };
    if part.len() == 1 || first.span.is_none() {
        return Some((first.span.clone(), context));
    }
    let size = i64::try_from(part.len()).unwrap_or(i64::MAX);
    let batch = info_span!(parent: &first.span, "batch", batch.name = name, batch.size = size);
    let place = batch.context().span().span_context().clone();
    for call in recorded {
        call.span.add_link(place.clone());
        call.span.set_attribute("batch.size", size);
    }
    Some((batch, context))
}

/// When the last of the callers stops waiting; `None` where one never does.
fn longest<C, A>(part: &[Waiting<C, A>]) -> Option<std::time::Instant> {
    part.iter().map(|call| call.context.deadline).collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Tells all of them. Only one of them is told the cause, so that it is logged once.
fn fail<C, A>(part: Vec<Waiting<C, A>>, error: Error) {
    // Each of them may still have time, and whether the statement had an effect nobody knows.
    let error = match error.code() {
        Code::DeadlineExceeded | Code::Cancelled if part.len() > 1 => {
            let message =
                "the statement that this call was part of was cut short; whether it had an effect is unknown";
            Error::new(Code::Unavailable, "OUTCOME_UNKNOWN", message).because(error)
        }
        _ => error,
    };
    let mut calls = part.into_iter();
    let first = calls.next();
    for call in calls {
        call.answer.send(Err(error.without_cause())).ok();
    }
    if let Some(call) = first {
        call.answer.send(Err(error)).ok();
    }
}
