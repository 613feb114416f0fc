//! What the README shows is what the program prints.

use crate::support::{Place, SWAP};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
const COMMAND: &str = "$ cargo run --release -- run haproxy-appliance-swap\n";

/// `GRENADIER_BLESS=1` writes the output anew.
#[test]
fn the_readme_shows_the_real_output() {
    let ended = Place::new().start(&["run", SWAP]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let readme = std::fs::read_to_string(README).unwrap();
    let (before, block) = readme.split_once(COMMAND).expect("the README shows the command");
    let (shown, after) = block.split_once("```").expect("the block ends");
    if std::env::var_os("GRENADIER_BLESS").is_some() {
        std::fs::write(README, format!("{before}{COMMAND}{}```{after}", ended.out)).unwrap();
        return;
    }
    assert_eq!(shown, ended.out, "run with GRENADIER_BLESS=1");
}
