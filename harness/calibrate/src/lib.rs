//! How long things take in the docker world, as a timing profile for the virtual one.
//!
//! Lengths come from two places: operations on a machine of their own, measured by whoever performs them, and the event logs of
//! whole runs ([`in_log`]). The median of each becomes the profile's. Timers that the docker world sets are not measured but taken
//! over. A scenario that runs with the profile in the virtual world should show the outages that the docker world has; the
//! document says how near it came.

mod lengths;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_catalog::{Named as _, TimingField, format_duration};
use grenadier_compare::OutageRow;
use grenadier_fleet_docker::engine::EngineHost;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use lengths::{Measured, in_log};
pub use text::{text, verdict};

/// The version of the document's shape, written as `v`.
pub const VERSION: u32 = 1;

/// Where a length comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// It was measured.
    Measured,
    /// The docker world sets it.
    Set,
}

/// One length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LengthRow {
    /// What takes that long: a name of the profile, or one that is only told (`reload`, `neighbour-takeover`).
    pub name: String,
    /// Where it comes from.
    pub basis: Basis,
    /// How often it was measured.
    pub count: usize,
    /// The shortest, in nanoseconds.
    pub least_ns: u64,
    /// The median, in nanoseconds: what the profile has.
    pub median_ns: u64,
    /// The longest, in nanoseconds.
    pub most_ns: u64,
}

/// A timing profile, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Calibration {
    /// The version of this shape, see [`VERSION`].
    pub v: u32,
    /// The day, in UTC: `2026-11-22`.
    pub date: String,
    /// The machine that it was measured on.
    pub machine: EngineHost,
    /// How many whole runs were measured.
    pub runs: usize,
    /// The profile: lengths by name, as a scenario's `timing.profile` takes them.
    pub profile: BTreeMap<String, String>,
    /// What was measured and what was set, in the profile's order.
    pub lengths: Vec<LengthRow>,
    /// How long targets were unreachable: in the virtual world with this profile, and in the last run that was measured.
    pub outages: Vec<OutageRow>,
}

impl Calibration {
    /// What was measured and what the docker world sets, as a profile. What was neither keeps the reference's length.
    pub fn of(
        date: String,
        machine: EngineHost,
        runs: usize,
        measured: &Measured,
        set: &BTreeMap<TimingField, Duration>,
    ) -> Calibration {
        let mut lengths = Vec::new();
        let mut profile = BTreeMap::new();
        for field in TimingField::ALL {
            let row = match (measured.of(field.name()), set.get(field)) {
                (Some(row), None) => row,
                (None, Some(length)) => LengthRow::set(field.name(), *length),
                // The reload follows on the delay that is set.
                (Some(row), Some(length)) => row.after(*length),
                (None, None) => continue,
            };
            profile.insert(field.name().to_owned(), format_duration(row.rounded()));
            lengths.push(row);
        }
        lengths.extend(lengths::TOLD.iter().filter_map(|name| measured.of(name)));
        Calibration { v: VERSION, date, machine, runs, profile, lengths, outages: Vec::new() }
    }

    /// The profile as a scenario takes it.
    pub fn lengths(&self) -> BTreeMap<TimingField, Duration> {
        let length = |row: &LengthRow| Some((TimingField::parse(&row.name)?, row.rounded()));
        self.lengths.iter().filter_map(length).collect()
    }

    /// The document.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("it has string keys and whole numbers") + "\n"
    }
}

impl LengthRow {
    fn set(name: &str, length: Duration) -> LengthRow {
        let ns = nanoseconds(length);
        LengthRow { name: name.to_owned(), basis: Basis::Set, count: 0, least_ns: ns, median_ns: ns, most_ns: ns }
    }

    /// The same, `length` later.
    fn after(self, length: Duration) -> LengthRow {
        let ns = nanoseconds(length);
        LengthRow { least_ns: self.least_ns + ns, median_ns: self.median_ns + ns, most_ns: self.most_ns + ns, ..self }
    }

    /// The median in whole microseconds, and what happens again and again no shorter than a profile may have it.
    fn rounded(&self) -> Duration {
        let length = Duration::from_micros(self.median_ns.div_ceil(1000));
        TimingField::parse(&self.name).map_or(length, |field| length.clamp(field.least(), TimingField::MOST))
    }
}

fn nanoseconds(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}
