//! References to managed objects.

use std::borrow::Cow;

/// A reference to a managed object: its type and its id. Ids are unique across types here, as they are in a vCenter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MoRef {
    /// The managed object type: `VirtualMachine`.
    pub(crate) kind: Cow<'static, str>,
    /// The id: `vm-101`.
    pub(crate) id: Cow<'static, str>,
}

impl MoRef {
    /// A reference that is known when the program is written.
    pub(crate) const fn fixed(kind: &'static str, id: &'static str) -> MoRef {
        MoRef { kind: Cow::Borrowed(kind), id: Cow::Borrowed(id) }
    }

    /// A reference to an object of a type we have.
    pub(crate) fn new(kind: &'static str, id: impl Into<String>) -> MoRef {
        MoRef { kind: Cow::Borrowed(kind), id: Cow::Owned(id.into()) }
    }

    /// The number behind `prefix` in the id: 7 of `task-7`.
    pub(crate) fn number(&self, prefix: &str) -> Option<u64> {
        self.id.strip_prefix(prefix)?.parse().ok()
    }

    /// Whether the object is of the type `kind` or of one derived from it.
    pub(crate) fn is_a(&self, kind: &str) -> bool {
        let mut own: &str = &self.kind;
        loop {
            if own == kind {
                return true;
            }
            own = match own {
                "ClusterComputeResource" => "ComputeResource",
                "ComputeResource" | "Datacenter" | "Datastore" | "Folder" | "HostSystem" | "Network"
                | "ResourcePool" | "VirtualMachine" => "ManagedEntity",
                "ManagedEntity" | "Task" | "VirtualMachineSnapshot" => "ExtensibleManagedObject",
                "ContainerView" | "ListView" => "ManagedObjectView",
                "EventHistoryCollector" | "TaskHistoryCollector" => "HistoryCollector",
                "ManagedObjectView" => "View",
                "ManagedObject" => return false,
                _ => "ManagedObject",
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MoRef;

    #[test]
    fn types_are_matched_with_their_bases() {
        let cluster = MoRef::fixed("ClusterComputeResource", "domain-c7");
        for (kind, is) in [
            ("ClusterComputeResource", true),
            ("ComputeResource", true),
            ("ManagedEntity", true),
            ("ManagedObject", true),
            ("VirtualMachine", false),
            ("View", false),
        ] {
            assert_eq!(cluster.is_a(kind), is, "{kind}");
        }
    }

    #[test]
    fn numbers_are_read_behind_their_prefix_only() {
        assert_eq!(MoRef::fixed("Task", "task-12").number("task-"), Some(12));
        assert_eq!(MoRef::fixed("Task", "task-12x").number("task-"), None);
        assert_eq!(MoRef::fixed("VirtualMachine", "vm-12").number("task-"), None);
    }
}
