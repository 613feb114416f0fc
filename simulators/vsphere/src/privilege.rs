//! Which privileges a method needs.

use crate::VSphere;
use crate::call::Call;
use crate::fault::Fault;
use crate::inventory::{DATASTORE, POOL, VM_FOLDER};
use crate::moref::MoRef;

/// The privileges for a method, each with the object it is needed on.
///
/// From the method descriptions of the vSphere Web Services reference; importing an OVF also needs what deploying any machine
/// does (vSphere Security, "Required Privileges for Common Tasks").
fn needed(call: &Call<'_>) -> Vec<(MoRef, &'static str)> {
    let target = || call.target.clone();
    let guest = || call.args.moref_of("vm").unwrap_or_else(target);
    match call.method {
        "CreateImportSpec" => vec![(POOL, "VApp.Import")],
        "ImportVApp" => vec![
            (POOL, "VApp.Import"),
            (VM_FOLDER, "VirtualMachine.Inventory.CreateFromExisting"),
            (POOL, "Resource.AssignVMToPool"),
            (DATASTORE, "Datastore.AllocateSpace"),
            (VM_FOLDER, "Network.Assign"),
        ],
        "PowerOnVM_Task" => vec![(target(), "VirtualMachine.Interact.PowerOn")],
        "PowerOffVM_Task" | "ShutdownGuest" => vec![(target(), "VirtualMachine.Interact.PowerOff")],
        "ResetVM_Task" => vec![(target(), "VirtualMachine.Interact.Reset")],
        "ReconfigVM_Task" => reconfigure(call),
        "Rename_Task" => vec![(target(), "VirtualMachine.Config.Rename")],
        "Destroy_Task" => vec![(target(), "VirtualMachine.Inventory.Delete")],
        "RebootGuest" => vec![(target(), "VirtualMachine.Interact.Reset")],
        "CreateVM_Task" => {
            vec![(target(), "VirtualMachine.Inventory.Create"), (DATASTORE, "Datastore.AllocateSpace")]
        }
        "CloneVM_Task" => vec![(target(), "VirtualMachine.Provisioning.Clone")],
        "MarkAsTemplate" => vec![(target(), "VirtualMachine.Provisioning.MarkAsTemplate")],
        "MarkAsVirtualMachine" => vec![(target(), "VirtualMachine.Provisioning.MarkAsVM")],
        "CreateFolder" => vec![(target(), "Folder.Create")],
        "MoveIntoFolder_Task" => vec![(target(), "Folder.Move")],
        "RenameSnapshot" => vec![(target(), "VirtualMachine.State.RenameSnapshot")],
        "MoveDatastoreFile_Task" | "CopyDatastoreFile_Task" | "MakeDirectory" => {
            vec![(DATASTORE, "Datastore.FileManagement")]
        }
        "StartProgramInGuest" | "TerminateProcessInGuest" => vec![(guest(), "VirtualMachine.GuestOperations.Execute")],
        "ListProcessesInGuest"
        | "ReadEnvironmentVariableInGuest"
        | "ListFilesInGuest"
        | "InitiateFileTransferFromGuest" => vec![(guest(), "VirtualMachine.GuestOperations.Query")],
        "InitiateFileTransferToGuest" | "DeleteFileInGuest" | "MakeDirectoryInGuest" => {
            vec![(guest(), "VirtualMachine.GuestOperations.Modify")]
        }
        "HttpNfcLeaseComplete" | "HttpNfcLeaseAbort" | "HttpNfcLeaseProgress" => vec![(POOL, "VApp.Import")],
        "CreateSnapshot_Task" | "CreateSnapshotEx_Task" => vec![(target(), "VirtualMachine.State.CreateSnapshot")],
        "RevertToSnapshot_Task" | "RevertToCurrentSnapshot_Task" => {
            vec![(target(), "VirtualMachine.State.RevertToSnapshot")]
        }
        "RemoveSnapshot_Task" | "RemoveAllSnapshots_Task" => vec![(target(), "VirtualMachine.State.RemoveSnapshot")],
        "DeleteDatastoreFile_Task" => vec![(DATASTORE, "Datastore.FileManagement")],
        "SearchDatastore_Task" | "SearchDatastoreSubFolders_Task" => vec![(DATASTORE, "Datastore.Browse")],
        _ => Vec::new(),
    }
}

/// Reconfiguring needs one privilege for each thing that is changed.
fn reconfigure(call: &Call<'_>) -> Vec<(MoRef, &'static str)> {
    let Some(spec) = call.args.child("spec") else { return Vec::new() };
    let each = [
        ("name", "VirtualMachine.Config.Rename"),
        ("annotation", "VirtualMachine.Config.Annotation"),
        ("numCPUs", "VirtualMachine.Config.CPUCount"),
        ("memoryMB", "VirtualMachine.Config.Memory"),
        ("extraConfig", "VirtualMachine.Config.AdvancedConfig"),
        ("deviceChange", "VirtualMachine.Config.EditDevice"),
        ("vAppConfig", "VApp.ApplicationConfig"),
    ];
    let changed = each.into_iter().filter(|(field, _)| spec.child(field).is_some());
    changed.map(|(_, privilege)| (call.target.clone(), privilege)).collect()
}

/// Refuses a call whose caller lacks a privilege for it.
pub(crate) fn check(sim: &VSphere, call: &Call<'_>) -> Result<(), Fault> {
    match needed(call).into_iter().find(|(_, privilege)| !sim.sessions.user_has(&call.user, privilege)) {
        Some((object, privilege)) => Err(Fault::no_permission(&object, privilege)),
        None => Ok(()),
    }
}
