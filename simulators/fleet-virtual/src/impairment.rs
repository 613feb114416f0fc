//! What bad networks cost an exchange.

use std::time::Duration;

use grenadier_fleet::MachineId;

use crate::fidelity;
use crate::fleet::VirtualFleet;

/// How long Linux waits before it sends what was not acknowledged again, at least; each time twice as long [RFC 6298, tcp(7)].
const DATA_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// How often it does, before it gives a connection up [tcp(7), tcp_retries2].
const DATA_RETRIES: u32 = 15;
/// The same for the packet that asks for a connection.
pub(crate) const SYN_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// The same [tcp(7), tcp_syn_retries].
pub(crate) const SYN_RETRIES: u32 = 6;

/// How likely a packet goes through, in ten thousandths.
const SURE: u64 = 10_000;

impl VirtualFleet {
    /// Whether the networks at either end delay packets or lose some.
    pub(crate) fn is_impaired(&self, from: Option<MachineId>, to: MachineId) -> bool {
        let ends = [from, Some(to)].into_iter().flatten();
        ends.filter_map(|id| self.runtimes.get(&id))
            .any(|runtime| runtime.mishaps.loss > 0 || !runtime.mishaps.delay.is_zero())
    }

    /// By how much an exchange becomes later, from the first packet of its connection to the last of its answer. All of it is paid
    /// before the other end acts. None where TCP gives up.
    pub(crate) fn cost(&mut self, from: Option<MachineId>, to: MachineId, tls: bool) -> Option<Duration> {
        let ends = [from, Some(to)].into_iter().flatten();
        let ends = ends.filter_map(|id| self.runtimes.get(&id)).map(|runtime| runtime.mishaps);
        let (delay, arrives) = ends.fold((Duration::ZERO, SURE), |(delay, arrives), end| {
            (delay + end.delay, arrives * (100 - u64::from(end.loss)) / 100)
        });
        // Each end is sent: half of the handshake of TCP, its part of TLS where there is one, and a request or an answer.
        let sent = if tls { 3 } else { 2 };
        self.ledger.holds(&fidelity::BAD_NETWORKS);
        let mut cost = delay * sent;
        if arrives < SURE {
            // A handshake is asked for again whichever of its packets was lost.
            cost += self.until_through(arrives * arrives / SURE, SYN_AGAIN_AFTER, SYN_RETRIES)?;
            for _packet in 0..2 * (sent - 1) {
                cost += self.until_through(arrives, DATA_AGAIN_AFTER, DATA_RETRIES)?;
            }
        }
        Some(cost)
    }

    /// How long it takes to send something until it arrives, which it does each time with this likelihood.
    fn until_through(&mut self, arrives: u64, again_after: Duration, retries: u32) -> Option<Duration> {
        let mut waited = Duration::ZERO;
        for retry in 0..=retries {
            if self.losses.below(SURE) < arrives {
                return Some(waited);
            }
            waited += again_after * 2_u32.pow(retry);
        }
        None
    }
}
