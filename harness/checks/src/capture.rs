//! The captured state of a system: a tree of typed nodes.

use std::collections::BTreeMap;
use std::fmt;

use grenadier_clock::Time;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What kind of state a node holds. It decides which level of the ladder looks at it, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// What makes a thing that thing: ids, MAC and IP addresses. Never masked.
    Identity,
    /// What somebody set: files, hardware, properties.
    Config,
    /// What a running program holds: processes, loaded configuration, open transactions.
    Runtime,
    /// What only grows. Its old content must be a prefix of the new one.
    Log,
}

impl Class {
    /// The word in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Identity => "identity",
            Class::Config => "config",
            Class::Runtime => "runtime",
            Class::Log => "log",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One node of a captured tree: a value, children, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// What kind of state it holds.
    pub class: Class,
    /// What it holds; none for a node that only groups others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The nodes below it, by name. A name holds no `/`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<String, Node>,
}

impl Default for Node {
    /// A node that only groups others.
    fn default() -> Node {
        Node { class: Class::Config, value: None, children: BTreeMap::new() }
    }
}

impl Node {
    /// A node with a value.
    pub fn new(class: Class, value: impl Into<String>) -> Node {
        Node { class, value: Some(value.into()), children: BTreeMap::new() }
    }

    /// An id, a MAC or an IP address.
    pub fn identity(value: impl Into<String>) -> Node {
        Node::new(Class::Identity, value)
    }

    /// Something somebody set.
    pub fn config(value: impl Into<String>) -> Node {
        Node::new(Class::Config, value)
    }

    /// Something a running program holds.
    pub fn runtime(value: impl Into<String>) -> Node {
        Node::new(Class::Runtime, value)
    }

    /// Something that only grows.
    pub fn log(value: impl Into<String>) -> Node {
        Node::new(Class::Log, value)
    }

    /// A value nobody may read in a run folder: its hash stands for it, so that a change is still noticed.
    pub fn secret(class: Class, value: impl AsRef<[u8]>) -> Node {
        Node::new(class, format!("secret with sha256 {}", hex::encode(Sha256::digest(value.as_ref()))))
    }

    /// Puts `node` at `path` below this node and makes the groups on the way. Empty levels are left out, so an absolute file
    /// path can be appended as it is: `files//etc/hosts` is `files/etc/hosts`.
    ///
    /// A node that already groups others there keeps its children.
    ///
    /// # Panics
    /// Where `path` has no level, or two values are put at one path: the code that captures names two things alike.
    pub fn insert(&mut self, path: &str, node: Node) {
        let mut place = &mut *self;
        for level in path.split('/').filter(|level| !level.is_empty()) {
            // Most levels are there already: no name is made for those.
            if !place.children.contains_key(level) {
                place.children.insert(level.to_owned(), Node::default());
            }
            place = place.children.get_mut(level).expect("it was just made");
        }
        assert!(path.chars().any(|c| c != '/'), "a captured node needs a path");
        assert!(place.value.is_none(), "two captured nodes at {path}");
        place.class = node.class;
        place.value = node.value;
        if place.children.is_empty() {
            place.children = node.children;
        } else {
            place.children.extend(node.children);
        }
    }

    /// The node at `path`; this one for an empty path.
    pub fn get(&self, path: &str) -> Option<&Node> {
        path.split('/').filter(|level| !level.is_empty()).try_fold(self, |node, level| node.children.get(level))
    }

    /// The value at `path`.
    pub fn value_at(&self, path: &str) -> Option<&str> {
        self.get(path)?.value.as_deref()
    }

    /// How many nodes there are, this one included.
    pub fn count(&self) -> usize {
        1 + self.children.values().map(Node::count).sum::<usize>()
    }

    /// The tree as JSON with its names in order and no space: two equal trees give the same bytes.
    pub fn canonical_json(&self) -> String {
        let mut json = Vec::new();
        self.write_json(&mut json);
        String::from_utf8(json).expect("JSON of strings is UTF-8")
    }

    /// What the serialiser would write, without its generality: captures are hashed several times in every run.
    fn write_json(&self, out: &mut Vec<u8>) {
        let string = |out: &mut Vec<u8>, text: &str| {
            serde_json::to_writer(out, text).expect("a string is JSON and a vector takes it");
        };
        out.extend_from_slice(b"{\"class\":\"");
        out.extend_from_slice(self.class.name().as_bytes());
        out.push(b'"');
        if let Some(value) = &self.value {
            out.extend_from_slice(b",\"value\":");
            string(out, value);
        }
        let mut before: &[u8] = b",\"children\":{";
        for (name, child) in &self.children {
            out.extend_from_slice(before);
            before = b",";
            string(out, name);
            out.push(b':');
            child.write_json(out);
        }
        if !self.children.is_empty() {
            out.push(b'}');
        }
        out.push(b'}');
    }

    /// SHA-256 of [`Self::canonical_json`] in lowercase hexadecimal: the name of the tree's file.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.canonical_json()))
    }
}

/// The state of a system at one moment of a run, taken when the system was quiet.
///
/// The paths are the runner's to choose, with these conventions: `machines/<name>/…` for what a machine is and holds, its
/// files at `machines/<name>/files/<path>`; `cloud/…` for what only the cloud owns. Symbolic addresses, not resolved ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// `base`, `upgraded`, `rolled-back` …
    pub name: String,
    /// When it was taken.
    pub taken_ns: Time,
    /// The tree.
    pub root: Node,
}

impl Capture {
    /// A capture of nothing yet.
    pub fn new(name: impl Into<String>, taken_ns: Time) -> Capture {
        Capture { name: name.into(), taken_ns, root: Node::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Node {
        let mut root = Node::default();
        root.insert("machines/haproxy/files//etc/haproxy/haproxy.cfg", Node::config("# _version=1\nglobal\n"));
        root.insert("machines/haproxy/mac", Node::identity("00:50:56:00:00:01"));
        root
    }

    #[test]
    fn equal_trees_have_equal_bytes_however_they_were_built() {
        let mut other = Node::default();
        other.insert("machines/haproxy/mac", Node::identity("00:50:56:00:00:01"));
        other.insert("machines/haproxy", Node::default());
        other.insert("machines/haproxy/files/etc/haproxy/haproxy.cfg", Node::config("# _version=1\nglobal\n"));
        assert_eq!(tree().canonical_json(), other.canonical_json());
        assert_eq!(tree().hash(), other.hash());
        other.insert("machines/haproxy/power", Node::runtime("on"));
        assert_ne!(tree().hash(), other.hash());
        assert_eq!(serde_json::from_str::<Node>(&tree().canonical_json()).unwrap(), tree());
        assert_eq!(tree().canonical_json(), serde_json::to_string(&tree()).unwrap());
    }

    #[test]
    fn paths_lead_to_nodes() {
        let tree = tree();
        assert_eq!(tree.value_at("machines/haproxy/mac"), Some("00:50:56:00:00:01"));
        assert_eq!(tree.value_at("machines/haproxy"), None);
        assert!(tree.get("machines/other").is_none());
        assert_eq!(tree.get("").unwrap().count(), 8);
    }

    #[test]
    fn a_secret_is_told_apart_but_not_told() {
        let (one, other) = (Node::secret(Class::Config, "swordfish"), Node::secret(Class::Config, "swordfish2"));
        assert_ne!(one, other);
        assert!(!one.canonical_json().contains("swordfish"));
    }

    #[test]
    #[should_panic(expected = "two captured nodes at mac")]
    fn one_path_holds_one_value() {
        let mut root = Node::default();
        root.insert("mac", Node::identity("1"));
        root.insert("mac", Node::identity("2"));
    }
}
