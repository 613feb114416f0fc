//! A world with hands: makes machines, waits for what happens, looks at what answers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use grenadier_fleet::{
    Boot, Disk, DiskImage, FleetEvent, Hardware, ImageHeader, Mac, Machine, MachineId, MachineSpec, Mishap, Nic,
    Operation, OperationError, OperationId, OperationOutput, Power,
};
use grenadier_wire::{Answer, Failure, HttpExchange, ShellExchange, ShellOutput};
use ipnet::IpNet;

use crate::guest::{RESPONDER, Wish};
use crate::world::{ContractWorld, FRONTEND};

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long a caller waits. Linux gives an address up that nobody answers ARP for after 3 s.
const CALLER_PATIENCE: Duration = Duration::from_secs(6);

/// A world under test, and everything that happened in it.
#[derive(Debug)]
pub struct Bench<W> {
    /// The world.
    pub world: W,
    /// What happened so far, in order.
    pub events: Vec<FleetEvent>,
    cards: u32,
}

impl<W: ContractWorld> Bench<W> {
    /// A bench in a fresh world.
    pub fn new(world: W) -> Bench<W> {
        Bench { world, events: Vec::new(), cards: 0 }
    }

    /// An address on one of the segments, by the number of the host.
    pub fn address(&self, segment: &str, host: u8) -> IpAddr {
        match self.world.view().segments[segment].subnet.network() {
            IpAddr::V4(network) => {
                let [a, b, c, _] = network.octets();
                Ipv4Addr::new(a, b, c, host).into()
            }
            IpAddr::V6(network) => panic!("segments of the suite are /24, and {network} is none"),
        }
    }

    /// The same with a prefix.
    pub fn net(&self, segment: &str, host: u8, prefix: u8) -> IpNet {
        IpNet::new(self.address(segment, host), prefix).expect("a prefix of the suite is no longer than an address")
    }

    /// The next hardware address that no card has yet.
    pub fn mac(&mut self) -> Mac {
        self.cards += 1;
        Mac::vmware(self.cards)
    }

    /// A responder with a card and an address on each of these segments, and an AnyIP range.
    pub fn responder(&mut self, name: &str, at: &[(&str, u8)], range: Option<IpNet>) -> MachineSpec {
        let header = ImageHeader {
            product: RESPONDER.to_owned(),
            version: "v1".to_owned(),
            container: self.world.container_image(),
            facts: BTreeMap::new(),
            payload_bytes: 0,
        };
        let image = DiskImage { bytes: header.encode(), header };
        let nics: Vec<Nic> = at
            .iter()
            .zip(4000..)
            .map(|((segment, _), key)| Nic { key, segment: (*segment).to_owned(), mac: self.mac(), connected: true })
            .collect();
        let addresses = at.iter().map(|(segment, host)| self.net(segment, *host, 24)).collect();
        let wish = Wish { addresses, range, name: name.to_owned() };
        MachineSpec {
            name: name.to_owned(),
            hardware: Hardware { cpus: 1, memory_mib: 64 },
            nics,
            disks: vec![Disk {
                key: 2000,
                path: format!("[datastore1] {name}/{name}.vmdk"),
                capacity_mib: 16,
                image: Some(Arc::new(image)),
            }],
            config: BTreeMap::from([(RESPONDER.to_owned(), text(&wish))]),
            record: BTreeMap::new(),
            hosted: true,
        }
    }

    /// A responder on the frontend that is up.
    pub async fn started(&mut self, name: &str, host: u8, range: Option<IpNet>) -> MachineId {
        let spec = self.responder(name, &[(FRONTEND, host)], range);
        let machine = self.create(spec).await;
        self.boot(machine).await;
        machine
    }

    /// Takes in what happened already.
    pub fn take(&mut self) {
        self.events.extend(self.world.take_events());
    }

    /// Waits until a condition holds, which is looked at after every event.
    pub async fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let (began, from) = (self.world.now(), self.events.len());
        loop {
            self.take();
            if holds(self) {
                return;
            }
            let left = DEADLINE.saturating_sub(self.world.now() - began);
            assert!(!left.is_zero(), "waited {DEADLINE:?} for {what}; since then: {:#?}", &self.events[from..]);
            self.world.wait(left).await;
        }
    }

    /// Waits for an event from `from` on; its place.
    pub async fn event(&mut self, from: usize, what: &str, wanted: impl Fn(&FleetEvent) -> bool) -> usize {
        let mut place = None;
        self.until(what, |bench| {
            place = bench.events[from..].iter().position(&wanted).map(|offset| from + offset);
            place.is_some()
        })
        .await;
        place.expect("it was waited for")
    }

    /// Waits for the end of an operation that was submitted when there were `from` events.
    pub async fn ended(&mut self, from: usize, operation: OperationId) -> Result<OperationOutput, OperationError> {
        let is_end = |event: &FleetEvent| matches!(event, FleetEvent::OperationFinished { id, .. } if *id == operation);
        let place = self.event(from, "the end of an operation", is_end).await;
        match &self.events[place] {
            FleetEvent::OperationFinished { result, .. } => result.clone(),
            other => unreachable!("{other:?} is no end"),
        }
    }

    /// Performs an operation to its end.
    pub async fn perform(&mut self, operation: Operation) -> Result<OperationOutput, OperationError> {
        let from = self.events.len();
        let id = self.world.submit(operation);
        self.ended(from, id).await
    }

    /// Performs an operation that must succeed.
    pub async fn must(&mut self, operation: Operation) -> OperationOutput {
        let what = format!("{operation:?}");
        self.perform(operation).await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Makes a machine, or is refused.
    pub async fn try_create(&mut self, spec: MachineSpec) -> Result<MachineId, OperationError> {
        let from = self.events.len();
        let (machine, id) = self.world.submit_create(spec);
        self.ended(from, id).await.map(|_| machine)
    }

    /// Makes a machine.
    pub async fn create(&mut self, spec: MachineSpec) -> MachineId {
        self.try_create(spec).await.unwrap_or_else(|error| panic!("create a machine: {error}"))
    }

    /// Turns a machine on and waits until its guest is up.
    pub async fn boot(&mut self, machine: MachineId) {
        self.must(Operation::PowerOn { machine }).await;
        self.up(machine).await;
    }

    /// Has something happen to a machine by itself.
    pub async fn suffer(&mut self, machine: MachineId, mishap: Mishap) {
        self.must(Operation::Suffer { machine, mishap }).await;
    }

    /// Waits until a guest is up.
    pub async fn up(&mut self, machine: MachineId) {
        self.until("a guest to be up", |bench| bench.machine(machine).boot == Boot::Up).await;
    }

    /// Waits until a machine is off, and it must be seen at once that its guest is gone.
    pub async fn off(&mut self, from: usize, machine: MachineId) {
        let off = |event: &FleetEvent| matches!(event, FleetEvent::PowerChanged { machine: other, power: Power::Off } if *other == machine);
        self.event(from, "a machine to go off", off).await;
        self.is_off(machine);
    }

    /// The view says that a machine is off, and shows nothing of its guest.
    pub fn is_off(&self, machine: MachineId) {
        let seen = self.machine(machine);
        assert_eq!((seen.power, &seen.boot, &seen.hostname), (Power::Off, &Boot::Off, &None));
        assert!(seen.addresses.is_empty(), "{:?}", seen.addresses);
    }

    /// A machine as the view has it.
    pub fn machine(&self, machine: MachineId) -> Machine {
        self.world.view().machines.get(&machine).cloned().unwrap_or_else(|| panic!("{machine} is not in the view"))
    }

    /// The files of a machine's disk.
    pub async fn files(&mut self, machine: MachineId) -> BTreeMap<String, Bytes> {
        match self.must(Operation::ReadFiles { machine }).await {
            OperationOutput::Files(files) => files,
            other => panic!("{other:?}"),
        }
    }

    /// Writes or removes a file without the guest's help.
    pub async fn write_file(&mut self, machine: MachineId, path: &str, content: Option<&'static str>) {
        let (path, content) = (path.to_owned(), content.map(Bytes::from));
        self.must(Operation::WriteFile { machine, path, content }).await;
    }

    /// How often a machine was booted, as its disk says.
    pub async fn boots(&mut self, machine: MachineId) -> usize {
        self.files(machine).await.get(crate::BOOTS).map_or(0, Bytes::len)
    }

    /// Gets `/` at port 80 of an address, from outside.
    pub async fn get(&mut self, address: IpAddr) -> Result<String, Failure> {
        let request = http::Request::get("/").body(Bytes::new()).expect("a well-formed request");
        let endpoint = endpoint(address);
        let exchange = HttpExchange { endpoint, tls: None, request, timeout: CALLER_PATIENCE };
        match self.world.http(exchange).await? {
            Answer::Http(response) => Ok(String::from_utf8_lossy(response.body()).into_owned()),
            Answer::Shell(output) => panic!("HTTP does not answer with {output:?}"),
        }
    }

    /// Runs a command in a machine's shell, with something at its standard input.
    pub async fn shell_with(
        &mut self,
        host: IpAddr,
        command: &str,
        stdin: impl Into<Bytes>,
    ) -> Result<ShellOutput, Failure> {
        let exchange = ShellExchange {
            host: host.to_string(),
            user: "root".to_owned(),
            password: None,
            command: command.to_owned(),
            stdin: stdin.into(),
            timeout: Duration::from_secs(20),
        };
        match self.world.shell(exchange).await? {
            Answer::Shell(output) => Ok(output),
            Answer::Http(response) => panic!("a shell does not answer with {response:?}"),
        }
    }

    /// Runs a command in a machine's shell and gives all it left.
    pub async fn shell(&mut self, host: IpAddr, command: &str) -> Result<ShellOutput, Failure> {
        self.shell_with(host, command, Bytes::new()).await
    }

    /// Runs a command that must exit 0 and gives its output.
    pub async fn sh(&mut self, host: IpAddr, command: &str) -> String {
        let output = self.shell(host, command).await.unwrap_or_else(|failure| panic!("{command}: {failure}"));
        assert_eq!(output.exit_code, 0, "{command}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Who answers ARP for an address now, asked by a machine with one card.
    pub async fn owners(&mut self, asker: MachineId, address: IpAddr) -> BTreeSet<Mac> {
        self.world.hardware_addresses(asker, address).await
    }

    /// Nothing answers at an address now: no ARP, no HTTP.
    pub async fn is_silent(&mut self, asker: MachineId, address: IpAddr) {
        assert_eq!(self.owners(asker, address).await, BTreeSet::new(), "somebody answers ARP for {address}");
        let endpoint = endpoint(address);
        assert_eq!(self.get(address).await, Err(Failure::Unreachable { endpoint }));
    }

    /// Waits until nobody answers ARP for an address, where a guest takes a moment to act.
    pub async fn until_silent(&mut self, asker: MachineId, address: IpAddr) {
        let began = self.world.now();
        while !self.owners(asker, address).await.is_empty() {
            assert!(self.world.now() - began < DEADLINE, "somebody still answers ARP for {address}");
        }
    }

    /// Waits until this machine answers at an address, where a guest takes a moment to act.
    pub async fn until_answers(&mut self, address: IpAddr, name: &str) {
        let began = self.world.now();
        loop {
            let answer = self.get(address).await;
            if answer.as_deref() == Ok(name) {
                return;
            }
            assert!(self.world.now() - began < DEADLINE, "{address} still answers {answer:?}");
        }
    }

    /// The last told owners of an address or range.
    pub fn told_owners(&self, address: IpNet) -> Vec<MachineId> {
        let told = self.events.iter().rev().find_map(|event| match event {
            FleetEvent::AddressOwners { address: other, owners, .. } if *other == address => Some(owners.clone()),
            _ => None,
        });
        told.unwrap_or_default()
    }

    /// Takes the world down.
    pub async fn end(self) {
        self.world.end().await;
    }
}

/// The port 80 of an address.
pub(crate) fn endpoint(address: IpAddr) -> String {
    format!("{address}:80")
}

/// A wish as the key `responder` says it.
pub(crate) fn text(wish: &Wish) -> String {
    serde_json::to_string(wish).expect("a wish has plain fields")
}
