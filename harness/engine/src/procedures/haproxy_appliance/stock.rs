//! What the appliance's image itself writes into the two files people customise.
//!
//! Directives of vmware-haproxy, `ansible/roles/haproxy/files/etc/haproxy/` at v0.1.7 to v0.2.0; comments are not compared.

/// The directives of a section of `haproxy.cfg` as the image has them.
pub(super) fn directives(section: &str) -> &'static [&'static str] {
    match section {
        "global" => GLOBAL,
        "defaults" => DEFAULTS,
        _ => &[],
    }
}

const GLOBAL: &[&str] = &[
    "log stdout format raw local0 debug",
    "log stdout format raw local0 info",
    "chroot /var/lib/haproxy",
    "stats socket /run/haproxy.sock user haproxy group haproxy mode 660 level admin expose-fd listeners",
    "stats timeout 30s",
    "user haproxy",
    "group haproxy",
    "master-worker",
    "maxconn 60000",
    "mworker-max-reloads 100",
    "ca-base /etc/ssl/certs",
    "crt-base /etc/ssl/private",
    "ssl-default-bind-ciphers ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!MD5:!DSS",
    "ssl-default-bind-options no-sslv3",
];

const DEFAULTS: &[&str] = &[
    "mode tcp",
    "log global",
    "option tcplog",
    "option dontlognull",
    "option tcp-smart-accept",
    "timeout check 5s",
    "timeout connect 9s",
    "timeout client 10s",
    "timeout queue 5m",
    "timeout server 10s",
    "timeout tunnel 5m",
    "timeout client-fin 10s",
];

/// The settings of `dataplaneapi.cfg` as the image has them. Address and port follow from the inputs and are told apart by
/// [`from_inputs`].
pub(super) const DATAPLANE: &[&str] = &[
    "LOG_LEVEL=warning",
    "LOG_TO=stdout",
    "SCHEME=https",
    "HAPROXY_BIN=/usr/sbin/haproxy",
    "CONFIG_FILE=/etc/haproxy/haproxy.cfg",
    "RELOAD_CMD=/usr/bin/systemctl reload haproxy",
    "RELOAD_DELAY=30",
    "TLS_CERTIFICATE=/etc/haproxy/server.crt",
    "TLS_KEY=/etc/haproxy/server.key",
    "USERLIST=controller",
    "ADDITIONAL_FLAGS=--update-map-files",
];

/// Whether a setting of `dataplaneapi.cfg` follows from the OVF inputs.
pub(super) fn from_inputs(key: &str) -> bool {
    matches!(key, "TLS_HOST" | "TLS_PORT")
}
