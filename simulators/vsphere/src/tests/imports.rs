//! Imports: leases, uploads, and what is left when they fail.

use std::time::Duration;

use grenadier_fleet::{Fleet, OperationError};
use http::Method;

use super::{Lab, fault, image, soap, text_in};

#[test]
fn uploaded_bytes_become_the_disk() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    let disk = lab.host.fleet.view().by_name("haproxy").unwrap().spec.disks[0].clone();
    assert_eq!(disk.image.map(|disk| disk.bytes.clone()), Some(image()));
    assert_eq!((disk.key, disk.capacity_mib), (2000, 20 << 10));
    assert_eq!(disk.path, "[LocalDS_0] haproxy/haproxy.vmdk");
    assert_eq!(lab.property(&vm, "config.hardware.device[2000].capacityInKB"), (20 << 20).to_string());
    assert_eq!(lab.property("datastore-10", "summary.freeSpace"), ((50_000_u64 - (20 << 10)) << 20).to_string());
}

#[test]
fn a_torn_or_foreign_upload_fails_and_leaves_nothing() {
    for bytes in [image().slice(..image().len() - 1), "KDMV".into()] {
        let mut lab = Lab::new();
        let lease = lab.start_import("haproxy");
        let path = lab.upload_path(&lease);
        assert_eq!(lab.http(Method::PUT, &path, bytes), 201);
        assert_eq!(fault(lab.call("HttpNfcLeaseComplete", &lease, "")), "SystemError");
        assert_eq!(lab.property(&lease, "state"), "error");
        lab.pass(Duration::from_secs(1));
        assert_eq!((lab.machines(), lab.find("haproxy")), (0, None));
        assert_eq!(lab.http(Method::PUT, &path, image()), 403);
    }
}

#[test]
fn a_lease_without_progress_times_out() {
    let mut lab = Lab::new();
    let lease = lab.start_import("haproxy");
    for _ in 0..3 {
        lab.pass(Duration::from_secs(299));
        lab.call("HttpNfcLeaseProgress", &lease, "<percent>30</percent>").unwrap();
    }
    assert_eq!((lab.property(&lease, "state").as_str(), lab.machines()), ("ready", 1));
    assert_eq!(lab.property(&lease, "transferProgress"), "30");
    lab.pass(Duration::from_secs(301));
    assert_eq!((lab.property(&lease, "state").as_str(), lab.machines()), ("error", 0));
    assert_eq!(fault(lab.call("HttpNfcLeaseProgress", &lease, "<percent>40</percent>")), "Timedout");
    assert_eq!(fault(lab.call("HttpNfcLeaseComplete", &lease, "")), "InvalidState");
}

#[test]
fn an_import_can_be_aborted_at_any_time() {
    let mut lab = Lab::new();
    let spec = lab.import_spec("early");
    // While the machine is being made.
    let lease = text_in(&lab.call("ImportVApp", "resgroup-8", &spec).unwrap(), "returnval");
    lab.call("HttpNfcLeaseAbort", &lease, "").unwrap();
    assert_eq!((lab.property(&lease, "state").as_str(), lab.machines()), ("error", 0));
    // While uploads are taken.
    let lease = lab.start_import("late");
    assert_eq!(lab.machines(), 1);
    lab.call("HttpNfcLeaseAbort", &lease, "").unwrap();
    assert_eq!((lab.property(&lease, "state").as_str(), lab.machines()), ("error", 0));
    assert_eq!(fault(lab.call("HttpNfcLeaseAbort", &lease, "")), "InvalidState");
    // Not when it is done.
    let vm = lab.deploy("done");
    assert_eq!(fault(lab.call("HttpNfcLeaseAbort", "lease-3", "")), "InvalidState");
    assert_eq!(lab.property(&vm, "name"), "done");
}

#[test]
fn a_full_datastore_shows_on_the_lease() {
    let mut lab = Lab::new();
    lab.deploy("first");
    lab.deploy("second");
    let lease = lab.start_import("third");
    assert_eq!(lab.property(&lease, "state"), "error");
    assert!(lab.call("Fetch", &lease, "<prop>error</prop>").unwrap().contains("xsi:type=\"NoDiskSpace\""));
    assert_eq!(lab.find("third"), None);
}

#[test]
fn a_write_that_fails_fails_the_import() {
    let mut lab = Lab::new();
    let lease = lab.start_import("haproxy");
    let path = lab.upload_path(&lease);
    assert_eq!(lab.http(Method::POST, &path, image()), 201);
    lab.host.fleet.next_error = Some(OperationError::Engine("no more space".into()));
    assert_eq!(fault(lab.call("HttpNfcLeaseComplete", &lease, "")), "SystemError");
    lab.pass(Duration::from_secs(1));
    assert_eq!(lab.machines(), 0);
}

#[test]
fn nothing_else_works_on_a_machine_that_is_being_imported() {
    let mut lab = Lab::new();
    let lease = lab.start_import("haproxy");
    let vm = lab.find("haproxy").unwrap();
    assert_eq!(lab.task("PowerOnVM_Task", &vm, ""), "InvalidState");
    assert_eq!(lab.task("Destroy_Task", &vm, ""), "InvalidState");
    lab.call("HttpNfcLeaseComplete", &lease, "").unwrap();
    assert_eq!(lab.task("PowerOnVM_Task", &vm, ""), "success");
}

#[test]
fn names_and_directories_do_not_collide() {
    let mut lab = Lab::new();
    let first = lab.deploy("haproxy");
    let spec = lab.import_spec("haproxy");
    assert_eq!(fault(lab.call("ImportVApp", "resgroup-8", &spec)), "DuplicateName");
    assert_eq!(lab.task("Rename_Task", &first, "<newName>haproxy-old</newName>"), "success");
    let second = lab.deploy("haproxy");
    assert_eq!(lab.property(&first, "config.files.vmPathName"), "[LocalDS_0] haproxy/haproxy.vmx");
    assert_eq!(lab.property(&second, "config.files.vmPathName"), "[LocalDS_0] haproxy_1/haproxy_1.vmx");
    assert_ne!(lab.property(&first, "config.uuid"), lab.property(&second, "config.uuid"));
    let mac = "config.hardware.device[4000].macAddress";
    assert_ne!(lab.property(&first, mac), lab.property(&second, mac));
    assert_eq!(lab.task("Rename_Task", &second, "<newName>haproxy-old</newName>"), "DuplicateName");
}

#[test]
fn a_revert_brings_the_record_back_and_leaves_the_datastore_alone() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    assert_eq!(lab.task("CreateSnapshot_Task", &vm, "<name>s</name><memory>false</memory>"), "success");
    let spec = "<spec><annotation>changed</annotation><vAppConfig><property><operation>edit</operation><info><key>0</key>\
        <value>other</value></info></property></vAppConfig></spec>";
    assert_eq!(lab.task("ReconfigVM_Task", &vm, spec), "success");
    assert_eq!(lab.property(&vm, "config.vAppConfig.property[0].value"), "other");
    assert_eq!(lab.http(Method::PUT, "/folder/notes.txt?dcPath=DC0&dsName=LocalDS_0", "kept"), 201);
    assert_eq!(lab.task("RevertToSnapshot_Task", "snapshot-1", ""), "success");
    assert_eq!(lab.property(&vm, "config.vAppConfig.property[0].value"), "swordfish");
    assert_eq!(lab.property(&vm, "config.annotation"), "");
    assert_eq!(lab.http(Method::GET, "/folder/notes.txt?dcPath=DC0&dsName=LocalDS_0", ""), 200);
}

#[test]
fn an_upload_needs_no_session_but_its_ticket() {
    let mut lab = Lab::new();
    let lease = lab.start_import("haproxy");
    let path = lab.upload_path(&lease);
    lab.cookie = None;
    assert_eq!(lab.http(Method::POST, &path, image()), 201);
    assert_eq!(lab.http(Method::POST, "/nfc/guess/disk-0.vmdk", image()), 404);
    assert_eq!(lab.http(Method::GET, &path, ""), 405);
    let reply = lab.send(soap("HttpNfcLeaseComplete", "HttpNfcLease", &lease, ""));
    assert_eq!(fault(lab.answer(reply)), "NotAuthenticated");
}

#[test]
fn choices_that_the_descriptor_does_not_know_are_errors() {
    let mut lab = Lab::new();
    let args = |extra: &str| {
        let descriptor = crate::testing::APPLIANCE_OVF.replace('&', "&amp;").replace('<', "&lt;");
        format!(
            "<ovfDescriptor>{descriptor}</ovfDescriptor><resourcePool type=\"ResourcePool\">resgroup-8</resourcePool>\
             <datastore type=\"Datastore\">datastore-10</datastore><cisp><entityName>x</entityName>\
             <networkMapping><name>Management</name><network type=\"Network\">network-11</network></networkMapping>\
             <networkMapping><name>Workload</name><network type=\"Network\">network-12</network></networkMapping>{extra}</cisp>"
        )
    };
    let property =
        |key: &str, value: &str| format!("<propertyMapping><key>{key}</key><value>{value}</value></propertyMapping>");
    for (extra, kind) in [
        (property("network.colour", "red"), "OvfInvalidValueReference"),
        (property("network.frontend_ip", "198.18.2.9/24"), "OvfInvalidValueReference"),
        (property("appliance.build", "2"), "OvfInvalidValueReference"),
        (property("loadbalance.dataplane_port", "70000"), "OvfPropertyValue"),
        (property("appliance.permit_root_login", "perhaps"), "OvfPropertyValue"),
        ("<deploymentOption>giant</deploymentOption>".to_owned(), "OvfInvalidValue"),
        ("<deploymentOption>frontend</deploymentOption>".to_owned(), "OvfNetworkMappingNotSupported"),
    ] {
        let result = lab.call("CreateImportSpec", "OvfManager", &args(&extra)).unwrap();
        assert!(
            !result.contains("<importSpec") && result.contains(&format!("xsi:type=\"{kind}\"")),
            "{extra}: {result}"
        );
    }
    assert!(lab.call("CreateImportSpec", "OvfManager", &args("")).unwrap().contains("<importSpec"));
}
