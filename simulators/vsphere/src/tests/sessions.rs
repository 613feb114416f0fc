//! Sessions, and what happens to them.

use std::time::Duration;

use super::{Lab, fault, soap, text_in};

#[test]
fn what_needs_a_session_says_so() {
    let mut lab = Lab::fresh();
    let content = lab.call("RetrieveServiceContent", "ServiceInstance", "").unwrap();
    assert_eq!(text_in(&content, "apiVersion"), "7.0.1.0");
    assert_eq!(fault(lab.call("Fetch", "group-d1", "<prop>name</prop>")), "NotAuthenticated");
    assert_eq!(lab.property("SessionManager", "currentSession"), "");
    let args = "<userName>admin</userName><password>wrong</password>";
    assert_eq!(fault(lab.call("Login", "SessionManager", args)), "InvalidLogin");
    assert_eq!(lab.http(http::Method::GET, "/folder/a?dcPath=DC0&dsName=LocalDS_0", ""), 401);
    lab.login();
    assert_eq!(lab.property("group-d1", "name"), "Datacenters");
    assert_eq!(lab.http(http::Method::GET, "/folder/a?dcPath=DC0&dsName=LocalDS_0", ""), 404);
    // One session has one user.
    let args = "<userName>admin</userName><password>hunter2</password>";
    assert_eq!(fault(lab.call("Login", "SessionManager", args)), "InvalidLogin");
}

#[test]
fn silence_ends_a_session_and_a_long_poll_is_no_silence() {
    let mut lab = Lab::new();
    let wait = "<options><maxWaitSeconds>7200</maxWaitSeconds></options>";
    let poll = lab.send(soap("WaitForUpdatesEx", "PropertyCollector", "propertyCollector", wait));
    lab.pass(Duration::from_secs(3600));
    // Whoever comes meanwhile, be it without a session, sees to those that are over.
    let cookie = lab.cookie.take();
    lab.call("RetrieveServiceContent", "ServiceInstance", "").unwrap();
    lab.cookie = cookie;
    lab.pass(Duration::from_secs(3600));
    assert!(!lab.answer(poll).unwrap().contains("returnval"));
    lab.pass(Duration::from_secs(30 * 60));
    assert_eq!(lab.property("group-d1", "name"), "Datacenters");
    lab.pass(Duration::from_secs(30 * 60 + 1));
    assert_eq!(fault(lab.call("Fetch", "group-d1", "<prop>name</prop>")), "NotAuthenticated");
}

#[test]
fn logging_out_takes_collectors_and_views_along() {
    let mut lab = Lab::new();
    let poll = lab.send(soap("WaitForUpdates", "PropertyCollector", "propertyCollector", ""));
    lab.call("CreatePropertyCollector", "propertyCollector", "").unwrap();
    let view = "<container type=\"Folder\">group-d1</container><recursive>true</recursive>";
    lab.call("CreateContainerView", "ViewManager", view).unwrap();
    assert_eq!(lab.sim.views.len(), 1);
    lab.call("Logout", "SessionManager", "").unwrap();
    assert_eq!(fault(lab.answer(poll)), "NotAuthenticated");
    lab.cookie = None;
    lab.login();
    assert!(lab.sim.views.is_empty());
    let gone = lab.call("WaitForUpdates", "collector-1", "");
    assert_eq!(fault(gone), "ManagedObjectNotFound");
}

#[test]
fn upgrading_the_vcenter_changes_its_release_and_ends_sessions() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    let poll = lab.send(soap("WaitForUpdates", "PropertyCollector", "propertyCollector", ""));
    lab.sim.set_version("7.0.3", &mut lab.host);
    assert_eq!(lab.sim.version(), "7.0.3");
    assert_eq!(fault(lab.answer(poll)), "NotAuthenticated");
    assert_eq!(fault(lab.call("Fetch", &vm, "<prop>name</prop>")), "NotAuthenticated");
    lab.cookie = None;
    lab.login();
    assert_eq!(lab.property("ServiceInstance", "content.about.version"), "7.0.3");
    assert_eq!(lab.property(&vm, "name"), "haproxy");
}

#[test]
fn what_is_not_simulated_is_named() {
    let mut lab = Lab::new();
    let (kind, message) = lab.call("RegisterVM_Task", "group-v3", "").unwrap_err();
    assert_eq!((kind.as_str(), message.as_str()), ("MethodNotFound", "Folder does not implement: RegisterVM_Task"));
    assert_eq!(fault(lab.call("PowerOnVM_Task", "vm-9", "")), "ManagedObjectNotFound");
    assert_eq!(fault(lab.call("Fetch", "group-d1", "<prop>colour</prop>")), "InvalidProperty");
    let reply = lab.send(http::Request::post("/sdk").body("<torn".into()).unwrap());
    assert_eq!(fault(lab.answer(reply)), "InvalidRequest");
}

#[test]
fn every_change_needs_its_privilege() {
    let extra = "<spec><extraConfig><key>a</key><value>b</value></extraConfig></spec>";
    let cpus = "<spec><numCPUs>1</numCPUs></spec>";
    let snapshot = "<name>s</name><memory>false</memory>";
    for (privilege, method, target, args) in [
        ("VApp.Import", "CreateImportSpec", "OvfManager", ""),
        ("VApp.Import", "ImportVApp", "resgroup-8", ""),
        ("VirtualMachine.Inventory.CreateFromExisting", "ImportVApp", "resgroup-8", ""),
        ("Resource.AssignVMToPool", "ImportVApp", "resgroup-8", ""),
        ("Datastore.AllocateSpace", "ImportVApp", "resgroup-8", ""),
        ("Network.Assign", "ImportVApp", "resgroup-8", ""),
        ("VirtualMachine.Interact.PowerOn", "PowerOnVM_Task", "vm-101", ""),
        ("VirtualMachine.Interact.PowerOff", "PowerOffVM_Task", "vm-101", ""),
        ("VirtualMachine.Interact.PowerOff", "ShutdownGuest", "vm-101", ""),
        ("VirtualMachine.Config.AdvancedConfig", "ReconfigVM_Task", "vm-101", extra),
        ("VirtualMachine.Config.CPUCount", "ReconfigVM_Task", "vm-101", cpus),
        ("VirtualMachine.State.CreateSnapshot", "CreateSnapshot_Task", "vm-101", snapshot),
        ("VirtualMachine.State.RevertToSnapshot", "RevertToCurrentSnapshot_Task", "vm-101", ""),
        ("VirtualMachine.State.RemoveSnapshot", "RemoveAllSnapshots_Task", "vm-101", ""),
        ("VirtualMachine.Inventory.Delete", "Destroy_Task", "vm-101", ""),
        ("Datastore.FileManagement", "DeleteDatastoreFile_Task", "FileManager", "<name>[LocalDS_0] a</name>"),
    ] {
        let mut lab = Lab::new();
        lab.deploy("haproxy");
        lab.sim.sessions.take_privilege("admin", privilege);
        let (kind, message) = lab.call(method, target, args).unwrap_err();
        assert_eq!(kind, "NoPermission", "{method}");
        assert!(message.contains(privilege), "{method}: {message}");
    }
    let mut lab = Lab::new();
    lab.deploy("haproxy");
    lab.sim.sessions.take_privilege("admin", "VirtualMachine.Config.CPUCount");
    assert_eq!(lab.task("ReconfigVM_Task", "vm-101", extra), "success");
}
