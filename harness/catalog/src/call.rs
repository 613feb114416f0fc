//! Call templates and call addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::Named as _;
use crate::named::named;

named! {
    /// The HTTP methods of the Data Plane API.
    pub enum HttpMethod("HTTP method") {
        Get = "GET", "reads a resource";
        Post = "POST", "creates a resource";
        Put = "PUT", "replaces a resource, or commits a transaction";
        Delete = "DELETE", "deletes a resource";
    }
}

/// What is called, without its arguments: the middle of a call address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallTemplate {
    /// `vsphere.Method`: a SOAP method, in the manual's spelling.
    Vsphere {
        /// Such as `PowerOnVM_Task`.
        method: String,
    },
    /// `dataplane.METHOD path`: an HTTP request, its path with `{name}` where arguments go.
    Dataplane {
        /// HTTP method.
        method: HttpMethod,
        /// Such as `/v2/services/haproxy/transactions/{id}`.
        path: String,
    },
    /// `shell.program`: a command on a machine.
    Shell {
        /// Such as `systemctl`.
        program: String,
    },
}

/// One call of a run: the k-th occurrence of a template within a step, written `step/template#k`.
///
/// ```
/// use grenadier_catalog::{CallAddress, CallTemplate};
///
/// let address: CallAddress = "power-on-new/vsphere.PowerOnVM_Task#1".parse()?;
/// assert_eq!(address.step, "power-on-new");
/// assert_eq!(address.template, CallTemplate::Vsphere { method: "PowerOnVM_Task".to_owned() });
/// assert_eq!(address.occurrence, 1);
/// # Ok::<(), grenadier_catalog::CallAddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallAddress {
    /// The step that makes the call.
    pub step: String,
    /// What is called.
    pub template: CallTemplate,
    /// Counted from 1.
    pub occurrence: u32,
}

/// A text is not a call address or not a call template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallAddressError {
    /// There is no `/` between step and template.
    #[error("expected a call address such as power-on-new/vsphere.PowerOnVM_Task#1; got `{text}`")]
    Form {
        /// The text as it was given.
        text: String,
    },
    /// The occurrence is missing, zero or no number.
    #[error("expected a call address that ends in its occurrence, such as `#1`; got `{text}`")]
    Occurrence {
        /// The text as it was given.
        text: String,
    },
    /// The template has none of the three shapes.
    #[error("expected a call such as vsphere.Method, dataplane.METHOD /path or shell.program; got `{text}`")]
    Template {
        /// The template as it was given.
        text: String,
    },
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

impl FromStr for CallTemplate {
    type Err = CallAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || CallAddressError::Template { text: text.to_owned() };
        let (protocol, call) = text.split_once('.').ok_or_else(error)?;
        match protocol {
            "vsphere" if is_word(call) && !call.contains(['.', '-']) => Ok(Self::Vsphere { method: call.to_owned() }),
            "shell" if is_word(call) => Ok(Self::Shell { program: call.to_owned() }),
            "dataplane" => {
                let (method, path) = call.split_once(' ').ok_or_else(error)?;
                let method = HttpMethod::parse(method).ok_or_else(error)?;
                let clean = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
                if clean { Ok(Self::Dataplane { method, path: path.to_owned() }) } else { Err(error()) }
            }
            _ => Err(error()),
        }
    }
}

impl fmt::Display for CallTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vsphere { method } => write!(f, "vsphere.{method}"),
            Self::Dataplane { method, path } => write!(f, "dataplane.{method} {path}"),
            Self::Shell { program } => write!(f, "shell.{program}"),
        }
    }
}

impl FromStr for CallAddress {
    type Err = CallAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (step, rest) = text
            .split_once('/')
            .filter(|(step, _)| is_word(step))
            .ok_or_else(|| CallAddressError::Form { text: text.to_owned() })?;
        let (template, occurrence) =
            rest.rsplit_once('#').ok_or_else(|| CallAddressError::Occurrence { text: text.to_owned() })?;
        let digits = !occurrence.is_empty() && occurrence.bytes().all(|byte| byte.is_ascii_digit());
        let occurrence = occurrence
            .parse()
            .ok()
            .filter(|occurrence| digits && *occurrence > 0)
            .ok_or_else(|| CallAddressError::Occurrence { text: text.to_owned() })?;
        Ok(Self { step: step.to_owned(), template: template.parse()?, occurrence })
    }
}

impl fmt::Display for CallAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.step, self.template, self.occurrence)
    }
}

impl Serialize for CallAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CallAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_prints_as_it_was_read() {
        for text in [
            "power-on-new/vsphere.PowerOnVM_Task#1",
            "read-appliance/dataplane.GET /v2/services/haproxy/configuration/frontends#12",
            "verify-routes/dataplane.PUT /v2/services/haproxy/transactions/{id}#2",
            "verify-services/shell.systemctl#3",
        ] {
            assert_eq!(text.parse::<CallAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn each_part_that_is_wrong_is_named() {
        let error = |text: &str| text.parse::<CallAddress>().unwrap_err();
        for text in ["", "vsphere.PowerOnVM_Task#1", "/vsphere.Login#1", "a b/vsphere.Login#1"] {
            assert!(matches!(error(text), CallAddressError::Form { .. }), "{text}");
        }
        for text in
            ["s/vsphere.Login", "s/vsphere.Login#", "s/vsphere.Login#0", "s/vsphere.Login#+1", "s/vsphere.Login#x"]
        {
            assert!(matches!(error(text), CallAddressError::Occurrence { .. }), "{text}");
        }
        for text in [
            "s/vsphere#1",
            "s/vsphere.#1",
            "s/soap.Login#1",
            "s/dataplane.GET#1",
            "s/dataplane.PATCH /v2#1",
            "s/dataplane.GET v2#1",
            "s/shell.a b#1",
        ] {
            assert!(matches!(error(text), CallAddressError::Template { .. }), "{text}");
        }
    }
}
