//! What the appliance does that an outcome can hang on.

use grenadier_fidelity::{Basis, Behaviour, Declared};

/// What this simulator declares.
pub const DECLARED: Declared = Declared {
    simulator: "HAProxy appliance",
    behaviours: &[
        &BOOT_TIMES,
        &RESTARTS,
        &NO_RESTART,
        &DIRECTIVES,
        &REQUIRES_ROUTES,
        &ROUTES_TWICE,
        &LINK_ROUTES,
        &RULES_STAY,
        &REGENERATES,
        &TEMPORARY,
    ],
};

pub(crate) static BOOT_TIMES: Behaviour = Behaviour {
    id: "appliance-boot-times",
    says: "The first boot takes 16 s after the firmware (cloud-init 12 s, network 1 s, HAProxy 1 s, Data Plane API 2 s), a later one 8 s.",
    basis: Basis::Assumed("values of ordinary size; no OVA was started for them"),
    otherwise: Some("Each part takes three times as long."),
};

pub(crate) static RESTARTS: Behaviour = Behaviour {
    id: "haproxy-is-restarted-when-it-dies",
    says: "systemd starts HAProxy again 100 ms after it died, up to five times in 10 s. When one of its processes dies, all do.",
    basis: Basis::Recorded(
        "`haproxy.service` of Debian's 2.2.9, 2.6.12 and 3.0.11 (`Restart=always`, `KillMode=mixed`; defaults of \
         systemd.service(5)), and a SIGKILL to a worker of each",
    ),
    otherwise: Some("It stays down."),
};

pub(crate) static NO_RESTART: Behaviour = Behaviour {
    id: "failed-service-stays-down",
    says: "systemd does not start HAProxy again after it failed to start.",
    basis: Basis::Assumed(
        "the unit says `Restart=always`, so the real one tries again, every 2.1 s where it cannot bind; that changes nothing \
         unless somebody mends the reason meanwhile",
    ),
    otherwise: None,
};

pub(crate) static DIRECTIVES: Behaviour = Behaviour {
    id: "haproxy-directives-by-generation",
    says: "HAProxy refuses a file with a directive that its version dropped (`nbproc` and `grace` 2.5, `ssl-engine` 2.6, \
           `bind-process` 2.7) or that came after it.",
    basis: Basis::Recorded(
        "`haproxy -c` of Debian's 2.2.9, 2.6.12 and 3.0.11, asked about each directive on 2026-11-22; the versions between \
         by what their messages say",
    ),
    otherwise: None,
};

pub(crate) static REQUIRES_ROUTES: Behaviour = Behaviour {
    id: "haproxy-requires-route-tables",
    says: "HAProxy is not started where the route service has failed.",
    basis: Basis::Assumed(
        "its unit needs the networks that service sets up; the unit files of the image were not read",
    ),
    otherwise: Some("It starts all the same."),
};

pub(crate) static ROUTES_TWICE: Behaviour = Behaviour {
    id: "a-default-route-twice-fails-the-route-service",
    says: "A network that has two lines with a gateway in `route-tables.cfg` fails the route service when it starts.",
    basis: Basis::Assumed(
        "the kernel refuses a route that is there, and the script ends at the first command that fails",
    ),
    otherwise: Some("The second line changes nothing."),
};

pub(crate) static LINK_ROUTES: Behaviour = Behaviour {
    id: "link-scoped-routes-survive-a-stop",
    says: "Stopping the route service leaves the link-scoped routes in their tables.",
    basis: Basis::Documented("vmware-haproxy issue #10"),
    otherwise: Some("They go with the service."),
};

pub(crate) static RULES_STAY: Behaviour = Behaviour {
    id: "policy-rules-are-never-deleted",
    says: "v0.2.0 deletes no policy rule when its route service stops, so a restart doubles them.",
    basis: Basis::Documented("vmware-haproxy v0.2.0, `routetablectl.sh`: `ip call \"rule del …\"`"),
    otherwise: Some("It deletes one rule of each table, as v0.1.10 does."),
};

pub(crate) static REGENERATES: Behaviour = Behaviour {
    id: "boot-regenerates-certificates",
    says: "Versions before v0.1.10 make new certificates at every boot, over those that were given.",
    basis: Basis::Documented("vmware-haproxy commit 90376d2"),
    otherwise: Some("They keep what is there."),
};

pub(crate) static TEMPORARY: Behaviour = Behaviour {
    id: "boot-clears-temporary-files",
    says: "A boot empties `/tmp`, and with it every open transaction of the Data Plane API.",
    basis: Basis::Assumed("Photon OS mounts a tmpfs there by default; no appliance was looked at"),
    otherwise: Some("`/tmp` is on the disk and stays."),
};
