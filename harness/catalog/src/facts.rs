//! What is known about one version of the appliance.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::named::named;
use crate::{Named as _, VersionNumber, duration_serde};

/// The facts by which versions of the appliance differ, as far as an upgrade can notice.
///
/// A scenario may take a catalogue version's facts and change some (`{like: v0.1.10, with: {haproxy: 2.4.0}}`); the names
/// it uses are those of [`VersionFacts::fields`], which are the kebab-case names of these fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VersionFacts {
    /// HAProxy inside. The appliance itself ships 2.2.2; the version here is that of the image which stands in for it in
    /// the docker world (Debian bullseye 2.2.9, bookworm 2.6.12; trixie has 3.0.11), so that both worlds speak of the same binary.
    pub haproxy: VersionNumber,
    /// The Data Plane API inside: 2.1.0 in every release (vmware-haproxy `ansible/roles`). Decides the status with which
    /// the commit of a stale transaction is answered, see [`VersionFacts::stale_commit_status`].
    pub dataplane_generation: VersionNumber,
    /// Whether a boot makes a new server certificate although one was handed in, which breaks the pin of every operator.
    /// Ended in v0.1.10 (vmware-haproxy commit 90376d2).
    pub regenerates_certificates: bool,
    /// Whether workload and frontend networks get link-scoped routes instead of going through the gateway. Since v0.1.9
    /// (vmware-haproxy commit d612463); such routes survive a stop of the route service (vmware-haproxy #10, open).
    pub link_scoped_routes: bool,
    /// How many of its policy rules the route service deletes when it stops. v0.2.0 deletes none: `routetablectl.sh down`
    /// runs `ip call "rule del …"`, and `ip` knows no object `call`; so each restart doubles the rules.
    pub route_rules_on_stop: RouteRulesOnStop,
    /// Whether the OVF has the property `network.additional_workload_networks`. Since v0.2.0 (vmware-haproxy commit bc70b9d).
    pub additional_workload_networks: bool,
    /// How long the Data Plane API collects changes before one reload of HAProxy (`RELOAD_DELAY=30` in its unit file).
    #[serde(with = "duration_serde")]
    pub reload_delay: Duration,
}

named! {
    /// What the appliance's route service does with its policy rules when it stops.
    pub enum RouteRulesOnStop("behaviour of policy rules on stop") {
        DeletesOne = "deletes-one", "one copy of each rule is deleted, as up to v0.1.10";
        DeletesNone = "deletes-none", "no rule is deleted, so a restart leaves two copies of each, as in v0.2.0";
    }
}

/// The type of a fact, for readers and schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// True or false.
    Bool,
    /// A version of three numbers.
    Version,
    /// A duration with its unit.
    Duration,
    /// One of these names.
    Name(&'static [&'static str]),
}

/// One fact that a scenario may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactField {
    /// Name in scenario files.
    pub name: &'static str,
    /// One line of documentation.
    pub doc: &'static str,
    /// Its type.
    pub kind: FactKind,
}

/// A changed fact. Serialised as a scenario writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum FactValue {
    /// True or false.
    Bool(bool),
    /// A version.
    Version(VersionNumber),
    /// A duration.
    Duration(#[serde(with = "duration_serde")] Duration),
    /// A name out of a closed list.
    Name(String),
}

/// A fact cannot be changed that way.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FactError {
    /// There is no such fact.
    #[error("no fact is called `{name}`")]
    Unknown {
        /// The name that was given.
        name: String,
    },
    /// The value has another type, or is a name outside the list.
    #[error("fact `{name}` cannot have that value")]
    Value {
        /// The fact's name.
        name: String,
    },
}

impl VersionFacts {
    /// The facts that can be changed, in the order of the fields.
    pub fn fields() -> &'static [FactField] {
        &[
            FactField { name: "haproxy", doc: "version of HAProxy inside", kind: FactKind::Version },
            FactField {
                name: "dataplane-generation",
                doc: "version of the Data Plane API inside; up to 2.2 a stale commit is answered 409, from 2.3 on 406",
                kind: FactKind::Version,
            },
            FactField {
                name: "regenerates-certificates",
                doc: "whether a boot makes a new server certificate although one was handed in",
                kind: FactKind::Bool,
            },
            FactField {
                name: "link-scoped-routes",
                doc: "whether workload and frontend networks get link-scoped routes instead of going through the gateway",
                kind: FactKind::Bool,
            },
            FactField {
                name: "route-rules-on-stop",
                doc: "what the route service does with its policy rules when it stops",
                kind: FactKind::Name(&["deletes-one", "deletes-none"]),
            },
            FactField {
                name: "additional-workload-networks",
                doc: "whether the OVF has the property network.additional_workload_networks",
                kind: FactKind::Bool,
            },
            FactField {
                name: "reload-delay",
                doc: "how long the Data Plane API collects changes before one reload",
                kind: FactKind::Duration,
            },
        ]
    }

    /// Changes one fact.
    ///
    /// # Errors
    ///
    /// When there is no such fact or the value has another type.
    pub fn set(&mut self, name: &str, value: &FactValue) -> Result<(), FactError> {
        let wrong = || FactError::Value { name: name.to_owned() };
        match (name, value) {
            ("haproxy", FactValue::Version(version)) => self.haproxy = *version,
            ("dataplane-generation", FactValue::Version(version)) => self.dataplane_generation = *version,
            ("regenerates-certificates", FactValue::Bool(yes)) => self.regenerates_certificates = *yes,
            ("link-scoped-routes", FactValue::Bool(yes)) => self.link_scoped_routes = *yes,
            ("route-rules-on-stop", FactValue::Name(behaviour)) => {
                self.route_rules_on_stop = RouteRulesOnStop::parse(behaviour).ok_or_else(wrong)?;
            }
            ("additional-workload-networks", FactValue::Bool(yes)) => self.additional_workload_networks = *yes,
            ("reload-delay", FactValue::Duration(delay)) => self.reload_delay = *delay,
            _ if Self::fields().iter().any(|field| field.name == name) => return Err(wrong()),
            _ => return Err(FactError::Unknown { name: name.to_owned() }),
        }
        Ok(())
    }

    /// The HTTP status with which the commit of a transaction that is based on an older configuration is answered: 409 up
    /// to Data Plane API 2.2, 406 ("outdated") from 2.3 on (dataplaneapi `e2e/tests/transactions/commit.bats`).
    pub fn stale_commit_status(&self) -> u16 {
        if self.dataplane_generation < VersionNumber::new(2, 3, 0) { 409 } else { 406 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::haproxy_appliance;

    fn value_of(kind: FactKind) -> FactValue {
        match kind {
            FactKind::Bool => FactValue::Bool(true),
            FactKind::Version => FactValue::Version(VersionNumber::new(9, 9, 9)),
            FactKind::Duration => FactValue::Duration(Duration::from_secs(7)),
            FactKind::Name(names) => FactValue::Name(names.last().copied().unwrap().to_owned()),
        }
    }

    #[test]
    fn every_field_can_be_set_and_changes_the_facts() {
        let original = haproxy_appliance::SYSTEM.version("v0.1.8").unwrap().facts.clone();
        for field in VersionFacts::fields() {
            let mut facts = original.clone();
            facts.set(field.name, &value_of(field.kind)).unwrap();
            if field.name != "regenerates-certificates" {
                assert_ne!(facts, original, "{} had no effect", field.name);
            }
            let wrong = FactValue::Name("no-such-thing".to_owned());
            assert_eq!(facts.set(field.name, &wrong), Err(FactError::Value { name: field.name.to_owned() }));
        }
        let unknown = original.clone().set("colour", &FactValue::Bool(true));
        assert_eq!(unknown, Err(FactError::Unknown { name: "colour".to_owned() }));
    }

    #[test]
    fn a_stale_commit_is_answered_by_generation() {
        let mut facts = haproxy_appliance::SYSTEM.version("v0.2.0").unwrap().facts.clone();
        for (generation, status) in [("2.1.0", 409), ("2.2.9", 409), ("2.3.0", 406), ("3.0.0", 406)] {
            facts.set("dataplane-generation", &FactValue::Version(generation.parse().unwrap())).unwrap();
            assert_eq!(facts.stale_commit_status(), status, "{generation}");
        }
    }
}
