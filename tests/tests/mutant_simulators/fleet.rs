//! Clauses of the fleet's contract.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::{Clock, Seed, TieBreak};
use grenadier_events::{Actor, EventLog};
use grenadier_fidelity::Ledger;
use grenadier_fleet::{
    Disk, DiskImage, GuestReport, Hardware, Host as Capacity, ImageHeader, Mac, MachineId, MachineSpec, Nic, Operation,
    OperationOutput, SegmentSpec, TimingProfile,
};
use grenadier_fleet_virtual::{VirtualWorld, WorldConfig};
use grenadier_guest::{Answering, Guest, Host, Input, Listener};
use grenadier_wire::{Answerer, Exchange, Failure, HttpExchange, TlsTrust};

/// A guest that serves with a certificate.
#[derive(Clone)]
struct Server;

impl Guest for Server {
    fn handle(&mut self, input: Input, host: &mut dyn Host) {
        if matches!(input, Input::Boot) {
            host.add_address(4000, "198.18.2.5/24".parse().expect("an address"));
            let answering = Answering::Backend(host.machine().to_owned());
            let certificate = Some("aa".repeat(32));
            host.listen(Listener { address: None, port: 443, certificate, answering });
            host.report(GuestReport::Up);
        }
    }

    fn state(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn boxed_clone(&self) -> Box<dyn Guest> {
        Box::new(self.clone())
    }
}

fn world(overturned: Option<&str>) -> VirtualWorld {
    VirtualWorld::new(WorldConfig {
        host: Capacity { cpus: 4, memory_mib: 8192, storage_mib: 100_000 },
        segments: vec![SegmentSpec { name: "frontend".into(), subnet: "198.18.2.0/24".parse().expect("a network") }],
        timing: TimingProfile::reference(),
        seed: Seed(1),
        ties: TieBreak::Insertion,
        cloud_endpoint: "vcenter.example:443".into(),
        guests: Box::new(|_, _| Some(Box::new(Server))),
        log: EventLog::default(),
        ledger: Ledger::overturning(overturned.map(str::to_owned)),
    })
}

async fn started(world: &VirtualWorld) -> Result<MachineId, String> {
    let header = ImageHeader {
        product: "server".into(),
        version: "1".into(),
        container: "none".into(),
        facts: BTreeMap::new(),
        payload_bytes: 0,
    };
    let bytes = header.encode();
    let (machine, created) = world.create(MachineSpec {
        name: "server".into(),
        hardware: Hardware { cpus: 2, memory_mib: 4096 },
        nics: vec![Nic { key: 4000, segment: "frontend".into(), mac: Mac::vmware(1), connected: true }],
        disks: vec![Disk {
            key: 2000,
            path: "[LocalDS_0] server/server.vmdk".into(),
            capacity_mib: 20_000,
            image: Some(Arc::new(DiskImage { header, bytes })),
        }],
        config: BTreeMap::new(),
        record: BTreeMap::new(),
        hosted: true,
    });
    created.await.map_err(|error| error.to_string())?;
    perform(world, Operation::PowerOn { machine }).await?;
    world.sleep(Duration::from_secs(10)).await;
    Ok(machine)
}

async fn perform(world: &VirtualWorld, operation: Operation) -> Result<OperationOutput, String> {
    world.perform(operation).await.map_err(|error| error.to_string())
}

/// What a snapshot holds comes back with a revert: here a file that was written since is gone.
pub(crate) fn a_revert_restores(overturned: Option<&str>) -> Result<(), String> {
    let world = world(overturned);
    world.block_on(async {
        let machine = started(&world).await?;
        let (name, description) = ("before".to_owned(), String::new());
        let taken = perform(&world, Operation::Snapshot { machine, name, description, memory: false }).await?;
        let OperationOutput::Snapshot(snapshot) = taken else { return Err("no snapshot".to_owned()) };
        let (path, content) = ("/since".to_owned(), Some("x".into()));
        perform(&world, Operation::WriteFile { machine, path, content }).await?;
        perform(&world, Operation::Revert { machine, snapshot, suppress_power_on: false }).await?;
        match perform(&world, Operation::ReadFiles { machine }).await? {
            OperationOutput::Files(files) if files.contains_key("/since") => Err("the file is still there".to_owned()),
            _ => Ok(()),
        }
    })
}

/// A client that pins a certificate gets no answer from whoever shows another.
pub(crate) fn a_pin_is_held(overturned: Option<&str>) -> Result<(), String> {
    let world = world(overturned);
    world.block_on(async {
        started(&world).await?;
        let ask = |pin: &str| {
            let request = http::Request::builder().uri("/").header("host", "server").body(Bytes::new());
            world.answer(
                Actor::Runner,
                Exchange::Http(HttpExchange {
                    endpoint: "198.18.2.5:443".to_owned(),
                    tls: Some(TlsTrust::Pinned(pin.repeat(32))),
                    request: request.expect("a request"),
                    timeout: Duration::from_secs(5),
                }),
            )
        };
        ask("aa").await.map_err(|error| format!("the pinned certificate is refused: {error}"))?;
        match ask("bb").await {
            Err(Failure::Untrusted { .. }) => Ok(()),
            other => Err(format!("another certificate than the pinned one: {other:?}")),
        }
    })
}
