//! A virtual world for one case, in which a cloud without an interface hears what happens.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use grenadier_clock::{Clock, Seed, TieBreak, Time};
use grenadier_events::{Actor, EventLog};
use grenadier_fidelity::Ledger;
use grenadier_fleet::{
    Cloud, CloudHost, FleetEvent, FleetView, Mac, Machine, MachineId, MachineSpec, Mishap, Nic, Observation, Operation,
    OperationId, ProbeKind, SegmentSpec, TimingProfile, Watch,
};
use grenadier_fleet_contract::{ContractWorld, Exception, HOST, RESPONDER, Responder, SEGMENTS};
use grenadier_fleet_virtual::{VirtualWorld, WorldConfig};
use grenadier_guest::Guest;
use grenadier_wire::{Answer, Answerer, Exchange, Failure, HttpExchange, ReplyTo, ShellExchange};

/// How long the world goes on before somebody who waits looks again.
const TICK: Duration = Duration::from_millis(10);

/// The events that were not taken in yet.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<FleetEvent>>>);

impl Heard {
    fn take(&self) -> Vec<FleetEvent> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Cloud for Heard {
    fn handle(&mut self, _reply: ReplyTo, _request: http::Request<Bytes>, _host: &mut dyn CloudHost) {}

    fn fleet_event(&mut self, event: &FleetEvent, _host: &mut dyn CloudHost) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }

    fn timer(&mut self, _key: u64, _host: &mut dyn CloudHost) {}

    fn state(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

/// The world of one case.
pub(crate) struct World {
    pub(crate) inner: VirtualWorld,
    heard: Heard,
}

impl World {
    pub(crate) fn new() -> World {
        let segments = SEGMENTS.iter().zip(2..).map(|(name, number)| SegmentSpec {
            name: (*name).to_owned(),
            subnet: format!("198.18.{number}.0/24").parse().expect("a subnet"),
        });
        let inner = VirtualWorld::new(WorldConfig {
            host: HOST,
            segments: segments.collect(),
            timing: TimingProfile::reference(),
            seed: Seed(1),
            ties: TieBreak::Insertion,
            cloud_endpoint: "vcenter.example:443".into(),
            guests: Box::new(|header, _| {
                (header.product == RESPONDER).then(|| Box::new(Responder::default()) as Box<dyn Guest>)
            }),
            log: EventLog::default(),
            ledger: Ledger::default(),
        });
        let heard = Heard::default();
        inner.host_cloud(Box::new(heard.clone()));
        World { inner, heard }
    }

    async fn call(&mut self, exchange: Exchange) -> Result<Answer, Failure> {
        let timed_out = Failure::TimedOut { endpoint: exchange.endpoint().to_owned() };
        let patience = self.inner.sleep(exchange.timeout());
        match select(self.inner.answer(Actor::Engine, exchange), patience).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => Err(timed_out),
        }
    }
}

impl ContractWorld for World {
    const EXCEPTIONS: &'static [Exception] = &[];

    fn submit(&mut self, operation: Operation) -> OperationId {
        self.inner.administer(|host| host.fleet().submit(operation))
    }

    fn submit_create(&mut self, spec: MachineSpec) -> (MachineId, OperationId) {
        self.inner.administer(|host| host.fleet().submit_create(spec))
    }

    fn view(&self) -> FleetView {
        self.inner.view(FleetView::clone)
    }

    fn take_events(&mut self) -> Vec<FleetEvent> {
        self.heard.take()
    }

    async fn wait(&mut self, at_most: Duration) {
        self.inner.sleep(at_most.min(TICK)).await;
    }

    fn now(&self) -> Time {
        self.inner.now()
    }

    fn container_image(&self) -> String {
        "none".to_owned()
    }

    async fn http(&mut self, exchange: HttpExchange) -> Result<Answer, Failure> {
        self.call(Exchange::Http(exchange)).await
    }

    async fn shell(&mut self, exchange: ShellExchange) -> Result<Answer, Failure> {
        self.call(Exchange::Shell(exchange)).await
    }

    async fn hardware_addresses(&mut self, asker: MachineId, address: IpAddr) -> BTreeSet<Mac> {
        let target = SocketAddr::new(address, 0);
        let kind = ProbeKind::Arp;
        let watch = Watch { client: asker, target, tls: false, kind, every: TICK, backends: Vec::new() };
        let watch = self.inner.watch(watch, "address", "asker");
        self.inner.unwatch(watch);
        let is_seen = |event: &&FleetEvent| matches!(event, FleetEvent::Watch { watch: other, .. } if *other == watch);
        let events = self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(FleetEvent::Watch { observation, .. }) = events.iter().rev().find(is_seen) else {
            panic!("a watch looks at once: {events:?}")
        };
        let view = self.view();
        let mac = |machine: &Machine| {
            let asked = |nic: &&Nic| view.segments[&nic.segment].subnet.contains(&address);
            machine.spec.nics.iter().find(asked).expect("who answers has a card there").mac
        };
        match observation {
            Observation::Up(served) => served.machine.iter().map(|id| mac(&view.machines[id])).collect(),
            Observation::Down { reason, .. } => match reason.strip_suffix(" all answer for it") {
                Some(names) => names.split(" and ").filter_map(|name| view.by_name(name)).map(mac).collect(),
                None => BTreeSet::new(),
            },
        }
    }

    async fn kill(&mut self, machine: MachineId) {
        self.submit(Operation::Suffer { machine, mishap: Mishap::Crash });
    }

    async fn end(self) {}
}
