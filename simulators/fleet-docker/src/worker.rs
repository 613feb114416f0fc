//! Performs operations on the engine.

use std::sync::Arc;
use std::time::Duration;

use bollard::query_parameters::RemoveImageOptions;
use grenadier_agent::protocol::{FromAgent, ToAgent};
use grenadier_fleet::{
    Machine, MachineId, Mishap, Operation, OperationError, OperationId, OperationOutput, Power, Reconfiguration,
    SnapshotId,
};
use tokio::sync::Mutex;

use crate::container::{Container, nic_records, refused};
use crate::engine::has_status;
use crate::session::{Session, Told};
use crate::shared::{Change, Note, Present, Shared};

/// How long a guest may take to tell its state.
const STATE_PATIENCE: Duration = Duration::from_secs(10);

/// One operation on its way.
pub(crate) struct Job {
    pub(crate) id: OperationId,
    /// The machine as the view had it when the operation was submitted.
    pub(crate) machine: Machine,
    pub(crate) operation: Operation,
    /// The number of the machine's life that begins, where one does.
    pub(crate) epoch: u64,
    /// Images of the machine's snapshots that the operation uses or removes.
    pub(crate) images: Vec<(SnapshotId, Option<String>)>,
    pub(crate) container: Arc<Mutex<Container>>,
}

/// A life that began, to be followed once the news of it is out.
type Begun = Option<(Session, Told)>;

/// Performs an operation and tells how it ended.
pub(crate) async fn perform(shared: Arc<Shared>, job: Job) {
    let (id, machine, name, epoch) = (job.id, job.machine.id, job.machine.spec.name.clone(), job.epoch);
    let container = Arc::clone(&job.container);
    let mut begun = None;
    let result = carry_out(&shared, job, &mut begun).await;
    if let Some((session, _)) = &begun {
        // Held until it is there: a partition that comes now must find it.
        let it = container.lock().await;
        let present = Present {
            name,
            epoch,
            session: session.clone(),
            claims: Vec::new(),
            is_silent: it.is_silent(),
            delay: it.delay(),
            id: it.id().unwrap_or_default().to_owned(),
            container: Arc::clone(&container),
        };
        shared.present().insert(machine, present);
    }
    shared.notes.push(Note::Finished { id, machine, result });
    if let Some((_, told)) = begun {
        follow(shared, machine, epoch, told, container).await;
    }
}

/// Passes on what an agent tells, until its container ends.
async fn follow(shared: Arc<Shared>, machine: MachineId, epoch: u64, mut told: Told, container: Arc<Mutex<Container>>) {
    while let Some(message) = told.recv().await {
        if let FromAgent::Claims { claims } = &message
            && let Some(present) = shared.present().get_mut(&machine).filter(|present| present.epoch == epoch)
        {
            present.claims.clone_from(claims);
        }
        shared.notes.push(Note::Agent { machine, epoch, message });
    }
    shared.forget(machine, epoch);
    let how = container.lock().await.how_it_ended(&shared, epoch).await;
    shared.notes.push(Note::Ended { machine, epoch, how });
}

async fn carry_out(shared: &Shared, job: Job, begun: &mut Begun) -> Result<(OperationOutput, Change), OperationError> {
    let Job { machine, operation, epoch, images, container, .. } = job;
    let changing = shared.changing.read().await;
    let mut container = container.lock().await;
    let change = match operation {
        Operation::Create { spec, .. } => Change::Created(spec),
        Operation::Destroy { .. } => {
            container.clear(shared).await?;
            remove_images(shared, images).await?;
            Change::Destroyed
        }
        Operation::PowerOn { .. } => {
            *begun = Some(container.power_on(shared, &machine, epoch).await?);
            Change::Power { power: Power::On, epoch }
        }
        Operation::Suffer { mishap, .. } if mishap != Mishap::Crash => {
            container.suffer(shared, mishap).await?;
            if let Some(present) = shared.present().get_mut(&machine.id) {
                (present.is_silent, present.delay) = (container.is_silent(), container.delay());
            }
            Change::Silence(container.silence())
        }
        Operation::PowerOff { .. } | Operation::Suffer { .. } => {
            container.power_off(shared).await?;
            Change::Power { power: Power::Off, epoch }
        }
        Operation::Reset { .. } => {
            container.power_off(shared).await?;
            *begun = Some(container.power_on(shared, &machine, epoch).await?);
            Change::Reset { epoch }
        }
        Operation::ShutdownGuest { .. } => {
            container.session().ok_or(OperationError::NoGuest)?.say(ToAgent::Shutdown);
            Change::None
        }
        Operation::Reconfigure { change, .. } => {
            let after = nics_after(&machine, &change);
            if after != machine.spec.nics {
                container.replug(shared, &machine.spec.nics, &after).await?;
            }
            if let Some(session) = container.session() {
                if after != machine.spec.nics {
                    session.say(ToAgent::Nics { nics: nic_records(shared, &after) });
                }
                if !change.config.is_empty() {
                    session.say(ToAgent::Configure { change: change.config.clone() });
                }
            }
            Change::Reconfigured(Box::new(change))
        }
        Operation::WriteDisk { disk, image, .. } => {
            container.rebase(shared, None).await?;
            Change::DiskWritten { disk, image }
        }
        Operation::Snapshot { name, description, .. } => {
            let image = container.commit(shared).await?;
            Change::SnapshotTaken { name, description, image }
        }
        Operation::Revert { snapshot, .. } => {
            container.power_off(shared).await?;
            container.rebase(shared, images.into_iter().find_map(|(_, image)| image)).await?;
            Change::Reverted { snapshot }
        }
        Operation::RemoveSnapshot { .. } => {
            let gone = images.iter().map(|(snapshot, _)| *snapshot).collect();
            remove_images(shared, images).await?;
            Change::SnapshotsRemoved(gone)
        }
        Operation::ReadFiles { .. } => {
            return Ok((OperationOutput::Files(container.read_files(shared, &machine).await?), Change::None));
        }
        Operation::WriteFile { path, content, .. } => {
            container.write_file(shared, &machine, path, content).await?;
            Change::None
        }
        Operation::ReadState { .. } => {
            if container.paused {
                return Err(OperationError::NoGuest);
            }
            let session = container.session().ok_or(OperationError::NoGuest)?.clone();
            // The guest may take its time; the disk can be read meanwhile.
            drop((container, changing));
            let state = session.state(STATE_PATIENCE).await.ok_or(OperationError::NoGuest)?;
            return Ok((OperationOutput::State(state), Change::None));
        }
    };
    Ok((OperationOutput::Done, change))
}

/// The cards of a machine after a change.
pub(crate) fn nics_after(machine: &Machine, change: &Reconfiguration) -> Vec<grenadier_fleet::Nic> {
    let mut nics = machine.spec.nics.clone();
    nics.retain(|nic| !change.remove_nics.contains(&nic.key));
    for nic in &change.nics {
        match nics.iter_mut().find(|other| other.key == nic.key) {
            Some(other) => other.clone_from(nic),
            None => nics.push(nic.clone()),
        }
    }
    nics
}

/// Removes snapshots' images. One that a container is still based on stays until the run's sweep.
async fn remove_images(shared: &Shared, images: Vec<(SnapshotId, Option<String>)>) -> Result<(), OperationError> {
    for image in images.into_iter().filter_map(|(_, image)| image) {
        match shared.docker.remove_image(&image, None::<RemoveImageOptions>, None).await {
            Err(error) if !has_status(&error, 404) && !has_status(&error, 409) => {
                return Err(refused("remove the snapshot's image", error));
            }
            _ => {}
        }
    }
    Ok(())
}
