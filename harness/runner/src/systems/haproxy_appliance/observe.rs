//! Looking at everything: states, routes, who serves, what lies around.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use grenadier_checks::{Capture, Class, Exposure, Inventory, ItemKind, MeaningOf, Node, Routes, Shown};
use grenadier_fleet::{Boot, Machine, MachineId, Operation, OperationOutput, Power};
use serde_json::Value;

use super::{HaproxyAppliance, routes};
use crate::setting::Secrets;
use crate::stage::Stage;
use crate::systems::{Observed, PhaseError};

/// What one machine holds.
struct Held {
    machine: Machine,
    files: BTreeMap<String, Bytes>,
    /// The guest's volatile state; none where it is off or does not answer.
    state: Option<Value>,
}

const CONFIGURATION: &str = "/etc/haproxy/haproxy.cfg";
const CERTIFICATE: &str = "/etc/haproxy/server.crt";
/// Configuration keys that hold the OVF environment: written at every power-on, and full of secrets.
const ENVIRONMENT: &str = "guestinfo.ovfEnv";

impl HaproxyAppliance {
    /// Looks at the appliances and at what is around them.
    pub(super) async fn look(&self, stage: &dyn Stage, name: &str) -> Result<Observed, PhaseError> {
        let appliances: Vec<Machine> =
            stage.view(|view| view.machines.values().filter(|machine| machine.spec.hosted).cloned().collect());
        let mut held = Vec::new();
        for machine in appliances {
            held.push(self.hold(stage, machine).await?);
        }
        // Where both are on, the one that was deployed last is the one somebody put into service; that both are is told apart.
        let serving = held.iter().rfind(|held| held.machine.power == Power::On);
        let file =
            |held: &Held, path: &str| held.files.get(path).map(|text| String::from_utf8_lossy(text).into_owned());
        // Where no appliance is on, nothing serves any route, and that is known.
        let none = || Routes { process: Some(Default::default()), ..Routes::default() };
        let routes = serving.map_or_else(none, |held| Routes {
            file: routes::in_file(&file(held, CONFIGURATION).unwrap_or_default()),
            process: held.state.as_ref().map(routes::in_process),
        });
        // Where none is on, the certificate is the one on the disk of the first.
        let certificate = serving
            .or(held.first())
            .and_then(|held| file(held, CERTIFICATE))
            .and_then(|pem| grenadier_haproxy_appliance::fingerprint_of_pem(&pem).ok());
        let shown = self.shown(&held);
        let inventory = inventory(&held, &stage.cloud_state());
        let meaning = held.iter().map(|held| (held.machine.spec.name.clone(), meaning(held))).collect();
        let exposures = self.exposures(stage, &held).await?;
        let mut capture = Capture::new(name, stage.clock().now());
        for held in &held {
            capture.root.insert(&format!("machines/{}", held.machine.spec.name), tree(held, &self.secrets));
        }
        capture.root.insert("cloud", cloud_tree(&stage.cloud_state(), &self.secrets));
        Ok(Observed { capture, shown, inventory, meaning, routes, certificate, exposures })
    }

    /// Secrets on the disks of any machine, the clients and backends too.
    async fn exposures(&self, stage: &dyn Stage, held: &[Held]) -> Result<Vec<Exposure>, PhaseError> {
        let in_files = |held: &Held| self.searcher.in_files(&held.machine.spec.name, &held.files);
        let mut exposures: Vec<Exposure> = held.iter().flat_map(in_files).collect();
        let others: Vec<Machine> =
            stage.view(|view| view.machines.values().filter(|machine| !machine.spec.hosted).cloned().collect());
        for machine in others {
            exposures.extend(in_files(&self.hold(stage, machine).await?));
        }
        Ok(exposures)
    }

    async fn hold(&self, stage: &dyn Stage, machine: Machine) -> Result<Held, PhaseError> {
        let failed = |source| PhaseError::Fleet { what: format!("show `{}`", machine.spec.name), source };
        let read = async |operation| stage.perform(operation).await;
        let id: MachineId = machine.id;
        let files = match read(Operation::ReadFiles { machine: id }).await.map_err(failed)? {
            OperationOutput::Files(files) => files,
            _ => BTreeMap::new(),
        };
        // A machine that is off, or whose guest never started, has no volatile state; that is what the capture says.
        let state = match read(Operation::ReadState { machine: id }).await {
            Ok(OperationOutput::State(state)) => Some(state),
            _ => None,
        };
        Ok(Held { machine, files, state })
    }

    /// Which version serves, whatever anybody claims.
    fn shown(&self, held: &[Held]) -> Shown {
        let (old, new) = (self.old_name(), self.new_name());
        let find = |name: &str| held.iter().find(|held| held.machine.spec.name == name);
        let on = |name: &str| find(name).is_some_and(|held| held.machine.power == Power::On);
        let serves = |name: &str| {
            let services = find(name).and_then(|held| held.state.as_ref()?.get("haproxy")?.get("running")?.as_bool());
            services == Some(true)
        };
        match (on(&old), on(&new)) {
            (true, true) => Shown::Both,
            (false, false) => Shown::Neither,
            (true, false) if serves(&old) => Shown::Base,
            (false, true) if serves(&new) => Shown::Upgraded,
            (true, false) => Shown::Mixed(format!("{old} is on and HAProxy does not run on it")),
            (false, true) => Shown::Mixed(format!("{new} is on and HAProxy does not run on it")),
        }
    }
}

fn inventory(held: &[Held], cloud: &Value) -> Inventory {
    let mut inventory = Inventory::default();
    for Held { machine, state, .. } in held {
        let name = &machine.spec.name;
        inventory.add(ItemKind::Machine, name);
        for snapshot in &machine.snapshots {
            inventory.add(ItemKind::Snapshot, format!("{name}/{}", snapshot.name));
        }
        let open = state.as_ref().and_then(|state| state.pointer("/dataplaneapi/transactions"));
        for transaction in open.and_then(Value::as_array).into_iter().flatten() {
            if transaction.get("status").and_then(Value::as_str) == Some("in_progress") {
                let id = transaction.get("id").and_then(Value::as_str).unwrap_or("?");
                inventory.add(ItemKind::Transaction, format!("{name}/{id}"));
            }
        }
    }
    for path in cloud.get("files").and_then(Value::as_object).into_iter().flat_map(|files| files.keys()) {
        inventory.add(ItemKind::File, path);
    }
    inventory
}

fn meaning(held: &Held) -> MeaningOf {
    let state = held.state.as_ref();
    let ranges = state.and_then(|state| state.get("local_routes")).and_then(Value::as_array);
    let mut addresses: BTreeSet<String> =
        ranges.into_iter().flatten().filter_map(Value::as_str).map(|range| format!("anyip {range}")).collect();
    for (key, own) in &held.machine.addresses {
        let segment = held.machine.spec.nics.iter().find(|nic| nic.key == *key).map_or("?", |nic| &nic.segment);
        addresses.extend(own.iter().map(|address| format!("{segment} {address}")));
    }
    MeaningOf {
        power: match held.machine.power {
            Power::On => grenadier_events::Power::On,
            Power::Off => grenadier_events::Power::Off,
        },
        addresses,
    }
}

/// A machine as a tree: what it is, what was set, what runs, what was logged.
fn tree(held: &Held, secrets: &Secrets) -> Node {
    let Held { machine, files, state } = held;
    let spec = &machine.spec;
    let mut node = Node::default();
    let power = if machine.power == Power::On { "on" } else { "off" };
    node.insert("power", Node::runtime(power));
    let boot = match &machine.boot {
        Boot::Off => "off".to_owned(),
        Boot::Booting => "booting".to_owned(),
        Boot::Up => "up".to_owned(),
        Boot::Failed(reason) => format!("failed: {reason}"),
    };
    node.insert("boot", Node::runtime(boot));
    node.insert("hardware/cpus", Node::config(spec.hardware.cpus.to_string()));
    node.insert("hardware/memory-mib", Node::config(spec.hardware.memory_mib.to_string()));
    for nic in &spec.nics {
        node.insert(&format!("nics/{}/mac", nic.key), Node::identity(nic.mac.to_string()));
        node.insert(&format!("nics/{}/segment", nic.key), Node::identity(&nic.segment));
        node.insert(&format!("nics/{}/connected", nic.key), Node::config(nic.connected.to_string()));
    }
    for disk in &spec.disks {
        node.insert(&format!("disks/{}/id", disk.key), Node::identity(&disk.path));
        node.insert(&format!("disks/{}/capacity-mib", disk.key), Node::config(disk.capacity_mib.to_string()));
        let image = disk.image.as_ref().map_or("empty", |image| &image.header.version);
        node.insert(&format!("disks/{}/image", disk.key), Node::config(image));
    }
    for (key, own) in &machine.addresses {
        for (number, address) in own.iter().enumerate() {
            node.insert(&format!("addresses/{key}/{number}"), Node::identity(address.to_string()));
        }
    }
    for (key, value) in &spec.config {
        let value = if key == ENVIRONMENT { Node::secret(Class::Config, value) } else { Node::config(value) };
        node.insert(&format!("config/{}", key.replace('/', ":")), value);
    }
    for (key, value) in &spec.record {
        if let Some(mut record) = value_tree(value, Class::Config, secrets) {
            for name in RECORD_IDENTITY {
                if let Some(node) = record.children.get_mut(name) {
                    node.class = Class::Identity;
                }
            }
            node.insert(&format!("record/{key}"), record);
        }
    }
    for snapshot in &machine.snapshots {
        node.insert(&format!("snapshots/{}", snapshot.id.0), Node::config(&snapshot.name));
    }
    for (path, content) in files {
        let log = path.starts_with("/var/log/");
        let text = std::str::from_utf8(content);
        let value = match text {
            _ if path.ends_with(".key") => Node::secret(Class::Identity, content),
            Ok(text) if log => Node::log(text),
            Ok(text) => Node::config(text),
            Err(_) => Node::config(grenadier_fleet::sha256_hex(content)),
        };
        node.insert(&format!("files{path}"), value);
    }
    if let Some(state) = state {
        insert_value(&mut node, "state", state, Class::Runtime, secrets);
    }
    node
}

/// The cloud's own state.
fn cloud_tree(cloud: &Value, secrets: &Secrets) -> Node {
    let mut node = Node::default();
    for (key, value) in cloud.as_object().into_iter().flatten() {
        insert_value(&mut node, key, value, Class::Config, secrets);
    }
    node
}

fn insert_value(node: &mut Node, path: &str, value: &Value, class: Class, secrets: &Secrets) {
    if let Some(tree) = value_tree(value, class, secrets) {
        node.insert(path, tree);
    }
}

/// What in a cloud's record of a machine makes it that machine: another one has others.
const RECORD_IDENTITY: [&str; 4] = ["createdNs", "instanceUuid", "moref", "uuid"];

/// JSON as a tree: objects and arrays become children, and an empty one leaves no node. A text that nobody may read (a vApp
/// property that holds a password or a key) is captured as a secret.
fn value_tree(value: &Value, class: Class, secrets: &Secrets) -> Option<Node> {
    let children: BTreeMap<String, Node> = match value {
        Value::Null => return Some(Node::new(class, "null")),
        Value::Bool(value) => return Some(Node::new(class, value.to_string())),
        Value::Number(value) => return Some(Node::new(class, value.to_string())),
        Value::String(value) if secrets.hide(value) => return Some(Node::secret(class, value)),
        Value::String(value) => return Some(Node::new(class, value)),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.filter_map(|(number, item)| Some((number.to_string(), value_tree(item, class, secrets)?))).collect()
        }
        Value::Object(fields) => {
            let named =
                |(key, item): (&String, &Value)| Some((key.replace('/', ":"), value_tree(item, class, secrets)?));
            fields.iter().filter_map(named).collect()
        }
    };
    (!children.is_empty()).then(|| Node { children, ..Node::default() })
}

#[cfg(test)]
mod tests {
    use grenadier_checks::{Comparison, Masks, compare_trees};
    use grenadier_clock::Seed;
    use serde_json::json;

    use super::*;

    /// The captured tree of an appliance whose HAProxy has a server in this state.
    fn captured(state: &str) -> Node {
        let haproxy = json!({"haproxy": {"running": true, "servers": {
            "supervisor-shop": {"s1": {"address": "198.18.18.65:8080", "state": state}},
        }}});
        let mut node = Node::default();
        insert_value(&mut node, "machines/haproxy/state", &haproxy, Class::Runtime, &Secrets::of(Seed(1)));
        node
    }

    #[test]
    fn a_server_in_maintenance_after_the_rollback_is_a_difference() {
        let masks = Masks::of("haproxy-appliance");
        let allowed = Comparison { masks, between_runs: false, recreated: &[], residuals: &[], acknowledged: &[] };
        assert_eq!(compare_trees(&captured("up"), &captured("up"), &allowed).structure, []);
        let found = compare_trees(&captured("up"), &captured("maintenance"), &allowed).structure;
        let paths: Vec<&str> = found.iter().map(|difference| difference.path.as_str()).collect();
        assert_eq!(paths, ["machines/haproxy/state/haproxy/servers/supervisor-shop/s1/state"]);
    }
}
