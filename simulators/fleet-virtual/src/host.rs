//! What a guest of the virtual fleet may do.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::{Stream, Time};
use grenadier_fidelity::Behaviour;
use grenadier_fleet::{FleetEvent, GuestReport, MachineId};
use grenadier_guest::{CallKey, Host, Listener, RouteRule, TimerKey};
use grenadier_wire::{Answer, Exchange, ReplyTo};
use ipnet::IpNet;

use crate::fleet::{Due, GuestCall, VirtualFleet};
use crate::runtime::{Kernel, Runtime};

/// One guest's hands on the fleet.
pub(crate) struct HostContext<'a> {
    pub fleet: &'a mut VirtualFleet,
    pub machine: MachineId,
}

impl HostContext<'_> {
    fn runtime(&self) -> &Runtime {
        &self.fleet.runtimes[&self.machine]
    }

    fn runtime_mut(&mut self) -> &mut Runtime {
        self.fleet.runtimes.get_mut(&self.machine).expect("a guest runs on a machine")
    }

    /// Changes kernel state that others can see.
    fn kernel(&mut self) -> &mut Kernel {
        self.fleet.changed();
        &mut self.runtime_mut().kernel
    }

    /// Changes kernel state that decides who owns an address.
    fn kernel_addresses(&mut self) -> &mut Kernel {
        self.fleet.owners_changed();
        &mut self.runtime_mut().kernel
    }
}

impl Host for HostContext<'_> {
    fn now(&self) -> Time {
        self.fleet.now()
    }

    fn random(&mut self) -> &mut Stream {
        &mut self.runtime_mut().random
    }

    fn machine(&self) -> &str {
        &self.fleet.view.machines[&self.machine].spec.name
    }

    fn read(&self, path: &str) -> Option<Bytes> {
        self.runtime().files.get(path).cloned()
    }

    fn write(&mut self, path: &str, content: Bytes) -> Result<(), String> {
        let spec = &self.fleet.view.machines[&self.machine].spec;
        let capacity: u64 = spec.disks.iter().map(|disk| disk.capacity_mib << 20).sum();
        let files = &self.runtime().files;
        let full = self.runtime().mishaps.disk_full;
        let used: u64 = files.values().map(|content| content.len() as u64).sum();
        let freed = files.get(path).map_or(0, |replaced| replaced.len() as u64);
        let wanted = content.len() as u64;
        if used - freed + wanted > capacity || (full && wanted > freed) {
            return Err("No space left on device".to_owned());
        }
        self.runtime_mut().files.insert(path.to_owned(), content);
        Ok(())
    }

    fn remove(&mut self, path: &str) -> bool {
        self.runtime_mut().files.remove(path).is_some()
    }

    fn list(&self, directory: &str) -> Vec<String> {
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        let from = self.runtime().files.range(prefix.clone()..);
        from.map(|(path, _)| path).take_while(|path| path.starts_with(&prefix)).cloned().collect()
    }

    fn config(&self, key: &str) -> Option<String> {
        self.fleet.view.machines[&self.machine].spec.config.get(key).cloned()
    }

    fn set_config(&mut self, key: &str, value: &str) {
        let machine = self.fleet.view.machines.get_mut(&self.machine).expect("a guest runs on a machine");
        if value.is_empty() {
            machine.spec.config.remove(key);
        } else {
            machine.spec.config.insert(key.to_owned(), value.to_owned());
        }
        self.report(GuestReport::Config { key: key.to_owned() });
    }

    fn nics(&self) -> Vec<(u32, String, bool)> {
        let nics = &self.fleet.view.machines[&self.machine].spec.nics;
        nics.iter().map(|nic| (nic.key, nic.segment.clone(), nic.connected)).collect()
    }

    fn timer(&mut self, key: TimerKey, after: Duration) {
        self.fleet.generations += 1;
        let generation = self.fleet.generations;
        let runtime = self.runtime_mut();
        runtime.kernel.timers.insert(key, generation);
        let epoch = runtime.epoch;
        let after = self.fleet.about(after);
        let at = self.fleet.now() + after;
        self.fleet.push(at, Due::GuestTimer { machine: self.machine, epoch, key, generation });
    }

    fn cancel(&mut self, key: TimerKey) {
        self.runtime_mut().kernel.timers.remove(key);
    }

    fn add_address(&mut self, nic: u32, address: IpNet) {
        let kernel = self.kernel_addresses();
        if !kernel.no_address && !kernel.addresses.contains(&(nic, address)) {
            kernel.addresses.push((nic, address));
        }
    }

    fn add_local_route(&mut self, range: IpNet) {
        let kernel = self.kernel_addresses();
        if !kernel.no_address && !kernel.local_routes.contains(&range) {
            kernel.local_routes.push(range);
        }
    }

    fn remove_local_route(&mut self, range: IpNet) -> bool {
        let routes = &mut self.kernel_addresses().local_routes;
        let before = routes.len();
        routes.retain(|route| *route != range);
        before != routes.len()
    }

    fn add_route_rule(&mut self, rule: RouteRule) {
        self.kernel().rules.push(rule);
    }

    fn remove_route_rule(&mut self, rule: &RouteRule) -> bool {
        let rules = &mut self.kernel().rules;
        let found = rules.iter().position(|other| other == rule);
        found.map(|index| rules.remove(index)).is_some()
    }

    fn route_rules(&self) -> Vec<RouteRule> {
        self.runtime().kernel.rules.clone()
    }

    fn is_local(&self, address: IpAddr) -> bool {
        self.runtime().kernel.is_local(address)
    }

    fn listen(&mut self, listener: Listener) {
        self.fleet.generations += 1;
        let fresh = self.fleet.generations;
        let listeners = &mut self.kernel().listeners;
        let same = |other: &(Listener, u64)| (other.0.address, other.0.port) == (listener.address, listener.port);
        // Replacing a listener is what a reload does: the socket stays, and so do the connections.
        match listeners.iter_mut().find(|other| same(other)) {
            Some(other) => other.0 = listener,
            None => listeners.push((listener, fresh)),
        }
    }

    fn close(&mut self, address: Option<IpAddr>, port: u16) {
        self.kernel().listeners.retain(|(listener, _)| (listener.address, listener.port) != (address, port));
    }

    fn reply(&mut self, to: ReplyTo, answer: Answer) {
        self.fleet.replies.push((to, answer));
    }

    fn call(&mut self, key: CallKey, exchange: Exchange) {
        let epoch = self.runtime().epoch;
        self.fleet.calls.push(GuestCall { machine: self.machine, epoch, key, exchange });
    }

    fn report(&mut self, mut report: GuestReport) {
        if let GuestReport::Tools { addresses, .. } = &mut report
            && self.runtime().kernel.no_address
        {
            addresses.clear();
        }
        let machine = self.fleet.view.machines.get_mut(&self.machine).expect("a guest runs on a machine");
        machine.hear(&report);
        self.fleet.events.push(FleetEvent::Guest { machine: self.machine, report });
    }

    fn power_off(&mut self) {
        self.fleet.power_off(self.machine);
    }

    fn holds(&self, behaviour: &'static Behaviour) -> bool {
        self.fleet.ledger.holds(behaviour)
    }
}
