//! From power to services.

use std::cell::RefCell;
use std::time::Duration;

use grenadier_dataplane::Remembered;
use grenadier_guest::Host;

use crate::metadata::Metadata;
use crate::ovf::{Inputs, InputsError, properties};
use crate::{Facts, certificates, dataplaneapi, paths, templates};

/// How many OVF environments a thread remembers: machines of one scenario are given the same ones in every run of it.
const MOST_KNOWN: usize = 16;

/// How long the parts of a boot take. What happens before (firmware, kernel) is the fleet's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootTiming {
    /// cloud-init at the first boot: OVF properties, keys, certificates.
    pub cloud_init_first: Duration,
    /// cloud-init at a later boot.
    pub cloud_init_later: Duration,
    /// Addresses, policy routes, AnyIP.
    pub network: Duration,
    /// HAProxy.
    pub haproxy: Duration,
    /// The Data Plane API.
    pub dataplaneapi: Duration,
    /// From the order to shut down to power off; services stop at once.
    pub shutdown: Duration,
}

impl BootTiming {
    /// The frozen values of golden logs. They are assumptions of ordinary size.
    pub const fn reference() -> BootTiming {
        BootTiming {
            cloud_init_first: Duration::from_secs(12),
            cloud_init_later: Duration::from_secs(4),
            network: Duration::from_secs(1),
            haproxy: Duration::from_secs(1),
            dataplaneapi: Duration::from_secs(2),
            shutdown: Duration::from_secs(2),
        }
    }

    /// The same parts, each of which takes `times` as long.
    pub fn slower(self, times: u32) -> BootTiming {
        BootTiming {
            cloud_init_first: self.cloud_init_first * times,
            cloud_init_later: self.cloud_init_later * times,
            network: self.network * times,
            haproxy: self.haproxy * times,
            dataplaneapi: self.dataplaneapi * times,
            shutdown: self.shutdown * times,
        }
    }

    /// No time at all beyond what the real programs take: for containers.
    pub const fn immediate() -> BootTiming {
        let none = Duration::ZERO;
        BootTiming {
            cloud_init_first: none,
            cloud_init_later: none,
            network: none,
            haproxy: none,
            dataplaneapi: none,
            shutdown: none,
        }
    }
}

/// How far a boot is. Each stage is done when its time is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    #[default]
    Off,
    CloudInit,
    Network,
    Haproxy,
    DataPlaneApi,
    Up,
    /// The OVF properties are of no use: nothing was started.
    Failed,
    ShuttingDown,
}

impl Stage {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Stage::Off => "off",
            Stage::CloudInit => "cloud-init",
            Stage::Network => "network",
            Stage::Haproxy => "haproxy",
            Stage::DataPlaneApi => "dataplaneapi",
            Stage::Up => "up",
            Stage::Failed => "failed",
            Stage::ShuttingDown => "shutting-down",
        }
    }
}

/// Whether the OVF properties were not taken over yet.
pub(crate) fn is_first_boot(host: &dyn Host) -> bool {
    host.read(paths::FIRST_BOOT_DONE).is_none()
}

/// What `ovf-to-cloud-init` does at the first boot: properties to files.
pub(crate) fn take_over(version: &str, facts: &Facts, salt: &str, host: &mut dyn Host) -> Result<(), String> {
    let inputs = read_inputs(host).map_err(|error| error.to_string())?;
    let mut write = |path: &str, content: String| host.write(path, content.into());
    write(paths::RELEASE, format!("VERSION={version}\n"))?;
    write(paths::HOSTNAME, format!("{}\n", inputs.hostname))?;
    let root = grenadier_dataplane::md5_crypt(inputs.root_password.reveal(), "SaltSalt");
    write(paths::SHADOW, format!("root:{root}:20454:0:99999:7:::\n"))?;
    let permitted = if inputs.permit_root_login { "yes" } else { "no" };
    let management = inputs.management_ip.addr();
    write(paths::SSHD_CONFIG, format!("ListenAddress {management}\nPermitRootLogin {permitted}\n"))?;
    let password = grenadier_dataplane::md5_crypt(inputs.haproxy_password.reveal(), salt);
    let user = format!("  user {} password {password}\n", inputs.haproxy_user);
    write(paths::HAPROXY_CFG, format!("{}{user}", templates::HAPROXY_CFG))?;
    let delay = dataplaneapi::print_delay(facts.reload_delay());
    let config = templates::dataplaneapi_cfg(&delay, &management.to_string(), inputs.dataplane_port);
    write(paths::DATAPLANEAPI_CFG, config)?;
    let ranges: String = inputs.service_ranges.iter().map(|range| format!("{range}\n")).collect();
    write(paths::ANYIP_CFG, format!("{}{ranges}", templates::ANYIP_CFG))?;
    write(paths::ROUTE_TABLES_CFG, format!("{}{}", templates::ROUTE_TABLES_CFG, route_tables(facts, &inputs)))?;
    if facts.additional_workload_networks && !inputs.additional_workload_networks.is_empty() {
        let networks = inputs.additional_workload_networks.iter().map(|network| format!("{network}\n"));
        write(paths::WORKLOAD_NETWORKS_CFG, networks.collect())?;
    }
    if let Some(pair) = &inputs.pair {
        certificates::install(pair, host)?;
    }
    Metadata::of(&inputs).write(host)?;
    host.write(paths::FIRST_BOOT_DONE, bytes::Bytes::new())
}

fn read_inputs(host: &dyn Host) -> Result<Inputs, InputsError> {
    let xml = host.config(paths::OVF_ENVIRONMENT).filter(|xml| !xml.trim().is_empty());
    let xml = xml.ok_or(InputsError::NoEnvironment)?;
    let frontend = host.nics().iter().any(|(_, segment, _)| segment == "frontend");
    thread_local! {
        static KNOWN: RefCell<Remembered<(bool, String), Inputs>> =
            const { RefCell::new(Remembered::new(MOST_KNOWN)) };
    }
    let key = (frontend, xml);
    if let Some(inputs) = KNOWN.with_borrow(|known| known.find(&key)) {
        return Ok(inputs);
    }
    let inputs = Inputs::read(&properties(&key.1).map_err(InputsError::Unreadable)?, frontend)?;
    KNOWN.with_borrow_mut(|known| known.keep(key, inputs.clone()));
    Ok(inputs)
}

/// The lines of `route-tables.cfg`: for each network with a gateway the default route, and the link-scoped one where this
/// version has those.
fn route_tables(facts: &Facts, inputs: &Inputs) -> String {
    let networks = [
        (2, "workload", Some(inputs.workload_ip), inputs.workload_gateway),
        (3, "frontend", inputs.frontend_ip, inputs.frontend_gateway),
    ];
    let mut text = String::new();
    for (id, name, address, gateway) in networks {
        let (Some(address), Some(gateway)) = (address, gateway) else { continue };
        text.push_str(&format!("{id},{name},{name},{address},{gateway}\n"));
        if facts.link_scoped_routes {
            text.push_str(&format!("{id},{name},{name},{address}\n"));
        }
    }
    text
}
