//! Results of pure functions, kept.

use std::borrow::Borrow;
use std::collections::BTreeMap;

/// Results of a pure function by its argument, so that the same question is answered once: runs of one scenario ask the same
/// ones over and over. A result that is kept is the result that would be computed, so nothing can tell the difference.
///
/// What is kept is bounded: when there is no room for one more, all are forgotten.
#[derive(Clone, Debug)]
pub struct Remembered<K, V> {
    known: BTreeMap<K, V>,
    most: usize,
}

impl<K: Ord, V: Clone> Remembered<K, V> {
    /// Room for `most` results.
    pub const fn new(most: usize) -> Remembered<K, V> {
        Remembered { known: BTreeMap::new(), most }
    }

    /// The result for this argument, if it is kept.
    pub fn find<Q>(&self, argument: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.known.get(argument).cloned()
    }

    /// Keeps a result.
    pub fn keep(&mut self, argument: K, result: V) {
        if self.known.len() >= self.most {
            self.known.clear();
        }
        self.known.insert(argument, result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_and_never_more_than_there_is_room_for() {
        let mut remembered = Remembered::new(2);
        for (argument, result) in [("a", 1), ("b", 2)] {
            remembered.keep(argument.to_owned(), result);
        }
        assert_eq!((remembered.find("a"), remembered.find("b"), remembered.find("c")), (Some(1), Some(2), None));
        remembered.keep("c".to_owned(), 3);
        assert_eq!((remembered.find("a"), remembered.find("c")), (None, Some(3)));
    }
}
