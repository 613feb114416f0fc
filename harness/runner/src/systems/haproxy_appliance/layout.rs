//! Which machine stands where.

use std::net::{IpAddr, SocketAddr};

use grenadier_catalog::{Cluster, Named, Segment};
use grenadier_scenario::{Blocks, Scenario, SymbolicAddress, SymbolicRange};
use ipnet::{IpNet, Ipv4Net};

/// Scenarios have the first 512 addresses of a segment for their service ranges; what the runner places itself lies above.
const OWN: u32 = 512;
/// The gateway of a segment. Nothing answers there; appliances want to be told one.
const GATEWAY: u32 = OWN + 1;
const CANARY: u32 = OWN + 8;
const CLIENT: u32 = OWN + 9;
const APPLIANCE: u32 = OWN + 10;
const OPERATORS: u32 = OWN + 20;
/// All clients but the first.
const MORE_CLIENTS: u32 = OWN + 40;
const BACKENDS: u32 = OWN + 64;
/// The port backends listen on.
const BACKEND_PORT: u16 = 8080;
/// The port the canary listens on.
const CANARY_PORT: u16 = 80;

/// The Data Plane API's port.
pub(super) const DATAPLANE_PORT: u16 = 5556;

/// A load balancer and the backends behind it.
#[derive(Clone, Debug)]
pub(super) struct Balancer {
    pub name: String,
    pub cluster: Cluster,
    /// Whether a person wrote it into `haproxy.cfg`.
    pub by_hand: bool,
    pub vip: SocketAddr,
    pub backends: Vec<(String, IpNet, u16)>,
}

/// A cluster's operator and the machine it runs on, which is also where the cluster looks from.
#[derive(Clone, Debug)]
pub(super) struct OperatorPlace {
    pub cluster: Cluster,
    /// Addresses on management and on the load-balancing network, in the order of the machine's NICs.
    pub nics: Vec<(Segment, IpNet)>,
}

/// Which machine stands where.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The appliance's networks, in the order of its NICs.
    pub appliance: Vec<(Segment, IpNet, IpAddr)>,
    pub service_ranges: Vec<Ipv4Net>,
    pub balancers: Vec<Balancer>,
    pub operators: Vec<OperatorPlace>,
    /// The network clients use load balancers on.
    pub balancing: Segment,
    /// Who looks at load balancers and the canary, each on a machine of its own.
    pub clients: Vec<IpNet>,
    pub canary: (IpNet, u16),
}

/// The ranges of addresses that an appliance serves, in this run.
pub(super) fn ranges(ranges: &[SymbolicRange], blocks: &Blocks) -> Vec<Ipv4Net> {
    ranges
        .iter()
        .map(|range| range.resolve(blocks).expect("the decoder let only ranges of the topology pass"))
        .collect()
}

impl Layout {
    /// Places everything `scenario` needs in the blocks of this run.
    pub(super) fn of(scenario: &Scenario, blocks: &Blocks) -> Layout {
        let networks = scenario.topology.networks;
        let balancing = networks.load_balancing_segment();
        let place = |segment: Segment, offset: u32| {
            let address = SymbolicAddress { segment, offset };
            address.resolve(blocks).expect("a block has room for what the runner places itself")
        };
        let with_prefix = |segment: Segment, offset: u32| {
            let prefix = blocks.network(segment).expect("every segment of a topology has a block").prefix_len();
            IpNet::new(place(segment, offset), prefix).expect("the prefix is one of IPv4")
        };
        let mut next_backend = BACKENDS;
        let mut balancers = Vec::new();
        for balancer in scenario.load_balancers() {
            let backends = (1..=balancer.backends)
                .map(|number| {
                    next_backend += 1;
                    let name = format!("{}-{number}", balancer.name);
                    (name, with_prefix(Segment::Workload, next_backend), BACKEND_PORT)
                })
                .collect();
            let vip = balancer.vip.resolve(blocks).expect("the decoder let only addresses of the topology pass");
            let vip = SocketAddr::new(vip, balancer.port);
            let (name, cluster, by_hand) = (balancer.name.clone(), balancer.cluster, balancer.by_hand);
            balancers.push(Balancer { name, cluster, by_hand, vip, backends });
        }
        let operators = Cluster::ALL
            .iter()
            .zip(OPERATORS..)
            .map(|(cluster, offset)| OperatorPlace {
                cluster: *cluster,
                nics: [Segment::Management, balancing].map(|segment| (segment, with_prefix(segment, offset))).into(),
            })
            .collect();
        let appliance = networks
            .segments()
            .iter()
            .map(|segment| (*segment, with_prefix(*segment, APPLIANCE), place(*segment, GATEWAY)))
            .collect();
        Layout {
            appliance,
            service_ranges: ranges(&scenario.topology.service_ranges, blocks),
            balancers,
            operators,
            balancing,
            clients: std::iter::once(CLIENT)
                .chain(MORE_CLIENTS..BACKENDS)
                .take(scenario.probes().map(|probe| probe.clients as usize).max().unwrap_or(1))
                .map(|offset| with_prefix(balancing, offset))
                .collect(),
            canary: (with_prefix(balancing, CANARY), CANARY_PORT),
        }
    }

    /// The appliance's address on the management network.
    pub(super) fn management(&self) -> IpAddr {
        self.appliance[0].1.addr()
    }

    /// The load balancers that operators program.
    pub(super) fn programmed(&self) -> impl Iterator<Item = &Balancer> {
        self.balancers.iter().filter(|balancer| !balancer.by_hand)
    }

    /// The Data Plane API's endpoint.
    pub(super) fn dataplane(&self) -> String {
        SocketAddr::new(self.management(), DATAPLANE_PORT).to_string()
    }
}

/// The name of the machine a cluster's operator runs on.
pub(super) fn operator_machine(cluster: Cluster) -> &'static str {
    cluster.name()
}
