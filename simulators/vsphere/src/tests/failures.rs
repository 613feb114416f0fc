//! Tasks that fail, by order or by themselves.

use grenadier_fleet::{Cloud, Fleet, OperationError, Power};

use super::{Lab, fault, soap, text_in};

/// Everything of a machine and the datastore that a task could have changed.
fn picture(lab: &Lab) -> String {
    format!("{:?} {}", lab.host.fleet.view().machines, lab.sim.state()["files"])
}

#[test]
fn a_task_that_is_made_to_fail_changes_nothing() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    assert_eq!(lab.http(http::Method::PUT, "/folder/a/b?dcPath=DC0&dsName=LocalDS_0", "x"), 201);
    let extra = "<spec><extraConfig><key>a</key><value>b</value></extraConfig></spec>";
    assert_eq!(lab.task("CreateSnapshot_Task", &vm, "<name>s</name><memory>false</memory>"), "success");
    for (method, target, args) in [
        ("PowerOnVM_Task", vm.as_str(), ""),
        ("ReconfigVM_Task", &vm, extra),
        ("Rename_Task", &vm, "<newName>other</newName>"),
        ("CreateSnapshot_Task", &vm, "<name>t</name><memory>false</memory>"),
        ("RevertToCurrentSnapshot_Task", &vm, ""),
        ("RevertToSnapshot_Task", "snapshot-1", ""),
        ("RemoveSnapshot_Task", "snapshot-1", "<removeChildren>true</removeChildren>"),
        ("RemoveAllSnapshots_Task", &vm, ""),
        ("Destroy_Task", &vm, ""),
        ("DeleteDatastoreFile_Task", "FileManager", "<name>[LocalDS_0] a</name>"),
    ] {
        let before = picture(&lab);
        let reply = lab.send(Lab::failing(soap(method, "ManagedObject", target, args)));
        let task = text_in(&lab.answer(reply).unwrap(), "returnval");
        assert_eq!(lab.end_of(&task), "SystemError", "{method}");
        assert_eq!(picture(&lab), before, "{method}");
    }
    assert_eq!(lab.task_states("PowerOnVM_Task"), ["queued", "running", "error"]);
    // The mark is on one request, not on the method.
    assert_eq!(lab.task("PowerOnVM_Task", &vm, ""), "success");
    for method in ["PowerOffVM_Task", "ResetVM_Task"] {
        let reply = lab.send(Lab::failing(soap(method, "ManagedObject", &vm, "")));
        let task = text_in(&lab.answer(reply).unwrap(), "returnval");
        assert_eq!(lab.end_of(&task), "SystemError", "{method}");
        assert_eq!(lab.property(&vm, "runtime.powerState"), "poweredOn");
    }
}

#[test]
fn a_failing_task_passes_the_usual_checks_first() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    let reply = lab.send(Lab::failing(soap("PowerOffVM_Task", "ManagedObject", &vm, "")));
    let task = text_in(&lab.answer(reply).unwrap(), "returnval");
    assert_eq!(lab.end_of(&task), "InvalidPowerState");
}

#[test]
fn an_import_that_is_made_to_fail_makes_no_machine() {
    let mut lab = Lab::new();
    let spec = lab.import_spec("haproxy");
    let reply = lab.send(Lab::failing(soap("ImportVApp", "ResourcePool", "resgroup-8", &spec)));
    let lease = text_in(&lab.answer(reply).unwrap(), "returnval");
    assert_eq!(lab.property(&lease, "state"), "initializing");
    lab.pass(std::time::Duration::from_secs(1));
    assert_eq!(lab.property(&lease, "state"), "error");
    assert!(lab.call("Fetch", &lease, "<prop>error</prop>").unwrap().contains("SystemError"));
    assert_eq!((lab.machines(), lab.find("haproxy")), (0, None));
}

#[test]
fn what_the_fleet_refuses_has_its_own_fault() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    let wrong = |actual| OperationError::WrongPower { machine: "haproxy".into(), actual };
    let lacking = |resource| OperationError::Insufficient { resource, wanted: 2, free: 1 };
    for (error, kind) in [
        (OperationError::Busy("haproxy".into()), "TaskInProgress"),
        (wrong("on"), "InvalidPowerState"),
        (lacking("cpus"), "InsufficientCpuResourcesFault"),
        (lacking("memory_mib"), "InsufficientMemoryResourcesFault"),
        (lacking("storage_mib"), "NoDiskSpace"),
        (OperationError::NameTaken("haproxy".into()), "DuplicateName"),
        (OperationError::NoGuest, "ToolsUnavailable"),
        (OperationError::Unsupported("do that".into()), "NotSupported"),
        (OperationError::Engine("it broke".into()), "SystemError"),
    ] {
        lab.host.fleet.next_error = Some(error);
        assert_eq!(lab.task("PowerOnVM_Task", &vm, ""), kind);
    }
    lab.host.fleet.next_error = Some(OperationError::NoGuest);
    assert_eq!(lab.task("PowerOnVM_Task", &vm, ""), "ToolsUnavailable");
    assert_eq!(lab.task("PowerOnVM_Task", &vm, ""), "success");
    lab.host.fleet.next_error = Some(OperationError::NoGuest);
    assert_eq!(fault(lab.call("ShutdownGuest", &vm, "")), "ToolsUnavailable");
}

#[test]
fn the_host_runs_no_more_than_it_has() {
    let mut lab = Lab::new();
    let (first, second) = (lab.deploy("first"), lab.deploy("second"));
    assert_eq!(lab.task("ReconfigVM_Task", &second, "<spec><numCPUs>7</numCPUs></spec>"), "success");
    assert_eq!(lab.task("PowerOnVM_Task", &first, ""), "success");
    assert_eq!(lab.task("PowerOnVM_Task", &second, ""), "InsufficientCpuResourcesFault");
    assert_eq!(lab.property("host-9", "summary.quickStats.overallCpuUsage"), "4800");
    assert_eq!(lab.task("PowerOffVM_Task", &first, ""), "success");
    assert_eq!(lab.task("PowerOnVM_Task", &second, ""), "success");
}

#[test]
fn a_queued_task_can_be_cancelled_and_no_other() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    let task = text_in(&lab.call("PowerOnVM_Task", &vm, "").unwrap(), "returnval");
    lab.call("CancelTask", &task, "").unwrap();
    assert_eq!(lab.end_of(&task), "RequestCanceled");
    assert_eq!(fault(lab.call("CancelTask", &task, "")), "InvalidState");
    let task = text_in(&lab.call("PowerOnVM_Task", &vm, "").unwrap(), "returnval");
    lab.pass(std::time::Duration::from_millis(30));
    assert_eq!(fault(lab.call("CancelTask", &task, "")), "NotSupported");
    assert_eq!(lab.end_of(&task), "success");
    let power = lab.host.fleet.view().by_name("haproxy").map(|machine| machine.power);
    assert_eq!(power, Some(Power::On));
}

#[test]
fn a_busy_machine_refuses_and_its_neighbour_does_not() {
    let mut lab = Lab::new();
    let (first, second) = (lab.deploy("first"), lab.deploy("second"));
    let running = text_in(&lab.call("PowerOnVM_Task", &first, "").unwrap(), "returnval");
    let refused =
        text_in(&lab.call("CreateSnapshot_Task", &first, "<name>s</name><memory>false</memory>").unwrap(), "returnval");
    let other = text_in(&lab.call("PowerOnVM_Task", &second, "").unwrap(), "returnval");
    assert_eq!(lab.end_of(&refused), "TaskInProgress");
    assert_eq!((lab.end_of(&running), lab.end_of(&other)), ("success".to_owned(), "success".to_owned()));
}
