//! The facts by which versions of the appliance differ, as a disk image carries them.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_dataplane::Generation;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

/// The facts by which versions of the appliance differ. In an image's header the names are in kebab case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Facts {
    /// The version of HAProxy inside: `2.6.12`.
    pub haproxy: String,
    /// The version of the Data Plane API inside.
    pub dataplane_generation: Generation,
    /// Whether every boot makes new certificates although there are some, given ones included. Ended in v0.1.10
    /// (vmware-haproxy commit 90376d2).
    pub regenerates_certificates: bool,
    /// Whether workload and frontend get link-scoped routes in their tables. Since v0.1.9 (commit d612463); they survive a
    /// stop of the service (vmware-haproxy #10).
    pub link_scoped_routes: bool,
    /// What the route service does with its policy rules when it stops.
    pub route_rules_on_stop: RulesOnStop,
    /// Whether the OVF has `network.additional_workload_networks`. Since v0.2.0 (commit bc70b9d).
    pub additional_workload_networks: bool,
    /// How long the Data Plane API collects changes before one reload, in milliseconds.
    pub reload_delay_ms: u64,
}

/// What the route service does with its policy rules when it stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RulesOnStop {
    /// It deletes one rule of each table, as up to v0.1.10.
    DeletesOne,
    /// It deletes none, so that a restart doubles them: v0.2.0 runs `ip call "rule del …"`, and `ip` has no object `call`.
    DeletesNone,
}

/// An image's header does not say what the appliance needs to know.
#[derive(Debug, Error)]
#[error("failed to read the facts of the appliance's image: {0}")]
pub struct FactsError(#[from] serde_json::Error);

impl Facts {
    /// The facts in an image's header.
    ///
    /// # Errors
    /// One is missing, unknown, or has the wrong type.
    pub fn from_header(facts: &BTreeMap<String, Value>) -> Result<Facts, FactsError> {
        let object = facts.clone().into_iter().collect();
        Ok(serde_json::from_value(Value::Object(object))?)
    }

    /// The facts as an image's header holds them.
    pub fn to_header(&self) -> BTreeMap<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(object)) => object.into_iter().collect(),
            other => unreachable!("a struct of plain fields is an object, not {other:?}"),
        }
    }

    /// How long the Data Plane API collects changes before one reload.
    pub fn reload_delay(&self) -> Duration {
        Duration::from_millis(self.reload_delay_ms)
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    /// The facts of a release.
    pub(crate) fn facts(version: &str) -> Facts {
        let new = version == "v0.2.0";
        Facts {
            haproxy: if new { "2.6.12" } else { "2.2.9" }.to_owned(),
            dataplane_generation: Generation::APPLIANCE,
            regenerates_certificates: matches!(version, "v0.1.8" | "v0.1.9"),
            link_scoped_routes: version != "v0.1.8",
            route_rules_on_stop: if new { RulesOnStop::DeletesNone } else { RulesOnStop::DeletesOne },
            additional_workload_networks: new,
            reload_delay_ms: 30_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_travel_in_the_header() {
        let facts = samples::facts("v0.2.0");
        let mut header = facts.to_header();
        assert_eq!(header["dataplane-generation"], "2.1.0");
        assert_eq!(header["route-rules-on-stop"], "deletes-none");
        assert_eq!(Facts::from_header(&header).unwrap(), facts);
        header.insert("colour".to_owned(), "blue".into());
        let error = Facts::from_header(&header).unwrap_err();
        assert!(error.to_string().contains("unknown field `colour`"), "{error}");
        assert!(Facts::from_header(&BTreeMap::new()).is_err());
    }
}
