//! The machines around the appliance: backends, operators, the client and the canary.

use std::collections::BTreeMap;
use std::sync::Arc;

use grenadier_catalog::{Cluster, Segment};
use grenadier_fleet::{Disk, DiskImage, Hardware, ImageHeader, Mac, MachineSpec, Nic};
use grenadier_wire::Secret;
use serde_json::json;

use super::layout::{Balancer, Layout, OperatorPlace, operator_machine};
use crate::stage::Pace;

/// The container image of everything that is not the appliance.
const NODE_IMAGE: &str = "grenadier/node:bookworm";
/// Hardware addresses of the runner's own machines start here; vCenter assigns from below.
const FIRST_MAC: u32 = 0x20_0000;

/// The name of the first machine that looks.
const CLIENT: &str = "client";
/// The name of the backend outside the upgrade.
pub(super) const CANARY: &str = "canary";

/// The name of a machine that looks, by its place among them.
pub(super) fn client_machine(index: usize) -> String {
    if index == 0 { CLIENT.to_owned() } else { format!("{CLIENT}-{}", index + 1) }
}

/// A machine outside the cloud: what it boots, where it is plugged in, what it is told.
struct Node<'a> {
    name: String,
    product: &'a str,
    segments: Vec<Segment>,
    config: BTreeMap<String, String>,
    number: u32,
}

impl Node<'_> {
    fn spec(self) -> MachineSpec {
        let header = ImageHeader {
            product: self.product.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            container: NODE_IMAGE.to_owned(),
            facts: BTreeMap::new(),
            payload_bytes: 0,
        };
        let bytes = header.encode();
        let nics = self.segments.iter().zip(4000..).map(|(segment, key)| Nic {
            key,
            segment: segment.to_string(),
            mac: Mac::vmware(FIRST_MAC + self.number * 4 + (key - 4000)),
            connected: true,
        });
        MachineSpec {
            hardware: Hardware { cpus: 1, memory_mib: 128 },
            nics: nics.collect(),
            disks: vec![Disk {
                key: 2000,
                path: format!("[outside] {}.vmdk", self.name),
                capacity_mib: 1024,
                image: Some(Arc::new(DiskImage { header, bytes })),
            }],
            name: self.name,
            config: self.config,
            record: BTreeMap::new(),
            hosted: false,
        }
    }
}

/// What operators are told beside their load balancers.
pub(super) struct OperatorAccess<'a> {
    pub endpoint: String,
    pub user: &'a str,
    pub password: &'a Secret,
    pub pin: &'a str,
}

fn told(pace: &Pace, key: &str, value: serde_json::Value) -> BTreeMap<String, String> {
    let mut config = BTreeMap::from([(key.to_owned(), value.to_string())]);
    config.extend(pace.neighbour.map(|timers| ("guestinfo.neighbour".to_owned(), timers.to_owned())));
    config
}

/// The backends of every load balancer, the canary and the clients.
pub(super) fn nodes(layout: &Layout, pace: &Pace) -> Vec<MachineSpec> {
    let mut nodes = Vec::new();
    let mut backend = |name: &str, segment: Segment, address: ipnet::IpNet, port: u16| {
        let number = u32::try_from(nodes.len()).expect("a scenario has few backends");
        let told = json!({"name": name, "address": address.to_string(), "port": port});
        let config = self::told(pace, "guestinfo.backend", told);
        nodes.push(Node { name: name.to_owned(), product: "backend", segments: vec![segment], config, number }.spec());
    };
    backend(CANARY, layout.balancing, layout.canary.0, layout.canary.1);
    for (name, address, port) in layout.balancers.iter().flat_map(|balancer| &balancer.backends) {
        backend(name, Segment::Workload, *address, *port);
    }
    for (index, address) in layout.clients.iter().enumerate() {
        let config = told(pace, "guestinfo.client", json!({"address": address.to_string()}));
        let segments = vec![layout.balancing];
        let number = u32::try_from(nodes.len()).expect("a scenario has few backends");
        nodes.push(Node { name: client_machine(index), product: "client", segments, config, number }.spec());
    }
    nodes
}

/// The machine an operator runs on. It is told its load balancers later.
pub(super) fn operator(place: &OperatorPlace, config: String, pace: &Pace, number: u32) -> MachineSpec {
    let mut config = BTreeMap::from([("guestinfo.operator".to_owned(), config)]);
    config.extend(pace.neighbour.map(|timers| ("guestinfo.neighbour".to_owned(), timers.to_owned())));
    let segments = place.nics.iter().map(|(segment, _)| *segment).collect();
    let name = operator_machine(place.cluster).to_owned();
    Node { name, product: "operator", segments, config, number: 0x1000 + number }.spec()
}

/// What an operator is told: where the Data Plane API is, and which load balancers its cluster wants.
pub(super) fn operator_config(
    place: &OperatorPlace,
    access: &OperatorAccess<'_>,
    balancers: &[Balancer],
    pace: &Pace,
) -> String {
    let of_cluster =
        |cluster: Cluster| balancers.iter().filter(move |balancer| balancer.cluster == cluster && !balancer.by_hand);
    let wanted: Vec<_> = of_cluster(place.cluster)
        .map(|balancer| {
            let backends = balancer.backends.iter().map(|(_, address, port)| format!("{}:{port}", address.addr()));
            json!({
                "name": balancer.name,
                "vip": balancer.vip.ip().to_string(),
                "port": balancer.vip.port(),
                "backends": backends.collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "cluster": place.cluster,
        "addresses": place.nics.iter().map(|(_, address)| address.to_string()).collect::<Vec<_>>(),
        "endpoint": access.endpoint,
        "user": access.user,
        "password": access.password.reveal(),
        "pin": access.pin,
        "backoff-initial-ms": pace.backoff_initial_ms,
        "backoff-max-ms": pace.backoff_max_ms,
        "resync-ms": pace.resync_ms,
        "load-balancers": wanted,
    })
    .to_string()
}
