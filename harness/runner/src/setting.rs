//! What a scenario needs before its first phase: host, vCenter, accounts, who reads calls.

use std::collections::BTreeSet;

use grenadier_catalog::{Named, Segment};
use grenadier_clock::Seed;
use grenadier_fleet::Host;
use grenadier_scenario::{Given, Scenario};
use grenadier_vsphere::{Role, User, VSphere, VSphereConfig, VSphereProtocol};
use grenadier_wire::{Protocol, Secret};

/// Host and port of the vCenter in the virtual world.
pub(crate) const VCENTER_ENDPOINT: &str = "vcenter.example:443";
/// The account the runner deploys with.
pub(crate) const ADMINISTRATOR: &str = "administrator@vsphere.local";
/// The account the engine is given. It may lack what the scenario takes away.
pub(crate) const UPGRADER: &str = "upgrader@vsphere.local";
/// The user of the Data Plane API.
pub(crate) const HAPROXY_USER: &str = "wcp";

/// The secrets of a run: they follow from its seed, so that a leak can be looked for and a replay has the same.
#[derive(Clone, Debug)]
pub(crate) struct Secrets {
    pub administrator: Secret,
    pub upgrader: Secret,
    pub appliance_root: Secret,
    pub haproxy: Secret,
}

impl Secrets {
    pub(crate) fn of(seed: Seed) -> Secrets {
        let secret = |kind: &str| {
            let bytes = seed.bytes("secrets", kind);
            Secret::new(format!("s-{}", hex::encode(&bytes[..12])))
        };
        Secrets {
            administrator: secret("administrator"),
            upgrader: secret("upgrader"),
            appliance_root: secret("appliance-root"),
            haproxy: secret("haproxy"),
        }
    }

    /// What each is of, whose it is, and the password itself.
    pub(crate) fn passwords(&self) -> [(&'static str, &'static str, &Secret); 4] {
        [
            ("the password of vCenter's administrator", ADMINISTRATOR, &self.administrator),
            ("the engine's password for vCenter", UPGRADER, &self.upgrader),
            ("the password of root", "root", &self.appliance_root),
            ("the password of the Data Plane API", HAPROXY_USER, &self.haproxy),
        ]
    }

    /// Whether a text is one of them, or a private key in PEM.
    pub(crate) fn hide(&self, text: &str) -> bool {
        self.passwords().iter().any(|(_, _, password)| password.reveal() == text)
            || (text.starts_with("-----BEGIN ") && text.contains("PRIVATE KEY-----"))
    }
}

/// The secrets of a run with this seed, which must appear nowhere in what the run leaves.
pub fn secrets(seed: Seed) -> [Secret; 4] {
    let Secrets { administrator, upgrader, appliance_root, haproxy } = Secrets::of(seed);
    [administrator, upgrader, appliance_root, haproxy]
}

/// What a scenario needs before its first phase.
pub(crate) struct Setting {
    /// What the cloud's host has.
    pub host: Host,
    /// The secrets of the run.
    pub secrets: Secrets,
    version: String,
    missing_privileges: BTreeSet<String>,
}

impl Setting {
    pub(crate) fn of(scenario: &Scenario, seed: Seed) -> Setting {
        let capacity = scenario.topology.host;
        let mib = |bytes: u64| bytes >> 20;
        let missing = scenario.given.iter().filter_map(|given| match given {
            Given::PrivilegeMissing(privilege) => Some(privilege.name().to_owned()),
            Given::Appliance(_)
            | Given::FileMissing(_)
            | Given::Customisation(_)
            | Given::ServiceRange(_)
            | Given::RouteRuleDuplicated(_)
            | Given::LinkRouteLeft(_)
            | Given::ApiStopped(_)
            | Given::UpgradedFrom(_) => None,
        });
        Setting {
            host: Host {
                cpus: capacity.cpus,
                memory_mib: mib(capacity.memory.bytes()),
                storage_mib: mib(capacity.disk.bytes()),
            },
            secrets: Secrets::of(seed),
            version: scenario.topology.vsphere.to_string(),
            missing_privileges: missing.collect(),
        }
    }

    /// The vCenter with its two accounts.
    pub(crate) fn vcenter(&self, seed: Seed) -> VSphere {
        let user = |name: &str, password: &Secret, missing_privileges: BTreeSet<String>| User {
            name: name.to_owned(),
            password: password.clone(),
            role: Role::Administrator,
            missing_privileges,
        };
        VSphere::new(VSphereConfig {
            users: vec![
                user(ADMINISTRATOR, &self.secrets.administrator, BTreeSet::new()),
                user(UPGRADER, &self.secrets.upgrader, self.missing_privileges.clone()),
            ],
            networks: Segment::ALL.iter().map(ToString::to_string).collect(),
            ..VSphereConfig::new(self.version.clone(), seed)
        })
    }

    /// Who reads calls: one for each protocol on the wire.
    pub(crate) fn protocols(&self) -> Vec<Box<dyn Protocol>> {
        vec![Box::new(VSphereProtocol), Box::new(crate::protocols::DataplaneProtocol)]
    }
}
