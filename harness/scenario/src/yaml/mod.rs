//! YAML as a tree in which every key and value knows its place.
//!
//! serde-saphyr was tried first. It stops at the first problem, keeps one of two duplicate keys, and loses positions inside
//! untagged enums, while a scenario's author deserves all problems at once, each on its key or its value. So the tree is
//! built here from the events of granit-parser, the parser below serde-saphyr, and decoded by hand.

mod read;
mod scalar;
mod tree;

pub(crate) use read::read;
pub(crate) use tree::{Entry, Kind, Node, shorten};
