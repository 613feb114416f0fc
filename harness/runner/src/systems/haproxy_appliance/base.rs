//! Phase `base`: the appliance's base version, deployed as a person would, and what stands around it.

use std::time::Duration;

use grenadier_catalog::{Named, RouteRulesOnStop, Segment};
use grenadier_engine::vsphere::{Deployment, VSphere, VSphereAccess};
use grenadier_events::Actor;
use grenadier_fleet::{MachineId, MachineSpec, Operation};
use grenadier_haproxy_appliance::{Facts, Ova, RulesOnStop, fingerprint_of_pem, ova};
use grenadier_scenario::{Given, ProductVersion};
use grenadier_wire::{Secret, TlsTrust};

use super::layout::{Balancer, DATAPLANE_PORT};
use super::{BASE_WITHIN, FIRST, HaproxyAppliance, call, machines};
use crate::rehearsal::wait_until;
use crate::setting::{ADMINISTRATOR, HAPROXY_USER};
use crate::stage::{Pace, Stage};
use crate::systems::PhaseError;

/// How long one call or task of a deployment may take.
const DEPLOY_WITHIN: Duration = Duration::from_secs(120);

/// The package of a version, as its makers would publish it.
pub(super) fn package(version: &ProductVersion, pace: &Pace) -> Ova {
    let facts = &version.facts;
    let facts = Facts {
        haproxy: facts.haproxy.to_string(),
        dataplane_generation: facts
            .dataplane_generation
            .to_string()
            .parse()
            .expect("a version number of the catalogue is one of the Data Plane API"),
        regenerates_certificates: facts.regenerates_certificates,
        link_scoped_routes: facts.link_scoped_routes,
        route_rules_on_stop: match facts.route_rules_on_stop {
            RouteRulesOnStop::DeletesOne => RulesOnStop::DeletesOne,
            RouteRulesOnStop::DeletesNone => RulesOnStop::DeletesNone,
        },
        additional_workload_networks: facts.additional_workload_networks,
        reload_delay_ms: pace
            .reload_delay_ms
            .unwrap_or_else(|| u64::try_from(facts.reload_delay.as_millis()).unwrap_or(u64::MAX)),
    };
    ova(&format!("v{}", version.number), &version.image, &facts)
}

/// What the OVF descriptor calls a segment.
pub(super) const fn ovf_network(segment: Segment) -> &'static str {
    match segment {
        Segment::Management => "Management",
        Segment::Workload => "Workload",
        Segment::Frontend => "Frontend",
    }
}

impl HaproxyAppliance {
    /// The client of a vCenter account.
    pub(super) fn vcenter(&self, stage: &dyn Stage) -> VSphere {
        let access = vcenter_access(stage, ADMINISTRATOR, &self.secrets.administrator);
        VSphere::new(stage.wire().clone(), Actor::Runner, access)
    }

    /// Backends, canary, client and the appliance.
    pub(super) async fn stand_up(&mut self, stage: &dyn Stage) -> Result<(), PhaseError> {
        let nodes = machines::nodes(self.layout(), stage.pace());
        self.start_all(stage, nodes).await?;
        self.deploy(stage).await?;
        let shell = self.appliance_shell(stage);
        // Level-triggered: the services are there when they say so, however long the boot took.
        let deadline = stage.clock().now() + BASE_WITHIN;
        loop {
            // The one that comes up last is asked first: as long as it does not run, there is nothing to ask the other.
            let mut last = String::new();
            for service in ["dataplaneapi", "haproxy"] {
                let state = shell.service_state(service).await;
                if state.as_deref() != Ok("active") {
                    last = format!("{service} {state:?}");
                    break;
                }
            }
            match last.is_empty() {
                true => break,
                false if stage.clock().now() >= deadline => {
                    let what = "the appliance's services running".to_owned();
                    return Err(PhaseError::NotInTime { what, within: BASE_WITHIN, last });
                }
                false => stage.clock().sleep(Duration::from_millis(stage.pace().poll_ms)).await,
            }
        }
        let certificate = shell.read("/etc/haproxy/server.crt").await;
        let certificate = certificate.map_err(|error| call("read the appliance's certificate", &error))?;
        let certificate =
            certificate.ok_or_else(|| PhaseError::Unfit("the appliance has no certificate".to_owned()))?;
        self.pin =
            fingerprint_of_pem(&certificate).map_err(|error| call("read the appliance's certificate", &error))?;
        Ok(())
    }

    async fn deploy(&self, stage: &dyn Stage) -> Result<(), PhaseError> {
        let mut vcenter = self.vcenter(stage);
        let find = |error| call("find where to deploy", &error);
        let pool = vcenter.find_required("/DC0/host/DC0_C0/Resources").await.map_err(find)?;
        let datastore = vcenter.find_required("/DC0/datastore/LocalDS_0").await.map_err(find)?;
        let folder = vcenter.find_required("/DC0/vm").await.map_err(find)?;
        let mut networks = Vec::new();
        for (segment, _, _) in &self.layout().appliance {
            let network = vcenter.find_required(&format!("/DC0/network/{segment}")).await.map_err(find)?;
            networks.push((ovf_network(*segment).to_owned(), network));
        }
        let package = package(&self.versions[0], stage.pace());
        let deployment = Deployment {
            name: FIRST.to_owned(),
            descriptor: package.descriptor,
            disk: package.disk,
            option: Some(self.scenario.topology.networks.name().to_owned()),
            networks,
            properties: self.properties(),
            extra_config: Vec::new(),
            pool,
            datastore,
            folder,
            host: None,
        };
        let machine = vcenter.deploy(&deployment, DEPLOY_WITHIN).await;
        let machine = machine.map_err(|error| call("deploy the base version", &error))?;
        let on = vcenter.power_on(&machine, DEPLOY_WITHIN).await;
        on.map_err(|error| call("power the base version on", &error))?;
        vcenter.log_out().await;
        Ok(())
    }

    /// The OVF properties of the base version. It makes its certificates itself.
    fn properties(&self) -> Vec<(String, Secret)> {
        let layout = self.layout();
        let mut properties = vec![
            ("appliance.root_pwd".to_owned(), self.secrets.appliance_root.clone()),
            ("appliance.permit_root_login".to_owned(), Secret::new("true")),
            ("network.hostname".to_owned(), Secret::new("haproxy.local")),
            ("network.nameservers".to_owned(), Secret::new("198.18.0.53")),
            ("loadbalance.dataplane_port".to_owned(), Secret::new(DATAPLANE_PORT.to_string())),
            ("loadbalance.haproxy_user".to_owned(), Secret::new(HAPROXY_USER)),
            ("loadbalance.haproxy_pwd".to_owned(), self.secrets.haproxy.clone()),
        ];
        for (segment, address, gateway) in &layout.appliance {
            properties.push((format!("network.{segment}_ip"), Secret::new(address.to_string())));
            properties.push((format!("network.{segment}_gateway"), Secret::new(gateway.to_string())));
        }
        let ranges: Vec<String> = layout.service_ranges.iter().map(ToString::to_string).collect();
        properties.push(("loadbalance.service_ip_range".to_owned(), Secret::new(ranges.join(","))));
        properties
    }

    /// The operators, each on its machine, with nothing to program yet.
    pub(super) async fn start_operators(&mut self, stage: &dyn Stage) -> Result<(), PhaseError> {
        let places = self.layout().operators.clone();
        let specs = places
            .iter()
            .zip(0..)
            .map(|(place, number)| machines::operator(place, self.operator_config(place, stage), stage.pace(), number));
        let specs = specs.collect();
        self.start_all(stage, specs).await?;
        wait_until(stage, "every operator content", BASE_WITHIN, || {
            let retrying = self.data_plane.retrying(&self.clusters());
            if retrying.is_empty() { Ok(()) } else { Err(format!("{} is not content", retrying.join(", "))) }
        })
        .await
    }

    /// Makes machines outside the cloud and turns them on, all at once.
    async fn start_all(&self, stage: &dyn Stage, specs: Vec<MachineSpec>) -> Result<(), PhaseError> {
        let failed = |source| PhaseError::Fleet { what: "start a machine".to_owned(), source };
        let (ids, created): (Vec<MachineId>, Vec<_>) = specs.into_iter().map(|spec| stage.create(spec)).unzip();
        for done in futures_util::future::join_all(created).await {
            done.map_err(failed)?;
        }
        let on = ids.into_iter().map(|machine| stage.perform(Operation::PowerOn { machine }));
        for done in futures_util::future::join_all(on).await {
            done.map_err(failed)?;
        }
        Ok(())
    }

    /// What somebody changed by hand on the base version, before anything depends on it.
    pub(super) async fn customise(&self, stage: &dyn Stage) -> Result<(), PhaseError> {
        let shell = self.appliance_shell(stage);
        let failed = |error| call("customise the appliance", &error);
        let mut touched = false;
        for given in &self.scenario.given {
            if let Given::ServiceRange(range) = given {
                self.add_range(stage, *range).await?;
            }
            let Given::Customisation(change) = given else { continue };
            let text = shell.read(&change.file).await.map_err(failed)?.unwrap_or_default();
            shell
                .write(&change.file, customised(&text, change.section.as_deref(), &change.line))
                .await
                .map_err(failed)?;
            touched = true;
        }
        let by_hand: String = self.layout().balancers.iter().filter(|balancer| balancer.by_hand).map(written).collect();
        if !by_hand.is_empty() {
            const FILE: &str = "/etc/haproxy/haproxy.cfg";
            let text = shell.read(FILE).await.map_err(failed)?.unwrap_or_default();
            shell.write(FILE, format!("{text}{by_hand}")).await.map_err(failed)?;
            touched = true;
        }
        if touched {
            for service in ["haproxy", "dataplaneapi"] {
                shell.systemctl("restart", service).await.map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// Access to the vCenter for an account.
pub(super) fn vcenter_access(stage: &dyn Stage, user: &str, password: &Secret) -> VSphereAccess {
    let (endpoint, pin) = stage.vcenter();
    VSphereAccess {
        endpoint,
        tls: Some(pin.map_or(TlsTrust::Anyone, TlsTrust::Pinned)),
        user: user.to_owned(),
        password: password.clone(),
    }
}

/// A load balancer as a person writes it into `haproxy.cfg`.
fn written(balancer: &Balancer) -> String {
    let Balancer { name, vip, backends, .. } = balancer;
    let mut text = format!("\nfrontend {name}\n  bind {vip}\n  default_backend {name}\n\nbackend {name}\n");
    for (server, address, port) in backends {
        text.push_str(&format!("  server {server} {}:{port}\n", address.addr()));
    }
    text
}

/// `text` with `line` at the end of `section`, or at its own end where no section is named or there is none.
fn customised(text: &str, section: Option<&str>, line: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let starts = |text: &str| !text.is_empty() && !text.starts_with([' ', '\t', '#']);
    let begin = section.and_then(|section| lines.iter().position(|text| text.trim_end() == section));
    let at = match begin {
        None => lines.len(),
        Some(begin) => {
            let next = lines[begin + 1..].iter().position(|text| starts(text)).map(|offset| begin + 1 + offset);
            let end = next.unwrap_or(lines.len());
            // Blank lines between sections belong to nobody.
            let blank = lines[..end].iter().rev().take_while(|text| text.trim().is_empty()).count();
            end - blank
        }
    };
    lines.insert(at, line);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::customised;

    #[test]
    fn a_line_goes_to_the_end_of_its_section() {
        let text = "# _version=1\nglobal\n    daemon\n\ndefaults\n    mode tcp\n";
        let changed = customised(text, Some("global"), "    maxconn 5");
        assert_eq!(changed, "# _version=1\nglobal\n    daemon\n    maxconn 5\n\ndefaults\n    mode tcp\n");
        assert!(customised(text, Some("defaults"), "    retries 3").ends_with("mode tcp\n    retries 3\n"));
        assert!(customised(text, None, "x").ends_with("mode tcp\nx\n"));
    }
}
