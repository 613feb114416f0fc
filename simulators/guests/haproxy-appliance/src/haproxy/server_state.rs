//! The states of a server, in the words of captured states.

/// It gets connections.
pub const UP: &str = "up";
/// The checks of its health fail.
pub const DOWN: &str = "down";
/// Somebody has taken it out: it gets no connection.
pub const MAINTENANCE: &str = "maintenance";
/// It keeps what it has and gets nothing new.
pub const DRAIN: &str = "drain";
