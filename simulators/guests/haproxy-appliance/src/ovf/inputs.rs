//! OVF properties, read and checked.

use std::collections::BTreeMap;
use std::net::IpAddr;

use grenadier_wire::Secret;
use ipnet::IpNet;
use thiserror::Error;

use crate::anyip::parse_range;
use crate::certificates::{CertificateError, Pair};

/// The OVF properties of an appliance, read and checked.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// `appliance.root_pwd`.
    pub root_password: Secret,
    /// `appliance.permit_root_login`.
    pub permit_root_login: bool,
    /// `appliance.ca_cert` and `appliance.ca_cert_key`.
    pub(crate) pair: Option<Pair>,
    /// `network.hostname`.
    pub hostname: String,
    /// `network.nameservers`.
    pub nameservers: Vec<IpAddr>,
    /// `network.management_ip`.
    pub management_ip: IpNet,
    /// `network.management_gateway`.
    pub management_gateway: Option<IpAddr>,
    /// `network.workload_ip`.
    pub workload_ip: IpNet,
    /// `network.workload_gateway`.
    pub workload_gateway: Option<IpAddr>,
    /// `network.additional_workload_networks`.
    pub additional_workload_networks: Vec<IpNet>,
    /// `network.frontend_ip`, in topology `frontend`.
    pub frontend_ip: Option<IpNet>,
    /// `network.frontend_gateway`.
    pub frontend_gateway: Option<IpAddr>,
    /// `loadbalance.service_ip_range`.
    pub service_ranges: Vec<IpNet>,
    /// `loadbalance.dataplane_port`.
    pub dataplane_port: u16,
    /// `loadbalance.haproxy_user`.
    pub haproxy_user: String,
    /// `loadbalance.haproxy_pwd`.
    pub haproxy_password: Secret,
}

/// The OVF properties do not make an appliance.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InputsError {
    /// vSphere delivered no OVF environment (vmware-haproxy #35 is such a case).
    #[error("there is no OVF environment in guestinfo.ovfEnv")]
    NoEnvironment,
    /// It is no XML.
    #[error("the OVF environment cannot be read: {0}")]
    Unreadable(String),
    /// A property has no value.
    #[error("property {0} is missing")]
    Missing(&'static str),
    /// A property has a value that is not of its form. The value itself is not told where it is secret.
    #[error("property {key} must be {expected}, got `{value}`")]
    Invalid {
        /// Its key.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        value: String,
    },
    /// Certificate and key cannot be used.
    #[error("properties appliance.ca_cert and appliance.ca_cert_key: {0}")]
    Certificate(CertificateError),
}

/// Properties by key.
struct Properties<'a>(&'a BTreeMap<String, String>);

impl Properties<'_> {
    /// A value; empty ones and `null` (what the real tool prints for a missing one) count as missing.
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.trim()).filter(|value| !value.is_empty() && *value != "null")
    }

    fn parse<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, InputsError> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let invalid = || InputsError::Invalid { key, expected, value: text.to_owned() };
        parse(text).map(Some).ok_or_else(invalid)
    }

    /// An interface's own address with its prefix; a network or broadcast address is none.
    fn interface(&self, key: &'static str) -> Result<Option<IpNet>, InputsError> {
        self.parse(key, "an address in CIDR form such as 198.18.0.10/24", |text| {
            let net: IpNet = text.parse().ok()?;
            let usable = net.prefix_len() >= net.max_prefix_len() - 1
                || (net.addr() != net.network() && net.addr() != net.broadcast());
            usable.then_some(net)
        })
    }

    fn address(&self, key: &'static str) -> Result<Option<IpAddr>, InputsError> {
        self.parse(key, "an address such as 198.18.0.1", |text| text.parse().ok())
    }

    /// A list separated by commas.
    fn list<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, InputsError> {
        let all = |text: &str| text.split(',').map(|part| parse(part.trim())).collect::<Option<Vec<T>>>();
        Ok(self.parse(key, expected, all)?.unwrap_or_default())
    }
}

impl Inputs {
    /// Reads the properties. `frontend` says whether the machine has a NIC on the frontend network, which then needs an
    /// address.
    ///
    /// # Errors
    /// One is missing or has a wrong form.
    pub fn read(properties: &BTreeMap<String, String>, frontend: bool) -> Result<Inputs, InputsError> {
        let given = Properties(properties);
        let required = |key: &'static str| given.get(key).ok_or(InputsError::Missing(key));
        let interface = |key: &'static str| given.interface(key)?.ok_or(InputsError::Missing(key));
        let range = "ranges in CIDR form such as 198.18.2.16/28, separated by commas";
        let pair = match (given.get("appliance.ca_cert"), given.get("appliance.ca_cert_key")) {
            (Some(certificate), Some(key)) => Some(Pair::read(certificate, key).map_err(InputsError::Certificate)?),
            // The real one makes its own authority unless it has both.
            _ => None,
        };
        let flag = |text: &str| text.to_ascii_lowercase().parse().ok();
        let port = |text: &str| text.parse::<u16>().ok();
        Ok(Inputs {
            root_password: Secret::new(required("appliance.root_pwd")?),
            permit_root_login: given.parse("appliance.permit_root_login", "true or false", flag)?.unwrap_or(true),
            pair,
            hostname: given.get("network.hostname").unwrap_or("haproxy.local").to_owned(),
            nameservers: given
                .list("network.nameservers", "addresses separated by commas", |text| text.parse().ok())?,
            management_ip: interface("network.management_ip")?,
            management_gateway: given.address("network.management_gateway")?,
            workload_ip: interface("network.workload_ip")?,
            workload_gateway: given.address("network.workload_gateway")?,
            additional_workload_networks: given.list("network.additional_workload_networks", range, parse_range)?,
            frontend_ip: if frontend { Some(interface("network.frontend_ip")?) } else { None },
            frontend_gateway: if frontend { given.address("network.frontend_gateway")? } else { None },
            service_ranges: given.list("loadbalance.service_ip_range", range, parse_range)?,
            dataplane_port: given
                .parse("loadbalance.dataplane_port", "a port", port)?
                .filter(|port| *port != 0)
                .unwrap_or(5556),
            haproxy_user: given.get("loadbalance.haproxy_user").unwrap_or("admin").to_owned(),
            haproxy_password: Secret::new(given.get("loadbalance.haproxy_pwd").unwrap_or("haproxy")),
        })
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    /// The properties of an appliance in topology `frontend`.
    pub(crate) fn properties() -> BTreeMap<String, String> {
        let pairs = [
            ("appliance.root_pwd", "root-password"),
            ("appliance.permit_root_login", "True"),
            ("network.management_ip", "198.18.0.10/24"),
            ("network.management_gateway", "198.18.0.1"),
            ("network.workload_ip", "198.18.1.10/24"),
            ("network.workload_gateway", "198.18.1.1"),
            ("network.frontend_ip", "198.18.2.10/24"),
            ("network.frontend_gateway", "198.18.2.1"),
            ("loadbalance.service_ip_range", "198.18.2.16/28, 198.18.2.64/28"),
            ("loadbalance.haproxy_user", "operator"),
            ("loadbalance.haproxy_pwd", "operator-password"),
        ];
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn what_is_left_out_has_the_real_defaults() {
        let mut properties = samples::properties();
        for key in ["loadbalance.haproxy_user", "loadbalance.haproxy_pwd", "appliance.permit_root_login"] {
            properties.remove(key);
        }
        let inputs = Inputs::read(&properties, true).unwrap();
        assert_eq!((inputs.haproxy_user.as_str(), inputs.haproxy_password.reveal()), ("admin", "haproxy"));
        assert_eq!((inputs.dataplane_port, inputs.permit_root_login), (5556, true));
        assert_eq!(inputs.service_ranges.len(), 2);
        assert_eq!(Inputs::read(&properties, false).unwrap().frontend_ip, None);
    }

    #[rstest]
    #[case("network.management_ip", "", "property network.management_ip is missing")]
    #[case("network.frontend_ip", "null", "property network.frontend_ip is missing")]
    #[case("appliance.root_pwd", " ", "property appliance.root_pwd is missing")]
    #[case(
        "network.workload_ip",
        "198.18.1.0/24",
        "property network.workload_ip must be an address in CIDR form such as 198.18.0.10/24, got `198.18.1.0/24`"
    )]
    #[case(
        "network.workload_gateway",
        "gw",
        "property network.workload_gateway must be an address such as 198.18.0.1, got `gw`"
    )]
    #[case("loadbalance.dataplane_port", "70000", "property loadbalance.dataplane_port must be a port, got `70000`")]
    #[case(
        "loadbalance.service_ip_range",
        "198.18.2.16/28,x",
        "property loadbalance.service_ip_range must be ranges in CIDR form such as 198.18.2.16/28, separated by commas, got `198.18.2.16/28,x`"
    )]
    fn a_wrong_property_is_named(#[case] key: &str, #[case] value: &str, #[case] message: &str) {
        let mut properties = samples::properties();
        properties.insert(key.to_owned(), value.to_owned());
        assert_eq!(Inputs::read(&properties, true).unwrap_err().to_string(), message);
    }

    #[test]
    fn half_a_certificate_is_none_and_a_damaged_one_is_refused() {
        let mut properties = samples::properties();
        properties.insert("appliance.ca_cert".into(), "rubbish".into());
        assert!(Inputs::read(&properties, true).unwrap().pair.is_none());
        properties.insert("appliance.ca_cert_key".into(), "rubbish".into());
        let error = Inputs::read(&properties, true).unwrap_err();
        assert_eq!(error, InputsError::Certificate(CertificateError::NoCertificate));
    }
}
