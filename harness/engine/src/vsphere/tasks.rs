//! Tasks that somebody began before us.

use std::time::Duration;

use crate::retry::Wait;
use crate::vsphere::client::VSphere;
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

    /// Waits until no task is at work on a machine, whoever began it.
    ///
    /// A task goes on when the engine that began it is gone, and a machine that is about to change its state shows the old one
    /// until then.
    ///
    /// # Errors
    /// One has not ended in time, there is no such machine (any more), or vCenter does not answer.
    pub async fn wait_for_tasks(&mut self, machine: &ManagedObject, limit: Duration) -> Result<(), VSphereError> {
        let wait = Wait::new(&self.wire, format!("no task on {machine}"), limit, Duration::from_secs(1));
        loop {
            let mut at_work = None;
            for task in self.properties(machine, &["recentTask"]).await?.references("recentTask") {
                match self.properties(&task, &["info.state"]).await {
                    Ok(seen) => {
                        let state = seen.text("info.state").unwrap_or_default();
                        if !matches!(state, "success" | "error") {
                            at_work = Some(format!("{task} is {state}"));
                        }
                    }
                    // It has ended and was forgotten meanwhile.
                    Err(error) if error.is_fault("ManagedObjectNotFound") => {}
                    Err(error) => return Err(error),
                }
            }
            match at_work {
                None => return Ok(()),
                Some(last) => wait.again(last).await?,
            }
        }
    }
}
