//! Certificates in PEM form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::plan::hex;

/// SHA-256 of the first certificate's DER form in a PEM text, in lowercase hexadecimal; none where there is none.
pub(super) fn fingerprint(pem: &str) -> Option<String> {
    let der = block(pem, |label| label == "CERTIFICATE")?;
    Some(hex(&Sha256::digest(der)))
}

/// Whether a PEM text holds a private key of any kind.
pub(super) fn holds_key(pem: &str) -> bool {
    block(pem, |label| label.ends_with("PRIVATE KEY")).is_some()
}

/// The bytes of the first block whose label is wanted (RFC 7468).
fn block(pem: &str, wanted: impl Fn(&str) -> bool) -> Option<Vec<u8>> {
    let mut rest = pem;
    loop {
        let (_, after) = rest.split_once("-----BEGIN ")?;
        let (label, after) = after.split_once("-----")?;
        let (body, after) = after.split_once("-----END ")?;
        if wanted(label) {
            let base64: String = body.chars().filter(|char| !char.is_whitespace()).collect();
            return STANDARD.decode(base64).ok().filter(|bytes| !bytes.is_empty());
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_of_the_first_certificate() {
        let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n\
                   -----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n\
                   -----BEGIN CERTIFICATE-----\nZGVm\n-----END CERTIFICATE-----\n";
        // FIPS 180-2, appendix B.1: SHA-256 of "abc".
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(fingerprint(pem).as_deref(), Some(abc));
        assert!(holds_key(pem));
    }

    #[test]
    fn what_holds_none_has_none() {
        for text in ["", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----", "x"]
        {
            assert_eq!(fingerprint(text), None, "{text}");
            assert!(!holds_key(text));
        }
    }
}
