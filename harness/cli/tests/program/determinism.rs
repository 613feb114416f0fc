//! The same scenario and seed in another process, with another environment, gives the same bytes.

use std::path::Path;

use crate::support::{Place, SWAP, files};

/// The events and states of a run folder: everything but the verdict and its report, which hold the command of their run.
fn evidence(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let name = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string();
    let all = files(folder).into_iter().map(|path| (name(&path), std::fs::read(&path).unwrap()));
    all.filter(|(name, _)| name == "events.jsonl" || name.starts_with("states/")).collect()
}

#[test]
fn another_process_with_another_environment_gives_the_same_bytes() {
    let (here, there) = (Place::new(), Place::new());
    let alone = here.command(&["run", SWAP, "--quiet", "--out", "run"]).output().unwrap();
    assert!(alone.status.success());
    let mut other = there.command(&["run", SWAP, "--format", "json", "--out", "elsewhere/run"]);
    other.env_clear().env("TZ", "Pacific/Kiritimati").env("LANG", "tr_TR.UTF-8").env("LC_ALL", "tr_TR.UTF-8");
    other.env("HOME", "/nonexistent").env("TERM", "dumb").env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace");
    other.envs((0..50).map(|number| (format!("VARIABLE_{number}"), "x".repeat(number))));
    assert!(other.output().unwrap().status.success());
    let (first, second) = (evidence(&here.path().join("run")), evidence(&there.path().join("elsewhere/run")));
    assert_eq!(first.len(), 4, "the events and three states");
    for (first, second) in first.iter().zip(&second) {
        assert_eq!(first.0, second.0);
        assert!(first.1 == second.1, "{} differs", first.0);
    }
    assert_eq!(first.len(), second.len());
    let verdict = |place: &Path| std::fs::read(place.join("verdict.json")).unwrap();
    assert!(verdict(&here.path().join("run")) == verdict(&there.path().join("elsewhere/run")));
}

/// What a verdict says about replaying is true.
#[test]
fn the_replay_line_replays() {
    let place = Place::new();
    let file = place.variant(SWAP, &[("horizon: 10m", "horizon: 15m\ntiming: {jitter: 10%}")]);
    std::fs::rename(&file, place.path().join("my scenario.yaml")).unwrap();
    let ended = place.start(&["run", "./my scenario.yaml", "--seed", "77", "--out", "first"]);
    assert_eq!(ended.code, 0, "{}", ended.out);
    let line = ended.out.lines().find_map(|line| line.trim_start().strip_prefix("replay  grenadier "));
    let line = format!("\"$0\" {} --out second", line.unwrap());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_grenadier")]).current_dir(place.path());
    assert!(shell.output().unwrap().status.success(), "{line}");
    assert!(evidence(&place.path().join("first")) == evidence(&place.path().join("second")));
    place.start(&["run", "./my scenario.yaml", "--seed", "78", "--out", "third"]);
    assert!(evidence(&place.path().join("first")) != evidence(&place.path().join("third")), "the seed matters");
}
