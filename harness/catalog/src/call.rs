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
///
/// `vsphere.PowerOnVM_Task` is a SOAP method in the manual's spelling; `dataplane.PUT /transactions/{id}` and
/// `vsphere.POST /nfc` are HTTP requests, their paths with `{name}` where arguments go; `shell.systemctl` is a command on a
/// machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallTemplate(String);

impl CallTemplate {
    /// The template as a protocol says it, `protocol.call`. Reading one that a person wrote ([`FromStr`]) is stricter.
    pub fn new(template: impl Into<String>) -> CallTemplate {
        CallTemplate(template.into())
    }

    /// `vsphere.PowerOnVM_Task`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `vsphere`, `dataplane`, `shell`.
    pub fn protocol(&self) -> &str {
        self.0.split_once('.').map_or("", |(protocol, _)| protocol)
    }

    /// What stands behind the protocol: `PowerOnVM_Task`, `PUT /transactions/{id}`, `systemctl`.
    pub fn call(&self) -> &str {
        self.0.split_once('.').map_or(self.0.as_str(), |(_, call)| call)
    }

    /// The method of an HTTP request; none where the call is no plain HTTP request.
    pub fn http_method(&self) -> Option<HttpMethod> {
        self.call().split_once(' ').and_then(|(method, _)| HttpMethod::parse(method))
    }
}

/// One call of a run: the k-th occurrence of a template within a step, written `step/template#k`. Calls that are made outside
/// of a step leave it out.
///
/// ```
/// use grenadier_catalog::CallAddress;
///
/// let address: CallAddress = "power-on-new/vsphere.PowerOnVM_Task#1".parse()?;
/// assert_eq!(address.step.as_deref(), Some("power-on-new"));
/// assert_eq!((address.template.protocol(), address.template.call()), ("vsphere", "PowerOnVM_Task"));
/// assert_eq!(address.occurrence, 1);
/// assert_eq!(address.to_string(), "power-on-new/vsphere.PowerOnVM_Task#1");
/// # Ok::<(), grenadier_catalog::CallAddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallAddress {
    /// The step that makes the call.
    pub step: Option<String>,
    /// What is called.
    pub template: CallTemplate,
    /// Which occurrence in the step, counted from 1.
    pub occurrence: u32,
}

/// A text is not a call address or not a call template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallAddressError {
    /// It is neither the address of a call nor the name of a step.
    #[error(
        "expected a call such as power-on-new/vsphere.PowerOnVM_Task#1 or a step such as power-on-new; got `{text}`"
    )]
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
        let is_request = || {
            call.split_once(' ').is_some_and(|(method, path)| {
                let clean = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
                HttpMethod::parse(method).is_some() && path.starts_with('/') && path.bytes().all(clean)
            })
        };
        let sound = match protocol {
            "vsphere" => (is_word(call) && !call.contains(['.', '-'])) || is_request(),
            "shell" => is_word(call),
            "dataplane" => is_request(),
            _ => false,
        };
        if sound { Ok(Self(text.to_owned())) } else { Err(error()) }
    }
}

impl fmt::Display for CallTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for CallAddress {
    type Err = CallAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A template may hold slashes (`dataplane.PUT /transactions/{id}`); a step has neither slash nor dot nor blank.
        let (step, rest) = match text.split_once('/') {
            Some((step, rest)) if !step.contains(['.', ' ']) => {
                let form = || CallAddressError::Form { text: text.to_owned() };
                (Some(step).filter(|step| is_word(step)).ok_or_else(form).map(|step| Some(step.to_owned()))?, rest)
            }
            _ => (None, text),
        };
        let (template, occurrence) =
            rest.rsplit_once('#').ok_or_else(|| CallAddressError::Occurrence { text: text.to_owned() })?;
        let digits = !occurrence.is_empty() && occurrence.bytes().all(|byte| byte.is_ascii_digit());
        let occurrence = occurrence
            .parse()
            .ok()
            .filter(|occurrence| digits && *occurrence > 0)
            .ok_or_else(|| CallAddressError::Occurrence { text: text.to_owned() })?;
        Ok(Self { step, template: template.parse()?, occurrence })
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
            "deploy-new/vsphere.POST /nfc#1",
            "vsphere.Login#2",
            "dataplane.GET /info#1",
        ] {
            assert_eq!(text.parse::<CallAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn each_part_that_is_wrong_is_named() {
        let error = |text: &str| text.parse::<CallAddress>().unwrap_err();
        assert!(matches!(error("/vsphere.Login#1"), CallAddressError::Form { .. }));
        for text in
            ["", "s/vsphere.Login", "s/vsphere.Login#", "s/vsphere.Login#0", "s/vsphere.Login#+1", "s/vsphere.Login#x"]
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
            "a b/vsphere.Login#1",
        ] {
            assert!(matches!(error(text), CallAddressError::Template { .. }), "{text}");
        }
    }
}
