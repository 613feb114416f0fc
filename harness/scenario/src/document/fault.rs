//! One thing that goes wrong.

use std::fmt;
use std::time::Duration;

use grenadier_catalog::{AfterCrash, FaultKind, FaultPlace, Machine, Percent, format_duration};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::schema;

/// One thing that goes wrong.
///
/// It prints as on the command line: `power-on-new/vsphere.PowerOnVM_Task#1=slow:20s`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fault {
    /// Where: at a call, `step/template#k`, or at a step.
    #[schemars(schema_with = "schema::fault_place")]
    pub at: FaultPlace,
    /// What happens.
    #[serde(rename = "do")]
    #[schemars(schema_with = "schema::name::<FaultKind>")]
    pub kind: FaultKind,
    /// The machine it happens to, where it is one that happens to machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::name::<Machine>", default)]
    pub machine: Option<Machine>,
    /// How late packets come in a `delay` (200ms, where it is not said).
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "length")]
    #[schemars(schema_with = "schema::duration", default)]
    pub by: Option<Duration>,
    /// The share of packets that are lost in a `loss` (20%, where it is not said).
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rate")]
    #[schemars(schema_with = "schema::percent", default)]
    pub rate: Option<Percent>,
    /// How late a `slow` answer comes (20s, where it is not said), how much longer the boot of a `slow-start` takes (60s), or how
    /// long a `pause`, `partition`, `delay` or `loss` lasts (until the end).
    #[serde(rename = "for", skip_serializing_if = "Option::is_none", serialize_with = "length")]
    #[schemars(schema_with = "schema::duration", default)]
    pub length: Option<Duration>,
    /// What a new engine process is asked for after a crash; without it, what `engine.after-crash` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::name::<AfterCrash>", default)]
    pub then: Option<AfterCrash>,
}

impl Fault {
    /// A fault of which no more is said.
    pub fn new(at: impl Into<FaultPlace>, kind: FaultKind) -> Fault {
        let (by, rate) = (kind.lateness(), kind.rate());
        Fault { at: at.into(), kind, machine: None, by, rate, length: None, then: None }
    }

    /// What happens, as on the command line behind the place: `slow:20s`, `machine-crash:new-appliance`.
    pub fn what(&self) -> String {
        let machine = self.machine.map(|machine| machine.to_string());
        let (by, length) = (self.by.map(format_duration), self.length.map(format_duration));
        let rate = self.rate.map(|rate| rate.to_string());
        let then = self.then.map(|then| then.to_string());
        let said = [machine, by, rate, length, then].into_iter().flatten();
        said.fold(self.kind.to_string(), |what, more| format!("{what}:{more}"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.at, self.what())
    }
}

fn length<S: Serializer>(length: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match length {
        Some(length) => serializer.serialize_str(&format_duration(*length)),
        None => serializer.serialize_none(),
    }
}

fn rate<S: Serializer>(rate: &Option<Percent>, serializer: S) -> Result<S::Ok, S::Error> {
    match rate {
        Some(rate) => serializer.collect_str(rate),
        None => serializer.serialize_none(),
    }
}
