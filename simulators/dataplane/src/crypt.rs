//! Passwords as `crypt(3)` stores them.

use std::cell::RefCell;

use md5::{Digest, Md5};

use crate::Remembered;

/// How many hashes a thread remembers.
const MOST_KNOWN: usize = 64;

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The MD5-based crypt of a password: `$1$SALT$HASH`, as `openssl passwd -1` prints it. Only the salt's first eight
/// characters count.
///
/// The algorithm is the one of FreeBSD's `crypt(3)` (Poul-Henning Kamp); the appliance stores the Data Plane API's password
/// in this form.
///
/// ```
/// assert_eq!(grenadier_dataplane::md5_crypt("secret", "SaltSalt"), "$1$SaltSalt$YhgRYajLPrYevs14poKBQ0");
/// ```
pub fn md5_crypt(password: &str, salt: &str) -> String {
    // Its thousand rounds are meant to be slow, and an API asks for the same ones with every request.
    thread_local! {
        static KNOWN: RefCell<Remembered<(String, String), String>> = const { RefCell::new(Remembered::new(MOST_KNOWN)) };
    }
    let key = (password.to_owned(), salt.to_owned());
    KNOWN.with_borrow_mut(|known| {
        known.find(&key).unwrap_or_else(|| {
            let hash = compute(password, salt);
            known.keep(key, hash.clone());
            hash
        })
    })
}

fn compute(password: &str, salt: &str) -> String {
    let password = password.as_bytes();
    let salt_text: String = salt.chars().take_while(|char| *char != '$').take(8).collect();
    let salt = salt_text.as_bytes();

    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut outer = Md5::new().chain_update(password).chain_update(b"$1$").chain_update(salt);
    for index in 0..password.len() {
        outer.update([inner[index % inner.len()]]);
    }
    let mut bits = password.len();
    while bits > 0 {
        // An odd bit adds a zero byte, an even one the password's first byte: a slip of the original that became the format.
        outer.update([if bits & 1 == 1 { 0 } else { password[0] }]);
        bits >>= 1;
    }
    let mut hash: [u8; 16] = outer.finalize().into();
    for round in 0..1000 {
        let mut step = Md5::new();
        if round % 2 == 1 {
            step.update(password)
        } else {
            step.update(hash)
        }
        if round % 3 != 0 {
            step.update(salt);
        }
        if round % 7 != 0 {
            step.update(password);
        }
        if round % 2 == 1 {
            step.update(hash)
        } else {
            step.update(password)
        }
        hash = step.finalize().into();
    }

    let mut text = format!("$1${salt_text}$");
    let mut push = |bytes: [u8; 3], characters: usize| {
        let mut value = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        for _ in 0..characters {
            text.push(char::from(ALPHABET[(value & 0x3f) as usize]));
            value >>= 6;
        }
    };
    for [a, b, c] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        push([hash[a], hash[b], hash[c]], 4);
    }
    push([0, 0, hash[11]], 2);
    text
}

/// Whether `password` is the one `stored` was made from.
///
/// # Errors
/// `stored` is in a format that is not supported, which the text names.
pub(crate) fn matches(password: &str, stored: &str) -> Result<bool, String> {
    if let Some(rest) = stored.strip_prefix("$1$") {
        let salt = rest.split('$').next().unwrap_or_default();
        return Ok(md5_crypt(password, salt) == stored);
    }
    let format = stored.split('$').nth(1).filter(|format| stored.starts_with('$') && !format.is_empty());
    Err(match format {
        Some(format) => format!("password format ${format}$ is not supported, only $1$ and insecure-password are"),
        None => "password is in no known crypt format".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // Made with `openssl passwd -1 -salt SALT PASSWORD`.
    #[rstest]
    #[case("secret", "SaltSalt", "$1$SaltSalt$YhgRYajLPrYevs14poKBQ0")]
    #[case("", "abcdefgh", "$1$abcdefgh$M55TzYaaccxVGbptZWaxX/")]
    #[case("a password of more than sixteen bytes", "x", "$1$x$fQSogvz1TPa/z/ZDxblfL/")]
    fn known_vectors(#[case] password: &str, #[case] salt: &str, #[case] expected: &str) {
        assert_eq!(md5_crypt(password, salt), expected);
        assert_eq!(matches(password, expected), Ok(true));
        assert_eq!(matches(&format!("{password}x"), expected), Ok(false));
    }

    #[test]
    fn other_formats_are_named() {
        assert_eq!(
            matches("secret", "$6$salt$hash"),
            Err("password format $6$ is not supported, only $1$ and insecure-password are".to_owned())
        );
        assert!(matches("secret", "secret").is_err());
    }
}
