//! Property collectors: filters, long polls, versions.

use std::time::Duration;

use grenadier_fleet::{Cloud, FleetEvent, GuestReport, MachineId};

use super::{Lab, fault, soap, text_in};

/// A filter on every machine's name, through a container view.
fn watch_machines(lab: &mut Lab, collector: &str) -> String {
    let args = "<container type=\"Folder\">group-d1</container><type>VirtualMachine</type><recursive>true</recursive>";
    let view = text_in(&lab.call("CreateContainerView", "ViewManager", args).unwrap(), "returnval");
    let filter = format!(
        "<spec><propSet><type>VirtualMachine</type><pathSet>name</pathSet></propSet><objectSet>\
         <obj type=\"ContainerView\">{view}</obj><skip>true</skip><selectSet xsi:type=\"TraversalSpec\">\
         <type>ContainerView</type><path>view</path></selectSet></objectSet></spec><partialUpdates>false</partialUpdates>"
    );
    text_in(&lab.call("CreateFilter", collector, &filter).unwrap(), "returnval")
}

fn collector(lab: &mut Lab) -> String {
    text_in(&lab.call("CreatePropertyCollector", "propertyCollector", "").unwrap(), "returnval")
}

fn version(text: &str) -> String {
    format!("<version>{text}</version><options><maxWaitSeconds>0</maxWaitSeconds></options>")
}

#[test]
fn machines_enter_change_and_leave() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    let collector = collector(&mut lab);
    watch_machines(&mut lab, &collector);
    let first = lab.call("WaitForUpdatesEx", &collector, &version("")).unwrap();
    assert!(first.contains("<kind>enter</kind>") && first.contains(">haproxy<"), "{first}");
    lab.task("Rename_Task", &vm, "<newName>renamed</newName>");
    let since = text_in(&first, "version");
    let second = lab.call("WaitForUpdatesEx", &collector, &version(&since)).unwrap();
    assert!(second.contains("<kind>modify</kind>") && second.contains(">renamed<"), "{second}");
    lab.task("Destroy_Task", &vm, "");
    let third = lab.call("WaitForUpdatesEx", &collector, &version(&text_in(&second, "version"))).unwrap();
    assert!(third.contains("<kind>leave</kind>") && !third.contains("changeSet"), "{third}");
    // Asked again with the oldest version, as after lost answers: the machine has simply left.
    let replayed = lab.call("WaitForUpdatesEx", &collector, &version(&since)).unwrap();
    assert!(replayed.contains("<kind>leave</kind>") && !replayed.contains("<kind>modify</kind>"), "{replayed}");
    // Who never heard of it hears nothing.
    assert!(!lab.call("WaitForUpdatesEx", &collector, &version("")).unwrap().contains("returnval"));
}

#[test]
fn a_filter_that_is_added_during_a_wait_is_seen() {
    let mut lab = Lab::new();
    lab.deploy("haproxy");
    let collector = collector(&mut lab);
    let poll = lab.send(soap("WaitForUpdates", "PropertyCollector", &collector, ""));
    assert!(!lab.host.replies.contains_key(&poll));
    let filter = watch_machines(&mut lab, &collector);
    let update = lab.answer(poll).unwrap();
    assert_eq!(text_in(&update, "filter"), filter);
    let poll = lab.send(soap("WaitForUpdates", "PropertyCollector", &collector, "<version>1</version>"));
    lab.call("DestroyPropertyFilter", &filter, "").unwrap();
    lab.call("CancelWaitForUpdates", &collector, "").unwrap();
    assert_eq!(fault(lab.answer(poll)), "RequestCanceled");
}

#[test]
fn a_wait_ends_with_a_guest_s_word_or_with_its_time() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    let collector = collector(&mut lab);
    let filter = format!(
        "<spec><propSet><type>VirtualMachine</type><pathSet>config.extraConfig[\"guestinfo.x\"]</pathSet></propSet>\
         <objectSet><obj type=\"VirtualMachine\">{vm}</obj></objectSet></spec><partialUpdates>true</partialUpdates>"
    );
    lab.call("CreateFilter", &collector, &filter).unwrap();
    let first = lab.call("WaitForUpdatesEx", &collector, &version("")).unwrap();
    let since = text_in(&first, "version");
    let began = lab.host.now;
    let args = format!("<version>{since}</version><options><maxWaitSeconds>7</maxWaitSeconds></options>");
    assert!(!lab.call("WaitForUpdatesEx", &collector, &args).unwrap().contains("returnval"));
    assert_eq!(lab.host.now - began, Duration::from_secs(7));
    let poll = lab.send(soap("WaitForUpdatesEx", "PropertyCollector", &collector, &args));
    // An event that changes nothing that is looked at wakes nobody.
    let event = FleetEvent::Guest { machine: MachineId(1), report: GuestReport::Config { key: "guestinfo.x".into() } };
    lab.sim.fleet_event(&event, &mut lab.host);
    assert!(!lab.host.replies.contains_key(&poll));
    let spec = "<spec><extraConfig><key>guestinfo.x</key><value>told</value></extraConfig></spec>";
    lab.task("ReconfigVM_Task", &vm, spec);
    assert!(lab.answer(poll).unwrap().contains(">told<"));
}

#[test]
fn versions_that_were_never_given_are_refused() {
    let mut lab = Lab::new();
    let collector = collector(&mut lab);
    for text in ["1", "-1", "x"] {
        assert_eq!(
            fault(lab.call("WaitForUpdatesEx", &collector, &version(text))),
            "InvalidCollectorVersion",
            "{text}"
        );
    }
}

#[test]
fn specifications_that_mean_nothing_are_refused() {
    let mut lab = Lab::new();
    let filter = |object: &str, select: &str| {
        format!(
            "<spec><propSet><type>Folder</type><pathSet>name</pathSet></propSet><objectSet><obj type=\"Folder\">{object}</obj>\
             {select}</objectSet></spec><partialUpdates>false</partialUpdates>"
        )
    };
    let unknown = "<selectSet><name>nobody</name></selectSet>";
    let path = "<selectSet xsi:type=\"TraversalSpec\"><type>Folder</type><path>colour</path></selectSet>";
    for (object, select, kind) in [
        ("group-x9", "", "ManagedObjectNotFound"),
        ("group-d1", unknown, "InvalidArgument"),
        ("group-d1", path, "InvalidProperty"),
    ] {
        assert_eq!(fault(lab.call("CreateFilter", "propertyCollector", &filter(object, select))), kind);
    }
    assert!(lab.call("CreateFilter", "propertyCollector", &filter("group-d1", "")).is_ok());
}

#[test]
fn progress_of_a_task_is_seen_as_it_happens() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    let task = text_in(&lab.call("PowerOnVM_Task", &vm, "").unwrap(), "returnval");
    let filter = format!(
        "<spec><propSet><type>Task</type><pathSet>info.state</pathSet><pathSet>info.progress</pathSet></propSet>\
         <objectSet><obj type=\"Task\">{task}</obj></objectSet></spec><partialUpdates>false</partialUpdates>"
    );
    lab.call("CreateFilter", "propertyCollector", &filter).unwrap();
    let (mut since, mut seen) = (String::new(), Vec::new());
    while seen.last().is_none_or(|state| state != "success") {
        let update = lab.call("WaitForUpdatesEx", "propertyCollector", &format!("<version>{since}</version>")).unwrap();
        since = text_in(&update, "version");
        let document = roxmltree::Document::parse(&update).unwrap();
        let values = document.descendants().filter(|node| node.tag_name().name() == "val");
        seen.extend(values.filter_map(|node| node.text().map(str::to_owned)));
    }
    // Power-on is two operations: the environment is delivered first.
    assert_eq!(seen, ["queued", "running", "0", "50", "success"]);
}

#[test]
fn traversals_in_circles_end() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    let spec = format!(
        "<specSet><propSet><type>ManagedEntity</type><pathSet>name</pathSet></propSet><objectSet>\
         <obj type=\"VirtualMachine\">{vm}</obj><selectSet xsi:type=\"TraversalSpec\"><name>up</name><type>ManagedEntity</type>\
         <path>parent</path><selectSet><name>up</name></selectSet><selectSet><name>down</name></selectSet></selectSet>\
         <selectSet xsi:type=\"TraversalSpec\"><name>down</name><type>Folder</type><path>childEntity</path>\
         <selectSet><name>up</name></selectSet></selectSet></objectSet></specSet>"
    );
    let body = lab.call("RetrieveProperties", "propertyCollector", &spec).unwrap();
    // The machine, its folder, the datacenter, the root: each once.
    assert_eq!(body.matches("<returnval>").count(), 4, "{body}");
}
