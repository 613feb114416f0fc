//! Where a container is not what a machine would be.

use grenadier_fidelity::{Basis, Behaviour, Declared};

/// What this fleet declares. The rest of its world is real.
pub const DECLARED: Declared = Declared { simulator: "Docker fleet", behaviours: &[&FULL_DISK, &PARTITION] };

static FULL_DISK: Behaviour = Behaviour {
    id: "full-disk-limits-file-size",
    says: "On a full disk the programs of a container may write no file at all, and are told EFBIG where a disk says ENOSPC; what the guest itself writes is refused as on a full disk.",
    basis: Basis::Assumed(
        "engines that keep containers in plain directories have no quotas, and `RLIMIT_FSIZE` limits files, not disks",
    ),
    otherwise: None,
};

static PARTITION: Behaviour = Behaviour {
    id: "partition-keeps-the-link",
    says: "A partition drops every packet of a machine in both directions, ARP included, and its cards, links, addresses and routes stay.",
    basis: Basis::Assumed("a switch that forwards nothing looks like that; a pulled cable would take the link down"),
    otherwise: None,
};
