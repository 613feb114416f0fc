//! The served vCenter before a judge nobody here wrote: pyVmomi.
//!
//! The judge's tests are in `simulators/vsphere/tests/pyvmomi`. They run with the Python that `GRENADIER_PYTHON` names, or
//! `python3`; where that has no pyVmomi or no pytest, the test says so and passes.
#![allow(clippy::disallowed_methods, reason = "this test starts processes")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[test]
fn pyvmomi_accepts_the_simulated_vcenter() {
    let python = std::env::var_os("GRENADIER_PYTHON").unwrap_or_else(|| "python3".into());
    let there = Command::new(&python).args(["-c", "import pyVmomi, pytest"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!("not covered: no pyVmomi ({} has none)", Path::new(&python).display());
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut judge = Command::new(&python);
    judge.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "simulators/vsphere/tests/pyvmomi"]);
    judge.current_dir(&root).env("GRENADIER_PROGRAM", program(&root)).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = judge.output().expect("it was there a moment ago");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let last = said.lines().last().unwrap_or_default();
    assert!(last.contains(" passed"), "nothing was judged: {said}");
    println!("{last}");
}

/// Builds the program that serves; gives its path.
fn program(root: &Path) -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--locked", "-p", "grenadier", "--bin", "grenadier", "--message-format", "json"]);
    let output = build.current_dir(root).output().expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut executables = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    executables.next().expect("cargo names the program it has built")
}
