//! The fleet's contract on a real engine.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use bollard::query_parameters::KillContainerOptions;
use grenadier_clock::Time;
use grenadier_fleet::{Fleet, FleetEvent, FleetView, Mac, MachineId, MachineSpec, Operation, OperationId};
use grenadier_fleet_contract::{Case, ContractWorld, Exception, SEGMENTS, cases, trial};
use grenadier_wire::{Answer, Failure, HttpExchange, ShellExchange};
use libtest_mimic::Trial;

use crate::world::{NODE_IMAGE, World};

/// Every case as a test by its name.
pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    cases::<World>().into_iter().map(made)
}

fn made(case: Case<World>) -> Trial {
    let name = format!("contract::{}", case.name);
    match trial(&case) {
        Ok(run) => crate::trial(&name, move |docker| async move { run(World::new(docker, &SEGMENTS).await).await }),
        Err(exception) => Trial::test(name, || {
            println!("not in this fleet: {}", exception.reason);
            Ok(())
        }),
    }
}

impl ContractWorld for World {
    const EXCEPTIONS: &'static [Exception] = &[
        Exception {
            case: "a_snapshot_with_memory_comes_back_on",
            reason: "no engine keeps the memory of a container with its connections; such an order is refused",
        },
        Exception {
            case: "a_disk_holds_no_more_than_its_capacity",
            reason: "engines that keep containers in plain directories have no quotas; a full disk is a mishap of its own",
        },
    ];

    fn submit(&mut self, operation: Operation) -> OperationId {
        self.fleet.submit(operation)
    }

    fn submit_create(&mut self, spec: MachineSpec) -> (MachineId, OperationId) {
        self.fleet.submit_create(spec)
    }

    fn view(&self) -> FleetView {
        self.fleet.view().clone()
    }

    fn take_events(&mut self) -> Vec<FleetEvent> {
        self.fleet.take_events()
    }

    async fn wait(&mut self, at_most: Duration) {
        // Whether it was an event or the time, the caller looks.
        let _late = tokio::time::timeout(at_most, self.fleet.wait_for_events()).await;
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    fn container_image(&self) -> String {
        NODE_IMAGE.to_owned()
    }

    async fn http(&mut self, exchange: HttpExchange) -> Result<Answer, Failure> {
        self.fleet.handle().guest_http(exchange).await
    }

    async fn shell(&mut self, exchange: ShellExchange) -> Result<Answer, Failure> {
        self.fleet.handle().guest_shell(exchange).await
    }

    async fn hardware_addresses(&mut self, asker: MachineId, address: IpAddr) -> BTreeSet<Mac> {
        let name = self.fleet.view().machines[&asker].spec.name.clone();
        let address = address.to_string();
        let said = self.exec(asker, &name, &["arping", "-b", "-c", "2", "-w", "2", "-I", "eth0", &address]).await;
        let between = |line: &str| line.split_once('[')?.1.split_once(']')?.0.to_lowercase().parse().ok();
        said.lines().filter_map(between).collect()
    }

    async fn kill(&mut self, machine: MachineId) {
        let name = self.fleet.view().machines[&machine].spec.name.clone();
        let options = KillContainerOptions { signal: "KILL".to_owned() };
        let killed = self.docker.kill_container(&self.container(machine, &name), Some(options)).await;
        killed.expect("its container runs");
    }

    async fn end(self) {
        World::end(self).await;
    }
}
