//! HttpNfcLease: an import that is under way.
//!
//! The machine is made while the lease initialises. Uploaded bytes are kept and become its disks when the client completes
//! the lease. A lease that fails, is aborted or goes too long without progress takes the machine with it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use grenadier_fleet::{
    CloudHost, DiskImage, ImageHeader, MachineId, Operation, OperationError, OperationOutput, sha256_hex,
};
use grenadier_wire::ReplyTo;
use sha1::{Digest, Sha1};

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::fault::Fault;
use crate::fidelity;
use crate::inventory::{DATASTORE_NAME, Inventory};
use crate::moref::MoRef;
use crate::soap::encode;
use crate::value::{Data, Value, int, long};
use crate::vsphere::{Alarm, Purpose, fault_response, xml_response};

pub(crate) const PROPERTIES: &[&str] =
    &["initializeProgress", "transferProgress", "mode", "capabilities", "info", "state", "error"];

/// A disk that a lease has an upload address for.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    /// The device on the machine: `/vm-101/VirtualLsiLogicController0:0`.
    pub(crate) key: String,
    /// What the import specification calls it.
    pub(crate) import_key: String,
    /// The last part of the upload address.
    pub(crate) file: String,
    /// The disk's device key.
    pub(crate) disk: u32,
    /// Its size in MiB.
    pub(crate) capacity_mib: u64,
    /// What was uploaded.
    pub(crate) uploaded: Option<Bytes>,
}

/// How far a lease is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    /// The machine is being made.
    Creating,
    /// Uploads are taken.
    Ready,
    /// Disks are being written; the caller waits.
    Writing {
        /// The caller.
        reply: ReplyTo,
        /// What is still to be submitted.
        rest: VecDeque<Operation>,
    },
    /// Given up while the machine was being made; it is removed as soon as it is there.
    Abandoned {
        /// The caller, where one waits.
        reply: Option<ReplyTo>,
    },
    /// The machine is being removed.
    Removing {
        /// The caller, where one waits.
        reply: Option<ReplyTo>,
    },
    /// The import succeeded.
    Done,
    /// It did not, and nothing of it is left.
    Failed,
}

/// A lease.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    /// The machine that is imported.
    pub(crate) entity: MoRef,
    /// The machine in the fleet; none where none was made.
    pub(crate) machine: Option<MachineId>,
    ticket: String,
    devices: VecDeque<Device>,
    pub(crate) phase: Phase,
    error: Option<Fault>,
    progress: i32,
    signs_of_life: u64,
}

impl Lease {
    /// A lease for a machine that is about to be made.
    pub(crate) fn new(entity: MoRef, ticket: String, devices: VecDeque<Device>) -> Lease {
        Lease {
            entity,
            machine: None,
            ticket,
            devices,
            phase: Phase::Creating,
            error: None,
            progress: 0,
            signs_of_life: 0,
        }
    }

    /// Whether the import works on this machine: nothing else may meanwhile.
    pub(crate) fn holds(&self, entity: &MoRef) -> bool {
        self.entity == *entity && !matches!(self.phase, Phase::Done | Phase::Failed)
    }

    /// The device that an upload address means.
    pub(crate) fn device(&mut self, ticket: &str, file: &str) -> Option<&mut Device> {
        if self.ticket != ticket {
            return None;
        }
        self.devices.iter_mut().find(|device| device.file == file)
    }

    /// How many uploaded bytes it holds.
    pub(crate) fn uploaded_bytes(&self) -> u64 {
        self.devices.iter().filter_map(|device| device.uploaded.as_ref()).map(|bytes| bytes.len() as u64).sum()
    }

    /// What is uploaded or under way, for captures. The ticket is left out: who has it can write.
    pub(crate) fn state(&self, number: u64) -> serde_json::Value {
        serde_json::json!({ "lease": format!("lease-{number}"), "entity": self.entity.id, "state": self.state_name() })
    }

    fn state_name(&self) -> &'static str {
        match self.phase {
            Phase::Creating => "initializing",
            Phase::Ready | Phase::Writing { .. } => "ready",
            Phase::Done => "done",
            Phase::Abandoned { .. } | Phase::Removing { .. } | Phase::Failed => "error",
        }
    }

    fn info(&self, inventory: Inventory<'_>, mo: &MoRef) -> Data {
        let sim = inventory.sim;
        let urls = self.devices.iter().map(|device| {
            Data::new("HttpNfcLeaseDeviceUrl")
                .with("key", device.key.as_str())
                .with("importKey", device.import_key.as_str())
                .with("url", format!("{}/nfc/{}/{}", sim.upload_base, self.ticket, device.file))
                .with("sslThumbprint", "")
                .with("disk", true)
                .with("targetId", device.file.as_str())
                .unset(&["datastoreKey", "fileSize"])
        });
        let kib = self.devices.iter().map(|device| device.capacity_mib << 10).sum::<u64>();
        Data::new("HttpNfcLeaseInfo")
            .with("lease", mo.clone())
            .with("entity", self.entity.clone())
            .with("deviceUrl", Value::list("HttpNfcLeaseDeviceUrl", urls))
            .with("totalDiskCapacityInKB", long(kib))
            .with("leaseTimeout", int(sim.lease_timeout.as_secs()))
            .unset(&["hostMap"])
    }
}

pub(crate) fn property(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    let lease = inventory.sim.leases.get(&mo.number("lease-")?)?;
    match name {
        "initializeProgress" => Some(Value::Int(if lease.phase == Phase::Creating { 0 } else { 100 })),
        "transferProgress" => Some(Value::Int(lease.progress)),
        "mode" => Some("pushOrGet".into()),
        "info" if !matches!(lease.phase, Phase::Creating | Phase::Failed) => Some(lease.info(inventory, mo).into()),
        "state" => Some(Value::Enum("HttpNfcLeaseState", lease.state_name())),
        "error" => lease.error.as_ref().map(|fault| fault.localized().into()),
        _ => None,
    }
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    let number = call.target.number("lease-").unwrap_or_default();
    Some(match call.method {
        "HttpNfcLeaseProgress" => progress(sim, call, number, host),
        "HttpNfcLeaseComplete" => complete(sim, call, number, host),
        "HttpNfcLeaseAbort" => abort(sim, call, number, host),
        "HttpNfcLeaseGetManifest" => manifest(sim, number),
        _ => return None,
    })
}

fn wrong_state(lease: &Lease) -> Fault {
    Fault::invalid_state(&format!("The lease is in state {}.", lease.state_name()))
}

fn progress(sim: &mut VSphere, call: &Call<'_>, number: u64, host: &mut dyn CloudHost) -> Outcome {
    let percent: i32 = call.args.number_of("percent")?.unwrap_or(0);
    let lease = sim.leases.get_mut(&number).ok_or_else(|| Fault::not_found(&call.target))?;
    if !matches!(lease.phase, Phase::Creating | Phase::Ready | Phase::Writing { .. }) {
        // A lease that timed out says so to the client that comes late.
        return Err(lease.error.clone().filter(|fault| fault.kind == "Timedout").unwrap_or_else(|| wrong_state(lease)));
    }
    lease.progress = percent.clamp(0, 100);
    sim.lease_lives(number, host);
    Ok(Reply::Void)
}

/// Reads what was uploaded. One torn or foreign disk fails the whole import.
fn complete(sim: &mut VSphere, call: &Call<'_>, number: u64, host: &mut dyn CloudHost) -> Outcome {
    let lease = sim.leases.get_mut(&number).ok_or_else(|| Fault::not_found(&call.target))?;
    let (Phase::Ready, Some(machine)) = (&lease.phase, lease.machine) else { return Err(wrong_state(lease)) };
    let mut rest = VecDeque::new();
    for device in &lease.devices {
        let Some(bytes) = &device.uploaded else { continue };
        match ImageHeader::decode(bytes) {
            Ok(header) => {
                let image = Arc::new(DiskImage { header, bytes: bytes.clone() });
                rest.push_back(Operation::WriteDisk { machine, disk: device.disk, image });
            }
            Err(error) => {
                let fault = Fault::system(&format!("{} was not imported: {error}", device.file));
                sim.drop_import(number, fault.clone(), None, host);
                return Err(fault);
            }
        }
    }
    lease.phase = Phase::Writing { reply: call.reply, rest };
    sim.write_next(number, host);
    Ok(Reply::Later)
}

fn abort(sim: &mut VSphere, call: &Call<'_>, number: u64, host: &mut dyn CloudHost) -> Outcome {
    let lease = sim.leases.get_mut(&number).ok_or_else(|| Fault::not_found(&call.target))?;
    if !matches!(lease.phase, Phase::Creating | Phase::Ready) {
        return Err(wrong_state(lease));
    }
    host.holds(&fidelity::LEASE_DELETES);
    let fault = Fault::new("RequestCanceled", "The import was aborted by its client.");
    if sim.drop_import(number, fault, Some(call.reply), host) { Ok(Reply::Later) } else { Ok(Reply::Void) }
}

fn manifest(sim: &VSphere, number: u64) -> Outcome {
    let lease = sim.leases.get(&number).filter(|lease| matches!(lease.phase, Phase::Ready | Phase::Writing { .. }));
    let Some(lease) = lease else {
        return Err(Fault::invalid_state("The lease is not ready."));
    };
    let uploaded = lease.devices.iter().filter_map(|device| Some((device, device.uploaded.as_ref()?)));
    let entries = uploaded.map(|(device, bytes)| {
        let sha1: String = Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Data::new("HttpNfcLeaseManifestEntry")
            .with("key", device.key.as_str())
            .with("sha1", sha1)
            .with("checksum", sha256_hex(bytes))
            .with("checksumType", "sha256")
            .with("size", long(bytes.len()))
            .with("disk", true)
            .with("capacity", long(device.capacity_mib << 20))
            .into()
    });
    Ok(Reply::Many(entries.collect()))
}

impl VSphere {
    /// Notes a sign of life: from now on the client has the whole time limit again.
    pub(crate) fn lease_lives(&mut self, number: u64, host: &mut dyn CloudHost) {
        let Some(lease) = self.leases.get_mut(&number) else { return };
        lease.signs_of_life += 1;
        let alarm = Alarm::LeaseExpires { lease: number, signs_of_life: lease.signs_of_life };
        self.set_alarm(alarm, self.lease_timeout, host);
    }

    /// The time limit of a lease has passed. Of no consequence where there were signs of life since.
    pub(crate) fn expire_lease(&mut self, number: u64, signs_of_life: u64, host: &mut dyn CloudHost) {
        let Some(lease) = self.leases.get(&number) else { return };
        if lease.phase == Phase::Ready && lease.signs_of_life == signs_of_life {
            let fault = Fault::new("Timedout", "The lease timed out: there was no progress.");
            self.drop_import(number, fault, None, host);
        }
    }

    /// An import that is made to fail does; no machine was made for it.
    pub(crate) fn fail_lease(&mut self, number: u64, host: &mut dyn CloudHost) {
        self.drop_import(number, Fault::system("the import failed half way"), None, host);
    }

    /// An operation that a lease submitted has ended.
    pub(crate) fn lease_operation(
        &mut self,
        number: u64,
        result: &Result<OperationOutput, OperationError>,
        host: &mut dyn CloudHost,
    ) {
        let Some(lease) = self.leases.get_mut(&number) else { return };
        match (lease.phase.clone(), result) {
            (Phase::Creating, Ok(_)) => {
                lease.phase = Phase::Ready;
                self.lease_lives(number, host);
            }
            (Phase::Creating, Err(error)) => {
                lease.error = Some(Fault::of_operation(error, &lease.entity, DATASTORE_NAME));
                lease.machine = None;
                lease.phase = Phase::Failed;
            }
            (Phase::Abandoned { reply }, Ok(_)) => self.remove_import(number, reply, host),
            (Phase::Writing { .. }, Ok(_)) => self.write_next(number, host),
            (Phase::Writing { reply, .. }, Err(error)) => {
                let fault = Fault::of_operation(error, &lease.entity, DATASTORE_NAME);
                host.reply(reply, fault_response(&fault));
                self.drop_import(number, fault, None, host);
            }
            (Phase::Abandoned { reply } | Phase::Removing { reply }, _) => {
                lease.phase = Phase::Failed;
                if let Some(reply) = reply {
                    host.reply(reply, xml_response(encode::result("HttpNfcLeaseAbort", &[])));
                }
            }
            (Phase::Ready | Phase::Done | Phase::Failed, _) => {}
        }
    }

    fn write_next(&mut self, number: u64, host: &mut dyn CloudHost) {
        let Some(lease) = self.leases.get_mut(&number) else { return };
        let Phase::Writing { reply, rest } = &mut lease.phase else { return };
        match rest.pop_front() {
            Some(operation) => {
                let id = host.fleet().submit(operation);
                self.operations.insert(id, Purpose::Lease(number));
            }
            None => {
                let reply = *reply;
                lease.phase = Phase::Done;
                lease.progress = 100;
                for device in &mut lease.devices {
                    device.uploaded = None;
                }
                host.reply(reply, xml_response(encode::result("HttpNfcLeaseComplete", &[])));
            }
        }
    }

    /// Gives an import up and removes what it made. Whether that takes time, so that `reply` is answered later.
    fn drop_import(&mut self, number: u64, fault: Fault, reply: Option<ReplyTo>, host: &mut dyn CloudHost) -> bool {
        let Some(lease) = self.leases.get_mut(&number) else { return false };
        lease.error = Some(fault);
        for device in &mut lease.devices {
            device.uploaded = None;
        }
        if lease.phase == Phase::Creating && lease.machine.is_some() {
            lease.phase = Phase::Abandoned { reply };
            return true;
        }
        if lease.machine.is_none() {
            lease.phase = Phase::Failed;
            return false;
        }
        self.remove_import(number, reply, host);
        true
    }

    fn remove_import(&mut self, number: u64, reply: Option<ReplyTo>, host: &mut dyn CloudHost) {
        let Some(lease) = self.leases.get_mut(&number) else { return };
        let Some(machine) = lease.machine.take() else { return };
        lease.phase = Phase::Removing { reply };
        let id = host.fleet().submit(Operation::Destroy { machine });
        self.operations.insert(id, Purpose::Lease(number));
    }
}
