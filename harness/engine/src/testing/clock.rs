//! A clock that jumps to whatever is waited for.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use grenadier_clock::{Clock, Sleep, Time};

#[derive(Default)]
struct Dial {
    now: Time,
    stopped: bool,
}

/// A clock whose sleeps end at once, with the time moved on.
#[derive(Clone, Default)]
pub(crate) struct TestClock(Arc<Mutex<Dial>>);

impl TestClock {
    /// Moves the time to `at`, if it is not past that.
    pub(crate) fn advance_to(&self, at: Time) {
        let mut dial = self.0.lock().unwrap();
        dial.now = dial.now.max(at);
    }

    /// Whether sleeps never end: nobody is there any more to wake up.
    pub(crate) fn stop(&self, stopped: bool) {
        self.0.lock().unwrap().stopped = stopped;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Time {
        self.0.lock().unwrap().now
    }

    fn sleep(&self, length: Duration) -> Sleep {
        let (clock, until) = (self.clone(), self.now() + length);
        // Lazily: a deadline nobody comes to wait for must not move the time.
        Box::pin(poll_fn(move |_| {
            if clock.0.lock().unwrap().stopped {
                return Poll::Pending;
            }
            clock.advance_to(until);
            Poll::Ready(())
        }))
    }
}
