//! Tasks on machines: power, reconfiguration, removal.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::retry::{Certainty, Wait};
use crate::vsphere::client::{Repeat, VSphere, incomplete};
use crate::vsphere::element::{Element, ManagedObject};
use crate::vsphere::error::VSphereError;
use crate::vsphere::machine::Reconfigure;

/// Whether a machine is on, as vSphere says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowerState {
    /// `poweredOn`
    On,
    /// `poweredOff`
    Off,
    /// `suspended`
    Suspended,
}

impl PowerState {
    /// vSphere's word.
    pub const fn name(self) -> &'static str {
        match self {
            PowerState::On => "poweredOn",
            PowerState::Off => "poweredOff",
            PowerState::Suspended => "suspended",
        }
    }

    /// Reads vSphere's word.
    pub fn parse(text: &str) -> Option<PowerState> {
        [PowerState::On, PowerState::Off, PowerState::Suspended].into_iter().find(|state| state.name() == text)
    }
}

/// How to see that a task's effect is there already.
#[derive(Clone, Copy)]
enum Effect {
    /// The machine is in this state.
    Power(PowerState),
    /// The machine is gone.
    Gone,
    /// It cannot be seen, but doing it again gives the same.
    Same,
}

impl VSphere {
    /// Whether a machine is on.
    ///
    /// # Errors
    /// There is no such machine, or vCenter does not answer.
    pub async fn power_state(&mut self, machine: &ManagedObject) -> Result<PowerState, VSphereError> {
        let properties = self.properties(machine, &["runtime.powerState"]).await?;
        let text = &properties.require("runtime.powerState")?.text;
        PowerState::parse(text).ok_or_else(|| incomplete("RetrievePropertiesEx", "power state we know"))
    }

    /// Powers a machine on, where it is not.
    ///
    /// # Errors
    /// The task failed or did not end in time, or vCenter does not answer.
    pub async fn power_on(&mut self, machine: &ManagedObject, limit: Duration) -> Result<(), VSphereError> {
        self.perform("PowerOnVM_Task", machine, &[], Effect::Power(PowerState::On), limit).await
    }

    /// Powers a machine off at once, where it is not.
    ///
    /// # Errors
    /// The task failed or did not end in time, or vCenter does not answer.
    pub async fn power_off(&mut self, machine: &ManagedObject, limit: Duration) -> Result<(), VSphereError> {
        self.perform("PowerOffVM_Task", machine, &[], Effect::Power(PowerState::Off), limit).await
    }

    /// Asks the guest to shut down, and returns without waiting for it.
    ///
    /// # Errors
    /// The machine is off, has no tools, or vCenter does not answer.
    pub async fn shut_down_guest(&mut self, machine: &ManagedObject) -> Result<(), VSphereError> {
        self.call("ShutdownGuest", machine, &[], Repeat::Freely).await.map(|_| ())
    }

    /// [`VSphere::wait_for_power`] for a machine that should have it by now: it looks before it waits.
    ///
    /// # Errors
    /// It has not in time, or vCenter does not answer.
    pub async fn settle_power(
        &mut self,
        machine: &ManagedObject,
        state: PowerState,
        limit: Duration,
    ) -> Result<(), VSphereError> {
        if self.is_there(machine, Effect::Power(state)).await? {
            return Ok(());
        }
        self.wait_for_power(machine, state, limit).await
    }

    /// Waits until a machine has this power state.
    ///
    /// # Errors
    /// It has not in time, or vCenter does not answer.
    pub async fn wait_for_power(
        &mut self,
        machine: &ManagedObject,
        state: PowerState,
        limit: Duration,
    ) -> Result<(), VSphereError> {
        let what = format!("{machine} {}", state.name());
        let path = "runtime.powerState";
        self.wait_for(machine, &[path], &what, limit, |seen| (seen.text(path) == Some(state.name())).then_some(()))
            .await
    }

    /// Changes what a machine is made of, in one call.
    ///
    /// # Errors
    /// The task failed or did not end in time, or vCenter does not answer.
    pub async fn reconfigure(
        &mut self,
        machine: &ManagedObject,
        change: &Reconfigure,
        limit: Duration,
    ) -> Result<(), VSphereError> {
        self.perform("ReconfigVM_Task", machine, &[change.spec()], Effect::Same, limit).await
    }

    /// Removes a machine that is off, with its disks. One that is gone already is no error.
    ///
    /// # Errors
    /// The task failed or did not end in time, or vCenter does not answer.
    pub async fn destroy(&mut self, machine: &ManagedObject, limit: Duration) -> Result<(), VSphereError> {
        self.perform("Destroy_Task", machine, &[], Effect::Gone, limit).await
    }

    /// Takes a snapshot of a machine, without its memory.
    ///
    /// # Errors
    /// The task failed or did not end in time, or vCenter does not answer.
    #[cfg(feature = "mutants")]
    pub(crate) async fn snapshot(
        &mut self,
        machine: &ManagedObject,
        name: &str,
        limit: Duration,
    ) -> Result<(), VSphereError> {
        let flag = |name: &str| Element::text(name, "false");
        let arguments = [Element::text("name", name), flag("memory"), flag("quiesce")];
        self.perform("CreateSnapshot_Task", machine, &arguments, Effect::Same, limit).await
    }

    /// Has a task performed, once in effect.
    ///
    /// Where an answer was lost, or where another task is at work, it looks for the effect before it asks again. `limit` is for
    /// the task, and once more for what is in its way.
    async fn perform(
        &mut self,
        method: &'static str,
        machine: &ManagedObject,
        arguments: &[Element],
        effect: Effect,
        limit: Duration,
    ) -> Result<(), VSphereError> {
        let wait = Wait::new(&self.wire, format!("{method} on {machine}"), limit, Duration::from_secs(2));
        loop {
            if self.is_there(machine, effect).await? {
                return Ok(());
            }
            let error = match self.attempt(method, machine, arguments, limit).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let gone = error.is_fault("ManagedObjectNotFound") && matches!(effect, Effect::Gone);
            if gone {
                return Ok(());
            }
            // A machine whose import is under way cannot be destroyed in its current state. The lease's end is its end too.
            let raced = error.is_fault("TaskInProgress")
                || (error.is_fault("InvalidState") && matches!(effect, Effect::Gone))
                || (error.is_fault("InvalidPowerState") && matches!(effect, Effect::Power(_)));
            if !raced && error.certainty() != Certainty::Unknown {
                return Err(error);
            }
            wait.again(error.to_string()).await?;
        }
    }

    async fn attempt(
        &mut self,
        method: &'static str,
        machine: &ManagedObject,
        arguments: &[Element],
        limit: Duration,
    ) -> Result<(), VSphereError> {
        let answer = self.call(method, machine, arguments, Repeat::IfUndelivered).await?;
        let task = answer.reference_at("returnval").ok_or_else(|| incomplete(method, "task"))?;
        match self.wait_for_task(&task, method, machine, limit).await {
            Err(VSphereError::NotInTime(late)) => {
                // As long as it runs, nothing else can be done to the machine. One that cannot be cancelled goes on.
                let _ = self.call("CancelTask", &task, &[], Repeat::Freely).await;
                Err(VSphereError::TaskNotInTime(late))
            }
            ended => ended.map(|_| ()),
        }
    }

    async fn is_there(&mut self, machine: &ManagedObject, effect: Effect) -> Result<bool, VSphereError> {
        match effect {
            Effect::Same => Ok(false),
            // Nothing is done where it is there already, so a cache that is behind must not say so: it is asked twice.
            Effect::Power(state) => {
                Ok(self.power_state(machine).await? == state && self.power_state(machine).await? == state)
            }
            Effect::Gone => match self.properties(machine, &["name"]).await {
                Ok(_) => Ok(false),
                Err(error) if error.is_fault("ManagedObjectNotFound") => Ok(true),
                Err(error) => Err(error),
            },
        }
    }
}
