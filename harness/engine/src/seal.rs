//! Secrets in a journal that only those can read who know a password.

use std::cell::RefCell;
use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grenadier_wire::Secret;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{Digest, SHA256, digest};
use ring::{hmac, pbkdf2};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::step::Restoring;

/// How often the password is hashed. Whoever tries passwords pays it each time, and so does every run, once.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(1_000).expect("it is not zero");

/// How many keys a thread remembers: one rehearsal after another has the same passwords.
const REMEMBERED: usize = 4;

thread_local! {
    /// The keys made last, the newest at the end, each with the purpose and a hash of the password it was made of.
    static KEYS: RefCell<Vec<(String, Digest, [u8; 32])>> = const { RefCell::new(Vec::new()) };
}

/// The key that a password gives for a purpose.
fn key_of(password: &Secret, purpose: &str) -> [u8; 32] {
    let hashed = digest(&SHA256, password.reveal().as_bytes());
    KEYS.with_borrow_mut(|keys| {
        let known = keys.iter().find(|(of, by, _)| of == purpose && by.as_ref() == hashed.as_ref());
        if let Some((_, _, key)) = known {
            return *key;
        }
        let mut key = [0; 32];
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, ITERATIONS, purpose.as_bytes(), password.reveal().as_bytes(), &mut key);
        if keys.len() == REMEMBERED {
            keys.remove(0);
        }
        keys.push((purpose.to_owned(), hashed, key));
        key
    })
}

/// Seals values with a key made of a password.
///
/// It guards a journal that is copied somewhere it should not be; it is as strong as the password, so a journal is to be
/// readable for its owner alone all the same. The nonce is a keyed hash of the content, so one content always gives the same
/// bytes (the virtual world is deterministic) and two contents never share a nonce.
pub(crate) struct Seal {
    key: LessSafeKey,
    nonces: hmac::Key,
    purpose: String,
}

impl Seal {
    /// A seal for `purpose` (what the values belong to: values of another purpose are not opened).
    pub(crate) fn new(password: &Secret, purpose: &str) -> Seal {
        let bytes = key_of(password, purpose);
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).expect("the algorithm's keys have 32 bytes");
        let nonces = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), b"nonces");
        let nonces = hmac::Key::new(hmac::HMAC_SHA256, nonces.as_ref());
        Seal { key: LessSafeKey::new(key), nonces, purpose: purpose.to_owned() }
    }

    /// Seals a value: Base64 of nonce and ciphertext.
    pub(crate) fn close<T: Serialize>(&self, value: &T) -> Value {
        let mut content = serde_json::to_vec(value).expect("what is sealed has string keys only");
        let mut bytes = hmac::sign(&self.nonces, &content).as_ref()[..NONCE_LEN].to_vec();
        let nonce = Nonce::try_assume_unique_for_key(&bytes).expect("a nonce was cut to its length");
        let sealed = self.key.seal_in_place_append_tag(nonce, Aad::from(&self.purpose), &mut content);
        sealed.expect("the content is far below the algorithm's limit of 256 GiB");
        bytes.extend(content);
        Value::String(STANDARD.encode(bytes))
    }

    /// Opens what [`Seal::close`] made.
    ///
    /// # Errors
    /// It was sealed with another password or for another purpose, or was damaged.
    pub(crate) fn open<T: DeserializeOwned>(&self, sealed: &Value) -> Result<T, Restoring> {
        let garbled = || Restoring("there is no sealed value".to_owned());
        let bytes = STANDARD.decode(sealed.as_str().ok_or_else(garbled)?).map_err(|_| garbled())?;
        let (nonce, content) = bytes.split_at_checked(NONCE_LEN).ok_or_else(garbled)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| garbled())?;
        let mut content = content.to_vec();
        let content = self.key.open_in_place(nonce, Aad::from(&self.purpose), &mut content);
        let content = content.map_err(|_| Restoring("it was sealed with another password".to_owned()))?;
        Ok(serde_json::from_slice(content)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_and_purpose_open_a_seal() {
        let seal = |password: &str, purpose: &str| Seal::new(&Secret::new(password), purpose);
        let sealed = seal("let me in", "upgrade-1").close(&["key", "certificate"]);
        assert!(!sealed.to_string().contains("certificate"));
        assert_eq!(sealed, seal("let me in", "upgrade-1").close(&["key", "certificate"]));
        assert_ne!(sealed, seal("let me in", "upgrade-1").close(&["key", "certificates"]));
        let opened: Vec<String> = seal("let me in", "upgrade-1").open(&sealed).unwrap();
        assert_eq!(opened, ["key", "certificate"]);
        for other in [seal("let me out", "upgrade-1"), seal("let me in", "upgrade-2")] {
            assert!(other.open::<Vec<String>>(&sealed).unwrap_err().0.contains("another password"));
        }
        assert!(seal("let me in", "upgrade-1").open::<Value>(&Value::Null).is_err());
    }
}
