//! The virtual world as a stage.

use std::sync::Arc;
use std::time::Duration;

use grenadier_catalog::{Named, Segment};
use grenadier_clock::{Clock, Seed, TieBreak};
use grenadier_events::EventLog;
use grenadier_fleet::{FleetView, MachineId, MachineSpec, Operation, SegmentSpec, TimingProfile, Watch, WatchId};
use grenadier_fleet_virtual::{GuestFactory, VirtualWorld, WorldConfig};
use grenadier_scenario::{Blocks, Scenario};
use grenadier_wire::{Answerer, Wire};

use crate::setting::{Setting, VCENTER_ENDPOINT};
use crate::stage::{Pace, Performing, Stage};
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
}

impl VirtualStage {
    /// Sets the stage for `scenario`: segments, host and vCenter, and no machine yet.
    pub(crate) fn new(
        scenario: &Scenario,
        seed: Seed,
        log: EventLog,
        setting: &Setting,
        guests: GuestFactory,
        carrier: &dyn Fn(Arc<dyn Answerer>) -> Arc<dyn Answerer>,
    ) -> VirtualStage {
        let blocks = blocks();
        let timing = TimingProfile { jitter_percent: scenario.timing.jitter.percent(), ..TimingProfile::reference() };
        let world = VirtualWorld::new(WorldConfig {
            host: setting.host,
            segments: segment_specs(&blocks),
            timing,
            seed,
            ties: TieBreak::Insertion,
            cloud_endpoint: VCENTER_ENDPOINT.to_owned(),
            guests,
            log: log.clone(),
        });
        let vcenter = SharedCloud::new(setting.vcenter(seed));
        world.host_cloud(Box::new(vcenter.clone()));
        let wire = Wire::new(setting.protocols(), Arc::new(world.clone()), log.clone());
        world.use_wire(wire.clone());
        let wire = wire.connected(carrier(Arc::new(world.clone())));
        VirtualStage { world, vcenter, wire, log, blocks }
    }

    /// Runs `main` in virtual time.
    pub(crate) fn block_on<F: Future>(&self, main: F) -> F::Output {
        self.world.block_on(main)
    }
}

impl Drop for VirtualStage {
    fn drop(&mut self) {
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
        &PACE
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
        drop(VirtualStage::new(&loaded.scenario, seed, EventLog::default(), &setting, guests, &|world| world));
        assert!(held.upgrade().is_none(), "something still holds the world");
    }
}
