//! What a fleet has to offer to take part in the suite.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use grenadier_clock::Time;
use grenadier_fleet::{FleetEvent, FleetView, Host, Mac, MachineId, MachineSpec, Operation, OperationId};
use grenadier_wire::{Answer, Failure, HttpExchange, ShellExchange};

/// The first of the suite's segments.
pub const FRONTEND: &str = "frontend";
/// The second one.
pub const WORKLOAD: &str = "workload";
/// The segments of a world of the suite, each a /24.
pub const SEGMENTS: [&str; 2] = [FRONTEND, WORKLOAD];

/// The host of a world of the suite.
pub const HOST: Host = Host { cpus: 8, memory_mib: 8192, storage_mib: 8192 };

/// A case that a fleet cannot pass by its nature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The name of the case.
    pub case: &'static str,
    /// Why not, in a sentence.
    pub reason: &'static str,
}

/// A fleet with the segments [`SEGMENTS`], the host [`HOST`] and no machine yet, and its world around it.
#[allow(async_fn_in_trait, reason = "one task drives a world, and nobody sends it to another")]
pub trait ContractWorld: Sized + 'static {
    /// What this fleet cannot do.
    const EXCEPTIONS: &'static [Exception];

    /// Begins an operation.
    fn submit(&mut self, operation: Operation) -> OperationId;

    /// Begins to make a machine.
    fn submit_create(&mut self, spec: MachineSpec) -> (MachineId, OperationId);

    /// The fleet as it was last seen.
    fn view(&self) -> FleetView;

    /// Takes in what happened. No time passes for that in the virtual world.
    fn take_events(&mut self) -> Vec<FleetEvent>;

    /// Waits until there may be something to take in, and not for longer than this.
    async fn wait(&mut self, at_most: Duration);

    /// The present moment of the world.
    fn now(&self) -> Time;

    /// The container image that a machine of the suite starts from, where machines are containers.
    fn container_image(&self) -> String;

    /// Makes an HTTP call from outside.
    async fn http(&mut self, exchange: HttpExchange) -> Result<Answer, Failure>;

    /// Runs a command in the shell of the machine at the exchange's host.
    async fn shell(&mut self, exchange: ShellExchange) -> Result<Answer, Failure>;

    /// Who answers when `asker` asks its only segment for `address` by ARP, now.
    async fn hardware_addresses(&mut self, asker: MachineId, address: IpAddr) -> BTreeSet<Mac>;

    /// Ends a machine behind the fleet's back.
    async fn kill(&mut self, machine: MachineId);

    /// Takes the world down; nothing of it may be left.
    async fn end(self);
}
