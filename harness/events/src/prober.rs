//! What a prober meets, and what it tells of itself.

use grenadier_clock::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of failure a sample met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Somebody has the address and said at once that nobody listens there.
    Refused,
    /// The client's own kernel gave up: nobody answers ARP for the address, or no route leads there.
    Unreachable,
    /// Nothing came back within the time a sample has: packets are lost or swallowed.
    Silent,
    /// The answer came, but later than an answer may.
    Late,
    /// The connection was broken off by a reset.
    Reset,
    /// The connection was closed in an orderly way, without the answer.
    Closed,
    /// The kept connection gave no answer while a fresh one did.
    Stalled,
    /// The answer ended before it was whole.
    CutShort,
    /// There was an answer, and it was not the one of a target that works.
    WrongAnswer,
    /// The answer came from somebody who does not belong to the target.
    WrongBackend,
    /// Bytes that were sent are missing from those that came back.
    BytesLost,
    /// Bytes came back that had come back before.
    BytesRepeated,
    /// The TLS handshake failed.
    Handshake,
    /// Several machines answer for the address.
    DuplicateAddress,
}

impl FailureClass {
    /// Every class, in the order of the documentation.
    pub const ALL: [FailureClass; 14] = [
        FailureClass::Refused,
        FailureClass::Unreachable,
        FailureClass::Silent,
        FailureClass::Late,
        FailureClass::Reset,
        FailureClass::Closed,
        FailureClass::Stalled,
        FailureClass::CutShort,
        FailureClass::WrongAnswer,
        FailureClass::WrongBackend,
        FailureClass::BytesLost,
        FailureClass::BytesRepeated,
        FailureClass::Handshake,
        FailureClass::DuplicateAddress,
    ];

    /// The name in events and reports.
    pub const fn name(self) -> &'static str {
        match self {
            FailureClass::Refused => "refused",
            FailureClass::Unreachable => "unreachable",
            FailureClass::Silent => "silent",
            FailureClass::Late => "late",
            FailureClass::Reset => "reset",
            FailureClass::Closed => "closed",
            FailureClass::Stalled => "stalled",
            FailureClass::CutShort => "cut-short",
            FailureClass::WrongAnswer => "wrong-answer",
            FailureClass::WrongBackend => "wrong-backend",
            FailureClass::BytesLost => "bytes-lost",
            FailureClass::BytesRepeated => "bytes-repeated",
            FailureClass::Handshake => "handshake",
            FailureClass::DuplicateAddress => "duplicate-address",
        }
    }

    /// Whether the sample failed because time passed and nothing (or too little) happened. Its end says when patience ended,
    /// not when the target did.
    pub const fn is_silence(self) -> bool {
        matches!(self, FailureClass::Silent | FailureClass::Late | FailureClass::Stalled)
    }
}

/// How well a prober kept its schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProberFigures {
    /// How many samples were due.
    pub scheduled: u64,
    /// How many were sent. The others are in gaps.
    pub sent: u64,
    /// How many were sent later than one interval after they were due.
    pub late: u64,
    /// 99 of 100 samples were sent no later than this after they were due, in nanoseconds.
    pub p99_late_ns: u64,
    /// The latest of all, in nanoseconds.
    pub worst_late_ns: u64,
}

/// What a prober tells of itself. In JSON the name stands in `state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case", tag = "state")]
pub enum ProberState {
    /// It looks from now on.
    Started {
        /// When its first sample was due.
        at_ns: Time,
        /// The time between two samples, in nanoseconds.
        every_ns: u64,
    },
    /// It does not look any more.
    Stopped {
        /// The last moment of which it can tell anything.
        at_ns: Time,
        /// Why, where it was not told to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// How well it kept its schedule; none where it could not say any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        figures: Option<ProberFigures>,
    },
    /// It did not look for a while: whatever happened meanwhile, nobody saw it.
    Gap {
        /// When it last looked before.
        from_ns: Time,
        /// When it looked again.
        to_ns: Time,
        /// How many samples were due meanwhile, and were not sent or tell nothing.
        missed: u64,
        /// Why.
        reason: String,
    },
    /// Its samples were late by the scheduler's doing: the machine is slow, whatever the target is.
    Late {
        /// The first moment of the lateness.
        from_ns: Time,
        /// The last one.
        to_ns: Time,
        /// How many samples were sent later than one interval after they were due.
        samples: u64,
        /// The latest of them, in nanoseconds.
        worst_ns: u64,
    },
    /// It cannot look in this way here.
    NotCovered {
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, Availability, Bounds, Event, Kind, ProbeKind, VERSION};

    fn round_trip(kind: Kind) -> String {
        let event = Event { v: VERSION, t_ns: Time::from_ns(5), seq: 3, actor: Actor::Probe, kind };
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event, "{line}");
        line
    }

    fn prober(now: ProberState) -> Kind {
        Kind::Prober { target: "shop".into(), client: "client".into(), probe: ProbeKind::TcpStream, now }
    }

    #[test]
    fn what_a_prober_tells_reads_back_as_it_was_written() {
        let at = Time::from_ns(7);
        round_trip(prober(ProberState::Started { at_ns: at, every_ns: 10 }));
        round_trip(prober(ProberState::Stopped { at_ns: at, reason: None, figures: Some(ProberFigures::default()) }));
        let line = round_trip(prober(ProberState::Stopped { at_ns: at, reason: Some("lost".into()), figures: None }));
        assert!(line.contains(r#""kind":"prober""#) && line.contains(r#""state":"stopped""#), "{line}");
        round_trip(prober(ProberState::Gap { from_ns: at, to_ns: at, missed: 3, reason: "x".into() }));
        round_trip(prober(ProberState::Late { from_ns: at, to_ns: at, samples: 1, worst_ns: 2 }));
        round_trip(prober(ProberState::NotCovered { reason: "x".into() }));
    }

    #[test]
    fn a_class_is_told_by_its_name_and_left_out_where_there_is_none() {
        for class in FailureClass::ALL {
            let json = serde_json::to_value(class).unwrap();
            assert_eq!(json.as_str(), Some(class.name()));
        }
        let down = |class| Kind::Availability {
            target: "shop".into(),
            client: "client".into(),
            probe: ProbeKind::HttpNew,
            at: Bounds::exact(Time::from_ns(7)),
            now: Availability::Down { reason: "off".into(), class },
        };
        assert!(!round_trip(down(None)).contains("class"));
        assert!(round_trip(down(Some(FailureClass::CutShort))).contains(r#""class":"cut-short""#));
    }
}
