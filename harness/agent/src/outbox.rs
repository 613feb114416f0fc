//! Messages on their way to the fleet.

use std::io::Write;
use std::sync::mpsc;
use std::thread::JoinHandle;

use grenadier_fleet::GuestReport;

use crate::protocol::{FromAgent, line};

/// Where messages are put. Putting never waits: a thread of its own writes them, so that a slow reader delays no sample.
#[derive(Clone, Debug)]
pub struct Outbox(mpsc::Sender<FromAgent>);

/// The thread that writes. Waiting for it means that everything put before the last [`Outbox`] was dropped is written.
#[derive(Debug)]
pub struct Writer(JoinHandle<()>);

impl Outbox {
    /// An outbox that writes to `to`.
    pub fn new(mut to: impl Write + Send + 'static) -> (Outbox, Writer) {
        let (sender, messages) = mpsc::channel::<FromAgent>();
        let writer = std::thread::spawn(move || {
            for message in messages {
                // Nobody reads any more when this fails; the end of our input tells the main loop the same.
                if to.write_all(line(&message).as_bytes()).and_then(|()| to.flush()).is_err() {
                    break;
                }
            }
        });
        (Outbox(sender), Writer(writer))
    }

    /// An outbox whose messages a test takes out itself.
    #[cfg(test)]
    pub(crate) fn for_tests() -> (Outbox, mpsc::Receiver<FromAgent>) {
        let (sender, messages) = mpsc::channel();
        (Outbox(sender), messages)
    }

    /// Puts a message.
    pub fn put(&self, message: FromAgent) {
        // The writer ends early only when nobody reads any more.
        let _ = self.0.send(message);
    }

    /// Puts a report.
    pub fn report(&self, report: GuestReport) {
        self.put(FromAgent::Report { report });
    }

    /// Puts a line into the agent's own log: what it could not do for its machine.
    pub fn complain(&self, line: impl Into<String>) {
        self.report(GuestReport::Log { service: "agent".to_owned(), line: line.into() });
    }
}

impl Writer {
    /// Waits until everything is written. Every [`Outbox`] must be gone.
    pub fn finish(self) {
        // A panic of the writer was printed already; nothing is left to be done about it here.
        let _ = self.0.join();
    }
}
