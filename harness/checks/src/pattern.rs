//! Paths into a captured tree, and patterns of paths.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::Node;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Exactly this level.
    Name(String),
    /// `*`: any one level.
    One,
    /// `**`: any number of levels, none included.
    Any,
}

/// A pattern of paths: names joined by `/`, where `*` stands for one level and `**` for any number of levels.
///
/// A wildcard stands for whole levels only: `a*` is a name.
///
/// ```
/// let pattern: grenadier_checks::Pattern = "machines/*/files/**".parse()?;
/// assert!(pattern.matches("machines/haproxy/files/etc/haproxy/haproxy.cfg"));
/// assert!(!pattern.matches("machines/haproxy/power"));
/// # Ok::<(), grenadier_checks::PatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(Vec<Part>);

/// A text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    /// It is empty, begins or ends with `/`, or has `//` in it.
    #[error("`{0}` has an empty level: write names joined by single slashes, as in machines/*/power")]
    EmptyLevel(String),
}

impl Pattern {
    /// Whether `path` is one of the pattern's paths.
    pub fn matches(&self, path: &str) -> bool {
        let levels: Vec<&str> = path.split('/').collect();
        matches(&self.0, &levels)
    }

    /// Whether a node below `tree` is at one of the pattern's paths. Names are looked up, so most of a tree is never visited.
    pub(crate) fn leads_into(&self, tree: &Node) -> bool {
        // The tree itself has no path, which `**` alone would match.
        !tree.children.is_empty() && leads_into(&self.0, tree)
    }

    /// The paths of this pattern at which `tree` has a value.
    pub(crate) fn values_in(&self, tree: &Node) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (name, child) in &tree.children {
            values_in(&self.0, name, name, child, &mut found);
        }
        found
    }

    /// Whether some path matches both patterns.
    pub fn overlaps(&self, other: &Pattern) -> bool {
        overlaps(&self.0, &other.0)
    }

    /// This pattern with its `*` filled in, in order, by the levels that `like` matched with its own in `path`.
    ///
    /// So the source of a derived value is found beside it: where `machines/*/service` matched `machines/haproxy/service`,
    /// `machines/*/file` becomes `machines/haproxy/file`. None where `like` does not match, has `**` before a `*`, or has
    /// fewer `*`, or where this pattern holds `**`.
    pub fn filled(&self, like: &Pattern, path: &str) -> Option<String> {
        if !like.matches(path) {
            return None;
        }
        let mut found = like
            .0
            .iter()
            .zip(path.split('/'))
            .take_while(|(part, _)| **part != Part::Any)
            .filter(|(part, _)| **part == Part::One)
            .map(|(_, level)| level);
        let levels: Option<Vec<&str>> = self
            .0
            .iter()
            .map(|part| match part {
                Part::Name(name) => Some(name.as_str()),
                Part::One => found.next(),
                Part::Any => None,
            })
            .collect();
        Some(levels?.join("/"))
    }
}

fn matches(parts: &[Part], levels: &[&str]) -> bool {
    match (parts, levels) {
        ([], []) => true,
        ([Part::Any, rest @ ..], _) => {
            matches(rest, levels) || levels.split_first().is_some_and(|(_, tail)| matches(parts, tail))
        }
        ([Part::One, rest @ ..], [_, tail @ ..]) => matches(rest, tail),
        ([Part::Name(name), rest @ ..], [level, tail @ ..]) => name == level && matches(rest, tail),
        _ => false,
    }
}

fn leads_into(parts: &[Part], node: &Node) -> bool {
    let mut children = node.children.values();
    match parts {
        [] => true,
        [Part::Name(name), rest @ ..] => node.children.get(name).is_some_and(|child| leads_into(rest, child)),
        [Part::One, rest @ ..] => children.any(|child| leads_into(rest, child)),
        [Part::Any, rest @ ..] => leads_into(rest, node) || children.any(|child| leads_into(parts, child)),
    }
}

/// Collects the paths of values at and below `node`, whose own last level is `name`, that `parts` leads to.
fn values_in(parts: &[Part], path: &str, name: &str, node: &Node, found: &mut BTreeSet<String>) {
    let mut below = |parts: &[Part]| {
        for (name, child) in &node.children {
            values_in(parts, &format!("{path}/{name}"), name, child, found);
        }
    };
    let rest = match parts {
        [Part::Any, rest @ ..] => {
            below(parts);
            // It may stand for no level, too.
            if rest.is_empty() { rest } else { return values_in(rest, path, name, node, found) }
        }
        [Part::Name(wanted), ..] if wanted != name => return,
        [Part::Name(_) | Part::One, rest @ ..] => {
            below(rest);
            rest
        }
        [] => return,
    };
    let ends_here = rest.iter().all(|part| *part == Part::Any);
    if ends_here && node.value.is_some() {
        found.insert(path.to_owned());
    }
}

fn overlaps(one: &[Part], other: &[Part]) -> bool {
    match (one, other) {
        ([], []) => true,
        ([Part::Any, rest @ ..], _) => overlaps(rest, other) || (!other.is_empty() && overlaps(one, &other[1..])),
        (_, [Part::Any, ..]) => overlaps(other, one),
        ([Part::Name(a), rest @ ..], [Part::Name(b), tail @ ..]) => a == b && overlaps(rest, tail),
        ([_, rest @ ..], [_, tail @ ..]) => overlaps(rest, tail),
        _ => false,
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Pattern, PatternError> {
        text.split('/')
            .map(|level| match level {
                "" => Err(PatternError::EmptyLevel(text.to_owned())),
                "*" => Ok(Part::One),
                "**" => Ok(Part::Any),
                name => Ok(Part::Name(name.to_owned())),
            })
            .collect::<Result<_, _>>()
            .map(Pattern)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels: Vec<&str> = self
            .0
            .iter()
            .map(|part| match part {
                Part::Name(name) => name,
                Part::One => "*",
                Part::Any => "**",
            })
            .collect();
        f.pad(&levels.join("/"))
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("a/b", "a/b", true)]
    #[case("a/b", "a", false)]
    #[case("a/b", "a/b/c", false)]
    #[case("a/*", "a/b", true)]
    #[case("a/*", "a", false)]
    #[case("a/*", "a/b/c", false)]
    #[case("a/**", "a", true)]
    #[case("a/**", "a/b/c", true)]
    #[case("a/**", "b/a", false)]
    #[case("**/pid", "machines/haproxy/services/haproxy/pid", true)]
    #[case("a/**/z", "a/z", true)]
    #[case("a/**/z", "a/b/c", false)]
    #[case("a*", "ab", false)]
    fn patterns_match_whole_levels(#[case] text: &str, #[case] path: &str, #[case] want: bool) {
        assert_eq!(pattern(text).matches(path), want);
    }

    #[rstest]
    #[case("a/b", "a/*", true)]
    #[case("a/b", "a/c", false)]
    #[case("a/*/c", "*/b/c", true)]
    #[case("**", "machines/*/uuid", true)]
    #[case("machines/**", "**/mac", true)]
    #[case("a/**/z", "a/b", false)]
    #[case("a/b", "a/b/c", false)]
    fn overlapping_patterns_are_found(#[case] one: &str, #[case] other: &str, #[case] want: bool) {
        assert_eq!(pattern(one).overlaps(&pattern(other)), want);
        assert_eq!(pattern(other).overlaps(&pattern(one)), want);
    }

    #[test]
    fn a_source_is_found_beside_what_is_derived_from_it() {
        let like = pattern("machines/*/services/*/config-hash");
        let source = pattern("machines/*/files/*");
        let path = "machines/haproxy/services/haproxy.cfg/config-hash";
        assert_eq!(source.filled(&like, path).as_deref(), Some("machines/haproxy/files/haproxy.cfg"));
        assert_eq!(source.filled(&like, "machines/haproxy/power"), None);
        assert_eq!(pattern("*/*/*").filled(&like, path), None);
        assert_eq!(pattern("machines/**").filled(&like, path), None);
    }

    #[test]
    fn what_is_no_pattern_says_so() {
        for text in ["", "/a", "a/", "a//b"] {
            assert!(text.parse::<Pattern>().unwrap_err().to_string().contains("empty level"), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_pattern_leads_into_a_tree_where_it_matches_a_path(
            text in "(a|b|\\*|\\*\\*)(/(a|b|\\*|\\*\\*)){0,4}",
            paths in proptest::collection::btree_set("[ab](/[ab]){0,4}", 0..6),
        ) {
            let mut tree = Node::default();
            let mut levels = std::collections::BTreeSet::new();
            for path in &paths {
                tree.insert(path, Node::default());
                levels.extend((1..=path.len()).step_by(2).map(|end| &path[..end]));
            }
            let pattern = pattern(&text);
            prop_assert_eq!(pattern.leads_into(&tree), levels.iter().any(|path| pattern.matches(path)));
        }

        #[test]
        fn a_path_of_two_patterns_shows_that_they_overlap(
            one in "(a|b|\\*|\\*\\*)(/(a|b|\\*|\\*\\*)){0,4}",
            other in "(a|b|\\*|\\*\\*)(/(a|b|\\*|\\*\\*)){0,4}",
            path in "[ab](/[ab]){0,5}",
        ) {
            let (one, other) = (pattern(&one), pattern(&other));
            if one.matches(&path) && other.matches(&path) {
                prop_assert!(one.overlaps(&other));
            }
            prop_assert_eq!(pattern(&one.to_string()), one);
        }
    }
}
