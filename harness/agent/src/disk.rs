//! A disk without room.
//!
//! Engines that keep containers in plain directories have no quotas, so a full disk is played where writes begin: what a
//! guest writes is looked at, and programs are started with a limit of no bytes for any file they write (`RLIMIT_FSIZE`).

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The machine's disk. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<AtomicBool>);

/// What a shell does before it becomes the program. Without the trap the signal would end the program at its first write; with
/// it the write fails, as it does on a full disk.
const LIMITED: &str = r#"trap '' XFSZ; ulimit -f 0; exec "$@""#;

impl Disk {
    /// From now on there is no room.
    pub(crate) fn fill(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_full(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether `length` bytes find room where a file is replaced.
    ///
    /// # Errors
    /// What the system says of a full disk.
    pub(crate) fn admit(&self, path: &Path, length: usize) -> Result<(), String> {
        let replaced = || std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        if self.is_full() && u64::try_from(length).unwrap_or(u64::MAX) > replaced() {
            return Err("No space left on device".to_owned());
        }
        Ok(())
    }

    /// A program that is about to be started on this machine.
    pub(crate) fn command(&self, program: &str) -> Command {
        if !self.is_full() {
            return Command::new(program);
        }
        let mut command = Command::new("sh");
        command.args(["-c", LIMITED, "sh", program]);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_admits_what_replaces_as_much() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("file");
        std::fs::write(&path, "four").expect("writable");
        let disk = Disk::default();
        assert_eq!(disk.admit(&path, 5), Ok(()));
        disk.clone().fill();
        assert_eq!(disk.admit(&path, 4), Ok(()));
        assert_eq!(disk.admit(&path, 5), Err("No space left on device".to_owned()));
        assert_eq!(disk.admit(&directory.path().join("other"), 0), Ok(()));
        assert!(disk.admit(&directory.path().join("other"), 1).is_err());
    }

    #[test]
    fn a_program_on_a_full_disk_writes_no_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (disk, path) = (Disk::default(), directory.path().join("file"));
        let write = |disk: &Disk| {
            let script = "head -c 10 /dev/zero > \"$1\" && echo \"$0 written\"";
            let output = disk.command("sh").args(["-c", script, "name"]).arg(&path).output().expect("there is a shell");
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            (output.status.code(), text(output.stdout), text(output.stderr))
        };
        assert_eq!(write(&disk), (Some(0), "name written\n".into(), String::new()));
        disk.fill();
        let (code, said, error) = write(&disk);
        assert_eq!((code, said), (Some(1), String::new()));
        assert!(error.contains("File too large"), "{error}");
    }
}
