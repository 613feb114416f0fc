//! The script that makes what is released.

use std::fs;
use std::process::Command;

use crate::support::Place;

#[test]
fn what_is_released_is_one_static_binary_with_its_checksum() {
    let place = Place::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ci/release");
    let release = |binary: &str| Command::new(script).arg(binary).env("GRENADIER_DIST", place.path()).output().unwrap();
    let output = release(env!("CARGO_BIN_EXE_grenadier"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let released = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert!(released.contains(&format!("/grenadier-{}-", env!("CARGO_PKG_VERSION"))), "{released}");
    let summed = Command::new("sha256sum").arg(&released).output().unwrap();
    let hash = String::from_utf8(summed.stdout).unwrap().split(' ').next().unwrap().to_owned();
    let kept = fs::read_to_string(format!("{released}.sha256")).unwrap();
    assert!(hash.len() == 64 && kept.starts_with(&format!("{hash}  grenadier-")), "{kept}");
    let linked = Command::new(place.path().join("grenadier")).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&linked.stdout), format!("grenadier {}\n", env!("CARGO_PKG_VERSION")));

    // A program that is loaded dynamically, as shells are.
    let refused = release("/bin/sh");
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("/bin/sh is not static"));
}
