//! The files of the image, before OVF properties go in.

/// `haproxy.cfg` of the image (settings as vmware-haproxy `ansible/roles/haproxy` has them).
pub(crate) const HAPROXY_CFG: &str = "\
global
  log stdout format raw local0 info
  chroot /var/lib/haproxy
  stats socket /run/haproxy.sock user haproxy group haproxy mode 660 level admin expose-fd listeners
  stats timeout 30s
  user haproxy
  group haproxy
  master-worker
  # Sets the limit of file descriptors, too.
  maxconn 60000
  # A worker that still has connections after so many reloads is killed.
  mworker-max-reloads 100
  ca-base /etc/ssl/certs
  crt-base /etc/ssl/private
  ssl-default-bind-ciphers ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!MD5:!DSS
  ssl-default-bind-options no-sslv3

defaults
  mode tcp
  log global
  option tcplog
  option dontlognull
  option tcp-smart-accept
  timeout check 5s
  timeout connect 9s
  timeout client 10s
  timeout queue 5m
  timeout server 10s
  # Long tunnels keep workers of earlier reloads alive.
  timeout tunnel 5m
  timeout client-fin 10s

userlist controller
";

/// `dataplaneapi.cfg` of the image: the environment of the service. There is no restart command, so a failed reload is not
/// followed by a restart unless somebody adds `--restart-cmd` to the flags.
pub(crate) fn dataplaneapi_cfg(reload_delay_s: &str, tls_host: &str, tls_port: u16) -> String {
    format!(
        "\
# Environment of the Data Plane API service.
LOG_LEVEL=warning
LOG_TO=stdout
SCHEME=https
HAPROXY_BIN=/usr/sbin/haproxy
CONFIG_FILE=/etc/haproxy/haproxy.cfg
RELOAD_CMD=/usr/bin/systemctl reload haproxy
RELOAD_DELAY={reload_delay_s}
TLS_HOST={tls_host}
TLS_PORT={tls_port}
TLS_CERTIFICATE=/etc/haproxy/server.crt
TLS_KEY=/etc/haproxy/server.key
USERLIST=controller
ADDITIONAL_FLAGS=--update-map-files
"
    )
}

/// `anyip-routes.cfg` of the image.
pub(crate) const ANYIP_CFG: &str = "\
# Ranges of the load balancer's addresses, one on a line in CIDR form. Read by the service anyip-routes.
";

/// `route-tables.cfg` of the image. The third field is the interface's name here; the real one has its hardware address.
pub(crate) const ROUTE_TABLES_CFG: &str = "\
# Tables of policy routing: ID,NAME,INTERFACE,ADDRESS[,GATEWAY]. Read by the service route-tables.
";
