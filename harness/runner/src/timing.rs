//! How long things take in the virtual world, by the scenario's profile.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_catalog::TimingField;
use grenadier_fleet::TimingProfile as FleetTiming;
use grenadier_haproxy_appliance::BootTiming;
use grenadier_scenario::{Timing, TimingProfile};

use crate::stage::Pace;
use crate::worlds::virtual_world::PACE;

/// The name of a profile in the log and the verdict.
pub(crate) fn name(profile: &TimingProfile) -> &'static str {
    match profile {
        TimingProfile::Reference => FleetTiming::reference().name,
        TimingProfile::Own(_) => "own",
    }
}

/// Lengths that stand in for others.
struct Own<'a>(Option<&'a BTreeMap<TimingField, Duration>>);

impl Own<'_> {
    fn of(profile: &TimingProfile) -> Own<'_> {
        match profile {
            TimingProfile::Reference => Own(None),
            TimingProfile::Own(lengths) => Own(Some(lengths)),
        }
    }

    fn length(&self, field: TimingField) -> Option<Duration> {
        self.0.and_then(|lengths| lengths.get(&field).copied())
    }
}

/// What the fleet takes.
pub(crate) fn fleet(timing: &Timing) -> FleetTiming {
    use TimingField as Field;
    let (own, reference) = (Own::of(&timing.profile), FleetTiming::reference());
    let length = |field, otherwise| own.length(field).unwrap_or(otherwise);
    FleetTiming {
        name: name(&timing.profile),
        jitter_percent: timing.jitter.percent(),
        create: length(Field::Create, reference.create),
        destroy: length(Field::Destroy, reference.destroy),
        power_on: length(Field::PowerOn, reference.power_on),
        power_off: length(Field::PowerOff, reference.power_off),
        firmware: length(Field::Firmware, reference.firmware),
        reconfigure: length(Field::Reconfigure, reference.reconfigure),
        snapshot: length(Field::Snapshot, reference.snapshot),
        revert: length(Field::Revert, reference.revert),
        remove_snapshot: length(Field::RemoveSnapshot, reference.remove_snapshot),
        exchange: length(Field::Exchange, reference.exchange),
        neighbour_reachable_low: length(Field::NeighbourReachableLow, reference.neighbour_reachable_low),
        neighbour_reachable_high: length(Field::NeighbourReachableHigh, reference.neighbour_reachable_high),
        neighbour_probe: length(Field::NeighbourProbe, reference.neighbour_probe),
        neighbour_retry: length(Field::NeighbourRetry, reference.neighbour_retry),
        no_route: length(Field::NoRoute, reference.no_route),
    }
}

/// What a boot of the appliance takes.
pub(crate) fn boot(profile: &TimingProfile) -> BootTiming {
    use TimingField as Field;
    let (own, reference) = (Own::of(profile), BootTiming::reference());
    let length = |field, otherwise| own.length(field).unwrap_or(otherwise);
    BootTiming {
        cloud_init_first: length(Field::CloudInitFirst, reference.cloud_init_first),
        cloud_init_later: length(Field::CloudInitLater, reference.cloud_init_later),
        network: length(Field::Network, reference.network),
        haproxy: length(Field::HaproxyStart, reference.haproxy),
        dataplaneapi: length(Field::DataplaneapiStart, reference.dataplaneapi),
        shutdown: length(Field::Shutdown, reference.shutdown),
    }
}

/// How long guests and operators take.
pub(crate) fn pace(profile: &TimingProfile) -> Pace {
    let own = Own::of(profile);
    let millis = |field| own.length(field).map(|length| u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
    Pace {
        reload_delay_ms: millis(TimingField::ReloadDelay),
        backoff_initial_ms: millis(TimingField::BackoffInitial).unwrap_or(PACE.backoff_initial_ms),
        backoff_max_ms: millis(TimingField::BackoffMax).unwrap_or(PACE.backoff_max_ms),
        resync_ms: millis(TimingField::Resync).unwrap_or(PACE.resync_ms),
        ..PACE
    }
}

#[cfg(test)]
mod tests {
    use grenadier_catalog::Named as _;

    use super::*;

    #[test]
    fn the_reference_is_as_it_is_and_every_length_of_ones_own_has_its_place() {
        assert_eq!(fleet(&Timing::default()), FleetTiming::reference());
        assert_eq!(boot(&TimingProfile::Reference), BootTiming::reference());
        assert_eq!(pace(&TimingProfile::Reference), PACE);
        let all = |profile: &TimingProfile| {
            let timing = Timing { profile: profile.clone(), ..Timing::default() };
            format!("{:?} {:?} {:?}", fleet(&timing), boot(profile), pace(profile))
        };
        let nothing = all(&TimingProfile::Own(BTreeMap::new()));
        for field in TimingField::ALL {
            let own = TimingProfile::Own([(*field, Duration::from_millis(77_777))].into());
            let seen = all(&own);
            assert!(seen != nothing && seen.matches("77").count() >= 1, "{field} has no effect: {seen}");
        }
    }
}
