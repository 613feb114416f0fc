//! Who is judged.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use crate::Request;

/// Which world a subject lives in, for the cells that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// The virtual appliance with the model of HAProxy.
    Model,
    /// A container with the real HAProxy.
    Real,
}

/// An answer of the Data Plane API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body; null where it is empty or no JSON.
    pub body: Value,
}

impl Answer {
    /// An answer as it came.
    #[must_use]
    pub fn of(response: &http::Response<Bytes>) -> Answer {
        let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: serde_json::from_slice(response.body()).unwrap_or_default(),
        }
    }
}

/// A running appliance. Names and passwords are its own business: a [`Request`] says only whether they are to be right.
pub trait Subject {
    /// Which world it lives in.
    fn world(&self) -> World;

    /// Puts the configuration back to what a first boot leaves, without transactions, with both services freshly started.
    fn reset(&mut self);

    /// Sends a request.
    fn ask(&mut self, request: &Request) -> Answer;

    /// Lets a little time pass, virtual or real.
    fn pass(&mut self);

    /// The content of a file, if there is one.
    fn read(&mut self, path: &str) -> Option<String>;

    /// Writes a file behind the API's back.
    fn write(&mut self, path: &str, content: &str);

    /// The appliance's state as it is captured.
    fn state(&mut self) -> Value;

    /// `systemctl VERB SERVICE`.
    fn systemctl(&mut self, verb: &str, service: &str);

    /// SIGKILL for a process of HAProxy: the master, else a worker.
    fn kill(&mut self, master: bool);

    /// An address that the appliance answers for, on which nothing listens yet.
    fn vip(&self) -> String;

    /// An address that the appliance does not answer for.
    fn foreign_address(&self) -> String;
}
