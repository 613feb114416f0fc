//! Which methods there are: the one table that calls go through, and that `docs/vsphere-coverage.md` is made from.
//!
//! A method that is not in the table, or in it as missing, is answered with `MethodNotFound`, whatever the code could do.

use std::fmt::Write as _;

use grenadier_fidelity::Basis;

/// A method of a managed object type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// The type that has it.
    pub object: &'static str,
    /// Its name on the wire: `PowerOnVM_Task`.
    pub name: &'static str,
    /// How it is known that a vCenter does what the simulator does; none where the simulator does nothing of the kind.
    pub basis: Option<Basis>,
}

const REFERENCE: Basis = Basis::Documented("vSphere Web Services API Reference");

const fn there(object: &'static str, name: &'static str) -> Method {
    Method { object, name, basis: Some(REFERENCE) }
}

const fn known(object: &'static str, name: &'static str, basis: Basis) -> Method {
    Method { object, name, basis: Some(basis) }
}

const fn missing(object: &'static str, name: &'static str) -> Method {
    Method { object, name, basis: None }
}

/// All methods that are there, and those that clients are known to call and that are missing.
pub static METHODS: &[Method] = &[
    known("every type", "Fetch", Basis::Recorded("not in the reference; pyVmomi reads every property with it")),
    there("ServiceInstance", "RetrieveServiceContent"),
    there("ServiceInstance", "CurrentTime"),
    missing("ServiceInstance", "QueryVMotionCompatibility"),
    there("SessionManager", "Login"),
    there("SessionManager", "Logout"),
    there("SessionManager", "SessionIsActive"),
    missing("SessionManager", "AcquireCloneTicket"),
    missing("SessionManager", "AcquireGenericServiceTicket"),
    missing("SessionManager", "CloneSession"),
    missing("SessionManager", "LoginByToken"),
    missing("SessionManager", "TerminateSession"),
    there("AuthorizationManager", "HasPrivilegeOnEntities"),
    missing("AuthorizationManager", "AddAuthorizationRole"),
    missing("AuthorizationManager", "RetrieveEntityPermissions"),
    missing("AuthorizationManager", "SetEntityPermissions"),
    there("PropertyCollector", "CancelRetrievePropertiesEx"),
    there("PropertyCollector", "CancelWaitForUpdates"),
    there("PropertyCollector", "ContinueRetrievePropertiesEx"),
    there("PropertyCollector", "CreateFilter"),
    there("PropertyCollector", "CreatePropertyCollector"),
    there("PropertyCollector", "DestroyPropertyCollector"),
    there("PropertyCollector", "RetrieveProperties"),
    there("PropertyCollector", "RetrievePropertiesEx"),
    there("PropertyCollector", "WaitForUpdates"),
    there("PropertyCollector", "WaitForUpdatesEx"),
    missing("PropertyCollector", "CheckForUpdates"),
    there("PropertyFilter", "DestroyPropertyFilter"),
    there("ViewManager", "CreateContainerView"),
    there("ViewManager", "CreateListView"),
    missing("ViewManager", "CreateInventoryView"),
    missing("ViewManager", "CreateListViewFromView"),
    there("ContainerView", "DestroyView"),
    there("ListView", "DestroyView"),
    there("ListView", "ModifyListView"),
    there("ListView", "ResetListView"),
    missing("ListView", "ResetListViewFromView"),
    there("SearchIndex", "FindAllByDnsName"),
    there("SearchIndex", "FindAllByIp"),
    there("SearchIndex", "FindAllByUuid"),
    there("SearchIndex", "FindByDatastorePath"),
    there("SearchIndex", "FindByDnsName"),
    there("SearchIndex", "FindByInventoryPath"),
    there("SearchIndex", "FindByIp"),
    there("SearchIndex", "FindByUuid"),
    there("SearchIndex", "FindChild"),
    there("Folder", "CreateFolder"),
    there("Folder", "CreateVM_Task"),
    there("Folder", "MoveIntoFolder_Task"),
    missing("Folder", "AddStandaloneHost_Task"),
    missing("Folder", "CreateClusterEx"),
    missing("Folder", "CreateDatacenter"),
    missing("Folder", "CreateDVS_Task"),
    missing("Folder", "CreateStoragePod"),
    missing("Folder", "Destroy_Task"),
    missing("Folder", "RegisterVM_Task"),
    missing("Folder", "Rename_Task"),
    known(
        "VirtualMachine",
        "CloneVM_Task",
        Basis::Assumed("of a snapshot the disks are copied, with the machine's present configuration"),
    ),
    there("VirtualMachine", "CreateSnapshot_Task"),
    known("VirtualMachine", "CreateSnapshotEx_Task", Basis::Assumed("guests are not quiesced")),
    there("VirtualMachine", "Destroy_Task"),
    there("VirtualMachine", "MarkAsTemplate"),
    there("VirtualMachine", "MarkAsVirtualMachine"),
    there("VirtualMachine", "PowerOffVM_Task"),
    there("VirtualMachine", "PowerOnVM_Task"),
    known("VirtualMachine", "RebootGuest", Basis::Assumed("the machine is reset: its way down is not seen")),
    there("VirtualMachine", "ReconfigVM_Task"),
    there("VirtualMachine", "RemoveAllSnapshots_Task"),
    there("VirtualMachine", "Rename_Task"),
    there("VirtualMachine", "ResetVM_Task"),
    there("VirtualMachine", "RevertToCurrentSnapshot_Task"),
    there("VirtualMachine", "ShutdownGuest"),
    missing("VirtualMachine", "AnswerVM"),
    missing("VirtualMachine", "AttachDisk_Task"),
    missing("VirtualMachine", "ConsolidateVMDisks_Task"),
    missing("VirtualMachine", "CustomizeVM_Task"),
    missing("VirtualMachine", "DetachDisk_Task"),
    missing("VirtualMachine", "ExportVm"),
    missing("VirtualMachine", "MountToolsInstaller"),
    missing("VirtualMachine", "RelocateVM_Task"),
    missing("VirtualMachine", "StandbyGuest"),
    missing("VirtualMachine", "SuspendVM_Task"),
    missing("VirtualMachine", "UnregisterVM"),
    missing("VirtualMachine", "UpgradeVM_Task"),
    there("VirtualMachineSnapshot", "RemoveSnapshot_Task"),
    there("VirtualMachineSnapshot", "RenameSnapshot"),
    there("VirtualMachineSnapshot", "RevertToSnapshot_Task"),
    missing("VirtualMachineSnapshot", "ExportSnapshot"),
    there("ResourcePool", "ImportVApp"),
    missing("ResourcePool", "CreateResourcePool"),
    missing("ResourcePool", "CreateVApp"),
    missing("ResourcePool", "UpdateConfig"),
    there("OvfManager", "CreateImportSpec"),
    missing("OvfManager", "CreateDescriptor"),
    missing("OvfManager", "ParseDescriptor"),
    missing("OvfManager", "ValidateHost"),
    known("HttpNfcLease", "HttpNfcLeaseAbort", Basis::Assumed("the half-imported machine goes with the lease")),
    there("HttpNfcLease", "HttpNfcLeaseComplete"),
    there("HttpNfcLease", "HttpNfcLeaseGetManifest"),
    there("HttpNfcLease", "HttpNfcLeaseProgress"),
    there("FileManager", "CopyDatastoreFile_Task"),
    known("FileManager", "DeleteDatastoreFile_Task", Basis::Assumed("files of machines stay, in use or not")),
    there("FileManager", "MakeDirectory"),
    there("FileManager", "MoveDatastoreFile_Task"),
    there("HostDatastoreBrowser", "SearchDatastoreSubFolders_Task"),
    there("HostDatastoreBrowser", "SearchDatastore_Task"),
    there("Task", "CancelTask"),
    there("TaskManager", "CreateCollectorForTasks"),
    missing("TaskManager", "CreateTask"),
    there("TaskHistoryCollector", "DestroyCollector"),
    there("TaskHistoryCollector", "ReadNextTasks"),
    there("TaskHistoryCollector", "ReadPreviousTasks"),
    there("TaskHistoryCollector", "ResetCollector"),
    there("TaskHistoryCollector", "RewindCollector"),
    there("TaskHistoryCollector", "SetCollectorPageSize"),
    there("EventManager", "CreateCollectorForEvents"),
    there("EventManager", "QueryEvents"),
    missing("EventManager", "LogUserEvent"),
    missing("EventManager", "PostEvent"),
    there("EventHistoryCollector", "DestroyCollector"),
    there("EventHistoryCollector", "ReadNextEvents"),
    there("EventHistoryCollector", "ReadPreviousEvents"),
    there("EventHistoryCollector", "ResetCollector"),
    there("EventHistoryCollector", "RewindCollector"),
    there("EventHistoryCollector", "SetCollectorPageSize"),
    there("GuestProcessManager", "ListProcessesInGuest"),
    known("GuestProcessManager", "ReadEnvironmentVariableInGuest", Basis::Assumed("the variables of a Debian login")),
    known("GuestProcessManager", "StartProgramInGuest", Basis::Assumed("a program is over as soon as it was started")),
    known("GuestProcessManager", "TerminateProcessInGuest", Basis::Assumed("a program has ended before anybody can")),
    there("GuestFileManager", "DeleteFileInGuest"),
    there("GuestFileManager", "InitiateFileTransferFromGuest"),
    there("GuestFileManager", "InitiateFileTransferToGuest"),
    there("GuestFileManager", "ListFilesInGuest"),
    missing("GuestFileManager", "CreateTemporaryFileInGuest"),
    missing("GuestFileManager", "DeleteDirectoryInGuest"),
    missing("GuestFileManager", "MakeDirectoryInGuest"),
    missing("GuestFileManager", "MoveFileInGuest"),
];

/// Whether objects of a type have a method here.
pub(crate) fn is_there(object: &str, name: &str) -> bool {
    name == "Fetch"
        || METHODS.iter().any(|method| method.name == name && method.object == object && method.basis.is_some())
}

const HEAD: &str = "# What the simulated vCenter can do

Generated from the simulator's own table, which every call goes through; do not edit
(`GRENADIER_BLESS=1 cargo test -p grenadier-vsphere --lib`).

*recorded*: seen at the real thing or its clients. *documented*: in a manual. *assumed*: nobody looked yet, or the simulator does less;
the reason says what. *missing*: clients are known to call it, and get `MethodNotFound`, as for everything that is not listed.
Beside the methods there are `/folder` (GET, HEAD, PUT, DELETE with a session), `/nfc` and `/guestFile` (with a ticket), and
`/sdk/vimServiceVersions.xml`.
";

/// The table as the page `docs/vsphere-coverage.md`.
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    let there = METHODS.iter().filter(|method| method.basis.is_some()).count();
    let _ = writeln!(
        page,
        "\n{there} methods are there, {} that are known to be called are missing.",
        METHODS.len() - there
    );
    let mut object = "";
    for method in METHODS {
        if method.object != object {
            object = method.object;
            let _ = writeln!(page, "\n## {object}\n\n| method | basis | source or reason |\n| --- | --- | --- |");
        }
        let (basis, source) = match method.basis {
            Some(basis) => (basis.name(), basis.source()),
            None => ("*missing*", ""),
        };
        let _ = writeln!(page, "| `{}` | {basis} | {source} |", method.name);
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_method_is_listed_twice_and_types_stand_together() {
        let mut seen = BTreeSet::new();
        let mut objects = Vec::new();
        for method in METHODS {
            assert!(seen.insert((method.object, method.name)), "{method:?}");
            if objects.last() != Some(&method.object) {
                assert!(!objects.contains(&method.object), "{} stands in two places", method.object);
                objects.push(method.object);
            }
        }
    }

    /// `GRENADIER_BLESS=1` writes it anew.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "this test looks at the repository")]
    fn the_page_in_the_repository_is_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vsphere-coverage.md");
        if std::env::var_os("GRENADIER_BLESS").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == markdown(), "it has changed: GRENADIER_BLESS=1 cargo test -p grenadier-vsphere --lib");
    }
}
