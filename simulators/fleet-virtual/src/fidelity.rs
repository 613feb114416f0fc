//! What the virtual fleet does that an outcome can hang on.

use grenadier_fidelity::{Basis, Behaviour, Declared};

/// What this simulator declares.
pub const DECLARED: Declared = Declared {
    simulator: "Virtual fleet",
    behaviours: &[&DURATIONS, &SILENT_NEIGHBOUR, &RETRANSMISSION, &FIRST_ANSWER, &HARD_POWER_OFF, &BAD_NETWORKS],
};

pub(crate) static DURATIONS: Behaviour = Behaviour {
    id: "reference-durations",
    says: "Operations on machines take the frozen durations of the profile `reference`: power-on 1.5 s, power-off 1 s, firmware 4 s, and so on.",
    basis: Basis::Assumed("values of ordinary size; nobody measured a vSphere for them"),
    otherwise: Some("Operations on machines take three times as long."),
};

pub(crate) static SILENT_NEIGHBOUR: Behaviour = Behaviour {
    id: "silent-neighbour-is-kept",
    says: "A client goes on sending to the machine it learned for an address until it probes the entry, although that machine is silent: 15 to 45 s of trust, then 8 s of probing.",
    basis: Basis::Recorded(
        "a Linux client in the docker world lost 30 to 46 s to its neighbour table with the defaults of arp(7), docs/decisions/0002",
    ),
    otherwise: Some("A client asks again as soon as the machine it knew is silent."),
};

pub(crate) static RETRANSMISSION: Behaviour = Behaviour {
    id: "connections-are-asked-for-again",
    says: "A connection to a machine that is silent is asked for again after 1, 3, 7, 15 … s while its caller waits, and made as soon as somebody answers then.",
    basis: Basis::Recorded(
        "after a swap the first request of each client in the docker world takes 1.02 s, one retransmission [RFC 6298; tcp(7), tcp_syn_retries]",
    ),
    otherwise: Some("A request to a silent machine is lost: its caller waits as long as it is ready to."),
};

pub(crate) static FIRST_ANSWER: Behaviour = Behaviour {
    id: "any-answer-to-arp-may-win",
    says: "Where several machines answer ARP for an address, each client believes one of them at random, each time it asks.",
    basis: Basis::Assumed("the first answer wins in Linux, and which is first nobody promises"),
    otherwise: Some("Every client believes the machine that was made first."),
};

pub(crate) static HARD_POWER_OFF: Behaviour = Behaviour {
    id: "power-off-keeps-files",
    says: "A hard power-off loses memory and kernel state and keeps every file as it was last written.",
    basis: Basis::Assumed("no page cache is simulated: what was written is taken as synced"),
    otherwise: None,
};

pub(crate) static BAD_NETWORKS: Behaviour = Behaviour {
    id: "bad-networks-cost-calls-time",
    says: "Delay and loss make calls later, as TCP repeats what was lost after 1, 3, 7 … s (a handshake) or 0.2, 0.6, 1.4 … s (the rest); a call through a shell loses nothing in the docker world. Watches see whether connections come about, not how late: in the docker world a sample whose handshake was lost counts as down.",
    basis: Basis::Assumed("the timers are Linux's [RFC 6298; tcp(7)]; packets are not simulated one by one"),
    otherwise: None,
};
