//! Texts with a form of their own.

use std::fmt;
use std::time::Duration;

use grenadier_catalog::{format_duration, parse_duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text that reads as one of these and is written as it was read.
macro_rules! text {
    ($name:ident, $read:path, $write:expr) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                $read(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let write: fn(&$name) -> String = $write;
                serializer.serialize_str(&write(self))
            }
        }
    };
}

/// Where a vCenter answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Host and port.
    pub endpoint: String,
}

text!(Url, Url::read, |url| format!("https://{}", url.endpoint));

impl Url {
    fn read(text: &str) -> Result<Url, String> {
        let form =
            || format!("expected a URL such as https://vcenter.example or https://vcenter.example:8443; got `{text}`");
        let rest = text.strip_prefix("https://").ok_or_else(form)?;
        // People copy what their browser or `GOVC_URL` shows.
        let host = rest.strip_suffix("/sdk").unwrap_or(rest).trim_end_matches('/');
        if host.is_empty() || host.contains(['/', '@', '?', '#']) || host.contains(char::is_whitespace) {
            return Err(form());
        }
        let port = host.rsplit_once(':').filter(|(name, _)| !name.contains(':') || name.ends_with(']'));
        match port {
            None => Ok(Url { endpoint: format!("{host}:443") }),
            Some((_, port)) if port.parse::<u16>().is_ok() => Ok(Url { endpoint: host.to_owned() }),
            Some(_) => Err(form()),
        }
    }
}

/// SHA-256 of a certificate, in lowercase hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub String);

text!(Fingerprint, Fingerprint::read, |fingerprint| fingerprint.0.clone());

impl Fingerprint {
    fn read(text: &str) -> Result<Fingerprint, String> {
        let digits: String = text.chars().filter(|character| *character != ':').collect();
        if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Fingerprint(digits.to_ascii_lowercase()));
        }
        Err(format!(
            "expected the SHA-256 of a certificate, 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` shows \
             it; got `{text}`"
        ))
    }
}

/// How long something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length(pub Duration);

text!(Length, Length::read, |length| format_duration(length.0));

impl Length {
    fn read(text: &str) -> Result<Length, String> {
        let length = parse_duration(text).map_err(|error| error.to_string())?;
        if length.is_zero() { Err("nothing happens in no time at all".to_owned()) } else { Ok(Length(length)) }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_host_and_port() {
        for (text, endpoint) in [
            ("https://vcenter.example", "vcenter.example:443"),
            ("https://vcenter.example/sdk", "vcenter.example:443"),
            ("https://127.0.0.1:8443/", "127.0.0.1:8443"),
            ("https://[::1]", "[::1]:443"),
            ("https://[::1]:8443", "[::1]:8443"),
        ] {
            assert_eq!(Url::read(text).unwrap().endpoint, endpoint);
        }
        for text in
            ["http://vcenter.example", "vcenter.example", "https://", "https://user:word@host", "https://host:port"]
        {
            assert!(Url::read(text).unwrap_err().contains(text));
        }
    }

    #[test]
    fn fingerprints_may_have_colons() {
        let digits = "0123456789abcdef".repeat(4);
        assert_eq!(Fingerprint::read(&digits.to_uppercase()).unwrap().0, digits);
        assert_eq!(Fingerprint::read(&format!("01:23:{}", &digits[4..])).unwrap().0, digits);
        assert!(Fingerprint::read(&digits[1..]).is_err() && Fingerprint::read(&digits.replace('a', "g")).is_err());
    }
}
