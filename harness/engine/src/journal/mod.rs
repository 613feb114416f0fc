//! The journal: what the engine was about to do, and what it has done.
//!
//! Lowest is a [`Storage`] that appends bytes; above it a codec that makes records of them, each with a checksum over itself
//! and everything before it; above that the [`Journal`] with its vocabulary ([`Record`]) and what follows from it
//! ([`Recovery`]). A write that was torn by a crash is dropped when the journal is opened; damage anywhere else is an error.

mod codec;
mod log;
mod record;
mod recovery;
mod storage;

pub use codec::CodecError;
pub use log::{Journal, JournalError};
pub use record::{BegunStep, Record};
pub use recovery::{Applied, Ended, Failed, OpenIntent, Recovery};
pub use storage::{MemoryStorage, Storage, StorageError};

/// The bytes of a journal of these records.
#[cfg(feature = "codecs")]
pub(crate) fn written(records: &[Record]) -> Vec<u8> {
    let mut chain = "0".repeat(16);
    let mut bytes = Vec::new();
    for record in records {
        let (line, own) = codec::encode(record, &chain);
        bytes.extend(line);
        chain = own;
    }
    bytes
}
