//! What happens to a machine by itself, as its container and agent have to know it.

use std::time::Duration;

use grenadier_agent::Impairment;
use grenadier_agent::protocol::{AnswerForm, BootMishaps, ToAgent};
use grenadier_fleet::{Mishap, OperationError};
use grenadier_wire::Answer;

use crate::claims::Silence;
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
            Mishap::SlowStart(by) => self.mishaps.slow_start_ms = millis(by),
            Mishap::Pause => self.pause(shared).await?,
            Mishap::Resume => self.resume(shared).await?,
            Mishap::Partition => self.impair(shared, |impairment| impairment.partition = true).await?,
            Mishap::Repair => self.impair(shared, |impairment| impairment.partition = false).await?,
            Mishap::Delay(by) => self.impair(shared, |impairment| impairment.delay_ms = millis(by)).await?,
            Mishap::Loss(percent) => self.impair(shared, |impairment| impairment.loss_percent = percent).await?,
        }
        Ok(())
    }

    /// The machine stands still, and nothing of it reaches anybody: first its networks fall silent, because a kernel answers for
    /// processes that stand still.
    async fn pause(&mut self, shared: &Shared) -> Result<(), OperationError> {
        let (Some(id), Some(session)) = (self.id().map(str::to_owned), self.session()) else {
            return Err(OperationError::NoGuest);
        };
        if self.paused {
            return Ok(());
        }
        let silent = Impairment { partition: true, ..self.mishaps.impairment };
        let done = tell(session, |request| ToAgent::Impair { request, impairment: silent }).await?;
        done.map_err(|why| OperationError::Unsupported(format!("silence a machine that stands still: {why}").into()))?;
        // Whoever listens to the engine must know that this is no interference.
        self.paused = true;
        if let Err(error) = shared.docker.pause_container(&id).await {
            self.paused = false;
            return Err(self.refused(shared, "pause the container", error).await);
        }
        Ok(())
    }

    /// The machine goes on, and its networks do as they do.
    async fn resume(&mut self, shared: &Shared) -> Result<(), OperationError> {
        let Some(id) = self.id().map(str::to_owned).filter(|_| self.paused) else { return Ok(()) };
        if let Err(error) = shared.docker.unpause_container(&id).await {
            return Err(self.refused(shared, "let the container go on", error).await);
        }
        self.paused = false;
        let impairment = self.mishaps.impairment;
        let Some(session) = self.session() else { return Ok(()) };
        tell(session, |request| ToAgent::Impair { request, impairment }).await?.map_err(OperationError::Engine)
    }

    /// The networks of the machine do as badly as this. It is the network's doing, so it outlasts the machine's lives; where the
    /// machine is off, the container that is on in every run says whether the kernel can do it.
    async fn impair(&mut self, shared: &Shared, change: impl FnOnce(&mut Impairment)) -> Result<(), OperationError> {
        let mut impairment = self.mishaps.impairment;
        change(&mut impairment);
        let done = match (self.session(), shared.relay.get()) {
            // It is silent until it goes on, and then it hears of it.
            _ if self.paused => Ok(()),
            (Some(session), _) => tell(session, |request| ToAgent::Impair { request, impairment }).await?,
            (None, Some(relay)) => tell(relay, |request| ToAgent::TryImpairment { request, impairment }).await?,
            (None, None) => Ok(()),
        };
        let what =
            if impairment.partition { "cut a machine off from its networks" } else { "impair a machine's networks" };
        done.map_err(|why| OperationError::Unsupported(format!("{what}: {why}").into()))?;
        self.mishaps.impairment = impairment;
        Ok(())
    }

    /// Why nobody hears it, where that is so.
    pub(crate) fn silence(&self) -> Silence {
        Silence { cut_off: self.mishaps.impairment.partition, paused: self.paused }
    }

    /// Whether no packet comes in or goes out.
    pub(crate) fn is_silent(&self) -> bool {
        self.mishaps.impairment.partition || self.paused
    }

    /// How late comes what it is sent.
    pub(crate) fn delay(&self) -> Duration {
        Duration::from_millis(self.mishaps.impairment.delay_ms)
    }

    /// The boot that was to go wrong has begun; the next one is sound.
    pub(crate) fn has_booted(&mut self) {
        let BootMishaps { boot_fails, no_address, slow_start_ms, .. } = &mut self.mishaps;
        (*boot_fails, *no_address, *slow_start_ms) = (false, false, 0);
        self.paused = false;
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
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
