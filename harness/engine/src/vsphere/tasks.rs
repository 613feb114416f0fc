//! Tasks that somebody began before us.

use std::time::Duration;

use crate::retry::Wait;
use crate::vsphere::client::{Repeat, VSphere};
use crate::vsphere::element::ManagedObject;
use crate::vsphere::error::VSphereError;

/// A task that has not ended.
struct AtWork {
    object: ManagedObject,
    state: String,
    description: String,
}

impl VSphere {
    /// [`VSphere::wait_for_tasks`] for somebody who goes on all the same where one does not end in time. One that `ours` takes
    /// for ours, by its `TaskInfo.descriptionId` (`VirtualMachine.powerOn`), is cancelled then, where it can be: the process that
    /// began it is gone, and as long as it runs, nothing else can be done to the machine.
    ///
    /// What such a task was to do, it has not done by then; look before anything hangs on it.
    ///
    /// # Errors
    /// There is no such machine (any more), or vCenter does not answer.
    pub async fn settle_tasks(
        &mut self,
        machine: &ManagedObject,
        limit: Duration,
        ours: impl Fn(&str) -> bool,
    ) -> Result<(), VSphereError> {
        match self.wait_for_tasks(machine, limit).await {
            Err(VSphereError::NotInTime(_)) => {}
            other => return other,
        }
        for task in self.tasks_at_work(machine).await? {
            if ours(&task.description) {
                let _ = self.call("CancelTask", &task.object, &[], Repeat::Freely).await;
            }
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
        while let Some(task) = self.tasks_at_work(machine).await?.pop() {
            wait.again(format!("{} is {}", task.object, task.state)).await?;
        }
        Ok(())
    }

    /// The tasks of a machine that have not ended.
    async fn tasks_at_work(&mut self, machine: &ManagedObject) -> Result<Vec<AtWork>, VSphereError> {
        let mut at_work = Vec::new();
        for task in self.properties(machine, &["recentTask"]).await?.references("recentTask") {
            match self.properties(&task, &["info.state", "info.descriptionId"]).await {
                Ok(seen) => {
                    let text = |path| seen.text(path).unwrap_or_default().to_owned();
                    let (state, description) = (text("info.state"), text("info.descriptionId"));
                    if !matches!(state.as_str(), "success" | "error") {
                        at_work.push(AtWork { object: task, state, description });
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
