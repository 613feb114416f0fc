//! The directives of HAProxy's configuration, and which generation knows them.

use super::Generation;

/// Where a directive stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In `global`.
    Global,
    /// In `defaults`, `frontend`, `backend` or `listen`.
    Proxy,
}

/// What a generation does with a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It takes it.
    Yes,
    /// It has never heard of it.
    No,
    /// It had it once, and refuses a file that still has it.
    Dropped,
}

/// What HAProxy of this generation does with a directive.
pub(super) fn known(place: Place, directive: &str, generation: Generation) -> Known {
    let list = match place {
        Place::Global => GLOBAL,
        Place::Proxy => PROXY,
    };
    let tuning = place == Place::Global && directive.starts_with("tune.");
    let changed = |list: &[(Place, &str, Generation)]| {
        list.iter().any(|(at, name, since)| (*at, *name) == (place, directive) && generation >= *since)
    };
    if changed(DROPPED) {
        Known::Dropped
    } else if (generation < OLDEST_WITH_ALL && ADDED.contains(&(place, directive)))
        || !(list.contains(&directive) || tuning)
    {
        Known::No
    } else {
        Known::Yes
    }
}

/// Whether what HAProxy says to a configuration hangs on its generation.
pub(super) fn hangs_on_generation(refusal: &str) -> bool {
    DROPPED.iter().any(|(_, name, _)| refusal.contains(&dropped(name)))
        || ADDED.iter().any(|(_, name)| refusal.contains(&format!("unknown keyword '{name}'")))
}

/// What is said about a directive that was dropped.
pub(super) fn dropped(directive: &str) -> String {
    format!("'{directive}' is not supported any more.")
}

/// What was dropped, and by which version (each `haproxy -c` of Debian's 2.2.9, 2.6.12 and 3.0.11 was asked about every
/// directive; the version is the one that HAProxy names, in its refusal or in the warning before).
const DROPPED: &[(Place, &str, Generation)] = &[
    (Place::Global, "nbproc", Generation::new(2, 5)),
    (Place::Global, "ssl-engine", Generation::new(2, 6)),
    (Place::Proxy, "bind-process", Generation::new(2, 7)),
    (Place::Proxy, "grace", Generation::new(2, 5)),
];

/// From here on every directive that was added is taken for known: 2.2.9 refuses them, 2.6.12 does not, and the versions
/// between were not asked.
const OLDEST_WITH_ALL: Generation = Generation::new(2, 3);

/// What 2.2.9 does not know and 2.6.12 does (asked alike).
const ADDED: &[(Place, &str)] = &[
    (Place::Global, "cluster-secret"),
    (Place::Global, "default-path"),
    (Place::Global, "expose-experimental-directives"),
    (Place::Global, "fd-hard-limit"),
    (Place::Global, "grace"),
    (Place::Global, "lua-load-per-thread"),
    (Place::Global, "no-memory-trimming"),
    (Place::Global, "numa-cpu-mapping"),
    (Place::Global, "set-var"),
    (Place::Proxy, "clitcpka-cnt"),
    (Place::Proxy, "clitcpka-idle"),
    (Place::Proxy, "clitcpka-intvl"),
    (Place::Proxy, "error-log-format"),
    (Place::Proxy, "srvtcpka-cnt"),
    (Place::Proxy, "srvtcpka-idle"),
    (Place::Proxy, "srvtcpka-intvl"),
];

/// The directives of `global` (HAProxy 2.6 configuration manual, chapter 3).
const GLOBAL: &[&str] = &[
    "busy-polling",
    "ca-base",
    "chroot",
    "cluster-secret",
    "cpu-map",
    "crt-base",
    "daemon",
    "default-path",
    "description",
    "expose-experimental-directives",
    "external-check",
    "fd-hard-limit",
    "gid",
    "grace",
    "group",
    "hard-stop-after",
    "insecure-fork-wanted",
    "insecure-setuid-wanted",
    "issuers-chain-path",
    "localpeer",
    "log",
    "log-send-hostname",
    "log-tag",
    "lua-load",
    "lua-load-per-thread",
    "lua-prepend-path",
    "master-worker",
    "max-spread-checks",
    "maxcompcpuusage",
    "maxcomprate",
    "maxconn",
    "maxconnrate",
    "maxpipes",
    "maxsessrate",
    "maxsslconn",
    "maxsslrate",
    "mworker-max-reloads",
    "nbproc",
    "nbthread",
    "no-memory-trimming",
    "node",
    "noepoll",
    "noevports",
    "nogetaddrinfo",
    "nokqueue",
    "nopoll",
    "noreuseport",
    "nosplice",
    "numa-cpu-mapping",
    "pidfile",
    "presetenv",
    "quiet",
    "resetenv",
    "server-state-base",
    "server-state-file",
    "set-dumpable",
    "set-var",
    "setenv",
    "spread-checks",
    "ssl-default-bind-ciphers",
    "ssl-default-bind-ciphersuites",
    "ssl-default-bind-curves",
    "ssl-default-bind-options",
    "ssl-default-server-ciphers",
    "ssl-default-server-ciphersuites",
    "ssl-default-server-options",
    "ssl-dh-param-file",
    "ssl-engine",
    "ssl-load-extra-files",
    "ssl-mode-async",
    "ssl-server-verify",
    "ssl-skip-self-issued-ca",
    "stats",
    "strict-limits",
    "uid",
    "ulimit-n",
    "unix-bind",
    "unsetenv",
    "user",
    "zero-warning",
];

/// The directives of `defaults`, `frontend`, `backend` and `listen` (chapter 4.1).
const PROXY: &[&str] = &[
    "acl",
    "backlog",
    "balance",
    "bind",
    "bind-process",
    "capture",
    "clitcpka-cnt",
    "clitcpka-idle",
    "clitcpka-intvl",
    "compression",
    "cookie",
    "declare",
    "default-server",
    "default_backend",
    "description",
    "disabled",
    "dispatch",
    "email-alert",
    "enabled",
    "error-log-format",
    "errorfile",
    "errorfiles",
    "errorloc",
    "errorloc302",
    "errorloc303",
    "external-check",
    "filter",
    "force-persist",
    "fullconn",
    "grace",
    "hash-balance-factor",
    "hash-type",
    "http-after-response",
    "http-check",
    "http-error",
    "http-request",
    "http-response",
    "http-reuse",
    "http-send-name-header",
    "id",
    "ignore-persist",
    "load-server-state-from-file",
    "log",
    "log-format",
    "log-format-sd",
    "log-tag",
    "max-keep-alive-queue",
    "maxconn",
    "mode",
    "monitor",
    "monitor-net",
    "monitor-uri",
    "option",
    "persist",
    "rate-limit",
    "redirect",
    "retries",
    "retry-on",
    "server",
    "server-state-file-name",
    "server-template",
    "source",
    "srvtcpka-cnt",
    "srvtcpka-idle",
    "srvtcpka-intvl",
    "stats",
    "stick",
    "stick-table",
    "tcp-check",
    "tcp-request",
    "tcp-response",
    "timeout",
    "transparent",
    "unique-id-format",
    "unique-id-header",
    "use-fcgi-app",
    "use-server",
    "use_backend",
];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Place::Global, "nbproc", [Known::Yes, Known::Dropped, Known::Dropped])]
    #[case(Place::Proxy, "bind-process", [Known::Yes, Known::Yes, Known::Dropped])]
    #[case(Place::Proxy, "grace", [Known::Yes, Known::Dropped, Known::Dropped])]
    #[case(Place::Global, "grace", [Known::No, Known::Yes, Known::Yes])]
    #[case(Place::Global, "set-var", [Known::No, Known::Yes, Known::Yes])]
    #[case(Place::Global, "tune.bufsize", [Known::Yes; 3])]
    #[case(Place::Proxy, "tune.bufsize", [Known::No; 3])]
    #[case(Place::Proxy, "bind", [Known::Yes; 3])]
    fn generations_know_what_the_real_ones_know(
        #[case] place: Place,
        #[case] directive: &str,
        #[case] expected: [Known; 3],
    ) {
        let versions = ["2.2.9", "2.6.12", "3.0.11"].map(Generation::of);
        assert_eq!(versions.map(|generation| known(place, directive, generation)), expected);
    }

    #[test]
    fn what_changed_is_listed_among_the_directives() {
        let listed = |place: Place, name: &str| match place {
            Place::Global => GLOBAL.contains(&name),
            Place::Proxy => PROXY.contains(&name),
        };
        assert!(DROPPED.iter().all(|(place, name, _)| listed(*place, name)));
        assert!(ADDED.iter().all(|(place, name)| listed(*place, name)));
    }
}
