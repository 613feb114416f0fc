//! One number for the state of a world: equal states have equal ones.

use std::collections::hash_map::DefaultHasher;
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::mem::discriminant;

use grenadier_fleet::Machine;

use crate::fleet::{Due, VirtualFleet};
use crate::runtime::Runtime;
use crate::world::{Inner, VirtualWorld};

/// Hashes what is written to it.
struct Written<'a>(&'a mut DefaultHasher);

impl Write for Written<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

impl VirtualWorld {
    /// A hash of the world's state: machines, their disks, files, kernels, neighbours and guests, what the cloud owns, which
    /// operations are under way, and what is due in how long. The present moment is not in it, nor are counters that nothing
    /// but their own next value hangs on.
    pub fn digest(&self) -> u64 {
        self.look_inside(|inner| {
            let mut hasher = DefaultHasher::new();
            inner.fleet.hash_state(&mut hasher);
            if let Some(cloud) = &inner.cloud {
                write(&mut hasher, format_args!("{}", cloud.state()));
            }
            inner.hash_due(&mut hasher);
            hasher.finish()
        })
    }
}

fn write(hasher: &mut DefaultHasher, text: fmt::Arguments<'_>) {
    Written(hasher).write_fmt(text).expect("a hash takes everything");
    // Two texts are not one long one.
    hasher.write_u8(0xff);
}

impl Inner {
    /// What is due, by how long from now.
    fn hash_due(&self, hasher: &mut DefaultHasher) {
        let now = self.fleet.now();
        for (at, due) in self.fleet.queue.waiting() {
            (at.since(now), discriminant(due)).hash(hasher);
            match due {
                Due::Operation(id) => write(hasher, format_args!("{:?}", self.fleet.pending.get(id))),
                Due::GuestTimer { machine, key, .. } => (machine.0, key).hash(hasher),
                Due::FirstInstruction { machine, .. }
                | Due::GuestReconfigured { machine, .. }
                | Due::GuestInput { machine, .. } => machine.0.hash(hasher),
                Due::CloudTimer(key) => key.hash(hasher),
                Due::Neighbour { client, address, .. } => (client.0, address).hash(hasher),
                Due::Wake(_) | Due::Deliver(_) | Due::Return { .. } => {}
            }
        }
    }
}

impl VirtualFleet {
    fn hash_state(&self, hasher: &mut DefaultHasher) {
        for (id, machine) in &self.view.machines {
            id.0.hash(hasher);
            hash_machine(machine, hasher);
            if let Some(runtime) = self.runtimes.get(id) {
                hash_runtime(runtime, hasher);
            }
            if let Some(guest) = self.guests.get(id) {
                write(hasher, format_args!("{}", guest.state()));
            }
        }
    }
}

fn hash_machine(machine: &Machine, hasher: &mut DefaultHasher) {
    let Machine { id: _, spec, power, boot, hostname, addresses, snapshots, current_snapshot } = machine;
    write(hasher, format_args!("{power:?} {boot:?} {hostname:?} {addresses:?} {current_snapshot:?}"));
    write(hasher, format_args!("{} {:?} {:?} {:?}", spec.name, spec.hardware, spec.nics, spec.config));
    for (key, value) in &spec.record {
        write(hasher, format_args!("{key} {value}"));
    }
    for disk in &spec.disks {
        (disk.key, &disk.path, disk.capacity_mib).hash(hasher);
        write(hasher, format_args!("{:?}", disk.image.as_ref().map(|image| &image.header)));
    }
    for snapshot in snapshots {
        write(hasher, format_args!("{:?} {} {:?}", snapshot.id, snapshot.name, snapshot.parent));
    }
}

fn hash_runtime(runtime: &Runtime, hasher: &mut DefaultHasher) {
    for (path, content) in &runtime.files {
        (path, content).hash(hasher);
    }
    let kernel = &runtime.kernel;
    write(hasher, format_args!("{:?} {:?} {:?}", kernel.addresses, kernel.local_routes, kernel.rules));
    for (listener, _) in &kernel.listeners {
        write(hasher, format_args!("{listener:?}"));
    }
    runtime.neighbours.hash_entries(hasher);
    (runtime.busy, runtime.mishaps, runtime.held.len(), kernel.no_address).hash(hasher);
}
