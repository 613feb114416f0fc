//! One sample and what it found.

use std::time::{Duration, Instant};

use grenadier_fleet::{FailureClass, Mac};

use crate::TimeBase;
use crate::protocol::SampleRow;

/// How long a sample may take in all. The next ones do not wait for it.
pub const SAMPLE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an answer may take to count as one: [`FailureClass::Late`] is what comes between this and [`SAMPLE_TIMEOUT`].
pub const LATE_AFTER: Duration = Duration::from_millis(500);

/// Who answered, as far as the kind of probe can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The backend that signed the answer.
    pub by: Option<String>,
    /// SHA-256 of the certificate that was shown.
    pub certificate: Option<String>,
    /// SHA-256 of the certificates above it, in the order in which they were shown.
    pub chain: Vec<String>,
    /// The hardware addresses that answered for the address.
    pub owners: Vec<Mac>,
}

impl Answered {
    /// An answer that a backend signed.
    pub fn by(name: impl Into<String>) -> Answered {
        Answered { by: Some(name.into()), ..Answered::default() }
    }
}

/// Why a sample was not answered as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What kind of failure it was.
    pub class: FailureClass,
    /// It in words.
    pub text: String,
    /// Whether only patience ended: the failure then says nothing about the moment in which it was noticed.
    pub is_silence: bool,
}

impl Failed {
    /// A failure of this class.
    pub fn new(class: FailureClass, text: impl Into<String>) -> Failed {
        Failed { class, text: text.into(), is_silence: class.is_silence() }
    }
}

/// What a sample found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// An answer, in time.
    Answered(Answered),
    /// None, or a wrong one.
    Failed(Failed),
    /// Nothing: it was not sent, or the prober itself was at fault.
    Unknown {
        /// How many samples this stands for.
        missed: u64,
        /// Why.
        reason: String,
    },
}

impl Finding {
    /// A sample that the prober spoiled.
    pub fn unknown(reason: impl Into<String>) -> Finding {
        Finding::Unknown { missed: 1, reason: reason.into() }
    }
}

/// One sample and how it went.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When it was begun.
    pub began: Instant,
    /// When it was answered or given up.
    pub ended: Instant,
    /// What it found.
    pub finding: Finding,
}

impl Sample {
    /// A sample that ends now. An answer that took too long is a late one.
    pub fn ending_now(began: Instant, finding: Finding) -> Sample {
        let ended = Instant::now();
        let took = ended - began;
        let finding = match finding {
            Finding::Answered(_) if took > LATE_AFTER => {
                Finding::Failed(Failed::new(FailureClass::Late, format!("answered after {} ms", took.as_millis())))
            }
            finding => finding,
        };
        Sample { began, ended, finding }
    }

    /// The sample as it is kept for later.
    pub fn row(&self, time: &TimeBase) -> SampleRow {
        let took_us = (self.ended - self.began).as_micros().try_into().unwrap_or(u64::MAX);
        let row = SampleRow { began_ns: time.earliest(self.began), took_us, by: None, class: None, error: None };
        match &self.finding {
            Finding::Answered(answered) => SampleRow { by: Some(answered.by.clone().unwrap_or_default()), ..row },
            Finding::Failed(failed) => SampleRow { class: Some(failed.class), error: Some(failed.text.clone()), ..row },
            Finding::Unknown { reason, .. } => SampleRow { error: Some(format!("not looked: {reason}")), ..row },
        }
    }
}
