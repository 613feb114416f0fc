//! What the Data Plane API acts through.

use std::time::Duration;

use bytes::Bytes;
use grenadier_fidelity::Behaviour;

/// What the Data Plane API acts through.
pub trait Environment {
    /// The content of a file, if there is one.
    fn read(&self, path: &str) -> Option<Bytes>;

    /// Writes a file.
    ///
    /// # Errors
    /// The disk is full or broken; the text says which.
    fn write(&mut self, path: &str, content: Bytes) -> Result<(), String>;

    /// Removes a file; whether there was one.
    fn remove(&mut self, path: &str) -> bool;

    /// The paths of the files below a directory, in order.
    fn list(&self, directory: &str) -> Vec<String>;

    /// Has HAProxy check a configuration (`haproxy -c`).
    ///
    /// # Errors
    /// It is not valid; the text is what HAProxy wrote.
    fn validate(&mut self, config: &str) -> Result<(), String>;

    /// Runs the reload command. That it succeeds means that the service took the order, not that the new workers could bind.
    ///
    /// # Errors
    /// The command failed; the text is what it wrote.
    fn reload(&mut self) -> Result<(), String>;

    /// Runs the restart command.
    ///
    /// # Errors
    /// The command failed, or there is none.
    fn restart(&mut self) -> Result<(), String>;

    /// Asks for a call of [`crate::DataPlaneApi::timer`] after this time.
    fn timer(&mut self, after: Duration);

    /// A fresh identifier for a transaction.
    fn uuid(&mut self) -> String;

    /// Whether this behaviour holds in this run (see [`grenadier_fidelity`]).
    fn holds(&mut self, behaviour: &'static Behaviour) -> bool {
        let _ = behaviour;
        true
    }

    /// Writes a line to the service's log.
    fn log(&mut self, line: String);
}
