//! How a call is addressed: `step/template#k`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a protocol calls an exchange.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallName {
    /// `vsphere.PowerOnVM_Task`, `dataplane.PUT /transactions/{id}`, `shell.systemctl`.
    pub template: String,
    /// The object it is about, where the protocol knows one: `vm-17`.
    pub target: Option<String>,
    /// Whether it can change something. Reads are faulted too, but pairs are only built over mutating calls.
    pub mutating: bool,
}

/// `step/template#k`: the k-th occurrence, from 1, of a call template in a step. Calls outside a step leave it out.
///
/// ```
/// let address: grenadier_wire::CallAddress = "power-on-new/vsphere.PowerOnVM_Task#1".parse()?;
/// assert_eq!((address.step.as_deref(), address.occurrence), (Some("power-on-new"), 1));
/// assert_eq!(address.to_string(), "power-on-new/vsphere.PowerOnVM_Task#1");
/// # Ok::<(), grenadier_wire::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallAddress {
    /// The engine's step.
    pub step: Option<String>,
    /// The call template.
    pub template: String,
    /// Which occurrence in the step, from 1.
    pub occurrence: u32,
}

/// Why a text is no call address.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// No `#k` at the end.
    #[error("`{0}` has no occurrence: write `step/template#1`")]
    NoOccurrence(String),
    /// Something else than a number from 1 behind `#`.
    #[error("`{0}` is no occurrence: they count from 1")]
    BadOccurrence(String),
    /// No template, or one without a protocol.
    #[error("`{0}` is no call template: write `protocol.Name`, as in `vsphere.PowerOnVM_Task`")]
    BadTemplate(String),
}

impl FromStr for CallAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<CallAddress, AddressError> {
        let (call, occurrence) = text.rsplit_once('#').ok_or_else(|| AddressError::NoOccurrence(text.to_owned()))?;
        let occurrence = occurrence
            .parse()
            .ok()
            .filter(|k| *k > 0)
            .ok_or_else(|| AddressError::BadOccurrence(occurrence.to_owned()))?;
        // A template may hold slashes (`dataplane.PUT /transactions/{id}`); a step has neither slash nor dot.
        let (step, template) = match call.split_once('/') {
            Some((step, template)) if !step.contains(['.', ' ']) => (Some(step.to_owned()), template),
            _ => (None, call),
        };
        if template.split_once('.').is_none_or(|(protocol, name)| protocol.is_empty() || name.is_empty()) {
            return Err(AddressError::BadTemplate(template.to_owned()));
        }
        Ok(CallAddress { step, template: template.to_owned(), occurrence })
    }
}

impl fmt::Display for CallAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = &self.step {
            write!(f, "{step}/")?;
        }
        write!(f, "{}#{}", self.template, self.occurrence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_they_were_read() {
        for text in [
            "power-on-new/vsphere.PowerOnVM_Task#1",
            "vsphere.Login#2",
            "verify-routes/dataplane.PUT /transactions/{id}#3",
            "dataplane.GET /info#1",
        ] {
            assert_eq!(text.parse::<CallAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, want) in [
            ("a/vsphere.X", "no occurrence"),
            ("a/vsphere.X#0", "count from 1"),
            ("a/vsphere.X#one", "count from 1"),
            ("a/Login#1", "no call template"),
            ("a/.x#1", "no call template"),
        ] {
            let error = text.parse::<CallAddress>().unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}
