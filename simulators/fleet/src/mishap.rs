//! What happens to machines without anybody asking for it.

use std::time::Duration;

/// What happens to a machine by itself: a fault of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Its power is lost. It must be on.
    Crash,
    /// The next time it is powered on, it does not boot. The time after that it does.
    BootFails,
    /// The next time it boots, none of its addresses takes effect; for that boot.
    NoAddress,
    /// Its disk is full from now on: a write that needs more room than what it replaces fails.
    DiskFull,
    /// The next time it is powered on, it takes this much longer until its guest's first instruction.
    SlowStart(Duration),
    /// It stands still, until [`Mishap::Resume`] or its end: its power stays on, no instruction of its guest is carried out, and no
    /// packet goes in or out. It must be on.
    Pause,
    /// It goes on where it stood, and meets everything that waited for it meanwhile.
    Resume,
    /// It is cut off from all its networks, until [`Mishap::Repair`].
    Partition,
    /// The partition is over.
    Repair,
    /// What it is sent reaches it this much later, ARP excepted; at once again with no length.
    Delay(Duration),
    /// This share of its packets, in percent and less than 100, is lost in either direction, ARP excepted; none again with 0.
    Loss(u8),
}
