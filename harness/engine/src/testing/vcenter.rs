//! The vCenter of the small world.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::{Clock, Time};
use grenadier_wire::{FaultKind, HttpExchange, asked_of_simulator};
use http::{HeaderValue, StatusCode, header};
use roxmltree::{Document, Node};

use crate::testing::protocol::plain;
use crate::testing::soap::{all, answer as reply, call, escaped, fault, find, text};
use crate::testing::world::{Machine, State};
use crate::testing::{CERTIFICATE, TestClock, appliance};

const TASK: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(300);

pub(super) struct Task {
    method: String,
    machine: String,
    must_fail: bool,
    due: Time,
    change: Vec<(String, String)>,
    cpus: Option<u32>,
    /// `running`, `success`, or the fault it ended in.
    state: String,
}

impl Task {
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.state == "running" && now >= self.due
    }
}

pub(super) struct Filter {
    object: String,
    paths: Vec<String>,
}

pub(super) struct Lease {
    pub(super) machine: String,
    /// `ready`, `done`.
    pub(super) state: &'static str,
    pub(super) expires: Time,
    uploaded: bool,
}

pub(super) fn answer(state: &mut State, clock: &TestClock, exchange: &HttpExchange) -> http::Response<Bytes> {
    let request = &exchange.request;
    let cookie = request.headers().get(header::COOKIE).map(|value| value.to_str().unwrap().to_owned());
    let in_session = state.session.as_mut().is_some_and(|(id, calls)| {
        *calls = calls.saturating_sub(1);
        *calls > 0 && cookie.as_deref() == Some(&format!("vmware_soap_session={id}"))
    });
    if let Some(rest) = request.uri().path().strip_prefix("/nfc/") {
        let lease = state.leases.get_mut(rest.split('/').next().unwrap());
        return match lease {
            Some(lease) => {
                lease.uploaded = request.body() == "the disk";
                plain(StatusCode::OK)
            }
            None => plain(StatusCode::NOT_FOUND),
        };
    }
    let body = std::str::from_utf8(request.body()).unwrap();
    let document = Document::parse(body).unwrap();
    let call = call(&document);
    let method = call.tag_name().name();
    if !in_session && !matches!(method, "RetrieveServiceContent" | "Login") {
        return fault("NotAuthenticated");
    }
    dispatch(state, clock, method, call, asked_of_simulator(request) == Some(FaultKind::TaskFails))
}

fn dispatch(
    state: &mut State,
    clock: &TestClock,
    method: &str,
    call: Node<'_, '_>,
    must_fail: bool,
) -> http::Response<Bytes> {
    let this = text(call, "_this").to_owned();
    match method {
        "RetrieveServiceContent" => {
            let object = |name: &str, kind: &str| format!("<{name} type=\"{kind}\">{kind}</{name}>");
            let content = [
                object("propertyCollector", "PropertyCollector"),
                format!("<about><name>VMware vCenter Server</name><version>{}</version></about>", state.knobs.vsphere),
                object("sessionManager", "SessionManager"),
                object("authorizationManager", "AuthorizationManager"),
                object("searchIndex", "SearchIndex"),
                object("ovfManager", "OvfManager"),
            ];
            reply(method, &format!("<returnval>{}</returnval>", content.concat()))
        }
        "Login" => {
            assert_eq!((text(call, "userName"), text(call, "password")), ("admin", "let me in"));
            let id = state.id("session");
            let mut response = reply(method, &format!("<returnval><key>{id}</key></returnval>"));
            let cookie = format!("vmware_soap_session={id}; Path=/; HttpOnly");
            response.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).unwrap());
            state.session = Some((id, state.knobs.session_calls));
            state.filters.clear();
            response
        }
        "Logout" => {
            state.session = None;
            reply(method, "")
        }
        "FindByInventoryPath" => {
            let path = text(call, "inventoryPath");
            let name = path.strip_prefix("DC0/vm/").expect("a path without the leading slash");
            let found = state.machines.iter().find(|(_, machine)| machine.name == name);
            let found = found.map(|(id, _)| format!("<returnval type=\"VirtualMachine\">{id}</returnval>"));
            reply(method, &found.unwrap_or_default())
        }
        "HasPrivilegeOnEntities" => {
            let missing = state.knobs.missing_privilege;
            let entities = all(call, "entity").map(|entity| {
                let privileges = all(call, "privId").map(|privilege| {
                    let name = privilege.text().unwrap();
                    let granted = Some(name) != missing;
                    format!(
                        "<privAvailability><privId>{name}</privId><isGranted>{granted}</isGranted></privAvailability>"
                    )
                });
                let (kind, id) = (entity.attribute("type").unwrap(), entity.text().unwrap());
                let privileges = privileges.collect::<String>();
                format!("<returnval><entity type=\"{kind}\">{id}</entity>{privileges}</returnval>")
            });
            reply(method, &entities.collect::<String>())
        }
        "RetrievePropertiesEx" => {
            let mut objects = String::new();
            for object in all(call, "obj") {
                let (kind, id) = (object.attribute("type").unwrap(), object.text().unwrap());
                let mut sets = all(call, "propSet");
                let paths = paths_of(sets.find(|set| text(*set, "type") == kind).unwrap());
                let Some(values) = properties(state, id, &paths) else { return fault("ManagedObjectNotFound") };
                let sets = values.iter().map(|(path, value)| {
                    format!("<propSet><name>{}</name>{value}</propSet>", path.replace('"', "&quot;"))
                });
                let sets = sets.collect::<String>();
                objects.push_str(&format!("<objects><obj type=\"{kind}\">{id}</obj>{sets}</objects>"));
            }
            reply(method, &format!("<returnval>{objects}</returnval>"))
        }
        "CreateFilter" => {
            let filter = Filter { object: text(call, "obj").to_owned(), paths: paths_of(call) };
            if properties(state, &filter.object, &filter.paths).is_none() {
                return fault("ManagedObjectNotFound");
            }
            let id = state.id("filter");
            state.filters.insert(id.clone(), filter);
            reply(method, &format!("<returnval type=\"PropertyFilter\">{id}</returnval>"))
        }
        "DestroyPropertyFilter" => {
            state.filters.remove(&this);
            reply(method, "")
        }
        "WaitForUpdatesEx" => wait_for_updates(state, clock, call),
        "CreateImportSpec" => {
            let cisp = find(call, "cisp").unwrap();
            let properties = all(cisp, "propertyMapping").map(|mapping| {
                let (key, value) = (text(mapping, "key"), escaped(text(mapping, "value")));
                format!("<property><id>{key}</id><value>{value}</value></property>")
            });
            let networks = all(cisp, "networkMapping")
                .map(|mapping| format!("<deviceChange><network>{}</network></deviceChange>", text(mapping, "network")));
            let config = format!(
                "<name>{}</name><numCPUs>2</numCPUs>{}<vAppConfig>{}</vAppConfig>",
                text(cisp, "entityName"),
                networks.collect::<String>(),
                properties.collect::<String>()
            );
            let spec = format!(
                "<importSpec xsi:type=\"VirtualMachineImportSpec\"><configSpec>{config}</configSpec></importSpec>"
            );
            let file =
                "<fileItem><deviceId>/haproxy/disk</deviceId><path>disk-0.vmdk</path><create>false</create></fileItem>";
            reply(method, &format!("<returnval>{spec}{file}</returnval>"))
        }
        "ImportVApp" => import(state, clock.now(), call),
        "HttpNfcLeaseProgress" => reply(method, ""),
        "HttpNfcLeaseComplete" => {
            let Some(lease) = state.leases.get_mut(&this) else { return fault("ManagedObjectNotFound") };
            if lease.state != "ready" || !lease.uploaded {
                return fault("InvalidState");
            }
            lease.state = "done";
            state.machines.get_mut(&lease.machine).unwrap().disk = true;
            reply(method, "")
        }
        "HttpNfcLeaseAbort" => {
            if let Some(lease) = state.leases.remove(&this) {
                state.remove(&lease.machine);
            }
            reply(method, "")
        }
        "ShutdownGuest" if state.knobs.deaf_guests => fault("ToolsUnavailable"),
        "ShutdownGuest" => match state.machines.get(&this) {
            Some(machine) if machine.on.is_some() => {
                state.shut_down(&this, clock.now());
                reply(method, "")
            }
            Some(_) => fault("InvalidPowerState"),
            None => fault("ManagedObjectNotFound"),
        },
        "PowerOnVM_Task" | "PowerOffVM_Task" | "ReconfigVM_Task" | "Destroy_Task" => {
            begin_task(state, clock.now(), method, &this, call, must_fail)
        }
        other => panic!("this vCenter does not know {other}"),
    }
}

fn paths_of(call: Node<'_, '_>) -> Vec<String> {
    all(call, "pathSet").map(|path| path.text().unwrap().to_owned()).collect()
}

fn import(state: &mut State, now: Time, call: Node<'_, '_>) -> http::Response<Bytes> {
    let config = find(call, "configSpec").unwrap();
    let name = text(config, "name").to_owned();
    if state.machines.values().any(|machine| machine.name == name) {
        return fault("DuplicateName");
    }
    let pairs = |element: &'static str, key: &str| -> BTreeMap<String, String> {
        all(config, element).map(|pair| (text(pair, key).to_owned(), text(pair, "value").to_owned())).collect()
    };
    let networks = all(config, "network").map(|network| match network.text().unwrap() {
        "network-management" => "management",
        "network-workload" => "workload",
        "network-frontend" => "frontend",
        other => panic!("no network {other}"),
    });
    let machine = Machine {
        name,
        version: "v0.2.0",
        on: None,
        going_off: None,
        cpus: 2,
        networks: networks.collect(),
        properties: pairs("property", "id"),
        extra_config: pairs("extraConfig", "key"),
        files: BTreeMap::new(),
        down: Vec::new(),
        stale: Vec::new(),
        shown: CERTIFICATE.into(),
        disk: false,
    };
    let (vm, lease) = (state.id("vm"), state.id("lease"));
    *state.tally.made.entry(machine.name.clone()).or_default() += 1;
    state.machines.insert(vm.clone(), machine);
    state.leases.insert(lease.clone(), Lease { machine: vm, state: "ready", expires: now + LEASE, uploaded: false });
    reply("ImportVApp", &format!("<returnval type=\"HttpNfcLease\">{lease}</returnval>"))
}

fn begin_task(
    state: &mut State,
    now: Time,
    method: &str,
    machine: &str,
    call: Node<'_, '_>,
    must_fail: bool,
) -> http::Response<Bytes> {
    if !state.machines.contains_key(machine) {
        return fault("ManagedObjectNotFound");
    }
    let busy = state.tasks.values().any(|task| task.machine == machine && task.state == "running");
    let leased = state.leases.values().any(|lease| lease.machine == machine && lease.state == "ready");
    if busy || leased {
        return fault("TaskInProgress");
    }
    let change = all(call, "extraConfig").map(|pair| (text(pair, "key").to_owned(), text(pair, "value").to_owned()));
    let task = Task {
        method: method.to_owned(),
        machine: machine.to_owned(),
        must_fail,
        due: now + TASK,
        change: change.collect(),
        cpus: find(call, "numCPUs").map(|cpus| cpus.text().unwrap().parse().unwrap()),
        state: "running".to_owned(),
    };
    let id = state.id("task");
    state.tasks.insert(id.clone(), task);
    reply(method, &format!("<returnval type=\"Task\">{id}</returnval>"))
}

pub(super) fn finish_task(state: &mut State, id: &str, now: Time) {
    let regenerates = state.knobs.regenerates_certificates;
    let task = state.tasks.get_mut(id).unwrap();
    let Some(machine) = state.machines.get_mut(&task.machine) else {
        task.state = "ManagedObjectNotFound".into();
        return;
    };
    task.state = if task.must_fail {
        "SystemError".into()
    } else {
        match (task.method.as_str(), machine.on) {
            ("PowerOnVM_Task", None) => {
                assert!(machine.disk, "a machine without its disk must not be turned on");
                machine.on = Some(now);
                *state.tally.turned_on.entry(machine.name.clone()).or_default() += 1;
                appliance::boot(machine, regenerates);
                "success".into()
            }
            ("PowerOffVM_Task", Some(_)) => {
                machine.on = None;
                machine.going_off = None;
                "success".into()
            }
            ("ReconfigVM_Task", _) => {
                machine.extra_config.extend(task.change.iter().cloned());
                machine.cpus = task.cpus.unwrap_or(machine.cpus);
                "success".into()
            }
            ("Destroy_Task", None) => {
                let gone = task.machine.clone();
                task.state = "success".into();
                state.remove(&gone);
                return;
            }
            _ => "InvalidPowerState".into(),
        }
    };
}

fn wait_for_updates(state: &mut State, clock: &TestClock, call: Node<'_, '_>) -> http::Response<Bytes> {
    let version = text(call, "version");
    let until = clock.now() + Duration::from_secs(text(call, "maxWaitSeconds").parse().unwrap());
    loop {
        state.settle(clock.now());
        // A version that stands for what it shows: an old one is answered with whatever is different now.
        let mut sets = String::new();
        for (id, filter) in &state.filters {
            let kind = kind_of(&filter.object);
            let (what, changes) = match properties(state, &filter.object, &filter.paths) {
                Some(values) => {
                    let change =
                        |(path, value)| format!("<changeSet><name>{path}</name><op>assign</op>{value}</changeSet>");
                    ("enter", values.iter().map(change).collect::<String>())
                }
                None => ("leave", String::new()),
            };
            sets.push_str(&format!(
                "<filterSet><filter type=\"PropertyFilter\">{id}</filter><objectSet><kind>{what}</kind>\
                 <obj type=\"{kind}\">{}</obj>{changes}</objectSet></filterSet>",
                filter.object
            ));
        }
        let now =
            format!("{:x}", sets.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into())));
        if now != version && !sets.is_empty() {
            return reply("WaitForUpdatesEx", &format!("<returnval><version>{now}</version>{sets}</returnval>"));
        }
        if clock.now() >= until {
            return reply("WaitForUpdatesEx", "");
        }
        clock.advance_to(clock.now() + Duration::from_millis(250));
    }
}

fn kind_of(id: &str) -> &'static str {
    match id.split('-').next().unwrap() {
        "vm" => "VirtualMachine",
        "task" => "Task",
        "lease" => "HttpNfcLease",
        other => panic!("no kind for {other}"),
    }
}

/// The set ones of these properties, as `val` elements; none where there is no such object.
fn properties(state: &State, id: &str, paths: &[String]) -> Option<BTreeMap<String, String>> {
    let value = |path: &str| -> Option<Option<String>> {
        match id.split('-').next().unwrap() {
            "vm" if path == "recentTask" => state.machines.get(id).map(|_| Some(recent_tasks(state, id))),
            "vm" => state.machines.get(id).map(|machine| machine_property(machine, path)),
            "task" => state.tasks.get(id).map(|task| task_info(task, path)),
            "lease" => state.leases.get(id).map(|lease| lease_property(id, lease, path)),
            "network" => Some(Some(format!("<val xsi:type=\"xsd:string\">{}</val>", &id["network-".len()..]))),
            "host" => Some(match path {
                "summary.hardware" => Some(
                    "<val><memorySize>34359738368</memorySize><cpuMhz>2000</cpuMhz><numCpuCores>16</numCpuCores></val>"
                        .into(),
                ),
                _ => Some(format!(
                    "<val><overallCpuUsage>2000</overallCpuUsage><overallMemoryUsage>{}</overallMemoryUsage></val>",
                    32768 - state.knobs.free_memory_mib
                )),
            }),
            "datastore" => Some(Some(format!("<val>{}</val>", 100_u64 << 30))),
            other => panic!("no object {other}"),
        }
    };
    let mut values = BTreeMap::new();
    for path in paths {
        if let Some(value) = value(path)? {
            values.insert(path.clone(), value);
        }
    }
    Some(values)
}

fn recent_tasks(state: &State, machine: &str) -> String {
    let tasks = state.tasks.iter().filter(|(_, task)| task.machine == machine);
    let tasks = tasks.map(|(id, _)| format!("<ManagedObjectReference type=\"Task\">{id}</ManagedObjectReference>"));
    format!("<val xsi:type=\"ArrayOfManagedObjectReference\">{}</val>", tasks.collect::<String>())
}

fn machine_property(machine: &Machine, path: &str) -> Option<String> {
    let power = if machine.on.is_some() { "poweredOn" } else { "poweredOff" };
    Some(match path {
        "name" => format!("<val>{}</val>", machine.name),
        "runtime.powerState" => format!("<val xsi:type=\"VirtualMachinePowerState\">{power}</val>"),
        "runtime.host" => "<val type=\"HostSystem\">host-1</val>".into(),
        "parent" => "<val type=\"Folder\">group-1</val>".into(),
        "resourcePool" => "<val type=\"ResourcePool\">resgroup-1</val>".into(),
        "datastore" => {
            "<val><ManagedObjectReference type=\"Datastore\">datastore-1</ManagedObjectReference></val>".into()
        }
        "config.hardware.numCPU" => format!("<val>{}</val>", machine.cpus),
        "config.hardware.memoryMB" => "<val>4096</val>".into(),
        "config.hardware.device" => {
            let cards = machine.networks.iter().enumerate().map(|(index, network)| {
                format!(
                    "<VirtualDevice xsi:type=\"VirtualVmxnet3\"><key>{}</key><backing><deviceName>{network}</deviceName>\
                     <network type=\"Network\">network-{network}</network></backing><macAddress>00:50:56:00:00:0{index}</macAddress>\
                     </VirtualDevice>",
                    4000 + index
                )
            });
            let disk = "<VirtualDevice xsi:type=\"VirtualDisk\"><key>2000</key></VirtualDevice>";
            format!("<val>{disk}{}</val>", cards.collect::<String>())
        }
        "config.extraConfig" => {
            let options = machine.extra_config.iter().map(|(key, value)| {
                format!("<OptionValue><key>{key}</key><value xsi:type=\"xsd:string\">{value}</value></OptionValue>")
            });
            format!("<val xsi:type=\"ArrayOfOptionValue\">{}</val>", options.collect::<String>())
        }
        "config.vAppConfig.property" => {
            let properties = machine.properties.iter().map(|(id, value)| {
                let (class, id) = id.split_once('.').unwrap();
                let value = escaped(value);
                format!(
                    "<VAppPropertyInfo><classId>{class}</classId><id>{id}</id><value>{value}</value></VAppPropertyInfo>"
                )
            });
            format!("<val>{}</val>", properties.collect::<String>())
        }
        keyed if keyed.starts_with("config.extraConfig[") => {
            let key = keyed.split('"').nth(1).unwrap();
            let value = machine.extra_config.get(key)?;
            format!(
                "<val xsi:type=\"OptionValue\"><key>{key}</key><value xsi:type=\"xsd:string\">{value}</value></val>"
            )
        }
        other => panic!("no property {other}"),
    })
}

fn task_info(task: &Task, path: &str) -> Option<String> {
    let ended_well = match task.state.as_str() {
        "running" => None,
        "success" => Some(true),
        _ => Some(false),
    };
    match (path, ended_well) {
        ("info.state", Some(false)) => Some("<val xsi:type=\"TaskInfoState\">error</val>".into()),
        ("info.state", _) => Some(format!("<val xsi:type=\"TaskInfoState\">{}</val>", task.state)),
        ("info.error", Some(false)) => Some(format!(
            "<val xsi:type=\"LocalizedMethodFault\"><fault xsi:type=\"{}\"/>\
             <localizedMessage>it did not work</localizedMessage></val>",
            task.state
        )),
        _ => None,
    }
}

fn lease_property(id: &str, lease: &Lease, path: &str) -> Option<String> {
    match path {
        "state" => Some(format!("<val>{}</val>", lease.state)),
        "info" => Some(format!(
            "<val><entity type=\"VirtualMachine\">{}</entity><deviceUrl><key>k</key><importKey>/haproxy/disk</importKey>\
             <url>https://*/nfc/{id}/disk-0.vmdk</url></deviceUrl></val>",
            lease.machine
        )),
        _ => None,
    }
}
