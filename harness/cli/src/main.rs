//! The `grenadier` command line.
fn main() {}
