//! SQLite's errors as people can act on them.

use std::path::Path;

use grenadier_engine::StorageError;
use rusqlite::ErrorCode;

/// An error about `file`: what is wrong, and what to do.
pub(crate) fn about(file: &Path, what: &str, hint: &str) -> StorageError {
    StorageError(format!("{}: {what}; {hint}", file.display()))
}

/// What to do about a journal whose bytes are damaged.
pub(crate) const DAMAGED: &str = "keep a copy of the file, compare the system with its last records by hand, and begin the next \
                                  upgrade with another journal";

/// An error of SQLite's about `file`.
pub(crate) fn translated(file: &Path, error: &rusqlite::Error) -> StorageError {
    let (what, hint) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            ("another engine is at work with it", "wait until that one has ended")
        }
        Some(ErrorCode::NotADatabase) => {
            ("it is no journal", "name the journal's file, or one that does not exist yet")
        }
        Some(ErrorCode::DatabaseCorrupt) => ("it is damaged", DAMAGED),
        Some(ErrorCode::DiskFull) => ("there is no room left", "make room on its disk, then resume"),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => (
            "it cannot be opened for writing",
            "check that its folder exists and that both may be written by this user",
        ),
        Some(ErrorCode::SystemIoFailure) => ("its disk does not work", "check the disk, then resume"),
        _ => ("it cannot be read as a journal", DAMAGED),
    };
    about(file, &format!("{what} ({error})"), hint)
}
