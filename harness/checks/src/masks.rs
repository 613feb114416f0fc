//! The reviewed file of what may differ after a rollback.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Node, Pattern};

/// What a mask allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MaskClass {
    /// The value may change.
    Volatile,
    /// The value may change, but only where its source did.
    Derived,
    /// The lines may change their order.
    Unordered,
    /// The sections may change their order: each a line that is not indented and the indented lines below it.
    Sections,
}

/// What a mask passes over in one comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MaskUse {
    /// Where it applies.
    #[schemars(with = "String")]
    pub path: Pattern,
    /// What it allows there.
    pub class: MaskClass,
    /// The lines it is about; none: whole values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_prefix: Option<String>,
    /// How many fields it covers, of those that one state or the other has.
    pub fields: usize,
    /// Why it is there.
    pub reason: String,
}

/// What a comparison of two states passes over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Masked {
    /// How many fields are covered by a mask.
    pub fields: usize,
    /// Of how many that one state or the other has.
    pub of: usize,
    /// The masks, in the order of their file.
    pub masks: Vec<MaskUse>,
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
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Masks {
    /// Paths of identity: nothing here can be masked.
    #[serde(default)]
    pub identity: Vec<Pattern>,
    /// The masks, in the order of the file.
    pub masks: Vec<Mask>,
    /// What may differ besides where two runs are compared with each other, and not one moment with another.
    #[serde(default)]
    pub between_runs: Vec<Mask>,
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

static NONE: Masks = Masks { identity: Vec::new(), masks: Vec::new(), between_runs: Vec::new() };

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
        masks.masks.iter().chain(&masks.between_runs).try_for_each(|mask| masks.allowed(mask))?;
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

    /// What the masks cover where two states are compared.
    pub fn covering(&self, base: &Node, now: &Node) -> Masked {
        let mut covered = BTreeSet::new();
        let masks = self.masks.iter().map(|mask| {
            let mut fields = mask.path.values_in(base);
            fields.append(&mut mask.path.values_in(now));
            let (path, class, line_prefix) = (mask.path.clone(), mask.class, mask.line_prefix.clone());
            let covers = MaskUse { path, class, line_prefix, fields: fields.len(), reason: mask.reason.clone() };
            covered.append(&mut fields);
            covers
        });
        let masks = masks.collect();
        Masked { fields: covered.len(), of: values(Some(base), Some(now)), masks }
    }

    /// The paths of masks that match no node of `trees`: nobody needs them, or they are misspelt. Masks of nodes that may be
    /// absent are left out: that there is none in this run says nothing.
    pub fn unused(&self, trees: &[&Node]) -> Vec<String> {
        let needed = |mask: &&Mask| mask.presence_may_vary() || trees.iter().any(|tree| mask.path.leads_into(tree));
        let unused = self.masks.iter().filter(|mask| !needed(mask));
        unused.map(|mask| mask.path.to_string()).collect()
    }
}

/// How many values one tree or the other has.
fn values(base: Option<&Node>, now: Option<&Node>) -> usize {
    let sides = [base, now];
    let own = sides.iter().flatten().any(|node| node.value.is_some());
    let names: BTreeSet<&String> = sides.iter().flatten().flat_map(|node| node.children.keys()).collect();
    let below = names.into_iter().map(|name| {
        values(base.and_then(|node| node.children.get(name)), now.and_then(|node| node.children.get(name)))
    });
    usize::from(own) + below.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_embedded_masks_load_and_every_one_has_a_reason() {
        let masks = Masks::of("haproxy-appliance");
        // One more is a difference that nobody will be told of: a change to be reviewed.
        assert_eq!((masks.masks.len(), masks.between_runs.len()), (3, 4));
        assert!(masks.masks.iter().chain(&masks.between_runs).all(|mask| mask.reason.len() > 20));
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
    fn covered_fields_are_counted_once_over_both_states() {
        let masks = Masks::load(
            "masks: [{path: 'a/**', class: volatile, reason: r}, {path: 'a/*/v', class: volatile, line-prefix: x, reason: s}]",
        )
        .unwrap();
        let (mut base, mut now) = (Node::default(), Node::default());
        for path in ["a/b/v", "a/c", "d"] {
            base.insert(path, Node::config("1"));
        }
        for path in ["a/b/v", "a/e/v", "a/e/w/u", "d", "f"] {
            now.insert(path, Node::config("2"));
        }
        let found = masks.covering(&base, &now);
        assert_eq!((found.fields, found.of), (4, 6));
        let each: Vec<(String, usize)> = found.masks.iter().map(|mask| (mask.path.to_string(), mask.fields)).collect();
        assert_eq!(each, [("a/**".to_owned(), 4), ("a/*/v".to_owned(), 2)]);
        assert_eq!(found.masks[1].reason, "s");
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
