//! The reviewed file of what may differ after a rollback.

use std::sync::LazyLock;

use serde::Deserialize;
use thiserror::Error;

use crate::{Node, Pattern};

/// What a mask allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskClass {
    /// The value may change.
    Volatile,
    /// The value may change, but only where its source did.
    Derived,
    /// The lines may change their order.
    Unordered,
}

/// Whether a node may come and go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Presence {
    /// It is there on both sides.
    #[default]
    MustStay,
    /// It may be there on one side only.
    MayVary,
}

/// One allowed difference.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mask {
    /// Where.
    pub path: Pattern,
    /// What is allowed there.
    pub class: MaskClass,
    /// Only lines that begin so; none: the whole value.
    #[serde(default)]
    pub line_prefix: Option<String>,
    /// What a derived value is derived from. Its `*` are filled in by those of `path`, in order.
    #[serde(default)]
    pub from: Option<Pattern>,
    /// Why this difference means nothing.
    pub reason: String,
    #[serde(default)]
    presence: Presence,
}

impl Mask {
    /// Whether the node may be there on one side only.
    pub fn presence_may_vary(&self) -> bool {
        self.presence == Presence::MayVary
    }
}

/// The masks of one system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Masks {
    /// Paths of identity: nothing here can be masked.
    #[serde(default)]
    pub identity: Vec<Pattern>,
    /// The masks, in the order of the file.
    pub masks: Vec<Mask>,
}

/// Why a masks file was refused.
#[derive(Debug, Error)]
pub enum MasksError {
    /// It is no YAML, or not of this shape.
    #[error("masks are not readable: {0}")]
    Yaml(#[from] serde_saphyr::Error),
    /// A mask could match a path of identity.
    #[error("mask {mask} could cover {identity}, and identity is never masked")]
    CoversIdentity {
        /// The mask's path.
        mask: Pattern,
        /// The path of identity.
        identity: Pattern,
    },
    /// A mask gives no reason.
    #[error("mask {0} gives no reason")]
    NoReason(Pattern),
    /// A derived mask without a source, or a source without a derived mask.
    #[error("mask {0} must have `from` if it is derived, and only then")]
    Source(Pattern),
    /// A derived mask whose source cannot be found from its path.
    #[error("mask {0} cannot fill in the `*` of its source {1}")]
    SourceNotReachable(Pattern, Pattern),
    /// A part of a value cannot come and go as a node can, and an unordered value is there.
    #[error("mask {0} cannot let the node come and go: only a volatile mask of a whole value can")]
    Presence(Pattern),
    /// An empty prefix would match every line.
    #[error("mask {0} has an empty line-prefix, which would match every line")]
    EmptyPrefix(Pattern),
}

static HAPROXY_APPLIANCE: LazyLock<Masks> = LazyLock::new(|| {
    Masks::load(include_str!("../masks/haproxy-appliance.yaml")).expect("a test loads the embedded masks")
});

static NONE: Masks = Masks { identity: Vec::new(), masks: Vec::new() };

impl Masks {
    /// The embedded masks of `system`; none are allowed for a system that has no file.
    pub fn of(system: &str) -> &'static Masks {
        match system {
            "haproxy-appliance" => &HAPROXY_APPLIANCE,
            _ => &NONE,
        }
    }

    /// Reads a masks file.
    ///
    /// # Errors
    /// Where it is not readable, or a mask is not allowed: see [`MasksError`].
    pub fn load(yaml: &str) -> Result<Masks, MasksError> {
        let masks: Masks = serde_saphyr::from_str(yaml)?;
        masks.masks.iter().try_for_each(|mask| masks.allowed(mask))?;
        Ok(masks)
    }

    fn allowed(&self, mask: &Mask) -> Result<(), MasksError> {
        let path = || mask.path.clone();
        if let Some(identity) = self.identity.iter().find(|identity| identity.overlaps(&mask.path)) {
            return Err(MasksError::CoversIdentity { mask: path(), identity: identity.clone() });
        }
        if mask.reason.trim().is_empty() {
            return Err(MasksError::NoReason(path()));
        }
        if mask.line_prefix.as_deref() == Some("") {
            return Err(MasksError::EmptyPrefix(path()));
        }
        if mask.from.is_some() != (mask.class == MaskClass::Derived) {
            return Err(MasksError::Source(path()));
        }
        if let Some(from) = &mask.from {
            // A path that the mask matches: itself, read as names, with something in place of each `*`.
            let sample = mask.path.to_string().replace("**", "x").replace('*', "x");
            if from.filled(&mask.path, &sample).is_none() {
                return Err(MasksError::SourceNotReachable(path(), from.clone()));
            }
        }
        let whole_volatile = mask.class == MaskClass::Volatile && mask.line_prefix.is_none();
        if mask.presence_may_vary() && !whole_volatile {
            return Err(MasksError::Presence(path()));
        }
        Ok(())
    }

    /// The masks that match `path`.
    pub fn matching(&self, path: &str) -> impl Iterator<Item = &Mask> {
        self.masks.iter().filter(move |mask| mask.path.matches(path))
    }

    /// The paths of masks that match no node of `trees`: nobody needs them, or they are misspelt. Masks of nodes that may be
    /// absent are left out: that there is none in this run says nothing.
    pub fn unused(&self, trees: &[&Node]) -> Vec<String> {
        let needed = |mask: &&Mask| mask.presence_may_vary() || trees.iter().any(|tree| mask.path.leads_into(tree));
        let unused = self.masks.iter().filter(|mask| !needed(mask));
        unused.map(|mask| mask.path.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_embedded_masks_load_and_every_one_has_a_reason() {
        let masks = Masks::of("haproxy-appliance");
        // One more is a difference that nobody will be told of: a change to be reviewed.
        assert_eq!(masks.masks.len(), 5);
        assert!(masks.masks.iter().all(|mask| mask.reason.len() > 20));
        assert!(Masks::of("no-such-system").masks.is_empty());
    }

    #[rstest]
    #[case("path: machines/*/mac\n    class: volatile\n    reason: r", "identity is never masked")]
    #[case("path: '**'\n    class: volatile\n    reason: r", "identity is never masked")]
    #[case("path: a\n    class: volatile\n    reason: ' '", "gives no reason")]
    #[case("path: a\n    class: volatile", "missing field `reason`")]
    #[case("path: a\n    class: secret\n    reason: r", "secret")]
    #[case("path: a\n    class: volatile\n    reason: r\n    colour: red", "colour")]
    #[case("path: a\n    class: derived\n    reason: r", "must have `from`")]
    #[case("path: a\n    class: volatile\n    from: b\n    reason: r", "must have `from`")]
    #[case("path: a\n    class: derived\n    from: b/*\n    reason: r", "cannot fill in")]
    #[case("path: a\n    class: unordered\n    presence: may-vary\n    reason: r", "come and go")]
    #[case("path: a\n    class: volatile\n    line-prefix: ''\n    reason: r", "every line")]
    #[case("path: a//b\n    class: volatile\n    reason: r", "empty level")]
    fn what_is_not_allowed_is_refused(#[case] mask: &str, #[case] want: &str) {
        let yaml = format!("identity: ['machines/*/mac']\nmasks:\n  - {mask}\n");
        let error = Masks::load(&yaml).expect_err(&yaml).to_string();
        assert!(error.contains(want), "{error}");
    }

    #[test]
    fn masks_that_match_nothing_are_named() {
        let masks =
            Masks::load("masks: [{path: 'a/*', class: volatile, reason: r}, {path: z, class: volatile, reason: r}]")
                .unwrap();
        let mut tree = Node::default();
        tree.insert("a/b", Node::config("1"));
        assert_eq!(masks.unused(&[&tree, &Node::default()]), ["z"]);
    }
}
