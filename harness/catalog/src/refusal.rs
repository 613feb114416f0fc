//! When an upgrade must not even begin.

use crate::named::named;

named! {
    /// A condition under which an engine refuses before it changes anything.
    pub enum RefusalRule("refusal rule") {
        NoRunningAppliance = "no-running-appliance", "there is no HAProxy VM that runs";
        NoDeployPrivilege = "no-deploy-privilege", "the account may not deploy VMs";
        TargetNotNewer = "target-not-newer", "the target version is not greater than the current one";
        VsphereNeedsV019 = "vsphere-needs-v0.1.9", "vSphere is at, or going to, 7.0.1 or later and the target is below v0.1.9";
        TopologyDiffers = "topology-differs", "the new appliance would have another network topology";
        AddressPlanDiffers = "address-plan-differs", "the new appliance would have other service ranges or addresses";
        InsufficientResources = "insufficient-resources", "the host cannot hold both VMs: CPU, memory or disk";
        CertificateMissing = "certificate-missing", "the old appliance has no server certificate or no key to carry over";
        WouldNotComeBack = "would-not-come-back", "the old appliance would not come back as it runs now: its files say something else";
    }
}

impl RefusalRule {
    /// Where the rule comes from.
    pub fn source(self) -> &'static str {
        match self {
            Self::NoRunningAppliance => {
                "vmware-haproxy docs/upgrade.md, Prerequisites: \"a currently running HAProxy VM\""
            }
            Self::NoDeployPrivilege => "vmware-haproxy docs/upgrade.md, Prerequisites: \"the ability to deploy VMs\"",
            Self::TargetNotNewer => {
                "vmware-haproxy docs/upgrade.md, Prerequisites: \"a target version greater than the current version\""
            }
            Self::VsphereNeedsV019 => {
                "vmware-haproxy docs/upgrade.md, Restrictions: with vSphere 7.0.1, HAProxy must be v0.1.9 or later"
            }
            Self::TopologyDiffers => {
                "vmware-haproxy docs/upgrade.md, Restrictions: no migration between network topologies during upgrade"
            }
            Self::AddressPlanDiffers => {
                "vmware-haproxy docs/upgrade.md, Steps: deploy with an identical configuration as the running instance"
            }
            Self::InsufficientResources => {
                "vmware-haproxy docs/upgrade.md, Steps: enough CPU and disk space for the new VM and the old VM"
            }
            Self::CertificateMissing => {
                "vmware-haproxy docs/upgrade.md, Steps: copy server.crt and server.key out of the instance and use them as inputs"
            }
            Self::WouldNotComeBack => {
                "vmware-haproxy docs/upgrade.md, Steps: \"you can revert back to this instance if something goes wrong\""
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Named, RefusalRule};

    #[test]
    fn every_rule_names_its_source() {
        for rule in RefusalRule::ALL {
            assert!(rule.source().starts_with("vmware-haproxy docs/upgrade.md, "), "{rule}");
        }
    }
}
