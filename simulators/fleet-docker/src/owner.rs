//! Whose a container, network, volume or image is.
//!
//! Everything a run makes on the engine carries labels that name the run and the process that owns it. A process id alone
//! is not enough: ids are reused, so the start time goes with it; start times count from boot, so the boot goes with them;
//! and an engine can serve several machines, so the machine goes with all three.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Label: the id of the run that made the object.
pub const RUN: &str = "grenadier.run";
/// Label: the owner's process id.
pub const OWNER_PID: &str = "grenadier.owner-pid";
/// Label: when the owner started, in clock ticks since boot (field 22 of `/proc/PID/stat`, proc(5)).
pub const OWNER_START: &str = "grenadier.owner-start";
/// Label: the boot of the owner's machine (`/proc/sys/kernel/random/boot_id`).
pub const OWNER_BOOT: &str = "grenadier.owner-boot";
/// Label: a digest of the owner's machine and of its process-id namespace.
pub const OWNER_MACHINE: &str = "grenadier.owner-machine";

/// A file under `/proc` or `/etc` that says who we are could not be read.
#[derive(Debug, thiserror::Error)]
#[error("read {path} to learn who owns this run")]
pub struct OwnerError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// The process that owns what a run makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The run's id.
    pub run: String,
    /// The process id, as seen in its own process-id namespace.
    pub pid: u32,
    /// Start of the process in clock ticks since boot.
    pub start_ticks: u64,
    /// Where the process ran.
    pub place: Place,
}

/// A machine, a boot of it, and a process-id namespace there: where a process id means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    boot: String,
    machine: String,
}

/// What can be said about an owner from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// The very process that owns the object still runs.
    Alive,
    /// It has ended, or its machine was booted again since.
    Gone,
    /// It ran on another machine or in another process-id namespace, which cannot be seen from here.
    OutOfSight,
}

impl Owner {
    /// This process as the owner of a run.
    pub fn this_process(run: &str) -> Result<Self, OwnerError> {
        let stat = read(Path::new("/proc/self/stat"))?;
        let place = Place::here()?;
        let start_ticks = start_ticks(&stat).unwrap_or_else(|| panic!("/proc/self/stat has no field 22: {stat:?}"));
        Ok(Self { run: run.to_owned(), pid: std::process::id(), start_ticks, place })
    }

    /// The labels that an object of this owner carries.
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (RUN.to_owned(), self.run.clone()),
            (OWNER_PID.to_owned(), self.pid.to_string()),
            (OWNER_START.to_owned(), self.start_ticks.to_string()),
            (OWNER_BOOT.to_owned(), self.place.boot.clone()),
            (OWNER_MACHINE.to_owned(), self.place.machine.clone()),
        ])
    }

    /// Reads the labels back through `label`, which looks one up. `None` where one is missing or is not ours to read.
    pub fn from_labels<'a>(label: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        Some(Self {
            run: label(RUN)?.to_owned(),
            pid: label(OWNER_PID)?.parse().ok()?,
            start_ticks: label(OWNER_START)?.parse().ok()?,
            place: Place { boot: label(OWNER_BOOT)?.to_owned(), machine: label(OWNER_MACHINE)?.to_owned() },
        })
    }

    /// Whether the owner still runs, judged from `here`.
    pub fn liveness(&self, here: &Place) -> Liveness {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok();
        self.liveness_with(here, stat.as_deref())
    }

    /// The rule behind [`Owner::liveness`]: `stat` is the content of `/proc/PID/stat`, if there is such a process.
    fn liveness_with(&self, here: &Place, stat: Option<&str>) -> Liveness {
        if self.place.machine != here.machine {
            return Liveness::OutOfSight;
        }
        if self.place.boot != here.boot {
            return Liveness::Gone;
        }
        match stat {
            Some(stat) if start_ticks(stat) == Some(self.start_ticks) && !has_ended(stat) => Liveness::Alive,
            _ => Liveness::Gone,
        }
    }
}

impl Place {
    /// Where this process runs.
    ///
    /// The machine is a digest, because machine-id(5) asks not to show the id itself, of three things: the host name
    /// tells containers apart, which often have no machine id; the machine id tells machines of one name apart; the
    /// namespace tells process ids apart.
    pub fn here() -> Result<Self, OwnerError> {
        let host_name = read(Path::new("/proc/sys/kernel/hostname"))?;
        let machine_id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
        let namespace = Path::new("/proc/self/ns/pid");
        let pid_namespace =
            std::fs::read_link(namespace).map_err(|source| OwnerError { path: namespace.to_owned(), source })?;
        let mut digest = Sha256::new();
        for part in [host_name.trim(), machine_id.trim(), &pid_namespace.to_string_lossy()] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        let machine = hex::encode(&digest.finalize()[..8]);
        let boot = read(Path::new("/proc/sys/kernel/random/boot_id"))?.trim().to_owned();
        Ok(Self { boot, machine })
    }
}

fn read(path: &Path) -> Result<String, OwnerError> {
    std::fs::read_to_string(path).map_err(|source| OwnerError { path: path.to_owned(), source })
}

/// The fields of a stat line after the command name, which stands in parentheses and may hold anything, parentheses and
/// blanks included (proc(5)). The first of them is field 3, the state.
fn fields_from_state(stat: &str) -> impl Iterator<Item = &str> {
    stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace()
}

fn start_ticks(stat: &str) -> Option<u64> {
    fields_from_state(stat).nth(22 - 3)?.parse().ok()
}

/// A zombie has ended; only its parent has not looked yet.
fn has_ended(stat: &str) -> bool {
    matches!(fields_from_state(stat).next(), Some("Z" | "X") | None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 1000 10 18446744073709551615";

    fn owner() -> Owner {
        let place = Place { boot: "boot-1".to_owned(), machine: "machine-1".to_owned() };
        Owner { run: "r1".to_owned(), pid: 42, start_ticks: 777, place }
    }

    #[test]
    fn command_names_may_hold_parentheses() {
        assert_eq!(start_ticks(STAT), Some(777));
        assert!(!has_ended(STAT));
        assert!(has_ended(&STAT.replace(") S ", ") Z ")));
    }

    #[test]
    fn labels_read_back_as_the_same_owner() {
        let labels = owner().labels();
        assert_eq!(Owner::from_labels(|name| labels.get(name).map(String::as_str)), Some(owner()));
        for missing in labels.keys() {
            let read = Owner::from_labels(|name| labels.get(name).filter(|_| name != missing).map(String::as_str));
            assert_eq!(read, None, "without {missing}");
        }
    }

    #[test]
    fn liveness_needs_machine_boot_process_and_start_time() {
        let here = owner().place;
        let elsewhere = Place { machine: "machine-2".to_owned(), ..here.clone() };
        let booted_again = Place { boot: "boot-2".to_owned(), ..here.clone() };
        let reused = STAT.replace(" 777 ", " 778 ");
        let zombie = STAT.replace(") S ", ") Z ");
        assert_eq!(owner().liveness_with(&here, Some(STAT)), Liveness::Alive);
        assert_eq!(owner().liveness_with(&here, None), Liveness::Gone);
        assert_eq!(owner().liveness_with(&here, Some(&reused)), Liveness::Gone);
        assert_eq!(owner().liveness_with(&here, Some(&zombie)), Liveness::Gone);
        assert_eq!(owner().liveness_with(&booted_again, Some(STAT)), Liveness::Gone);
        assert_eq!(owner().liveness_with(&elsewhere, None), Liveness::OutOfSight);
    }

    #[test]
    fn this_process_is_alive_here() {
        let owner = Owner::this_process("r2").expect("/proc is readable");
        assert_eq!(owner.liveness(&Place::here().expect("/proc is readable")), Liveness::Alive);
    }
}
