//! Hardware addresses and segment names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a segment: one layer-2 network.
pub type SegmentId = String;

/// A hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The `number`-th address of VMware's range for addresses that vCenter assigns (`00:50:56:80…:bf`).
    pub const fn vmware(number: u32) -> Mac {
        let [_, high, middle, low] = number.to_be_bytes();
        Mac([0x00, 0x50, 0x56, 0x80 | (high & 0x3f), middle, low])
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for Mac {
    type Err = String;

    fn from_str(text: &str) -> Result<Mac, String> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            *byte = parts
                .next()
                .filter(|part| part.len() == 2)
                .and_then(|part| u8::from_str_radix(part, 16).ok())
                .ok_or_else(|| format!("`{text}` is no hardware address"))?;
        }
        if parts.next().is_some() { Err(format!("`{text}` is no hardware address")) } else { Ok(Mac(bytes)) }
    }
}

impl Serialize for Mac {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Mac, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Mac;

    #[test]
    fn addresses_print_as_they_were_read() {
        assert_eq!("00:50:56:9a:0b:ff".parse::<Mac>().unwrap().to_string(), "00:50:56:9a:0b:ff");
        for bad in ["", "00:50:56:9a:0b", "00:50:56:9a:0b:ff:00", "0:50:56:9a:0b:ff", "zz:50:56:9a:0b:ff"] {
            assert!(bad.parse::<Mac>().is_err(), "{bad}");
        }
    }
}
