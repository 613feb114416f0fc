//! Where a journal's bytes are kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

/// The bytes could not be kept or read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("journal storage: {0}")]
pub struct StorageError(pub String);

/// Bytes that only grow, except that a torn tail is cut off.
///
/// A file, a table with one row for each append, or memory. [`Storage::append`] returns when the bytes are durable; after a
/// crash any prefix of the last append may be there.
pub trait Storage: Send {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// They are not durable, and perhaps there in part.
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError>;

    /// All bytes.
    ///
    /// # Errors
    /// They cannot be read.
    fn read(&self) -> Result<Vec<u8>, StorageError>;

    /// Cuts off everything from `length` on.
    ///
    /// # Errors
    /// It is still there.
    fn truncate(&mut self, length: usize) -> Result<(), StorageError>;
}

/// A journal in memory. Clones share it, so that it outlives the engine that wrote it, as a file does.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage(Arc<Mutex<Vec<u8>>>);

impl MemoryStorage {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for MemoryStorage {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.bytes().extend_from_slice(bytes);
        Ok(())
    }

    fn read(&self) -> Result<Vec<u8>, StorageError> {
        Ok(self.bytes().clone())
    }

    fn truncate(&mut self, length: usize) -> Result<(), StorageError> {
        self.bytes().truncate(length);
        Ok(())
    }
}
