//! `topology` and `target`.

use grenadier_catalog::{Networks, Segment, System, VersionNumber};

use super::context::{Context, Fields};
use super::{items, scalar};
use crate::diagnostic::Span;
use crate::suggest;
use crate::yaml::{Kind, Node};
use crate::{
    AddressError, ByteSize, HostCapacity, SERVICE_ADDRESSES, SymbolicAddress, SymbolicRange, TargetInputs, Topology,
};

const KEYS: &[&str] = &["vsphere", "vsphere-after", "networks", "service-ranges", "host"];
const TARGET_KEYS: &[&str] = &["networks", "service-ranges"];
const HOST_KEYS: &[&str] = &["cpus", "memory", "disk"];

/// The first address that a service range may have: those before belong to the network itself and its gateways.
const FIRST_SERVICE_OFFSET: u32 = 16;

/// What of the topology is right: the rest of the document is judged by as much of it as there is.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) vsphere: Option<VersionNumber>,
    vsphere_after: Option<Option<VersionNumber>>,
    networks: Option<Networks>,
    service_ranges: Option<Vec<SymbolicRange>>,
    /// Ranges that somebody adds by hand, after the appliance was deployed.
    added: Vec<SymbolicRange>,
    host: Option<HostCapacity>,
}

impl Around {
    /// Somebody adds a range by hand.
    pub(super) fn add(&mut self, range: SymbolicRange) {
        self.added.push(range);
    }

    /// Whether the appliance has this range, or somebody adds it.
    pub(super) fn knows(&self, range: SymbolicRange) -> bool {
        self.service_ranges.as_ref().is_none_or(|ranges| ranges.iter().chain(&self.added).any(|known| *known == range))
    }

    /// A range beside those that are there.
    pub(super) fn other_range(&self, cx: &mut Context, node: &Node) -> Option<SymbolicRange> {
        let new = range(cx, node, self.networks)?;
        let known = self.service_ranges.iter().flatten();
        if let Some(known) = known.chain(&self.added).find(|known| known.overlaps(new)) {
            let message = format!("service ranges {known} and {new} overlap");
            cx.report(node.span.clone(), message, "name a range that the appliance was not deployed with".to_owned());
            return None;
        }
        Some(new)
    }

    /// The topology, if all of it is right.
    pub(super) fn whole(self) -> Option<Topology> {
        Some(Topology {
            vsphere: self.vsphere?,
            vsphere_after: self.vsphere_after?,
            networks: self.networks?,
            service_ranges: self.service_ranges?,
            host: self.host?,
        })
    }
}

pub(super) fn topology(cx: &mut Context, fields: &Fields<'_>, system: Option<&'static System>) -> Around {
    fields.required(cx, "topology");
    let Some(entry) = fields.entry("topology") else { return Around::default() };
    let Some(fields) = cx.fields(&entry.value, "a topology", KEYS, Some(&entry.key_span)) else {
        return Around::default();
    };
    let vsphere = fields.required(cx, "vsphere").and_then(|node| scalar::release(cx, node));
    let vsphere_after = fields.optional("vsphere-after").map(|node| {
        let after = scalar::release(cx, node)?;
        if let Some(before) = vsphere.filter(|before| after <= *before) {
            let message = format!("vSphere cannot go from {before} to {after}");
            cx.report(node.span.clone(), message, "`vsphere-after` is a later release than `vsphere`".to_owned());
        }
        Some(after)
    });
    let networks = fields.required(cx, "networks").and_then(|node| scalar::name::<Networks>(cx, node));
    let service_ranges = match fields.optional("service-ranges") {
        None => networks.map(default_ranges),
        Some(node) => ranges(cx, node, networks),
    };
    let host = match fields.optional("host") {
        None => Some(HostCapacity::default()),
        Some(node) => host(cx, node, system),
    };
    Around {
        vsphere,
        vsphere_after: super::all_or_nothing(vsphere_after),
        networks,
        service_ranges,
        added: Vec::new(),
        host,
    }
}

pub(super) fn target(cx: &mut Context, node: &Node, base: &Around) -> Option<TargetInputs> {
    let fields = cx.fields(node, "the new appliance's inputs", TARGET_KEYS, None)?;
    let networks = match fields.optional("networks") {
        None => base.networks,
        Some(node) => scalar::name::<Networks>(cx, node),
    };
    let service_ranges = match fields.optional("service-ranges") {
        Some(node) => ranges(cx, node, networks),
        None if networks == base.networks => base.service_ranges.clone(),
        None => networks.map(default_ranges),
    };
    Some(TargetInputs { networks: networks?, service_ranges: service_ranges? })
}

/// `+16/28` of the load-balancing network.
fn default_ranges(networks: Networks) -> Vec<SymbolicRange> {
    vec![SymbolicRange { segment: networks.load_balancing_segment(), offset: FIRST_SERVICE_OFFSET, prefix: 28 }]
}

fn ranges(cx: &mut Context, node: &Node, networks: Option<Networks>) -> Option<Vec<SymbolicRange>> {
    let mut seen: Vec<(SymbolicRange, Span)> = Vec::new();
    let ranges = items(cx, node, |cx, node| {
        let range = range(cx, node, networks)?;
        if let Some((other, place)) = seen.iter().find(|(other, _)| other.overlaps(range)) {
            let message = format!("service ranges {other} and {range} overlap");
            let also = (place.clone(), "the other range");
            cx.report_with(node.span.clone(), message, "leave one out, or make it smaller".to_owned(), also);
        }
        seen.push((range, node.span.clone()));
        Some(range)
    })?;
    if ranges.is_empty() {
        let help = "leave the key out for the default, or name at least one range".to_owned();
        cx.report(node.span.clone(), "there is no service range, so no load balancer could have an address", help);
        return None;
    }
    Some(ranges)
}

fn range(cx: &mut Context, node: &Node, networks: Option<Networks>) -> Option<SymbolicRange> {
    let text = scalar::text(cx, node, "an address range such as frontend+16/28")?;
    let range: SymbolicRange = text.parse().map_err(|error| address_error(cx, node, text, &error)).ok()?;
    let size = range.size();
    let span = node.span.clone();
    if u64::from(range.offset) % size != 0 {
        let below = u64::from(range.offset) / size * size;
        let fits = |at: &u64| *at >= u64::from(FIRST_SERVICE_OFFSET) && at + size <= u64::from(SERVICE_ADDRESSES);
        let message = format!("a /{} range cannot begin at +{}", range.prefix, range.offset);
        let mut help = format!("ranges begin at a multiple of their size, here {size}");
        if let Some(at) = [below, below + size].iter().find(|at| fits(at)) {
            help.push_str(&format!(": {}+{at}/{}", range.segment, range.prefix));
        }
        cx.report(span, message, help);
        return None;
    }
    if u64::from(range.offset) + size > u64::from(SERVICE_ADDRESSES) {
        let help = format!("the first {SERVICE_ADDRESSES} addresses of a segment are there for service ranges");
        cx.report(span, format!("range {range} reaches beyond the addresses for services"), help);
        return None;
    }
    if range.offset < FIRST_SERVICE_OFFSET {
        let message = format!("range {range} includes addresses of gateways");
        cx.report(span, message, format!("service ranges begin at +{FIRST_SERVICE_OFFSET} or later"));
        return None;
    }
    if let Some(networks) = networks {
        let wanted = networks.load_balancing_segment();
        if range.segment != wanted {
            let message = format!("range {range} is not on the load-balancing network");
            let help =
                format!("with networks `{networks}` that is {wanted}: {wanted}+{}/{}", range.offset, range.prefix);
            cx.report(span, message, help);
            return None;
        }
    }
    Some(range)
}

/// An address within the service ranges.
pub(super) fn vip(cx: &mut Context, node: &Node, around: &Around) -> Option<SymbolicAddress> {
    let text = scalar::text(cx, node, "an address such as frontend+20")?;
    let vip: SymbolicAddress = text.parse().map_err(|error| address_error(cx, node, text, &error)).ok()?;
    let span = node.span.clone();
    if let Some(networks) = around.networks.filter(|networks| !networks.has(vip.segment)) {
        let message = format!("address {vip} is on a network that topology `{networks}` does not have");
        let wanted = networks.load_balancing_segment();
        let help = format!("its networks are {}; did you mean {wanted}+{}?", networks.segment_names(), vip.offset);
        cx.report(span, message, help);
        return None;
    }
    let outside = |ranges: &&Vec<SymbolicRange>| !ranges.iter().chain(&around.added).any(|range| range.contains(vip));
    if let Some(ranges) = around.service_ranges.as_ref().filter(outside) {
        let ranges = ranges.iter().map(|range| {
            let last = u64::from(range.offset) + range.size() - 1;
            format!("{range} ({}+{} to +{last})", range.segment, range.offset)
        });
        let help = format!("service ranges: {}", ranges.collect::<Vec<_>>().join(", "));
        cx.report(span, format!("address {vip} is outside the service ranges"), help);
        return None;
    }
    Some(vip)
}

fn address_error(cx: &mut Context, node: &Node, text: &str, error: &AddressError) {
    let help = match error {
        AddressError::Segment { segment } => {
            let names = <Segment as grenadier_catalog::Named>::ALL
                .iter()
                .map(|segment| grenadier_catalog::Named::name(*segment));
            suggest::hint("segment", segment, names)
        }
        AddressError::Address { .. } | AddressError::Range { .. } if text.parse::<std::net::IpAddr>().is_ok() => {
            "addresses are symbolic, segment and number: each run places the segments anew".to_owned()
        }
        AddressError::Address { .. } => "an address is a segment, a plus sign and a number".to_owned(),
        AddressError::Range { .. } => "a range is an address, a slash and a prefix length up to 32".to_owned(),
    };
    cx.report(node.span.clone(), error.to_string(), help);
}

fn host(cx: &mut Context, node: &Node, system: Option<&'static System>) -> Option<HostCapacity> {
    let fields = cx.fields(node, "a host", HOST_KEYS, None)?;
    let defaults = HostCapacity::default();
    let cpus = match fields.optional("cpus") {
        None => Some(defaults.cpus),
        Some(node) => scalar::integer(cx, node, 1..=u32::MAX),
    };
    let mut size = |key: &str, default: ByteSize| match fields.optional(key) {
        None => Some(default),
        Some(node) => byte_size(cx, node),
    };
    let memory = size("memory", defaults.memory);
    let disk = size("disk", defaults.disk);
    let host = HostCapacity { cpus: cpus?, memory: memory?, disk: disk? };
    let Some(size) = system.map(|system| system.size) else { return Some(host) };
    let too_small = [
        ("cpus", host.cpus < size.cpus, size.cpus.to_string()),
        ("memory", host.memory.bytes() < size.memory_bytes, ByteSize::from_bytes(size.memory_bytes).to_string()),
        ("disk", host.disk.bytes() < size.disk_bytes, ByteSize::from_bytes(size.disk_bytes).to_string()),
    ];
    for (key, too_small, takes) in too_small {
        if let Some(node) = fields.optional(key).filter(|_| too_small) {
            let help = format!("one takes {takes}; a host with room for one but not for two makes the engine refuse");
            cx.report(node.span.clone(), "the host cannot hold even the old appliance", help);
        }
    }
    Some(host)
}

fn byte_size(cx: &mut Context, node: &Node) -> Option<ByteSize> {
    if let Kind::Integer(number) = node.kind {
        let message = format!("expected a size such as 512MiB or 32GiB; got the number {number}");
        cx.report(node.span.clone(), message, format!("add the unit: {number}MiB or {number}GiB"));
        return None;
    }
    let text = scalar::text(cx, node, "a size such as 512MiB or 32GiB")?;
    let help = || "a whole number and one unit, without a space: KiB, MiB, GiB, TiB".to_owned();
    text.parse().map_err(|error: crate::SizeError| cx.report(node.span.clone(), error.to_string(), help())).ok()
}
