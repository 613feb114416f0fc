//! What a disk image says it is.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The first line of a disk image: which product and version boots from it.
///
/// Real appliances ship gigabytes; ours ship this line and some padding. What matters stays true: the guest that boots is the
/// one whose bytes were uploaded, and a torn or foreign upload does not boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageHeader {
    /// The guest: `haproxy-appliance`, `backend`, `operator`, `probe` …
    pub product: String,
    /// Its version: `v0.1.10`.
    pub version: String,
    /// The container image that is this product in the docker world.
    pub container: String,
    /// Facts about this build that the guest behaves by.
    #[serde(default)]
    pub facts: BTreeMap<String, serde_json::Value>,
    /// How many bytes follow the line.
    pub payload_bytes: usize,
}

/// Why bytes are no disk image.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ImageError {
    /// The first line is not a header.
    #[error("the disk holds no bootable image: {0}")]
    NoHeader(String),
    /// Fewer or more bytes follow than the header says.
    #[error("the disk image is torn: {found} bytes follow the header, {announced} were announced")]
    Torn {
        /// What the header says.
        announced: usize,
        /// What is there.
        found: usize,
    },
}

const MAGIC: &str = "grenadier-image ";

impl ImageHeader {
    /// The image's bytes: this header and its payload.
    pub fn encode(&self) -> Bytes {
        let header = serde_json::to_string(self).expect("a header has string keys and finite numbers");
        let mut bytes = format!("{MAGIC}{header}\n").into_bytes();
        bytes.resize(bytes.len() + self.payload_bytes, 0x5a);
        bytes.into()
    }

    /// Reads the header of an image and checks that all of its bytes are there.
    pub fn decode(bytes: &[u8]) -> Result<ImageHeader, ImageError> {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let line = std::str::from_utf8(&bytes[..end]).map_err(|_| ImageError::NoHeader("not text".to_owned()))?;
        let json = line.strip_prefix(MAGIC).ok_or_else(|| ImageError::NoHeader("no magic word".to_owned()))?;
        let header: ImageHeader =
            serde_json::from_str(json).map_err(|error| ImageError::NoHeader(error.to_string()))?;
        let found = bytes.len().saturating_sub(end + 1);
        if found == header.payload_bytes {
            Ok(header)
        } else {
            Err(ImageError::Torn { announced: header.payload_bytes, found })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_reads_back_and_a_torn_one_does_not() {
        let header = ImageHeader {
            product: "haproxy-appliance".into(),
            version: "v0.2.0".into(),
            container: "grenadier/haproxy-appliance:bookworm".into(),
            facts: BTreeMap::from([("link-scoped-routes".into(), true.into())]),
            payload_bytes: 512,
        };
        let bytes = header.encode();
        assert_eq!(ImageHeader::decode(&bytes), Ok(header));
        let torn = ImageHeader::decode(&bytes[..bytes.len() - 1]);
        assert_eq!(torn, Err(ImageError::Torn { announced: 512, found: 511 }));
        assert!(matches!(ImageHeader::decode(b"KDMV\x01\0"), Err(ImageError::NoHeader(_))));
    }
}
