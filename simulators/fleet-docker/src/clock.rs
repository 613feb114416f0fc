//! The clock of a world of real containers.

use std::time::{Duration, Instant};

use grenadier_clock::{Clock, Sleep, Time};

/// This machine's monotonic clock, from the moment the run began.
#[derive(Clone, Copy, Debug)]
pub struct RealClock {
    began: Instant,
}

impl RealClock {
    /// The run begins now.
    pub fn start() -> RealClock {
        RealClock { began: Instant::now() }
    }
}

impl Clock for RealClock {
    fn now(&self) -> Time {
        Time::ZERO + self.began.elapsed()
    }

    fn sleep(&self, length: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(length))
    }
}
