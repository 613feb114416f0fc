//! How long things take.

use std::time::Duration;

/// How long things take in the virtual world. Golden logs use [`TimingProfile::reference`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimingProfile {
    /// Its name.
    pub name: &'static str,
    /// How much each length may differ, in per cent. Zero draws nothing.
    pub jitter_percent: u8,
    /// Making a machine.
    pub create: Duration,
    /// Removing one.
    pub destroy: Duration,
    /// From the order to power.
    pub power_on: Duration,
    /// From the order to silence.
    pub power_off: Duration,
    /// From power to the guest's first instruction.
    pub firmware: Duration,
    /// Changing what a machine is made of.
    pub reconfigure: Duration,
    /// Taking a snapshot without memory.
    pub snapshot: Duration,
    /// Bringing one back.
    pub revert: Duration,
    /// Removing one.
    pub remove_snapshot: Duration,
    /// One exchange on the wire, there and back.
    pub exchange: Duration,
    /// A neighbour (ARP) entry that traffic confirms is trusted at least so long …
    pub neighbour_reachable_low: Duration,
    /// … and at most so long (Linux draws between half and one and a half of `base_reachable_time`, 30 s).
    pub neighbour_reachable_high: Duration,
    /// After that, how long until a silent neighbour is given up (Linux: 5 s delay, three probes of 1 s).
    pub neighbour_probe: Duration,
    /// How long a client waits before it asks again for an address nobody answered for.
    pub neighbour_retry: Duration,
    /// How long until Linux gives up an address that nobody answers for: three broadcasts, a second apart.
    pub no_route: Duration,
}

impl TimingProfile {
    /// The same profile with operations on machines that take `times` as long; networks stay as fast as they are.
    pub fn slower(self, times: u32) -> TimingProfile {
        TimingProfile {
            create: self.create * times,
            destroy: self.destroy * times,
            power_on: self.power_on * times,
            power_off: self.power_off * times,
            firmware: self.firmware * times,
            reconfigure: self.reconfigure * times,
            snapshot: self.snapshot * times,
            revert: self.revert * times,
            remove_snapshot: self.remove_snapshot * times,
            ..self
        }
    }

    /// The frozen profile of golden logs. Values are assumptions of ordinary size, see `docs/fidelity.md`.
    pub const fn reference() -> TimingProfile {
        TimingProfile {
            name: "reference",
            jitter_percent: 0,
            create: Duration::from_millis(2_000),
            destroy: Duration::from_millis(1_500),
            power_on: Duration::from_millis(1_500),
            power_off: Duration::from_millis(1_000),
            firmware: Duration::from_millis(4_000),
            reconfigure: Duration::from_millis(800),
            snapshot: Duration::from_millis(2_500),
            revert: Duration::from_millis(2_500),
            remove_snapshot: Duration::from_millis(1_200),
            exchange: Duration::from_millis(2),
            neighbour_reachable_low: Duration::from_millis(15_000),
            neighbour_reachable_high: Duration::from_millis(45_000),
            neighbour_probe: Duration::from_millis(8_000),
            neighbour_retry: Duration::from_millis(1_000),
            no_route: Duration::from_millis(3_000),
        }
    }
}
