//! The virtual world as a stage.

use std::sync::Arc;
use std::time::Duration;

use grenadier_catalog::{Named, Segment};
use grenadier_clock::{Clock, Seed};
use grenadier_events::EventLog;
use grenadier_fidelity::Ledger;
use grenadier_fleet::{FleetView, MachineId, MachineSpec, Operation, SegmentSpec, Watch, WatchId};
use grenadier_fleet_virtual::{GuestFactory, VirtualWorld, WorldConfig};
use grenadier_scenario::{Blocks, Scenario};
use grenadier_wire::{Answerer, Wire};

use crate::Options;
use crate::options::EngineProgram;
use crate::setting::{Setting, VCENTER_ENDPOINT};
use crate::stage::{Pace, Performing, Stage};
use crate::strikes::Strikes;
use crate::timing;
use crate::worlds::SharedCloud;

/// How long guests and operators take in the virtual world, under the reference profile.
pub(crate) const PACE: Pace = Pace {
    reload_delay_ms: None,
    backoff_initial_ms: 1_000,
    backoff_max_ms: 300_000,
    resync_ms: 30_000,
    poll_ms: 250,
    // The upgrade document's rule of thumb.
    routes_within: Duration::from_secs(300),
    neighbour: None,
    lasts_to_horizon: true,
};

/// Networks of a /20 each, one beside the other.
pub(crate) fn blocks() -> Blocks {
    let net = |number: usize| {
        let third = u8::try_from(number * 16).expect("a topology has few segments");
        ipnet::Ipv4Net::new([198, 18, third, 0].into(), 20).expect("20 is a prefix length of IPv4")
    };
    Blocks::new(Segment::ALL.iter().enumerate().map(|(number, segment)| (*segment, net(number))))
}

/// The virtual world with a vCenter in it.
pub(crate) struct VirtualStage {
    world: VirtualWorld,
    vcenter: SharedCloud,
    wire: Wire,
    log: EventLog,
    blocks: Blocks,
    ledger: Ledger,
    engine: Option<EngineProgram>,
    pace: Pace,
}

impl VirtualStage {
    /// Sets the stage for `scenario`: segments, host and vCenter, and no machine yet.
    pub(crate) fn new(
        scenario: &Scenario,
        seed: Seed,
        options: &Options,
        log: EventLog,
        setting: &Setting,
        guests: GuestFactory,
        carrier: &dyn Fn(Arc<dyn Answerer>) -> Arc<dyn Answerer>,
    ) -> VirtualStage {
        let blocks = blocks();
        let ledger = Ledger::overturning(options.overturned.iter().cloned());
        let world = VirtualWorld::new(WorldConfig {
            host: setting.host,
            segments: segment_specs(&blocks),
            timing: timing::fleet(&scenario.timing),
            seed,
            ties: options.tie_break(),
            cloud_endpoint: VCENTER_ENDPOINT.to_owned(),
            guests,
            log: log.clone(),
            ledger: ledger.clone(),
        });
        let vcenter = SharedCloud::new(setting.vcenter(seed));
        world.host_cloud(Box::new(vcenter.clone()));
        let wire = Wire::new(setting.protocols(), Arc::new(world.clone()), log.clone());
        world.use_wire(wire.clone());
        let wire = wire.connected(carrier(Arc::new(world.clone())));
        VirtualStage {
            world,
            vcenter,
            wire,
            log,
            blocks,
            ledger,
            engine: options.engine.clone(),
            pace: timing::pace(&scenario.timing.profile),
        }
    }

    /// Notes in `strikes` where a fault could strike, from now on.
    pub(crate) fn note(&self, strikes: &Strikes) {
        let (strikes, world, log) = (strikes.clone(), self.world.clone(), self.log.clone());
        self.wire.watch_calls(Some(Box::new(move |address| strikes.note(address, &log, || world.digest()))));
    }

    /// Runs `main` in virtual time.
    pub(crate) fn block_on<F: Future>(&self, main: F) -> F::Output {
        self.world.block_on(main)
    }
}

impl Drop for VirtualStage {
    fn drop(&mut self) {
        // Whoever watches calls holds the world, and the world the wire.
        self.wire.watch_calls(None);
        self.world.release_wire();
    }
}

impl Stage for VirtualStage {
    fn clock(&self) -> &dyn Clock {
        &self.world
    }

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn log(&self) -> &EventLog {
        &self.log
    }

    fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    fn pace(&self) -> &Pace {
        &self.pace
    }

    fn vcenter(&self) -> (String, Option<String>) {
        (VCENTER_ENDPOINT.to_owned(), None)
    }

    fn perform(&self, operation: Operation) -> Performing {
        Box::pin(self.world.perform(operation))
    }

    fn create(&self, spec: MachineSpec) -> (MachineId, Performing) {
        let (id, created) = self.world.create(spec);
        (id, Box::pin(created))
    }

    fn look(&self, look: &mut dyn FnMut(&FleetView)) {
        self.world.view(look);
    }

    fn watch(&self, watch: Watch, target: &str, client: &str) -> WatchId {
        self.world.watch(watch, target, client)
    }

    fn unwatch(&self, watch: WatchId) {
        self.world.unwatch(watch);
    }

    fn assumptions(&self) -> Vec<String> {
        let relied_on = self.ledger.relied_on().into_iter();
        relied_on.filter(|behaviour| behaviour.is_assumed()).map(|behaviour| behaviour.id.to_owned()).collect()
    }

    fn time_is_virtual(&self) -> bool {
        true
    }

    fn engine_program(&self) -> Option<&EngineProgram> {
        self.engine.as_ref()
    }

    fn cloud_state(&self) -> serde_json::Value {
        self.world.cloud_state().unwrap_or_default()
    }

    fn upgrade_cloud(&self, version: &str) {
        self.world.administer(|host| self.vcenter.lock().set_version(version, host));
    }
}

/// The segments as the fleet wants them. All of them exist in every topology: a target may be told another one.
pub(crate) fn segment_specs(blocks: &Blocks) -> Vec<SegmentSpec> {
    let spec =
        |segment: &Segment| Some(SegmentSpec { name: segment.to_string(), subnet: blocks.network(*segment)?.into() });
    Segment::ALL.iter().filter_map(spec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_freed_when_its_run_is_over() {
        let Ok(loaded) = grenadier_scenario::load("haproxy-appliance-swap") else {
            panic!("it comes with the product")
        };
        let seed = Seed(1);
        let token = Arc::new(());
        let held = Arc::downgrade(&token);
        let guests: GuestFactory = Box::new(move |_, _| {
            let _held = &token;
            None
        });
        let setting = Setting::of(&loaded.scenario, seed);
        let log = EventLog::default();
        drop(VirtualStage::new(&loaded.scenario, seed, &Options::default(), log, &setting, guests, &|world| world));
        assert!(held.upgrade().is_none(), "something still holds the world");
    }
}
