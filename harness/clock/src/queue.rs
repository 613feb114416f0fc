//! The event queue of the virtual world.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::{Seed, Stream, Time};

/// What decides between events of one moment.
#[derive(Clone, Debug, Default)]
pub enum TieBreak {
    /// Component number, then order of insertion.
    #[default]
    Insertion,
    /// A seeded permutation: finds outcomes that hang on an order nobody promised.
    Permuted(Box<Stream>),
}

impl TieBreak {
    /// The permutation that follows from `seed`.
    pub fn permuted(seed: Seed) -> TieBreak {
        TieBreak::Permuted(Box::new(seed.stream("queue", "ties")))
    }
}

/// Events in the order of (time, component, sequence).
#[derive(Clone, Debug)]
pub struct Queue<E> {
    /// Keys, each with the slot that holds its event: events may be large and a heap moves its entries often.
    order: BinaryHeap<Reverse<(Time, u64, u64, usize)>>,
    slots: Vec<Option<E>>,
    free: Vec<usize>,
    sequence: u64,
    now: Time,
    ties: TieBreak,
}

impl<E> Queue<E> {
    /// An empty queue at time zero.
    pub fn new(ties: TieBreak) -> Queue<E> {
        Queue { order: BinaryHeap::new(), slots: Vec::new(), free: Vec::new(), sequence: 0, now: Time::ZERO, ties }
    }

    /// The time of the event taken last.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Puts `event` in at `at`; a moment that has passed means now.
    pub fn push(&mut self, at: Time, component: u32, event: E) {
        self.sequence += 1;
        let rank = match &mut self.ties {
            TieBreak::Insertion => u64::from(component),
            TieBreak::Permuted(stream) => stream.draw(),
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(event);
        self.order.push(Reverse((at.max(self.now), rank, self.sequence, slot)));
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<Time> {
        self.order.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes the next event and moves the time to it.
    pub fn pop(&mut self) -> Option<(Time, E)> {
        let Reverse((at, _, _, slot)) = self.order.pop()?;
        let event = self.slots[slot].take().expect("a key leads to the slot of its event");
        self.free.push(slot);
        self.now = at;
        Some((at, event))
    }

    /// Moves the time to `now` where nothing is due before it; else to what is due first. It never goes back.
    pub fn advance(&mut self, now: Time) {
        let now = self.next_at().map_or(now, |at| at.min(now));
        self.now = self.now.max(now);
    }

    /// The events that wait, in order, with their moments.
    pub fn waiting(&self) -> impl Iterator<Item = (Time, &E)> {
        let mut keys: Vec<_> = self.order.iter().map(|Reverse(key)| *key).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(at, _, _, slot)| (at, self.slots[slot].as_ref().expect("a key leads to its event")))
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(mut queue: Queue<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop().map(|(_, event)| event)).collect()
    }

    #[test]
    fn time_then_component_then_insertion() {
        let mut queue = Queue::new(TieBreak::Insertion);
        let at = Time::from_ns;
        queue.push(at(20), 1, "late");
        queue.push(at(10), 2, "second component");
        queue.push(at(10), 1, "first");
        queue.push(at(10), 1, "second");
        assert_eq!(drain(queue), ["first", "second", "second component", "late"]);
    }

    #[test]
    fn time_passes_without_events_and_stops_at_the_next_one() {
        let mut queue = Queue::new(TieBreak::Insertion);
        queue.advance(Time::from_ns(5));
        queue.push(Time::from_ns(20), 1, "event");
        queue.advance(Time::from_ns(3));
        assert_eq!(queue.now(), Time::from_ns(5));
        queue.advance(Time::from_ns(30));
        assert_eq!((queue.now(), queue.len()), (Time::from_ns(20), 1));
    }

    #[test]
    fn permuted_ties_differ_by_seed_and_never_cross_moments() {
        let order = |seed| {
            let mut queue = Queue::new(TieBreak::permuted(Seed(seed)));
            queue.push(Time::from_ns(9), 0, "later");
            for name in ["a", "b", "c", "d", "e", "f"] {
                queue.push(Time::from_ns(5), 0, name);
            }
            drain(queue)
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        assert_eq!(order(3).last(), Some(&"later"));
    }

    #[test]
    fn the_past_means_now() {
        let mut queue = Queue::new(TieBreak::Insertion);
        queue.push(Time::from_ns(50), 0, "x");
        queue.pop();
        queue.push(Time::from_ns(10), 0, "y");
        assert_eq!(queue.pop(), Some((Time::from_ns(50), "y")));
    }
}
