//! Where a container is not what a machine would be.

use grenadier_fidelity::{Basis, Behaviour, Declared};

/// What this fleet declares. The rest of its world is real.
pub const DECLARED: Declared = Declared {
    simulator: "Docker fleet",
    behaviours: &[&SHORT_TIMERS, &RACES, &FIGHT, &FULL_DISK, &PARTITION, &PAUSE],
};

static SHORT_TIMERS: Behaviour = Behaviour {
    id: "containers-and-their-timers-are-fast",
    says: "A container boots within a second, neighbour entries are trusted for 0.5 to 1.5 s, operators pause for 0.2 to 2 s and the Data Plane API reloads after 0.3 s, so every outage is shorter than the virtual one; `--timing` of a calibration brings them near each other.",
    basis: Basis::Recorded("`grenadier calibrate`, and docs/decisions/0002 for what Linux does by default"),
    otherwise: None,
};

static RACES: Behaviour = Behaviour {
    id: "races-end-as-they-do",
    says: "Real time decides whether the engine meets an operator's open transaction and removes it, and which of two engines comes first. So `haproxy-appliance-customisation-lost` may have one DELETE more or less than in the virtual world, and `haproxy-appliance-two-engines` another outcome.",
    basis: Basis::Recorded(
        "`grenadier compare`, 2026-11-22: of 24 scenarios 19 agree under the lengths that `grenadier calibrate` wrote, and swap and upgrade, which then differ by one racing DELETE, without them; late-routes, which takes a quarter of an hour, and swap-default were left out",
    ),
    otherwise: None,
};

static FIGHT: Behaviour = Behaviour {
    id: "a-fight-for-an-address-breaks-connections",
    says: "Where two machines answer for an address, a client's packets change sides within a connection, so targets are down for half a minute; in the virtual world each moment is looked at by itself. `haproxy-appliance-both-on` is therefore caught by more checks than it names.",
    basis: Basis::Recorded("`grenadier compare haproxy-appliance-both-on`, 2026-11-22: 30 to 39 s against 4 to 5 s"),
    otherwise: None,
};

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

static PAUSE: Behaviour = Behaviour {
    id: "paused-machines-keep-time",
    says: "A machine that is paused finds its clock as late as it is when it goes on; a hypervisor that stuns a machine stops its clock, and its tools set it afterwards.",
    basis: Basis::Assumed("`docker pause` freezes processes, not the kernel's time"),
    otherwise: None,
};
