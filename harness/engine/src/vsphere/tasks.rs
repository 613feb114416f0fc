//! Tasks that somebody began before us.

use std::time::Duration;

use crate::retry::Wait;
use crate::vsphere::client::{Repeat, VSphere};
use crate::vsphere::element::ManagedObject;
use crate::vsphere::error::VSphereError;

impl VSphere {
    /// [`VSphere::wait_for_tasks`] for somebody who goes on all the same where one does not end in time: what it was to do, it
    /// has not done by then, and is looked at before anything hangs on it.
    ///
    /// # Errors
    /// There is no such machine (any more), or vCenter does not answer.
    pub async fn settle_tasks(&mut self, machine: &ManagedObject, limit: Duration) -> Result<(), VSphereError> {
        match self.wait_for_tasks(machine, limit).await {
            Err(VSphereError::NotInTime(_)) => Ok(()),
            other => other,
        }
    }

    /// [`VSphere::settle_tasks`] for a machine of our own: a task that does not end in time is cancelled, where it can be. The
    /// engine that began it is gone, and as long as it runs, nothing else can be done to the machine.
    ///
    /// # Errors
    /// There is no such machine (any more), or vCenter does not answer.
    pub async fn cancel_tasks(&mut self, machine: &ManagedObject, limit: Duration) -> Result<(), VSphereError> {
        match self.wait_for_tasks(machine, limit).await {
            Err(VSphereError::NotInTime(_)) => {}
            other => return other,
        }
        for (task, _) in self.tasks_at_work(machine).await? {
            let _ = self.call("CancelTask", &task, &[], Repeat::Freely).await;
        }
        Ok(())
    }

    /// Waits until no task is at work on a machine, whoever began it.
    ///
    /// A task goes on when the engine that began it is gone, and a machine that is about to change its state shows the old one
    /// until then.
    ///
    /// # Errors
    /// One has not ended in time, there is no such machine (any more), or vCenter does not answer.
    pub async fn wait_for_tasks(&mut self, machine: &ManagedObject, limit: Duration) -> Result<(), VSphereError> {
        let wait = Wait::new(&self.wire, format!("no task on {machine}"), limit, Duration::from_secs(1));
        while let Some((task, state)) = self.tasks_at_work(machine).await?.pop() {
            wait.again(format!("{task} is {state}")).await?;
        }
        Ok(())
    }

    /// The tasks of a machine that have not ended, with their states.
    async fn tasks_at_work(&mut self, machine: &ManagedObject) -> Result<Vec<(ManagedObject, String)>, VSphereError> {
        let mut at_work = Vec::new();
        for task in self.properties(machine, &["recentTask"]).await?.references("recentTask") {
            match self.properties(&task, &["info.state"]).await {
                Ok(seen) => {
                    let state = seen.text("info.state").unwrap_or_default();
                    if !matches!(state, "success" | "error") {
                        at_work.push((task, state.to_owned()));
                    }
                }
                // It has ended and was forgotten meanwhile.
                Err(error) if error.is_fault("ManagedObjectNotFound") => {}
                Err(error) => return Err(error),
            }
        }
        Ok(at_work)
    }
}
