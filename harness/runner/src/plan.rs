//! What the engine would do.

use std::sync::Arc;
use std::time::Duration;

use grenadier_clock::{Clock, Seed, Sleep, Time};
use grenadier_engine::Plan;
use grenadier_events::EventLog;
use grenadier_scenario::Scenario;
use grenadier_wire::Wire;

use crate::setting::Secrets;
use crate::systems::haproxy_appliance;
use crate::timing;
use crate::worlds::virtual_world;

/// A clock for a wire over which nothing is ever sent.
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Time {
        Time::ZERO
    }

    fn sleep(&self, _length: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }
}

/// The plan of the engine that `scenario` names. Nothing is run and nothing is looked at.
pub fn plan(scenario: &Scenario) -> Plan {
    let wire = Wire::new(Vec::new(), Arc::new(Standing), EventLog::default());
    let blocks = virtual_world::blocks();
    let secrets = Secrets::of(Seed(scenario.seed));
    haproxy_appliance::plan(scenario, &secrets, &blocks, &timing::pace(&scenario.timing.profile), wire)
}
