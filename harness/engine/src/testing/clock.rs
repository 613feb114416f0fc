//! A clock that jumps to whatever is waited for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use grenadier_clock::{Clock, Sleep, Time};

/// A clock whose sleeps end at once, with the time moved on.
#[derive(Clone, Default)]
pub(crate) struct TestClock(Arc<Mutex<Time>>);

impl TestClock {
    /// Moves the time to `at`, if it is not past that.
    pub(crate) fn advance_to(&self, at: Time) {
        let mut now = self.0.lock().unwrap();
        *now = (*now).max(at);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Time {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, length: Duration) -> Sleep {
        let (clock, until) = (self.clone(), self.now() + length);
        // Lazily: a deadline nobody comes to wait for must not move the time.
        Box::pin(async move { clock.advance_to(until) })
    }
}
