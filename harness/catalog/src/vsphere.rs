//! What scenarios may say about the vSphere around the appliance.

use crate::VersionNumber;
use crate::named::named;

/// The vSphere releases that scenarios may name: those with Workload Management, which is what the appliance serves.
pub const VSPHERE_RELEASES: &[VersionNumber] = &[
    VersionNumber::new(7, 0, 0),
    VersionNumber::new(7, 0, 1),
    VersionNumber::new(7, 0, 2),
    VersionNumber::new(7, 0, 3),
    VersionNumber::new(8, 0, 0),
    VersionNumber::new(8, 0, 1),
    VersionNumber::new(8, 0, 2),
    VersionNumber::new(8, 0, 3),
];

/// The release with this number, if scenarios may name it.
pub fn vsphere_release(text: &str) -> Option<VersionNumber> {
    let number = text.parse().ok()?;
    VSPHERE_RELEASES.contains(&number).then_some(number)
}

named! {
    /// A vSphere privilege that the swap needs, spelt as vSphere spells it.
    pub enum Privilege("privilege") {
        VAppImport = "VApp.Import", "import an OVF, that is, deploy a VM";
        ResourceAssignVmToPool = "Resource.AssignVMToPool", "put a new VM into a resource pool";
        DatastoreAllocateSpace = "Datastore.AllocateSpace", "allocate disks for a new VM";
        NetworkAssign = "Network.Assign", "attach a VM to a network";
        PowerOn = "VirtualMachine.Interact.PowerOn", "power a VM on";
        PowerOff = "VirtualMachine.Interact.PowerOff", "power a VM off";
        InventoryDelete = "VirtualMachine.Inventory.Delete", "delete a VM and its disks";
    }
}
