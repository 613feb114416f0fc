//! Where something goes wrong: at a call, or at a step.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{CallAddress, CallAddressError};

/// Where something goes wrong: at one call of a step, `power-on-new/vsphere.PowerOnVM_Task#1`, or at a step, `power-on-new`.
///
/// ```
/// use grenadier_catalog::FaultPlace;
/// assert!(matches!("power-on-new".parse(), Ok(FaultPlace::Step(_))));
/// assert!(matches!("power-on-new/vsphere.PowerOnVM_Task#1".parse(), Ok(FaultPlace::Call(_))));
/// assert!("vsphere.PowerOnVM_Task#1".parse::<FaultPlace>().is_err(), "a call of which step?");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultPlace {
    /// A call.
    Call(CallAddress),
    /// A step.
    Step(String),
}

impl FaultPlace {
    /// The step; of a call, the one that makes it. Empty where a call is made outside of steps.
    pub fn step(&self) -> &str {
        match self {
            FaultPlace::Call(call) => call.step.as_deref().unwrap_or_default(),
            FaultPlace::Step(step) => step,
        }
    }

    /// The call, where it is one.
    pub fn call(&self) -> Option<&CallAddress> {
        match self {
            FaultPlace::Call(call) => Some(call),
            FaultPlace::Step(_) => None,
        }
    }
}

impl FromStr for FaultPlace {
    type Err = CallAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || CallAddressError::Form { text: text.to_owned() };
        let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !text.is_empty() && text.bytes().all(word) {
            return Ok(FaultPlace::Step(text.to_owned()));
        }
        // Without its step a call could be anywhere.
        text.split_once('/').filter(|(step, _)| !step.is_empty() && !step.contains(['.', ' '])).ok_or_else(form)?;
        text.parse().map(FaultPlace::Call)
    }
}

impl fmt::Display for FaultPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultPlace::Call(call) => call.fmt(f),
            FaultPlace::Step(step) => f.pad(step),
        }
    }
}

impl From<CallAddress> for FaultPlace {
    fn from(call: CallAddress) -> FaultPlace {
        FaultPlace::Call(call)
    }
}

impl Serialize for FaultPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FaultPlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_prints_as_it_was_read() {
        for text in ["power-on-new", "power-on-new/vsphere.PowerOnVM_Task#1", "a/dataplane.PUT /transactions/{id}#2"] {
            assert_eq!(text.parse::<FaultPlace>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_neither_says_what_it_should_be() {
        for text in ["", "vsphere.PowerOnVM_Task#1", "/vsphere.Login#1", "a b/vsphere.Login#1", "a b"] {
            let error = text.parse::<FaultPlace>().unwrap_err();
            assert!(matches!(error, CallAddressError::Form { .. }), "{text}: {error}");
        }
    }
}
