//! This machine's monotonic clock.

use std::time::{Duration, Instant};

use grenadier_clock::{Clock, Sleep, Time};

/// Time since the process began its work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessClock {
    began: Instant,
}

impl ProcessClock {
    pub(crate) fn start() -> ProcessClock {
        ProcessClock { began: Instant::now() }
    }
}

impl Clock for ProcessClock {
    fn now(&self) -> Time {
        Time::ZERO + self.began.elapsed()
    }

    fn sleep(&self, length: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(length))
    }
}
