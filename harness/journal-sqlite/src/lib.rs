//! The engine's journal in a SQLite file.
//!
//! It is a crate of its own because SQLite's C sources take longer to build than the whole engine: only the binary that keeps a
//! journal on a disk pays for them.

mod errors;
mod storage;

pub use storage::SqliteStorage;
