//! The table of methods is true: what it lists is answered, and nothing else is.

use super::{Lab, fault, text_in};
use crate::coverage::METHODS;

/// An object of each type, in a vCenter of its own: some methods end the session or the object.
fn object(lab: &mut Lab, kind: &str) -> String {
    let machine = lab.deploy("haproxy");
    let mut made =
        |method: &str, target: &str, args: &str| text_in(&lab.call(method, target, args).unwrap(), "returnval");
    match kind {
        "ServiceInstance"
        | "SessionManager"
        | "AuthorizationManager"
        | "ViewManager"
        | "SearchIndex"
        | "OvfManager"
        | "FileManager"
        | "TaskManager"
        | "EventManager" => kind.to_owned(),
        "every type" | "VirtualMachine" => machine,
        "PropertyCollector" => "propertyCollector".to_owned(),
        "PropertyFilter" => made("CreateFilter", "propertyCollector", "<spec/><partialUpdates>false</partialUpdates>"),
        "ContainerView" => {
            let root = "<container type=\"Folder\">group-d1</container><recursive>true</recursive>";
            made("CreateContainerView", "ViewManager", root)
        }
        "ListView" => made("CreateListView", "ViewManager", ""),
        "Folder" => made("CreateFolder", "group-v3", "<name>team</name>"),
        "ResourcePool" => "resgroup-8".to_owned(),
        "HostDatastoreBrowser" => "datastoreBrowser-10".to_owned(),
        "GuestProcessManager" => "guestOperationsProcessManager".to_owned(),
        "GuestFileManager" => "guestOperationsFileManager".to_owned(),
        "EventHistoryCollector" => made("CreateCollectorForEvents", "EventManager", "<filter/>"),
        "TaskHistoryCollector" => made("CreateCollectorForTasks", "TaskManager", "<filter/>"),
        "Task" => made("PowerOnVM_Task", &machine, ""),
        "HttpNfcLease" => lab.start_import("second"),
        "VirtualMachineSnapshot" => {
            assert_eq!(lab.task("CreateSnapshot_Task", &machine, "<name>s</name><memory>false</memory>"), "success");
            "snapshot-1".to_owned()
        }
        other => panic!("there is no {other} to call anything on"),
    }
}

#[test]
fn what_the_table_lists_is_answered_and_nothing_else_is() {
    for method in METHODS {
        let mut lab = Lab::new();
        let target = object(&mut lab, method.object);
        let reply = lab.send(super::soap(method.name, "ManagedObject", &target, ""));
        // A long poll has no answer yet, which is one.
        let answered = lab.host.replies.contains_key(&reply);
        let unknown = answered && lab.answer(reply).is_err_and(|(kind, _)| kind == "MethodNotFound");
        assert_eq!(unknown, method.basis.is_none(), "{method:?}");
    }
    let mut lab = Lab::new();
    assert_eq!(fault(lab.call("PowerOnVM_Task", "group-v3", "")), "MethodNotFound");
}
