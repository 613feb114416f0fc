//! The HAProxy load-balancer appliance for vSphere (vmware-haproxy).
//!
//! Facts are from vmware-haproxy at commit 7e563e1 and its `docs/upgrade.md`.

use std::time::Duration;

use crate::{
    Leap, MachineSize, Procedure, RefusalRule, RouteRulesOnStop, Step, System, SystemFile, Version, VersionFacts,
    VersionNumber,
};

/// The system as the catalogue knows it.
pub static SYSTEM: System = System {
    name: "haproxy-appliance",
    doc: "a VM on vSphere that load-balances Kubernetes clusters: HAProxy, Data Plane API and AnyIP",
    versions: &[V0_1_8, V0_1_9, V0_1_10, V0_2_0],
    procedures: &[HARDENED, DOCUMENTED],
    // vmware-haproxy hack/image-build-ova.py: 2 vCPU, 4096 MB, 20 GB.
    size: MachineSize { cpus: 2, memory_bytes: 4 << 30, disk_bytes: 20 << 30 },
    files: FILES,
    customisable_files: &["/etc/haproxy/haproxy.cfg", "/etc/haproxy/dataplaneapi.cfg"],
    forbids,
};

/// vmware-haproxy `docs/upgrade.md`, Prerequisites and Restrictions, in this order.
fn forbids(leap: &Leap) -> Option<RefusalRule> {
    let is_newer = leap.to > leap.from;
    let suits_vsphere = leap.vsphere < VersionNumber::new(7, 0, 1) || leap.to >= VersionNumber::new(0, 1, 9);
    match (is_newer, suits_vsphere) {
        (false, _) => Some(RefusalRule::TargetNotNewer),
        (true, false) => Some(RefusalRule::VsphereNeedsV019),
        (true, true) => None,
    }
}

const BULLSEYE: &str = "grenadier/haproxy-appliance:bullseye";
const BOOKWORM: &str = "grenadier/haproxy-appliance:bookworm";

/// The oldest version here; each later one says only how it differs from the one before.
const V0_1_8: Version = Version {
    name: "v0.1.8",
    number: VersionNumber::new(0, 1, 8),
    image: BULLSEYE,
    facts: VersionFacts {
        haproxy: VersionNumber::new(2, 2, 9),
        dataplane_generation: VersionNumber::new(2, 1, 0),
        regenerates_certificates: true,
        link_scoped_routes: false,
        route_rules_on_stop: RouteRulesOnStop::DeletesOne,
        additional_workload_networks: false,
        reload_delay: Duration::from_secs(30),
    },
};

const V0_1_9: Version = Version {
    name: "v0.1.9",
    number: VersionNumber::new(0, 1, 9),
    facts: VersionFacts { link_scoped_routes: true, ..V0_1_8.facts },
    ..V0_1_8
};

const V0_1_10: Version = Version {
    name: "v0.1.10",
    number: VersionNumber::new(0, 1, 10),
    facts: VersionFacts { regenerates_certificates: false, ..V0_1_9.facts },
    ..V0_1_9
};

const V0_2_0: Version = Version {
    name: "v0.2.0",
    number: VersionNumber::new(0, 2, 0),
    image: BOOKWORM,
    facts: VersionFacts {
        haproxy: VersionNumber::new(2, 6, 12),
        route_rules_on_stop: RouteRulesOnStop::DeletesNone,
        additional_workload_networks: true,
        ..V0_1_10.facts
    },
};

const FILES: &[SystemFile] = &[
    SystemFile { path: "/etc/haproxy/ca.crt", doc: "certificate of the authority that signed the server's" },
    SystemFile { path: "/etc/haproxy/ca.key", doc: "key of that authority" },
    SystemFile { path: "/etc/haproxy/server.crt", doc: "the Data Plane API's certificate, which operators pin" },
    SystemFile { path: "/etc/haproxy/server.key", doc: "key of that certificate" },
];

const fn look(name: &'static str, doc: &'static str) -> Step {
    Step { name, doc, changes: false, irreversible: false }
}

const fn act(name: &'static str, doc: &'static str) -> Step {
    Step { name, doc, changes: true, irreversible: false }
}

const REMOVE_OLD: Step = Step {
    name: "remove-old",
    doc: "remove the old VM; after this there is no way back",
    changes: true,
    irreversible: true,
};

/// vmware-haproxy `docs/upgrade.md`; the names are those of the same steps of [`HARDENED`].
const DOCUMENTED: Procedure = Procedure {
    name: "documented",
    doc: "swap the VM as the upgrade document tells a person to, step by step and no more",
    steps: &[
        look(
            "check-prerequisites",
            "confirm what the document asks for: versions, privileges, network topology, CPU and disk for both VMs",
        ),
        look("copy-certificates", "copy the server's certificate and key, and the authority's, out of the appliance"),
        look("save-customisations", "save what people changed in haproxy.cfg and dataplaneapi.cfg"),
        act("deploy-new", "deploy the new VM, powered off, with identical inputs and the same certificate and key"),
        act("power-off-old", "power the old VM down: the outage begins"),
        act("power-on-new", "power the new VM on"),
        look("verify-services", "log in and see that haproxy and dataplaneapi run"),
        act("reapply-customisations", "put the saved customisations back and restart the services"),
        look("verify-addresses", "see that every load balancer address answers, from each cluster"),
        look("verify-routes", "see that haproxy.cfg grows as the operators begin to program routes"),
        REMOVE_OLD,
    ],
};

const HARDENED: Procedure = Procedure {
    name: "hardened",
    doc: "swap the VM, survive the known traps, and roll back on any failure before the old VM is removed",
    steps: &[
        look(
            "check-prerequisites",
            "see that nothing forbids the upgrade: versions, privileges, capacity, address plan",
        ),
        look("read-appliance", "read the running appliance's OVF properties, networks and routes"),
        look("copy-certificates", "copy the server's certificate and key, and the authority's, out of the appliance"),
        look("save-customisations", "save what people changed in haproxy.cfg and dataplaneapi.cfg"),
        act("deploy-new", "deploy the new VM, powered off, with identical inputs and the same certificate and key"),
        act("power-off-old", "power the old VM off: the outage begins"),
        act("power-on-new", "power the new VM on"),
        look("verify-services", "log in and see that haproxy and dataplaneapi run"),
        act("reapply-customisations", "put the saved customisations back and restart the services"),
        look("verify-addresses", "see that every load balancer address answers, from each cluster"),
        look("verify-routes", "see that the operators have programmed every route again"),
        REMOVE_OLD,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_is_forbidden_where_the_document_says_so() {
        let number = |text: &str| text.parse().unwrap();
        for (from, to, vsphere, rule) in [
            ("0.1.8", "0.2.0", "8.0.3", None),
            ("0.1.8", "0.1.9", "7.0.1", None),
            ("0.1.7", "0.1.8", "7.0.0", None),
            ("0.1.7", "0.1.8", "7.0.1", Some(RefusalRule::VsphereNeedsV019)),
            ("0.1.10", "0.1.10", "7.0.0", Some(RefusalRule::TargetNotNewer)),
            ("0.1.9", "0.1.8", "7.0.1", Some(RefusalRule::TargetNotNewer)),
        ] {
            let leap = Leap { from: number(from), to: number(to), vsphere: number(vsphere) };
            assert_eq!((SYSTEM.forbids)(&leap), rule, "{leap:?}");
        }
    }

    #[test]
    fn each_version_differs_as_its_release_did() {
        let facts = |name: &str| &SYSTEM.version(name).unwrap().facts;
        assert!(!facts("v0.1.8").link_scoped_routes && facts("v0.1.9").link_scoped_routes);
        assert!(facts("v0.1.9").regenerates_certificates && !facts("v0.1.10").regenerates_certificates);
        assert_eq!(facts("v0.1.10").route_rules_on_stop, RouteRulesOnStop::DeletesOne);
        assert_eq!(facts("v0.2.0").route_rules_on_stop, RouteRulesOnStop::DeletesNone);
        assert!(!facts("v0.1.10").additional_workload_networks && facts("v0.2.0").additional_workload_networks);
        assert_eq!(
            (SYSTEM.version("v0.1.10").unwrap().image, SYSTEM.version("v0.2.0").unwrap().image),
            (BULLSEYE, BOOKWORM)
        );
    }
}
