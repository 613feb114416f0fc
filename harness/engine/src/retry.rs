//! When to try again, and for how long.

use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::{Time, format_duration};
use grenadier_wire::{Failure, Wire};
use thiserror::Error;

/// What is known about the effect of a call that gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// The call never arrived: making it again does no harm.
    NotDelivered,
    /// The effect may have happened: only a call that may be repeated is made again, others after a look.
    Unknown,
    /// The answer is final: making it again gives the same.
    Final,
}

impl Certainty {
    /// What `failure` leaves open.
    pub fn of(failure: &Failure) -> Certainty {
        match failure {
            Failure::Refused { .. } | Failure::Unreachable { .. } => Certainty::NotDelivered,
            Failure::TimedOut { .. } | Failure::ConnectionLost { .. } => Certainty::Unknown,
            Failure::Untrusted { .. } => Certainty::Final,
        }
    }
}

/// How long the server asks to be left alone (`Retry-After` in seconds, RFC 9110 section 10.2.3); none where it does not say.
/// At most a minute: a server that asks for more is given up sooner by others' deadlines.
pub(crate) fn retry_after<T>(response: &http::Response<T>) -> Option<Duration> {
    let seconds = response.headers().get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds.min(60)))
}

/// The response, where all of its body is there: a connection that drops in the midst of it leaves less than the head says.
///
/// # Errors
/// There is less.
pub(crate) fn whole(response: http::Response<Bytes>, endpoint: &str) -> Result<http::Response<Bytes>, Failure> {
    let length = response.headers().get(http::header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.trim().parse::<usize>().ok());
    if length.is_some_and(|length| response.body().len() < length) {
        return Err(Failure::ConnectionLost { endpoint: endpoint.to_owned() });
    }
    Ok(response)
}

/// Growing pauses between a bounded number of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first pause; each later one is twice as long …
    pub initial: Duration,
    /// … up to this.
    pub max: Duration,
    /// How often a call is made in all.
    pub attempts: u32,
}

impl Backoff {
    /// For one call: six attempts within about fifteen seconds of pauses.
    pub const CALL: Backoff = Backoff { initial: Duration::from_millis(500), max: Duration::from_secs(8), attempts: 6 };

    /// The pause after attempt number `attempt` (from 1); none where that was the last.
    ///
    /// ```
    /// use std::time::Duration;
    /// let backoff = grenadier_engine::Backoff { initial: Duration::from_secs(1), max: Duration::from_secs(3), attempts: 4 };
    /// let pauses: Vec<_> = (1..5).map(|attempt| backoff.pause(attempt).map(|pause| pause.as_secs())).collect();
    /// assert_eq!(pauses, [Some(1), Some(2), Some(3), None]);
    /// ```
    pub fn pause(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.attempts).then(|| {
            let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
            self.initial.saturating_mul(factor).min(self.max)
        })
    }
}

/// A condition did not come about before its deadline.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{what} not within {}: {last}", format_duration(*limit))]
pub struct NotInTime {
    /// What was waited for.
    pub what: String,
    /// For how long.
    pub limit: Duration,
    /// What was seen last.
    pub last: String,
}

/// Looking at a condition again and again until its deadline.
///
/// The caller looks, and calls [`Wait::again`] as long as it does not see what it waits for.
pub struct Wait {
    wire: Wire,
    what: String,
    until: Time,
    limit: Duration,
    every: Duration,
}

impl Wait {
    /// Begins to wait for `what`, for at most `limit`, looking `every` so often.
    pub fn new(wire: &Wire, what: impl Into<String>, limit: Duration, every: Duration) -> Wait {
        Wait { wire: wire.clone(), what: what.into(), until: wire.clock().now() + limit, limit, every }
    }

    /// How much time is left; none where the deadline has passed.
    pub fn left(&self) -> Option<Duration> {
        let left = self.until.since(self.wire.clock().now());
        (!left.is_zero()).then_some(left)
    }

    /// The error of a wait that is over.
    pub fn over(&self, last: impl Into<String>) -> NotInTime {
        NotInTime { what: self.what.clone(), limit: self.limit, last: last.into() }
    }

    /// Pauses until it is time to look again.
    ///
    /// # Errors
    /// The deadline has passed; `last` is what was seen last.
    pub async fn again(&self, last: impl Into<String>) -> Result<(), NotInTime> {
        let Some(left) = self.left() else { return Err(self.over(last)) };
        self.wire.clock().sleep(self.every.min(left)).await;
        Ok(())
    }
}
