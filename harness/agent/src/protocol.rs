//! What fleet and agent say to each other, one JSON message a line.
//!
//! Both ends are the same binary, so there is no version to agree on.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use grenadier_clock::{Seed, Time};
use grenadier_fleet::{FailureClass, GuestReport, Mac, ProbeKind, ProberState};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::encoding::ReportForm;
pub use crate::encoding::{AnswerForm, Base64, HttpForm, ShellForm};
use crate::impairment::Impairment;
use crate::network::NicRecord;

/// What the fleet says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum ToAgent {
    /// The answer to [`FromAgent::Hello`]: what this machine is. Said once for each boot.
    Boot(Box<Boot>),
    /// The answer to [`FromAgent::Clock`].
    Clock {
        /// The run's time when this was said.
        now: Time,
    },
    /// NICs were plugged, unplugged or changed while the machine is on.
    Nics {
        /// All of them.
        nics: Vec<NicRecord>,
    },
    /// The configuration (guestinfo) was changed from outside.
    Configure {
        /// What changed; an empty value removes a key. The rest is the guest's to know.
        change: BTreeMap<String, String>,
    },
    /// The guest is asked to shut down.
    Shutdown,
    /// The guest is asked for its volatile state.
    ReadState {
        /// To be repeated in the answer.
        request: u64,
    },
    /// A file to be removed without the guest's help.
    Remove {
        /// To be repeated in the answer.
        request: u64,
        /// Its absolute path.
        path: String,
    },
    /// The networks of the machine do as badly as this from now on.
    Impair {
        /// To be repeated in the answer.
        request: u64,
        /// How badly.
        impairment: Impairment,
    },
    /// Whether the kernel could impair networks like this; nothing is impaired.
    TryImpairment {
        /// To be repeated in the answer.
        request: u64,
        /// How badly they would do.
        impairment: Impairment,
    },
    /// The machine's disk has no room from now on.
    FillDisk {
        /// To be repeated in the answer.
        request: u64,
    },
    /// A command for the guest's shell.
    Shell {
        /// To be repeated in the answer.
        request: u64,
        /// The command.
        command: ShellForm,
    },
    /// An HTTP call to be made from here.
    Http {
        /// To be repeated in the answer.
        request: u64,
        /// The call.
        call: HttpForm,
    },
    /// A target to look at all the time.
    Watch(WatchOrder),
    /// Not any more.
    Unwatch {
        /// Which.
        watch: u32,
    },
}

/// What a machine is, as its agent has to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Boot {
    /// The machine's name.
    pub machine: String,
    /// The run's seed.
    pub seed: Seed,
    /// Its network cards.
    pub nics: Vec<NicRecord>,
    /// Its configuration (guestinfo).
    pub config: BTreeMap<String, String>,
    /// Files that were removed while the machine was off: an engine can add to a container that does not run, not take away.
    pub remove: Vec<String>,
    /// Which guest runs on it; none for a machine that only makes calls for those outside.
    pub guest: Option<GuestRecord>,
    /// What goes wrong in this life.
    #[serde(default)]
    pub mishaps: BootMishaps,
}

/// What goes wrong in one life of a machine, from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootMishaps {
    /// Its disk does not answer: no guest runs.
    pub boot_fails: bool,
    /// No address takes effect, and no AnyIP range.
    pub no_address: bool,
    /// Its disk has no room.
    pub disk_full: bool,
    /// By how much its boot is longer than it should be, in milliseconds.
    pub slow_start_ms: u64,
    /// Its networks do as badly as this.
    pub impairment: Impairment,
}

/// Which guest runs on a machine: what its image says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuestRecord {
    /// `haproxy-appliance`, `backend`, `operator`, `client` …
    pub product: String,
    /// The product's version.
    pub version: String,
    /// Facts the guest behaves by.
    pub facts: BTreeMap<String, Value>,
}

/// A watch, as the agent of the client that looks has to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchOrder {
    /// Its number.
    pub watch: u32,
    /// What it looks at.
    pub target: SocketAddr,
    /// How it looks.
    pub kind: ProbeKind,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// The backends that belong to the target; where none is named, every answer is right.
    pub backends: Vec<String>,
    /// The time between the starts of two samples, in milliseconds.
    pub every_ms: u64,
}

/// What the agent says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum FromAgent {
    /// It runs and wants to know what it is.
    Hello,
    /// It wants to know the run's time.
    Clock,
    /// The guest told something.
    Report {
        /// What.
        #[serde(with = "ReportForm")]
        report: GuestReport,
    },
    /// The guest changed a configuration key; an empty value removes it.
    Config {
        /// Which.
        key: String,
        /// Now.
        value: String,
    },
    /// What the machine answers ARP for has changed.
    Claims {
        /// All of it: its own addresses and its AnyIP ranges.
        claims: Vec<IpNet>,
    },
    /// A watching client's neighbour entry for its target has changed.
    Neighbour {
        /// The target.
        address: IpAddr,
        /// Whom it leads to; none where nobody answered.
        mac: Option<Mac>,
    },
    /// What a watch sees has changed.
    Observation {
        /// Which watch.
        watch: u32,
        /// Not before this.
        earliest: Time,
        /// Not after this.
        latest: Time,
        /// What it sees from then on.
        seen: Seen,
    },
    /// What the prober behind a watch tells of itself.
    Prober {
        /// Which watch.
        watch: u32,
        /// What it tells.
        now: ProberState,
    },
    /// Raw samples, in order of their starts.
    Samples {
        /// Which watch.
        watch: u32,
        /// The samples.
        rows: Vec<SampleRow>,
    },
    /// The answer to [`ToAgent::Shell`], [`ToAgent::Http`], or with an exit code and a word about it to [`ToAgent::Remove`] (1
    /// where there was none), [`ToAgent::Impair`], [`ToAgent::TryImpairment`] and [`ToAgent::FillDisk`].
    Answer {
        /// Which request.
        request: u64,
        /// What came back.
        answer: AnswerForm,
    },
    /// The answer to [`ToAgent::ReadState`].
    State {
        /// Which request.
        request: u64,
        /// The state; none where no guest runs.
        state: Option<Value>,
    },
}

/// What a watch sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// Requests are answered.
    Up(SeenBy),
    /// They are not.
    Down {
        /// What kind of failure it is.
        class: FailureClass,
        /// It in words.
        reason: String,
    },
}

/// Who answers, as far as the kind of probe can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenBy {
    /// The backends that have answered since the target came up, in order of name.
    pub backends: Vec<String>,
    /// SHA-256 of the certificate that is shown.
    pub certificate: Option<String>,
    /// SHA-256 of the certificates above it.
    pub chain: Vec<String>,
    /// The hardware addresses that answer ARP for the address.
    pub owners: Vec<Mac>,
}

/// One sample as it is kept for later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleRow {
    /// When its request was begun, in nanoseconds of the run.
    pub began_ns: Time,
    /// How long the answer or the failure took, in microseconds.
    pub took_us: u64,
    /// The backend that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What kind of failure it was, where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// Why none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One message as a line, its newline included.
pub fn line<M: Serialize>(message: &M) -> String {
    serde_json::to_string(message).expect("messages have string keys and finite numbers") + "\n"
}
