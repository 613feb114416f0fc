//! What goes wrong, and where it can.

use std::time::Duration;

use crate::named::named;
use crate::{CallTemplate, FaultPlace, Percent};

named! {
    /// Who carries a fault out.
    pub enum FaultLayer("fault layer") {
        Carrier = "carrier", "the connection: works for every protocol";
        Protocol = "protocol", "the simulator, which knows how its protocol words that failure";
        Operation = "operation", "the fleet, while it performs what was asked, or by itself";
        Engine = "engine", "the engine's own process, which ends and is started anew";
    }
}

named! {
    /// A kind of fault that a scenario can ask for with `do`.
    pub enum FaultKind("fault kind") {
        Refuse = "refuse", "the connection is refused; nothing happens";
        Unavailable = "unavailable", "the call is answered 503 before it has any effect";
        Throttle = "throttle", "the call is answered 429 with Retry-After before it has any effect";
        Unauthorised = "unauthorised", "the session has expired: this call and all later ones fail until somebody logs in again";
        Hang = "hang", "the call is never answered and has no effect";
        ErrorAfter = "error-after", "the effect takes place, then the call is answered with an error";
        LostReply = "lost-reply", "the effect takes place, then the connection drops without an answer";
        HangAfter = "hang-after", "the effect takes place, and the call is never answered";
        Truncate = "truncate", "the effect takes place, then the connection drops in the midst of the answer";
        Slow = "slow", "the effect takes place, and the answer comes late, by `for`";
        StaleRead = "stale-read", "a read is answered as it was answered before the last change";
        TaskFails = "task-fails", "the call starts its task, and the task ends in an error";
        TaskStuck = "task-stuck", "the call starts its task, which runs for ever and does nothing";
        CrashBefore = "crash-before", "the engine's process ends before the call or step has any effect";
        CrashAfter = "crash-after", "the engine's process ends after the effect, before the journal knows of it";
        CrashJournaled = "crash-journaled", "the engine's process ends after the step, when the journal knows of it";
        MachineCrash = "machine-crash", "a machine goes off, as when its power is lost";
        BootFails = "boot-fails", "the next time a machine is powered on it does not boot";
        NoAddress = "no-address", "the next time a machine boots it gets no address";
        DiskFull = "disk-full", "a machine's disk is full from now on";
        SlowStart = "slow-start", "the next time a machine boots it takes longer, by `for`";
        Pause = "pause", "a machine stands still, for `for` or until the end: its power stays on, and it neither works nor answers";
        Partition = "partition", "a machine is cut off from its networks, for `for` or until the end";
        Delay = "delay", "what a machine is sent reaches it late, by `by`, for `for` or until the end";
        Loss = "loss", "a machine's networks lose a share `rate` of the packets in either direction, for `for` or until the end";
    }
}

/// What a crash can happen to.
const NEEDS_STEP: &str = "needs a step: a call of its own leaves nothing in the journal";
const NEEDS_CALL: &str = "happens to a call: name one of the step's, such as power-on-new/vsphere.PowerOnVM_Task#1";
const NEEDS_MACHINE: &str = "happens to a machine at a step: name the step alone, without a call";

impl FaultKind {
    /// How late the answer to a `slow` call is where nothing else is said: within the time in which clients still wait.
    pub const SLOW: Duration = Duration::from_secs(20);

    /// How much longer a boot takes that suffers a `slow-start` where nothing else is said.
    pub const SLOW_START: Duration = Duration::from_secs(60);

    /// The layer that carries the fault out.
    pub fn layer(self) -> FaultLayer {
        match self {
            Self::Refuse | Self::Hang | Self::LostReply | Self::HangAfter | Self::Truncate | Self::Slow => {
                FaultLayer::Carrier
            }
            // A stale read is what a cache in between says, which may stand anywhere.
            Self::StaleRead => FaultLayer::Carrier,
            Self::Unavailable | Self::Throttle | Self::Unauthorised | Self::ErrorAfter => FaultLayer::Protocol,
            Self::TaskFails | Self::TaskStuck => FaultLayer::Operation,
            Self::CrashBefore | Self::CrashAfter | Self::CrashJournaled => FaultLayer::Engine,
            Self::MachineCrash
            | Self::BootFails
            | Self::NoAddress
            | Self::DiskFull
            | Self::SlowStart
            | Self::Pause
            | Self::Partition
            | Self::Delay
            | Self::Loss => FaultLayer::Operation,
        }
    }

    /// Whether the engine's process ends, so that somebody has to start another one.
    pub fn is_crash(self) -> bool {
        self.layer() == FaultLayer::Engine
    }

    /// Whether it happens to a machine, which must be named.
    pub fn needs_machine(self) -> bool {
        match self {
            Self::MachineCrash | Self::BootFails | Self::NoAddress | Self::DiskFull | Self::SlowStart => true,
            _ => self.lasts(),
        }
    }

    /// Whether it lasts on a machine until it is over: for as long as is said, or until the end.
    pub fn lasts(self) -> bool {
        matches!(self, Self::Pause | Self::Partition | Self::Delay | Self::Loss)
    }

    /// Whether it may be said how long it lasts.
    pub fn takes_length(self) -> bool {
        matches!(self, Self::Slow | Self::SlowStart) || self.lasts()
    }

    /// How late packets come where nothing else is said; none where they come when they come.
    pub fn lateness(self) -> Option<Duration> {
        (self == Self::Delay).then_some(Duration::from_millis(200))
    }

    /// The share of packets that are lost where nothing else is said; none where that is not a question of shares.
    pub fn rate(self) -> Option<Percent> {
        (self == Self::Loss).then_some(Percent::TWENTY)
    }

    /// Whether the fault makes sense at a place.
    ///
    /// # Errors
    ///
    /// The reason why it does not, as a fragment that reads well after the fault's name.
    pub fn applies_to(self, place: &FaultPlace) -> Result<(), &'static str> {
        match place {
            FaultPlace::Call(call) => self.applies_to_call(&call.template),
            FaultPlace::Step(_) if self.needs_machine() || self.is_crash() => Ok(()),
            FaultPlace::Step(_) => Err(NEEDS_CALL),
        }
    }

    /// Whether the fault makes sense for a call of this template.
    ///
    /// # Errors
    ///
    /// As [`FaultKind::applies_to`].
    pub fn applies_to_call(self, template: &CallTemplate) -> Result<(), &'static str> {
        let (protocol, call) = (template.protocol(), template.call());
        match self {
            Self::Refuse | Self::Hang | Self::HangAfter | Self::ErrorAfter | Self::LostReply | Self::Slow => Ok(()),
            Self::CrashBefore | Self::CrashAfter => Ok(()),
            Self::CrashJournaled => Err(NEEDS_STEP),
            _ if self.needs_machine() => Err(NEEDS_MACHINE),
            Self::TaskFails | Self::TaskStuck if protocol == "vsphere" && call.ends_with("_Task") => Ok(()),
            Self::TaskFails | Self::TaskStuck => {
                Err("needs a vSphere call that starts a task, such as vsphere.PowerOnVM_Task")
            }
            Self::StaleRead if reads_by_value(template) => Ok(()),
            Self::StaleRead => Err("needs a read whose answer hangs on nothing but its question, such as \
                                    vsphere.RetrievePropertiesEx or dataplane.GET"),
            Self::Unavailable | Self::Throttle | Self::Unauthorised if protocol == "shell" => {
                Err("is an HTTP status, which a shell command does not have; `refuse` refuses its connection")
            }
            Self::Truncate if protocol == "shell" => {
                Err("cuts an HTTP answer; `lost-reply` drops a shell's connection")
            }
            Self::Unauthorised if protocol == "dataplane" => {
                Err("needs a session: every call to the Data Plane API brings its password")
            }
            Self::Unauthorised if SESSIONLESS.contains(&call) || call.contains(' ') => {
                Err("needs a call within a session, which this one does not need")
            }
            _ => Ok(()),
        }
    }
}

/// Calls of the vSphere API that need no session.
const SESSIONLESS: [&str; 2] = ["Login", "RetrieveServiceContent"];

/// Whether a call reads, and its answer hangs on nothing but the question: asked again, a cache may know the answer. An update
/// of a filter is told once, and what stands behind a shell has no cache.
fn reads_by_value(template: &CallTemplate) -> bool {
    match template.protocol() {
        "vsphere" => ["RetrieveProperties", "Find"].iter().any(|prefix| template.call().starts_with(prefix)),
        "dataplane" => template.call().starts_with("GET "),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Named;

    /// The kinds that make sense at a place.
    fn kinds(place: &str) -> Vec<&'static str> {
        let place: FaultPlace = place.parse().unwrap();
        FaultKind::ALL.iter().filter(|kind| kind.applies_to(&place).is_ok()).map(|kind| kind.name()).collect()
    }

    const ANYWHERE: [&str; 8] =
        ["refuse", "hang", "error-after", "lost-reply", "hang-after", "slow", "crash-before", "crash-after"];

    #[test]
    fn each_call_suffers_what_makes_sense_there() {
        let beyond =
            |place: &str| -> Vec<&str> { kinds(place).into_iter().filter(|kind| !ANYWHERE.contains(kind)).collect() };
        let http = ["unavailable", "throttle", "truncate"];
        assert_eq!(
            beyond("s/vsphere.PowerOnVM_Task#1"),
            ["unavailable", "throttle", "unauthorised", "truncate", "task-fails", "task-stuck"]
        );
        assert_eq!(
            beyond("s/vsphere.RetrievePropertiesEx#1"),
            ["unavailable", "throttle", "unauthorised", "truncate", "stale-read"]
        );
        assert_eq!(beyond("s/vsphere.WaitForUpdatesEx#1"), ["unavailable", "throttle", "unauthorised", "truncate"]);
        assert_eq!(beyond("s/vsphere.Login#1"), http);
        assert_eq!(beyond("s/vsphere.POST /nfc#1"), http);
        assert_eq!(beyond("s/dataplane.GET /info#1"), ["unavailable", "throttle", "truncate", "stale-read"]);
        assert!(beyond("s/shell.systemctl#1").is_empty());
        for place in ["s/vsphere.Login#1", "s/shell.cat#1"] {
            assert_eq!(kinds(place).len() - beyond(place).len(), ANYWHERE.len(), "{place}");
        }
    }

    #[test]
    fn steps_suffer_crashes_and_what_happens_to_machines() {
        let at_step = kinds("power-on-new");
        assert_eq!(at_step.len(), 12);
        for kind in FaultKind::ALL {
            assert_eq!(at_step.contains(&kind.name()), kind.is_crash() || kind.needs_machine(), "{kind}");
        }
    }
}
