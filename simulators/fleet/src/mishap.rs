//! What happens to machines without anybody asking for it.

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
    /// It is cut off from all its networks, until [`Mishap::Repair`].
    Partition,
    /// Its networks are back.
    Repair,
}
