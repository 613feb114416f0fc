//! `grenadier prune`.

use std::fs::{File, create_dir_all, write};
use std::time::{Duration, SystemTime};

use crate::support::Place;

/// A folder with this file, written so long ago.
fn folder(place: &Place, name: &str, file: &str, hours: u64) {
    let path = place.path().join("grenadier-runs").join(name);
    create_dir_all(&path).unwrap();
    write(path.join(file), "{}").unwrap();
    let file = File::options().write(true).open(path.join(file)).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 - hours * 3600)).unwrap();
}

fn there(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.path().join("grenadier-runs")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_newest_stay_and_what_is_not_ours_is_left_alone() {
    let place = Place::new();
    folder(&place, "a-run", "verdict.json", 1);
    folder(&place, "an-exploration", "explore.json", 2);
    folder(&place, "a-gate", "gate.json", 3);
    folder(&place, "an-old-run", "verdict.json", 4);
    folder(&place, "assumed", "assumptions.json", 5);
    folder(&place, "notes", "notes.txt", 99);
    #[cfg(unix)]
    std::os::unix::fs::symlink(place.path(), place.path().join("grenadier-runs/a-link")).unwrap();
    write(place.path().join("verdict.json"), "{}").unwrap();

    let ended = place.start(&["prune", "--keep", "2"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert_eq!(
        ended.out,
        "removed grenadier-runs/a-gate\nremoved grenadier-runs/an-old-run\nremoved grenadier-runs/assumed\n"
    );
    assert_eq!(there(&place), ["a-link", "a-run", "an-exploration", "notes"]);
    let again = place.start(&["prune", "--keep", "2"]);
    assert_eq!(again.out, "nothing to remove: 2 runs are there\n");
    assert_eq!(place.start(&["prune", "grenadier-runs", "--keep", "0"]).code, 0);
    assert_eq!(there(&place), ["a-link", "notes"]);
}

#[test]
fn how_many_stay_must_be_said_and_the_folder_must_be_there() {
    let place = Place::new();
    assert_eq!(place.start(&["prune"]).code, 2);
    let missing = place.start(&["prune", "--keep", "1"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("read grenadier-runs") && missing.err.contains("hint:"), "{}", missing.err);
}
