use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::Waiting;

/// So many may wait before those among them who left are looked for.
const SWEEP_AT_LEAST: usize = 256;

/// Calls that wait, lane by lane. To come and to go costs a call the same however many there are.
pub(super) struct Queue<C, A> {
    /// None of them is empty.
    lanes: HashMap<Arc<str>, VecDeque<Waiting<C, A>>>,
    /// Each lane once. They take turns, so that a crowd in one is not in the way of the others.
    turns: VecDeque<Arc<str>>,
    waiting: usize,
    sweep_at: usize,
}

impl<C, A> Queue<C, A> {
    pub(super) fn new() -> Self {
        Self { lanes: HashMap::new(), turns: VecDeque::new(), waiting: 0, sweep_at: SWEEP_AT_LEAST }
    }

    pub(super) fn push(&mut self, call: Waiting<C, A>) {
        if self.waiting >= self.sweep_at {
            self.sweep();
        }
        self.waiting += 1;
        match self.lanes.entry(call.lane.clone()) {
            Entry::Occupied(lane) => lane.into_mut().push_back(call),
            Entry::Vacant(place) => {
                self.turns.push_back(place.key().clone());
                place.insert(VecDeque::from([call]));
            }
        }
    }

    /// Those of the lane whose turn it is that have waited the longest, and are still there; empty when nobody waits.
    pub(super) fn next(&mut self, most: usize) -> Vec<Waiting<C, A>> {
        let mut batch = vec![];
        while batch.is_empty()
            && let Some(lane) = self.turns.pop_front()
            && let Some(mut waiting) = self.lanes.remove(&lane)
        {
            while batch.len() < most
                && let Some(call) = waiting.pop_front()
            {
                self.waiting -= 1;
                if !call.answer.is_closed() {
                    batch.push(call);
                }
            }
            if !waiting.is_empty() {
                self.turns.push_back(lane.clone());
                self.lanes.insert(lane, waiting);
            }
        }
        batch
    }

    /// Who left is not counted among the calls of a service any more, so that there might be any number of them behind a
    /// statement that takes long. Done when there are twice as many as the last time, it adds little to each.
    fn sweep(&mut self) {
        self.lanes.retain(|_, waiting| {
            waiting.retain(|call| !call.answer.is_closed());
            !waiting.is_empty()
        });
        self.turns.retain(|lane| self.lanes.contains_key(lane));
        self.waiting = self.lanes.values().map(VecDeque::len).sum();
        self.sweep_at = SWEEP_AT_LEAST.max(2 * self.waiting);
    }
}
