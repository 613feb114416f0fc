//! A small fleet of its own: to see that a run could go, and how long operations take.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use grenadier_catalog::{Segment, TimingField};
use grenadier_clock::{Clock, Seed};
use grenadier_fleet::{
    Fleet, FleetEvent, Hardware, Host, Mac, MachineSpec, Mishap, Nic, Operation, OperationError, OperationOutput,
    Reconfiguration,
};
use grenadier_fleet_docker::clock::RealClock;
use grenadier_fleet_docker::engine::Docker;
use grenadier_fleet_docker::sweep::SweepReport;
use grenadier_fleet_docker::{DockerFleet, DockerFleetConfig};
use grenadier_scenario::Blocks;

use super::docker_world::{DockerWorldError, NODE_IMAGE, start};
use super::virtual_world::segment_specs;

/// Lengths as they were measured, in order.
pub(crate) type Lengths = Vec<(TimingField, Duration)>;

/// A fleet of one segment.
pub(crate) struct Trial {
    fleet: DockerFleet,
    clock: Arc<RealClock>,
}

impl Trial {
    /// Starts it.
    pub(crate) async fn start(docker: &Docker) -> Result<Trial, DockerWorldError> {
        let clock = Arc::new(RealClock::start());
        let config = |blocks: &Blocks| DockerFleetConfig {
            run_id: format!("{}-trial", std::process::id()),
            run_dir: std::env::temp_dir(),
            segments: segment_specs(blocks),
            host: Host { cpus: 1, memory_mib: 1, storage_mib: 1 },
            seed: Seed(0),
            clock: clock.clone(),
            program: PathBuf::from("/proc/self/exe"),
            node_image: NODE_IMAGE.to_owned(),
        };
        let (fleet, _) = start(docker, &[Segment::Management], config).await?;
        Ok(Trial { fleet, clock })
    }

    /// Takes it down again.
    pub(crate) async fn end(self) -> SweepReport {
        self.fleet.shutdown().await
    }

    /// Whether the kernel below the engine can make networks as bad as faults ask for. Nothing becomes worse by it.
    pub(crate) async fn impair(&mut self) -> Result<(), OperationError> {
        let (machine, created) = self.fleet.submit_create(blank());
        self.ended(created).await?;
        for mishap in [Mishap::Partition, Mishap::Delay(Duration::from_millis(1)), Mishap::Loss(1)] {
            self.perform(Operation::Suffer { machine, mishap }).await?;
        }
        Ok(())
    }

    /// Does everything once that can be done to a machine, and takes its time.
    pub(crate) async fn measure(&mut self) -> Result<Lengths, OperationError> {
        use TimingField as Field;
        let mut lengths = Lengths::new();
        let began = self.clock.now();
        let (machine, created) = self.fleet.submit_create(blank());
        self.ended(created).await?;
        lengths.push((Field::Create, self.clock.now().since(began)));
        // What happens at the first power-on only is no part of the others.
        self.perform(Operation::PowerOn { machine }).await?;
        let config = [("calibrated".to_owned(), "yes".to_owned())].into();
        let change = Reconfiguration { config, ..Reconfiguration::default() };
        lengths.push((Field::Reconfigure, self.timed(Operation::Reconfigure { machine, change }).await?));
        let (name, description) = ("calibrated".to_owned(), String::new());
        let began = self.clock.now();
        let taken = self.perform(Operation::Snapshot { machine, name, description, memory: false }).await?;
        lengths.push((Field::Snapshot, self.clock.now().since(began)));
        lengths.push((Field::PowerOff, self.timed(Operation::PowerOff { machine }).await?));
        if let OperationOutput::Snapshot(snapshot) = taken {
            let revert = Operation::Revert { machine, snapshot, suppress_power_on: false };
            lengths.push((Field::Revert, self.timed(revert).await?));
            let remove = Operation::RemoveSnapshot { machine, snapshot, children: false };
            lengths.push((Field::RemoveSnapshot, self.timed(remove).await?));
        }
        lengths.push((Field::Destroy, self.timed(Operation::Destroy { machine }).await?));
        Ok(lengths)
    }

    async fn timed(&mut self, operation: Operation) -> Result<Duration, OperationError> {
        let began = self.clock.now();
        self.perform(operation).await?;
        Ok(self.clock.now().since(began))
    }

    async fn perform(&mut self, operation: Operation) -> Result<OperationOutput, OperationError> {
        let id = self.fleet.submit(operation);
        self.ended(id).await
    }

    async fn ended(&mut self, operation: grenadier_fleet::OperationId) -> Result<OperationOutput, OperationError> {
        loop {
            for event in self.fleet.take_events() {
                match event {
                    FleetEvent::OperationFinished { id, result } if id == operation => return result,
                    _ => {}
                }
            }
            self.fleet.wait_for_events().await;
        }
    }
}

/// A machine of the node image without a guest.
fn blank() -> MachineSpec {
    MachineSpec {
        name: "blank".to_owned(),
        hardware: Hardware { cpus: 1, memory_mib: 1 },
        nics: vec![Nic { key: 4000, segment: Segment::Management.to_string(), mac: Mac::vmware(1), connected: true }],
        disks: Vec::new(),
        config: Default::default(),
        record: Default::default(),
        hosted: false,
    }
}
