//! Systems and their versions.

use crate::{Procedure, RefusalRule, VersionFacts, VersionNumber, systems};

/// A system whose upgrade can be rehearsed.
#[derive(Debug)]
pub struct System {
    /// Name in scenario files: `haproxy-appliance`.
    pub name: &'static str,
    /// One line of documentation.
    pub doc: &'static str,
    /// Its versions, oldest first.
    pub versions: &'static [Version],
    /// The upgrades that the built-in engine can perform on it.
    pub procedures: &'static [Procedure],
    /// What one of its VMs takes from the host.
    pub size: MachineSize,
    /// Files of the appliance that scenarios may take away.
    pub files: &'static [SystemFile],
    /// Configuration files that people customise, and that an upgrade must carry over.
    pub customisable_files: &'static [&'static str],
    /// The rule that forbids a leap, whatever the system is like otherwise: what an engine must refuse.
    pub forbids: fn(&Leap) -> Option<RefusalRule>,
}

/// An upgrade as far as versions tell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leap {
    /// The version it starts from.
    pub from: VersionNumber,
    /// The version it goes to.
    pub to: VersionNumber,
    /// The vSphere around it: where that is upgraded too, the newer one.
    pub vsphere: VersionNumber,
}

/// A version in the catalogue.
#[derive(Debug)]
pub struct Version {
    /// Its name, as the vendor tags it: `v0.1.10`.
    pub name: &'static str,
    /// Its place in the order of versions.
    pub number: VersionNumber,
    /// Image that stands in for it in the docker world.
    pub image: &'static str,
    /// How it differs from other versions.
    pub facts: VersionFacts,
}

/// What a VM takes from its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineSize {
    /// Virtual CPUs.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Disk in bytes.
    pub disk_bytes: u64,
}

/// A file on the appliance whose absence matters to an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemFile {
    /// Absolute path.
    pub path: &'static str,
    /// One line of documentation.
    pub doc: &'static str,
}

impl System {
    /// Every system, in alphabetical order.
    pub fn all() -> &'static [&'static System] {
        systems::ALL
    }

    /// The system with this name.
    pub fn find(name: &str) -> Option<&'static System> {
        systems::ALL.iter().copied().find(|system| system.name == name)
    }

    /// The version with this exact name.
    pub fn version(&self, name: &str) -> Option<&'static Version> {
        self.versions.iter().find(|version| version.name == name)
    }

    /// The procedure with this name.
    pub fn procedure(&self, name: &str) -> Option<&'static Procedure> {
        self.procedures.iter().find(|procedure| procedure.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_listed_oldest_first_and_named_by_their_number() {
        for system in System::all() {
            assert!(system.versions.windows(2).all(|pair| pair[0].number < pair[1].number), "{}", system.name);
            for version in system.versions {
                assert_eq!(version.name.parse(), Ok(version.number));
            }
        }
    }

    #[test]
    fn a_procedure_names_each_step_once_and_ends_where_nothing_can_be_undone() {
        for procedure in System::all().iter().flat_map(|system| system.procedures) {
            for step in procedure.steps {
                assert_eq!(procedure.step(step.name), Some(step), "`{}` is there twice", step.name);
            }
            let boundary = procedure.steps.iter().position(|step| step.irreversible);
            assert!(boundary.is_none_or(|at| at == procedure.steps.len() - 1), "{}", procedure.name);
        }
    }
}
