//! What happens to a machine by itself, as its container and agent have to know it.

use std::time::Duration;

use grenadier_agent::Impairment;
use grenadier_agent::protocol::{AnswerForm, BootMishaps, ToAgent};
use grenadier_fleet::{Mishap, OperationError};
use grenadier_wire::Answer;

use crate::container::Container;
use crate::session::Session;
use crate::shared::Shared;

/// How long an agent may take for what it does at once.
const PATIENCE: Duration = Duration::from_secs(10);

impl Container {
    /// Something happens to the machine: at once where it is on, and in its later lives.
    pub(crate) async fn suffer(&mut self, shared: &Shared, mishap: Mishap) -> Result<(), OperationError> {
        match mishap {
            Mishap::Crash => self.power_off(shared).await?,
            Mishap::BootFails => self.mishaps.boot_fails = true,
            Mishap::NoAddress => self.mishaps.no_address = true,
            Mishap::DiskFull => {
                if let Some(session) = self.session() {
                    tell(session, |request| ToAgent::FillDisk { request }).await?.map_err(OperationError::Engine)?;
                }
                self.mishaps.disk_full = true;
            }
            Mishap::Partition => self.impair(shared, Impairment::Partition).await?,
            Mishap::Repair => self.impair(shared, Impairment::None).await?,
        }
        Ok(())
    }

    /// The networks of the machine do as badly as this. It is the network's doing, so it outlasts the machine's lives; where the
    /// machine is off, the container that is on in every run says whether the kernel can do it.
    async fn impair(&mut self, shared: &Shared, impairment: Impairment) -> Result<(), OperationError> {
        let done = match (self.session(), shared.relay.get()) {
            (Some(session), _) => tell(session, |request| ToAgent::Impair { request, impairment }).await?,
            (None, Some(relay)) => tell(relay, |request| ToAgent::TryImpairment { request }).await?,
            (None, None) => Ok(()),
        };
        let cannot = |why| format!("cut a machine off from its networks: {why}");
        done.map_err(|why| OperationError::Unsupported(cannot(why).into()))?;
        self.mishaps.impairment = impairment;
        Ok(())
    }

    /// Whether no packet comes in or goes out.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.mishaps.impairment == Impairment::Partition
    }

    /// The boot that was to go wrong has begun; the next one is sound.
    pub(crate) fn has_booted(&mut self) {
        let BootMishaps { boot_fails, no_address, .. } = &mut self.mishaps;
        (*boot_fails, *no_address) = (false, false);
    }
}

/// Tells an agent to do something, and waits until it is done; within, why it could not.
async fn tell(session: &Session, order: impl FnOnce(u64) -> ToAgent) -> Result<Result<(), String>, OperationError> {
    let answer: Option<AnswerForm> = session.ask(PATIENCE, order).await;
    let answer = answer.ok_or(OperationError::NoGuest)?.into_result("agent");
    match answer {
        Ok(Answer::Shell(output)) if output.exit_code == 0 => Ok(Ok(())),
        Ok(Answer::Shell(output)) => Ok(Err(String::from_utf8_lossy(&output.stderr).into_owned())),
        Ok(Answer::Http(_)) | Err(_) => Err(OperationError::NoGuest),
    }
}
