//! What the steps share.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use grenadier_events::Actor;
use grenadier_wire::{TlsTrust, Wire};

use crate::dataplane::{Dataplane, DataplaneAccess};
use crate::procedure::Context;
use crate::procedures::haproxy_appliance::findings::{Findings, OldAppliance};
use crate::procedures::haproxy_appliance::parameters::{Parameters, Vantage};
use crate::retry::Wait;
use crate::seal::Seal;
use crate::shell::{Shell, ShellAccess};
use crate::step::StepError;
use crate::vsphere::{MachineFacts, ManagedObject, OvfDescriptor, PowerState, VSphere};

/// The configuration key by which the new machine is recognised as this upgrade's own.
pub(super) const OWNER_KEY: &str = "grenadier.upgrade";

/// The configuration key that says its import came to an end.
pub(super) const COMPLETE_KEY: &str = "grenadier.upgrade.complete";

/// The services of an appliance that must run.
pub(super) const SERVICES: [&str; 2] = ["haproxy", "dataplaneapi"];

/// The parameters, clients and findings of one swap.
pub struct Swap {
    pub(super) wire: Wire,
    pub(super) vsphere: VSphere,
    pub(super) parameters: Parameters,
    pub(super) findings: Findings,
    /// The key of this upgrade, the same for every attempt at it.
    pub(super) key: String,
    seal: OnceLock<Seal>,
    /// What the new image's descriptor says, once somebody has asked.
    ovf: Option<Arc<OvfDescriptor>>,
}

impl Context for Swap {
    fn close<'a>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(self.vsphere.log_out())
    }

    fn left<'a>(&'a mut self) -> Pin<Box<dyn Future<Output = String> + Send + 'a>> {
        Box::pin(self.whereabouts())
    }
}

/// How long after a power state that cannot be the present one it is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl Swap {
    pub(super) fn new(wire: Wire, parameters: Parameters, key: String) -> Swap {
        let vsphere = VSphere::new(wire.clone(), Actor::Engine, parameters.vcenter.clone());
        Swap { wire, vsphere, parameters, findings: Findings::default(), key, seal: OnceLock::new(), ovf: None }
    }

    /// What it was told.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Seals what must not be read in the journal. Whoever knows the appliance's root password can read it there, too.
    pub(super) fn seal(&self) -> &Seal {
        self.seal.get_or_init(|| Seal::new(&self.parameters.root_password, &self.key))
    }

    /// What stands on the new machine to say whose it is: an engine never touches what another one made, even for the same upgrade.
    pub(super) fn owner(&self) -> String {
        match self.parameters.run.as_str() {
            "" => self.key.clone(),
            run => format!("{}/{run}", self.key),
        }
    }

    /// What the new image's descriptor says.
    pub(super) fn ovf(&mut self) -> Result<Arc<OvfDescriptor>, StepError> {
        if let Some(ovf) = &self.ovf {
            return Ok(Arc::clone(ovf));
        }
        let read = OvfDescriptor::read(&self.parameters.ova.descriptor);
        let ovf = Arc::new(read.map_err(|error| StepError::Unfit(error.to_string()))?);
        Ok(Arc::clone(self.ovf.insert(ovf)))
    }

    /// The inventory path of a machine.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/vm/{name}", self.parameters.datacenter)
    }

    pub(super) async fn find_old(&mut self) -> Result<Option<ManagedObject>, StepError> {
        let path = self.path(&self.parameters.old_name);
        Ok(self.vsphere.find(&path).await?)
    }

    /// The new machine, where there is one of that name, ours or not.
    pub(super) async fn find_new(&mut self) -> Result<Option<ManagedObject>, StepError> {
        let path = self.path(&self.parameters.new_name);
        Ok(self.vsphere.find(&path).await?)
    }

    /// The new machine, where there is one and this upgrade made it.
    pub(super) async fn find_own_new(&mut self) -> Result<Option<ManagedObject>, StepError> {
        let Some(machine) = self.find_new().await? else { return Ok(None) };
        let owned = self.option(&machine, OWNER_KEY).await?.is_some_and(|owner| owner == self.owner());
        Ok(owned.then_some(machine))
    }

    /// A configuration key of a machine, which may be one whose import has only begun.
    pub(super) async fn option(&mut self, machine: &ManagedObject, key: &str) -> Result<Option<String>, StepError> {
        Ok(self.vsphere.option(machine, key).await?)
    }

    /// The old appliance, which an earlier step has read.
    pub(super) fn old(&self) -> Result<&OldAppliance, StepError> {
        self.findings.old.as_ref().ok_or_else(|| StepError::Unfit("the old appliance has not been read".to_owned()))
    }

    /// The old machine with its inputs. A journal does not keep these, so after a restart vCenter is asked again.
    pub(super) async fn old_with_inputs(&mut self) -> Result<MachineFacts, StepError> {
        let known = self.old()?.machine.clone();
        if !known.properties.is_empty() {
            return Ok(known);
        }
        let properties = self.vsphere.machine(&known.object).await?.properties;
        Ok(MachineFacts { properties, ..known })
    }

    /// The new machine, which an earlier step has deployed.
    pub(super) fn new_machine(&self) -> Result<ManagedObject, StepError> {
        let unfit = || StepError::Unfit("the new appliance has not been deployed".to_owned());
        self.findings.new.clone().ok_or_else(unfit)
    }

    /// The names of the clusters that have operators.
    pub(super) fn clusters(&self) -> Vec<&str> {
        self.parameters.vantages.iter().map(|vantage| vantage.cluster.as_str()).collect()
    }

    /// The appliance's shell. Both appliances have the same address, and only one is on.
    pub(super) fn appliance_shell(&self) -> Result<Shell, StepError> {
        let access = ShellAccess {
            host: self.old()?.management.to_string(),
            user: "root".to_owned(),
            password: Some(self.parameters.root_password.clone()),
        };
        Ok(Shell::new(&self.wire, Actor::Engine, access))
    }

    pub(super) fn vantage_shell(&self, vantage: &Vantage) -> Shell {
        let access =
            ShellAccess { host: vantage.host.clone(), user: vantage.user.clone(), password: vantage.password.clone() };
        Shell::new(&self.wire, Actor::Engine, access)
    }

    /// The appliance's Data Plane API, with the certificate the operators pin.
    pub(super) fn dataplane(&self) -> Result<Dataplane, StepError> {
        let old = self.old()?;
        let access = DataplaneAccess {
            endpoint: std::net::SocketAddr::new(old.management, old.api_port).to_string(),
            tls: Some(TlsTrust::Pinned(old.fingerprint.clone())),
            user: self.parameters.haproxy_user.clone(),
            password: self.parameters.haproxy_password.clone(),
        };
        Ok(Dataplane::new(&self.wire, Actor::Engine, access))
    }

    /// Powers a machine on after seeing that the other appliance is off.
    ///
    /// Two appliances on one segment answer ARP for the same addresses, so nothing here ever turns one on without this look.
    pub(super) async fn power_on_alone(
        &mut self,
        machine: &ManagedObject,
        other: Option<&ManagedObject>,
    ) -> Result<(), StepError> {
        if let Some(other) = other {
            let mut state = self.vsphere.power_state(other).await?;
            if state != PowerState::Off {
                // An answer may be older than what was just done.
                self.wire.clock().sleep(LOOK_AGAIN).await;
                state = self.vsphere.power_state(other).await?;
            }
            if state != PowerState::Off {
                let message = format!("{other} is {}: two appliances must never be on together", state.name());
                return Err(StepError::Unfit(message));
            }
        }
        let limit = self.parameters.deadlines.task;
        self.vsphere.power_on(machine, limit).await?;
        self.vsphere.settle_power(machine, PowerState::On, limit).await?;
        Ok(())
    }

    /// Powers a machine off: first the guest is asked, and after a deadline the plug is pulled.
    pub(super) async fn power_off_softly(&mut self, machine: &ManagedObject) -> Result<(), StepError> {
        let (soft, hard) = (self.parameters.deadlines.shutdown, self.parameters.deadlines.task);
        // Off is believed when it was seen twice: an answer may be older than what was just done.
        if self.vsphere.power_state(machine).await? == PowerState::Off
            && self.vsphere.power_state(machine).await? == PowerState::Off
        {
            return Ok(());
        }
        // A guest that cannot be asked (it has no tools, say) or does not do it is turned off all the same. One that is off
        // or about to be when it is asked again has heard the first time.
        let asked = match self.vsphere.shut_down_guest(machine).await {
            Ok(()) => true,
            Err(error) => error.is_fault("InvalidPowerState"),
        };
        if asked && self.vsphere.wait_for_power(machine, PowerState::Off, soft).await.is_ok() {
            return Ok(());
        }
        self.vsphere.power_off(machine, hard).await?;
        self.vsphere.settle_power(machine, PowerState::Off, hard).await?;
        Ok(())
    }

    /// Waits until the appliance's services run and its API answers our password.
    pub(super) async fn wait_for_services(&self) -> Result<(), StepError> {
        let shell = self.appliance_shell()?;
        let deadlines = &self.parameters.deadlines;
        let wait = Wait::new(&self.wire, "services running", deadlines.services, deadlines.poll);
        loop {
            let mut last = None;
            // The one that comes up last is asked first: as long as it does not run, there is nothing to ask the other.
            for service in SERVICES.into_iter().rev() {
                match shell.service_state(service).await {
                    Ok(state) if state == "active" => {}
                    Ok(state) => last = Some(format!("{service} is {state}")),
                    Err(error) => last = Some(crate::report::chain(&error)),
                }
                if last.is_some() {
                    break;
                }
            }
            match last {
                None => return Ok(()),
                Some(last) => wait.again(last).await?,
            }
        }
    }
}
