//! Files on the datastore: those that clients uploaded, and those that machines have there.
//!
//! Uploaded files are the cloud's: no snapshot brings them back. A machine's files follow from the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bytes::Bytes;
use grenadier_clock::Time;
use grenadier_fleet::Machine;

use crate::datastore::path;
use crate::inventory::Inventory;
use crate::virtual_machine::record::Record;

/// A file that a client uploaded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredFile {
    /// What it holds.
    pub(crate) content: Bytes,
    /// When it was last written.
    pub(crate) modified: Time,
}

/// The files that clients uploaded, by path below the root.
#[derive(Debug, Default)]
pub(crate) struct Files {
    files: BTreeMap<String, StoredFile>,
    /// Directories that were made for themselves; others are there as long as a file is in them.
    directories: BTreeSet<String>,
}

impl Files {
    /// The file at `path`.
    pub(crate) fn get(&self, path: &str) -> Option<&StoredFile> {
        self.files.get(path)
    }

    /// Writes a file as a whole; whether it is new.
    pub(crate) fn put(&mut self, path: &str, content: Bytes, modified: Time) -> bool {
        self.files.insert(path.to_owned(), StoredFile { content, modified }).is_none()
    }

    /// Removes the file, or the directory with all that is below; whether there was one.
    pub(crate) fn remove(&mut self, path: &str) -> bool {
        let before = self.files.len() + self.directories.len();
        let below = format!("{path}/");
        self.files.retain(|file, _| file != path && !file.starts_with(&below));
        self.directories.retain(|directory| directory != path && !directory.starts_with(&below));
        self.files.len() + self.directories.len() != before
    }

    /// All files in order of path.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &StoredFile)> {
        self.files.iter()
    }

    /// The directories that were made for themselves.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &String> {
        self.directories.iter()
    }

    /// Makes a directory.
    pub(crate) fn make_directory(&mut self, path: &str) {
        self.directories.insert(path.to_owned());
    }

    /// Whether a file or directory is there.
    pub(crate) fn is_there(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.files.keys().chain(&self.directories).any(|own| own == path || own.starts_with(&below))
    }

    /// Copies a file, or a directory with all that is below it.
    pub(crate) fn copy(&mut self, from: &str, to: &str, now: Time) {
        let below = format!("{from}/");
        let moved = |path: &String| {
            let rest = if path == from { Some("") } else { path.strip_prefix(&below) }?;
            Some(if rest.is_empty() { to.to_owned() } else { format!("{to}/{rest}") })
        };
        let files: Vec<_> =
            self.files.iter().filter_map(|(path, file)| Some((moved(path)?, file.content.clone()))).collect();
        let directories: Vec<String> = self.directories.iter().filter_map(moved).collect();
        for (path, content) in files {
            self.put(&path, content, now);
        }
        self.directories.extend(directories);
    }

    /// How much all of them hold in bytes.
    pub(crate) fn total_size(&self) -> u64 {
        self.files.values().map(|file| file.content.len() as u64).sum()
    }
}

/// What kind of file one is, by the type that a datastore browser gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Nothing the browser knows.
    Plain,
    /// A machine's configuration (`.vmx`).
    Configuration,
    /// A virtual disk (`.vmdk`).
    Disk,
    /// A log.
    Log,
    /// A snapshot (`.vmsn`).
    Snapshot,
}

impl FileKind {
    /// The kind that the name says.
    pub(crate) fn of(name: &str) -> FileKind {
        match name.rsplit('.').next() {
            Some("vmx") => FileKind::Configuration,
            Some("vmdk") => FileKind::Disk,
            Some("log") => FileKind::Log,
            Some("vmsn") => FileKind::Snapshot,
            _ => FileKind::Plain,
        }
    }

    /// The data object type.
    pub(crate) const fn type_name(self) -> &'static str {
        match self {
            FileKind::Plain => "FileInfo",
            FileKind::Configuration => "VmConfigFileInfo",
            FileKind::Disk => "VmDiskFileInfo",
            FileKind::Log => "VmLogFileInfo",
            FileKind::Snapshot => "VmSnapshotFileInfo",
        }
    }

    /// The word that a machine's file layout has for it.
    pub(crate) const fn layout_type(self) -> &'static str {
        match self {
            FileKind::Plain => "extendedConfig",
            FileKind::Configuration => "config",
            FileKind::Disk => "diskDescriptor",
            FileKind::Log => "log",
            FileKind::Snapshot => "snapshotData",
        }
    }
}

/// A file of a machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MachineFile {
    /// Its path below the root.
    pub(crate) path: String,
    /// How much it takes on the datastore in bytes.
    pub(crate) size: u64,
    /// What a download gives.
    pub(crate) content: Bytes,
}

/// The files of a machine: configuration, disks, snapshots, log.
pub(crate) fn of_machine(inventory: Inventory<'_>, machine: &Machine) -> Vec<MachineFile> {
    let Some(record) = Record::of(machine) else { return Vec::new() };
    let file = |path: String, content: Bytes| MachineFile { path, size: content.len() as u64, content };
    let mut files = vec![file(record.vmx_path(), configuration(machine, &record).into())];
    for disk in &machine.spec.disks {
        let content = disk.image.as_ref().map(|image| image.bytes.clone()).unwrap_or_default();
        // A path that is none of ours (a foreign fleet's) is shown as it is.
        let own = path::parse(&disk.path).unwrap_or_else(|_| disk.path.clone());
        files.push(MachineFile { path: own, size: disk.capacity_mib << 20, content });
    }
    for snapshot in &machine.snapshots {
        let name = format!("{}/{}-Snapshot{}.vmsn", record.directory, record.directory, snapshot.id.0);
        let content = format!("snapshot {} \"{}\"\n", snapshot.id.0, snapshot.name);
        files.push(file(name, content.into()));
    }
    let log = inventory.sim.logs.get(&record.moref).cloned().unwrap_or_default();
    files.push(file(format!("{}/vmware.log", record.directory), log.into()));
    files
}

/// A machine's configuration as its `.vmx` has it: hardware, then extraConfig.
fn configuration(machine: &Machine, record: &Record) -> String {
    let mut text = String::new();
    let mut line = |key: &str, value: &str| {
        // The format escapes with `|` and two hexadecimal digits.
        let escaped = value.replace('|', "|7C").replace('"', "|22").replace('\n', "|0A").replace('\r', "|0D");
        writeln!(text, "{key} = \"{escaped}\"").expect("writing to a string cannot fail");
    };
    line("displayName", &machine.spec.name);
    line("virtualHW.version", record.hardware_version.trim_start_matches("vmx-"));
    line("guestOS", &record.guest_id);
    line("uuid.bios", &record.uuid);
    line("vc.uuid", &record.instance_uuid);
    line("numvcpus", &machine.spec.hardware.cpus.to_string());
    line("memSize", &machine.spec.hardware.memory_mib.to_string());
    for (index, disk) in machine.spec.disks.iter().enumerate() {
        line(&format!("scsi0:{index}.fileName"), disk.path.rsplit('/').next().unwrap_or(&disk.path));
    }
    for (index, nic) in machine.spec.nics.iter().enumerate() {
        line(&format!("ethernet{index}.networkName"), &nic.segment);
        line(&format!("ethernet{index}.address"), &nic.mac.to_string());
    }
    for (key, value) in &machine.spec.config {
        line(key, value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removing_a_directory_leaves_its_namesakes() {
        let mut files = Files::default();
        for path in ["a/x", "a/b/y", "ab", "c"] {
            assert!(files.put(path, Bytes::from_static(b"12"), Time::ZERO));
        }
        assert!(!files.put("c", Bytes::from_static(b"345"), Time::ZERO));
        assert_eq!(files.total_size(), 9);
        assert!(files.remove("a"));
        assert_eq!(files.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["ab", "c"]);
        assert!(!files.remove("a"));
    }
}
