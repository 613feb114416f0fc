//! `grenadier engine`: what it is told, what it says, and what it never says.

use crate::support::{Ended, Place, end};

const FINGERPRINT: &str = "4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c4f0c";

/// The parameters that `grenadier engine --help` shows, with the fingerprint completed, as a file beside what it names.
fn example(place: &Place) -> String {
    let help = place.start(&["engine", "--help"]).out;
    let lines = help.lines().skip_while(|line| *line != "  vcenter:").take_while(|line| !line.contains("# target:"));
    let shown: Vec<&str> = lines.map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    let example = shown.join("\n").replace("4F:0C:…", FINGERPRINT);
    for (file, content) in [
        ("haproxy.ovf", "<Envelope/>"),
        ("haproxy-disk1.vmdk", "disk"),
        ("root.secret", "r00t-s3cret\n"),
        ("wcp.secret", "x"),
    ] {
        std::fs::write(place.path().join(file), content).unwrap();
    }
    std::fs::write(place.path().join("swap.yaml"), &example).unwrap();
    example
}

/// Parameters, beside what they name, of an upgrade of which nobody hears.
pub(crate) fn unreachable(place: &Place) {
    let example = example(place).replace("https://vcenter.example", "https://127.0.0.1:1");
    std::fs::write(place.path().join("swap.yaml"), example).unwrap();
}

/// An upgrade; nobody listens where the vCenter should be.
fn upgrade(place: &Place, more: &[&str]) -> Ended {
    let given = ["engine", "upgrade", "--journal", "swap.sqlite", "--parameters", "swap.yaml"];
    let arguments: Vec<&str> = given.iter().chain(more).copied().collect();
    end(&place.command(&arguments).env("VCENTER_PASSWORD", "pa55-word").output().unwrap())
}

fn status(place: &Place, more: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["engine", "status", "--journal", "swap.sqlite"].iter().chain(more).copied().collect();
    place.start(&arguments)
}

#[test]
fn the_example_in_the_help_is_one() {
    let place = Place::new();
    unreachable(&place);
    let ended = upgrade(&place, &["--format", "json"]);
    let result: serde_json::Value = serde_json::from_str(ended.out.trim_end()).unwrap_or_else(|_| panic!("{ended:?}"));
    assert_eq!(
        (ended.code, &result["result"], &result["exit-code"]),
        (10, &"rolled-back".into(), &10.into()),
        "{ended:?}"
    );
    assert!(result["message"].as_str().unwrap().contains("connection refused by 127.0.0.1:1"), "{result}");
    assert!(ended.err.contains("check-prerequisites       apply   failed: "), "{}", ended.err);

    let shown = status(&place, &[]);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(
        shown.out.contains("state  rolled-back") && shown.out.contains("1  check-prerequisites     failed"),
        "{}",
        shown.out
    );
    let told: serde_json::Value = serde_json::from_str(&status(&place, &["--format", "json"]).out).unwrap();
    assert_eq!((&told["state"], &told["steps"][1]["state"]), (&"rolled-back".into(), &"to-come".into()), "{told}");

    // Neither what is printed nor the journal has a secret in it.
    let journal = std::fs::read(place.path().join("swap.sqlite")).unwrap();
    for secret in ["pa55-word", "r00t-s3cret"] {
        assert!(![&ended.out, &ended.err, &shown.out].iter().any(|text| text.contains(secret)));
        assert!(!journal.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()));
    }
}

#[test]
fn wrong_parameters_end_with_2_and_the_place() {
    let place = Place::new();
    let example = example(&place);
    for (wrong, with, parts) in [
        (
            "url: https://vcenter.example",
            "url: http://vcenter.example",
            &["swap.yaml", "line 2", "got `http://vcenter.example`"][..],
        ),
        (FINGERPRINT, "4f0c", &["line 3", "64 hexadecimal digits", "got `4f0c`"]),
        ("password: {env: VCENTER_PASSWORD}", "password: pa55-word", &["line 5"]),
        (
            "{env: VCENTER_PASSWORD}",
            "{env: NOBODY_SETS_THIS}",
            &["`vcenter.password` names the variable NOBODY_SETS_THIS"],
        ),
        ("root.secret", "gone.secret", &["`appliance.root-password` names gone.secret", "hint: paths are relative"]),
        ("datacenter: DC0", "datacentre: DC0", &["line 6", "datacentre"]),
    ] {
        assert_eq!(example.matches(wrong).count(), 1, "{wrong}");
        std::fs::write(place.path().join("swap.yaml"), example.replace(wrong, with)).unwrap();
        let ended = upgrade(&place, &[]);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{with}: {}", ended.err);
        for part in parts {
            assert!(ended.err.contains(part), "{part:?} is not in:\n{}", ended.err);
        }
        assert!(!place.path().join("swap.sqlite").exists(), "nothing is begun");
    }
    std::fs::write(place.path().join("swap.yaml"), example).unwrap();
    let ended = upgrade(&place, &["--procedure", "haproxy-appliance/hasty"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("hint: there is haproxy-appliance/hardened, haproxy-appliance/documented"),
        "{}",
        ended.err
    );
}

#[test]
fn a_journal_that_cannot_be_opened_ends_with_3_and_a_missing_one_with_2() {
    let place = Place::new();
    example(&place);
    std::fs::write(place.path().join("swap.sqlite"), "notes of somebody, and by no means a journal of an engine's")
        .unwrap();
    for ended in [upgrade(&place, &[]), status(&place, &[])] {
        assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{}", ended.err);
        assert!(
            ended.err.contains("it is no journal") && ended.err.contains("name the journal's file"),
            "{}",
            ended.err
        );
    }
    std::fs::remove_file(place.path().join("swap.sqlite")).unwrap();
    let ended = status(&place, &[]);
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(ended.err.contains("there is no journal swap.sqlite"), "{}", ended.err);
    assert!(!place.path().join("swap.sqlite").exists(), "a look makes no journal");
}

#[test]
fn resume_without_a_run_is_refused_and_says_what_to_do() {
    let place = Place::new();
    example(&place);
    let arguments = ["engine", "resume", "--journal", "new.sqlite", "--parameters", "swap.yaml"];
    let ended = end(&place.command(&arguments).env("VCENTER_PASSWORD", "pa55-word").output().unwrap());
    assert_eq!(ended.code, 20, "{}", ended.err);
    assert!(ended.out.starts_with("refused by journal (exit 20): "), "{}", ended.out);
    assert!(
        ended.out.contains("next  1. name the journal of the upgrade, or begin one with `upgrade`"),
        "{}",
        ended.out
    );
}
