//! Failures that an exploration may find, because somebody knows of them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::schema;

/// A failure that an exploration of this scenario finds and somebody knows of. One that is not found any more is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KnownFailure {
    /// What it looks like.
    pub signature: SignaturePattern,
    /// Why it is left as it is.
    #[schemars(schema_with = "schema::required_line")]
    pub reason: String,
    /// Where it is being dealt with.
    #[schemars(schema_with = "schema::link")]
    pub issue: String,
}

/// `check/role/step/fault`, as an exploration names its failures, with `*` for any run of characters within a part.
///
/// ```
/// let pattern: grenadier_scenario::SignaturePattern = "leftovers/*/deploy-new/*-after".parse()?;
/// assert!(pattern.matches("leftovers/new-appliance/deploy-new/error-after"));
/// assert!(!pattern.matches("leftovers/new-appliance/deploy-new/lost-reply"));
/// # Ok::<(), grenadier_scenario::SignatureError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignaturePattern([String; 4]);

/// A text is not a signature's pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "expected a signature check/role/step/fault, such as leftovers/new-appliance/deploy-new/lost-reply; got `{text}`"
)]
pub struct SignatureError {
    /// The text as it was given.
    pub text: String,
}

impl SignaturePattern {
    /// Whether a signature is one of those.
    pub fn matches(&self, signature: &str) -> bool {
        let parts: Vec<&str> = signature.split('/').collect();
        parts.len() == self.0.len() && self.0.iter().zip(parts).all(|(pattern, part)| fits(pattern, part))
    }

    /// The part that names the check.
    pub fn check(&self) -> &str {
        &self.0[0]
    }

    /// The part that names the steps, joined by `+`.
    pub fn steps(&self) -> &str {
        &self.0[2]
    }
}

/// Whether `text` is `pattern` with something in the place of each `*`.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            let places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            places.into_iter().any(|at| fits(rest, &text[at..]))
        }),
    }
}

impl FromStr for SignaturePattern {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<SignaturePattern, SignatureError> {
        let error = || SignatureError { text: text.to_owned() };
        let parts: Vec<String> = text.split('/').map(str::to_owned).collect();
        let parts: [String; 4] = parts.try_into().map_err(|_| error())?;
        let clean = |part: &String| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-+*_.:".contains(&byte))
        };
        if parts.iter().all(clean) { Ok(SignaturePattern(parts)) } else { Err(error()) }
    }
}

impl fmt::Display for SignaturePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.join("/"))
    }
}

impl Serialize for SignaturePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_its_part() {
        let matches = |pattern: &str, signature: &str| pattern.parse::<SignaturePattern>().unwrap().matches(signature);
        assert!(matches("*/*/*/*", "leftovers/new-appliance/deploy-new/hang"));
        assert!(matches("left*/new-*/deploy-new/lost-reply+*", "leftovers/new-appliance/deploy-new/lost-reply+hang"));
        assert!(matches("*ers/a/b/c", "leftovers/a/b/c"));
        assert!(!matches("*/a/b/c", "leftovers/x/a/b/c"));
        assert!(!matches("leftovers/a/b/c", "leftovers/a/b/cc"));
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for text in ["", "leftovers", "a/b/c", "a/b/c/d/e", "a//c/d", "a/b/c/d e"] {
            assert!(text.parse::<SignaturePattern>().is_err(), "{text}");
        }
    }
}
