//! Where things are on the appliance's disk.

pub(crate) const HAPROXY_CFG: &str = "/etc/haproxy/haproxy.cfg";
pub(crate) const DATAPLANEAPI_CFG: &str = "/etc/haproxy/dataplaneapi.cfg";
pub(crate) const SERVER_CRT: &str = "/etc/haproxy/server.crt";
pub(crate) const SERVER_KEY: &str = "/etc/haproxy/server.key";
pub(crate) const CA_CRT: &str = "/etc/haproxy/ca.crt";
pub(crate) const CA_KEY: &str = "/etc/haproxy/ca.key";
pub(crate) const ANYIP_CFG: &str = "/etc/vmware/anyip-routes.cfg";
pub(crate) const ROUTE_TABLES_CFG: &str = "/etc/vmware/route-tables.cfg";
pub(crate) const WORKLOAD_NETWORKS_CFG: &str = "/etc/vmware/workload-networks.cfg";
pub(crate) const RELEASE: &str = "/etc/vmware-haproxy-release";
pub(crate) const HOSTNAME: &str = "/etc/hostname";
pub(crate) const SHADOW: &str = "/etc/shadow";
pub(crate) const SSHD_CONFIG: &str = "/etc/ssh/sshd_config";
/// Says that the OVF properties were taken over.
pub(crate) const FIRST_BOOT_DONE: &str = "/var/lib/vmware/.ovf_to_cloud_init.done";
/// Name and addresses, for every boot after the first.
pub(crate) const METADATA: &str = "/var/lib/vmware/metadata.json";
pub(crate) const LOGS: &str = "/var/log";
pub(crate) const TEMPORARY: &str = "/tmp";

/// Where vSphere delivers the OVF properties.
pub(crate) const OVF_ENVIRONMENT: &str = "guestinfo.ovfEnv";
/// Where the appliance publishes its authority's certificate, in Base64.
pub(crate) const PUBLISHED_CA: &str = "guestinfo.dataplaneapi.cacert";
