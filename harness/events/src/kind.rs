//! What can happen.

use std::collections::BTreeMap;

use grenadier_clock::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{FailureClass, ProberState};

/// Where a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// Rust guests, virtual clock, exact outage arithmetic.
    Virtual,
    /// Containers with the real programs; probes measure.
    Docker,
}

impl World {
    /// The name in events, reports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            World::Virtual => "virtual",
            World::Docker => "docker",
        }
    }
}

/// How a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseStatus {
    /// It did what it is for.
    Passed,
    /// It did not; what depends on it is skipped.
    Failed,
    /// It was not run, for the reason in the message.
    Skipped,
}

/// What the engine does with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepVerb {
    /// Performs it.
    Apply,
    /// Takes it back.
    Undo,
    /// Looks whether it took.
    Verify,
}

/// Whether a machine is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// It answers nothing.
    Off,
    /// Its guest runs or boots.
    On,
}

/// How a probe uses connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeKind {
    /// One new connection for every request.
    HttpNew,
    /// One connection kept as long as it lives.
    HttpPinned,
    /// Numbered bytes on one connection, which come back.
    TcpStream,
    /// One TLS handshake for every sample.
    Tls,
    /// One datagram for every sample.
    Udp,
    /// One ARP request for every sample, and everybody who answers it.
    Arp,
}

impl ProbeKind {
    /// The name in scenarios, events and reports.
    pub const fn name(self) -> &'static str {
        match self {
            ProbeKind::HttpNew => "http-new",
            ProbeKind::HttpPinned => "http-pinned",
            ProbeKind::TcpStream => "tcp-stream",
            ProbeKind::Tls => "tls",
            ProbeKind::Udp => "udp",
            ProbeKind::Arp => "arp",
        }
    }

    /// Whether its answers name the backend that gave them.
    pub const fn names_backends(self) -> bool {
        match self {
            ProbeKind::HttpNew | ProbeKind::HttpPinned | ProbeKind::TcpStream | ProbeKind::Udp => true,
            ProbeKind::Tls | ProbeKind::Arp => false,
        }
    }

    /// Whether it keeps one connection, which leads to one backend as long as it lives.
    pub const fn keeps_a_connection(self) -> bool {
        match self {
            ProbeKind::HttpPinned | ProbeKind::TcpStream => true,
            ProbeKind::HttpNew | ProbeKind::Tls | ProbeKind::Udp | ProbeKind::Arp => false,
        }
    }
}

/// The earliest and the latest moment something can have happened. Equal in the virtual world, which knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Bounds {
    /// Not before this.
    pub earliest_ns: Time,
    /// Not after this.
    pub latest_ns: Time,
}

impl Bounds {
    /// Known exactly.
    pub const fn exact(at: Time) -> Bounds {
        Bounds { earliest_ns: at, latest_ns: at }
    }
}

/// Who answered a request that came through.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ServedBy {
    /// The machine that owns the address for this client.
    pub machine: String,
    /// The backends that can serve it, in order of name.
    pub backends: Vec<String>,
    /// SHA-256 of the certificate the client saw, where the connection is TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// SHA-256 of the certificates above it, in the order in which they were shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
}

/// What one client sees of one target from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Availability {
    /// Requests are answered.
    Up(ServedBy),
    /// They are not.
    Down {
        /// Which hop failed, and how.
        reason: String,
        /// What kind of failure a prober met; none where nobody had to probe to know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<FailureClass>,
    },
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckStatus {
    /// Shown to hold.
    Pass,
    /// Shown not to hold.
    Fail,
    /// It could not be made; never silently dropped.
    NotCovered,
}

impl CheckStatus {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            CheckStatus::Pass => "pass",
            CheckStatus::Fail => "fail",
            CheckStatus::NotCovered => "not-covered",
        }
    }
}

/// The levels on which a rollback is compared, strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LadderLevel {
    /// Identity and configuration, byte for byte.
    Bytes,
    /// The whole tree under typed masks.
    Structure,
    /// What it means: machines, addresses, routes.
    Meaning,
    /// The same answers from the same backends.
    Behaviour,
    /// No leftover snapshots, images, files, transactions, ports.
    History,
}

/// What happened. In JSON the name stands in `kind`, its fields beside it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Kind {
    /// The run began.
    RunStarted {
        /// The scenario's name.
        scenario: String,
        /// The system under upgrade.
        system: String,
        /// Where it runs.
        world: World,
        /// The seed everything random follows from.
        seed: u64,
        /// The version before.
        base: String,
        /// The version after.
        target: String,
        /// The timing profile.
        profile: String,
    },
    /// A phase began.
    PhaseStarted {
        /// Its name.
        phase: String,
    },
    /// A phase ended, or was skipped.
    PhaseFinished {
        /// Its name.
        phase: String,
        /// How it ended.
        status: PhaseStatus,
        /// Why, where it did not pass.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// The engine turned to a step.
    StepStarted {
        /// The step's name.
        step: String,
        /// Apply, undo or verify.
        verb: StepVerb,
    },
    /// The engine is done with a step.
    StepFinished {
        /// The step's name.
        step: String,
        /// Apply, undo or verify.
        verb: StepVerb,
        /// Why it failed, where it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A call on the wire ended.
    Call {
        /// `step/template#k`, which names it in fault rules.
        address: String,
        /// Whom it was made to: host and port.
        endpoint: String,
        /// When it was sent.
        began_ns: Time,
        /// What came back: `200`, `exit 0`, or how it failed.
        result: String,
        /// The fault it was given, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<String>,
    },
    /// A task of a cloud changed its state.
    Task {
        /// The task's id.
        task: String,
        /// The method that began it.
        method: String,
        /// The object it works on.
        target: String,
        /// `queued`, `running`, `success` or `error`.
        state: String,
        /// The fault, where it ended in error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A fault rule acted.
    FaultInjected {
        /// The call or the place.
        at: String,
        /// What was done.
        fault: String,
    },
    /// A fault rule found no place to act.
    FaultNotInjectable {
        /// The call or the place.
        at: String,
        /// What should have been done.
        fault: String,
        /// Why it was not.
        reason: String,
    },
    /// A machine was created.
    MachineCreated {
        /// Its name.
        machine: String,
    },
    /// A machine was destroyed.
    MachineDestroyed {
        /// Its name.
        machine: String,
    },
    /// A machine went on or off.
    PowerChanged {
        /// Its name.
        machine: String,
        /// On or off.
        power: Power,
    },
    /// A snapshot was taken, reverted to or removed.
    Snapshot {
        /// The machine.
        machine: String,
        /// The snapshot's name.
        snapshot: String,
        /// `created`, `reverted` or `removed`.
        action: String,
    },
    /// The machines that answer ARP for an address or a range of a segment changed.
    AddressOwners {
        /// The segment.
        segment: String,
        /// The address or range.
        address: String,
        /// The machines, in order of name; more than one is a fight.
        owners: Vec<String>,
    },
    /// A client's neighbour (ARP) entry changed.
    Neighbour {
        /// The client.
        client: String,
        /// The address it asked for.
        address: String,
        /// The machine whose hardware address it holds now; none where nobody answered.
        owner: Option<String>,
    },
    /// What a client sees of a target changed.
    Availability {
        /// The load balancer (or the canary).
        target: String,
        /// Who looks.
        client: String,
        /// How it looks.
        probe: ProbeKind,
        /// When it changed.
        at: Bounds,
        /// What it sees from then on.
        #[serde(flatten)]
        now: Availability,
    },
    /// What a prober tells of itself. It says nothing about the target: where nobody looked, nothing is known.
    Prober {
        /// The load balancer (or the canary).
        target: String,
        /// Who looks.
        client: String,
        /// How it looks.
        probe: ProbeKind,
        /// What it tells.
        #[serde(flatten)]
        now: ProberState,
    },
    /// A target was down and is up again, or still down at the end.
    Outage {
        /// The load balancer (or the canary).
        target: String,
        /// Who looked.
        client: String,
        /// How it looked.
        probe: ProbeKind,
        /// When it began.
        from: Bounds,
        /// When it ended; none where it had not by the end of the run.
        to: Option<Bounds>,
        /// The engine's step during which it began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
    },
    /// A service of a guest changed its state.
    Service {
        /// The machine.
        machine: String,
        /// The service.
        service: String,
        /// `starting`, `running`, `failed`, `stopped`, `reloaded` …
        state: String,
        /// More about it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// A line in a guest's log.
    GuestLog {
        /// The machine.
        machine: String,
        /// The service that wrote it.
        service: String,
        /// The line.
        line: String,
    },
    /// An operator tried to program its routes.
    Operator {
        /// Its cluster.
        cluster: String,
        /// `programmed`, `in-sync`, `retrying` …
        state: String,
        /// Attempts since it last succeeded.
        attempt: u32,
        /// Why it retries, or what it programmed.
        detail: String,
    },
    /// The engine ended a verb.
    EngineFinished {
        /// `upgrade`, `resume` or `rollback`.
        verb: String,
        /// The exit code.
        exit_code: i32,
        /// The outcome it claims, where the code names one.
        outcome: Option<String>,
        /// What it said last.
        message: String,
    },
    /// The state of the system was captured in a file addressed by its hash.
    Captured {
        /// `base`, `upgraded`, `rolled-back` …
        name: String,
        /// SHA-256 of the file.
        hash: String,
    },
    /// A check was made.
    CheckFinished {
        /// Its name.
        check: String,
        /// Its result.
        status: CheckStatus,
        /// One line of evidence.
        message: String,
    },
    /// The run ended.
    RunFinished {
        /// `passed`, `failed`, `unfit` (environment) or `interrupted`.
        verdict: String,
    },
    /// An event written by a later version.
    #[serde(untagged)]
    #[schemars(skip)]
    Unknown(Map<String, Value>),
}

/// The same vocabulary without [`Kind::Unknown`], for reading.
macro_rules! known_kind {
    ($($name:ident { $($field:ident : $ty:ty $(=> $default:ident)?),* $(,)? })*) => {
        #[derive(Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "snake_case")]
        enum Known { $($name { $($(#[serde($default)])? $field: $ty),* }),* }

        impl From<Known> for Kind {
            fn from(known: Known) -> Kind {
                match known { $(Known::$name { $($field),* } => Kind::$name { $($field),* }),* }
            }
        }
    };
}

known_kind! {
    RunStarted { scenario: String, system: String, world: World, seed: u64, base: String, target: String, profile: String }
    PhaseStarted { phase: String }
    PhaseFinished { phase: String, status: PhaseStatus, message: Option<String> => default }
    StepStarted { step: String, verb: StepVerb }
    StepFinished { step: String, verb: StepVerb, error: Option<String> => default }
    Call { address: String, endpoint: String, began_ns: Time, result: String, fault: Option<String> => default }
    Task { task: String, method: String, target: String, state: String, error: Option<String> => default }
    FaultInjected { at: String, fault: String }
    FaultNotInjectable { at: String, fault: String, reason: String }
    MachineCreated { machine: String }
    MachineDestroyed { machine: String }
    PowerChanged { machine: String, power: Power }
    Snapshot { machine: String, snapshot: String, action: String }
    AddressOwners { segment: String, address: String, owners: Vec<String> }
    Neighbour { client: String, address: String, owner: Option<String> => default }
    Availability { target: String, client: String, probe: ProbeKind, at: Bounds, now: Availability => flatten }
    Prober { target: String, client: String, probe: ProbeKind, now: ProberState => flatten }
    Outage { target: String, client: String, probe: ProbeKind, from: Bounds, to: Option<Bounds> => default, step: Option<String> => default }
    Service { machine: String, service: String, state: String, detail: String => default }
    GuestLog { machine: String, service: String, line: String }
    Operator { cluster: String, state: String, attempt: u32, detail: String }
    EngineFinished { verb: String, exit_code: i32, outcome: Option<String> => default, message: String }
    Captured { name: String, hash: String }
    CheckFinished { check: String, status: CheckStatus, message: String }
    RunFinished { verdict: String }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        let fields: BTreeMap<String, Value> = BTreeMap::deserialize(deserializer)?;
        let map: Map<String, Value> = fields.into_iter().collect();
        // A kind of a later version, or one of ours with fields of another shape: keep it as it is.
        Ok(Known::deserialize(Value::Object(map.clone())).map_or(Kind::Unknown(map), Kind::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, Event, VERSION};

    fn round_trip(kind: Kind) {
        let event = Event { v: VERSION, t_ns: Time::from_ns(5), seq: 3, actor: Actor::World, kind };
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event, "{line}");
    }

    #[test]
    fn events_read_back_as_they_were_written() {
        round_trip(Kind::PhaseFinished {
            phase: "upgrade".into(),
            status: PhaseStatus::Failed,
            message: Some("x".into()),
        });
        round_trip(Kind::PhaseFinished { phase: "upgrade".into(), status: PhaseStatus::Passed, message: None });
        round_trip(Kind::Availability {
            target: "shop".into(),
            client: "probe".into(),
            probe: ProbeKind::HttpNew,
            at: Bounds::exact(Time::from_ns(7)),
            now: Availability::Up(ServedBy {
                machine: "old".into(),
                backends: vec!["b1".into()],
                certificate: None,
                ..ServedBy::default()
            }),
        });
        round_trip(Kind::Service {
            machine: "m".into(),
            service: "haproxy".into(),
            state: "failed".into(),
            detail: String::new(),
        });
    }

    #[test]
    fn unknown_kinds_survive_reading() {
        let line = r#"{"v":1,"t_ns":9,"seq":0,"actor":"world","colour":"green","kind":"moon-phase"}"#;
        let event: Event = serde_json::from_str(line).unwrap();
        assert!(matches!(&event.kind, Kind::Unknown(fields) if fields["colour"] == "green"), "{event:?}");
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
    }
}
