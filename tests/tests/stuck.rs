//! An undo that fails for good: the engine says that it is stuck, what is left and what to do, and the report shows it.

use grenadier_catalog::Outcome;
use grenadier_checks::Verb;
use grenadier_report::{Ending, Style, ending, json};
use grenadier_tests::{run, summary, variant};

/// The new VM does not power on, and neither does the old one, three times: as often as the engine tries.
const FAULTS: &str = "  - at: power-on-new/vsphere.PowerOnVM_Task#1
    do: task-fails
  - at: power-off-old/vsphere.PowerOnVM_Task#1
    do: task-fails
  - at: power-off-old/vsphere.PowerOnVM_Task#2
    do: task-fails
  - at: power-off-old/vsphere.PowerOnVM_Task#3
    do: task-fails
";

/// The last lines of the scenario's faults.
const FAULT: &str = "  - at: power-on-new/vsphere.PowerOnVM_Task#1\n    do: task-fails\n";

#[test]
fn the_report_tells_the_operator_what_is_left_and_what_to_do() {
    let scenario = variant(
        "haproxy-appliance-power-on-fails",
        &[(FAULT, FAULTS), ("rollback: on-failure", "rollback: never"), ("outcome: rolled-back", "outcome: stuck")],
    );
    let verdict = run(&scenario).verdict;
    let [line] = &verdict.engine[..] else { panic!("{:?}", verdict.engine) };
    assert_eq!((line.outcome, line.exit_code), (Some(Outcome::Stuck), Some(30)), "{}", summary(&verdict));
    assert!(line.message.contains("power-off-old could not be taken back"), "{}", line.message);

    let written: serde_json::Value = serde_json::from_str(&json(&verdict)).unwrap();
    let advice = &written["engine"][0]["advice"];
    let left = advice["left"].as_str().unwrap();
    assert!(left.starts_with("haproxy is poweredOff; haproxy-v0.2.0 is poweredOff; "), "{left}");
    let next = advice["next"].as_array().unwrap();
    let (first, second) = (next[0].as_str().unwrap(), next[1].as_str().unwrap());
    assert!(first.contains("`govc vm.power -on /DC0/vm/haproxy`") && first.contains("`rollback`"), "{first}");
    assert!(second.starts_with("then take deploy-new back: "), "{second}");
    assert_eq!(next.len(), 2, "{next:?}");

    let text = ending(&verdict, &Ending { folder: None, next: None }, Style::PLAIN);
    let rows: Vec<&str> = text.lines().map(str::trim_start).collect();
    assert!(rows.iter().any(|row| row.starts_with("left  haproxy is poweredOff")), "{text}");
    assert!(rows.iter().any(|row| row.starts_with("next  1. see with")), "{text}");
    assert!(rows.iter().any(|row| row.starts_with("2. then take deploy-new back")), "{text}");
}

#[test]
fn asked_again_the_engine_goes_on_where_it_was_stuck_and_nothing_is_left_to_say() {
    let scenario =
        variant("haproxy-appliance-power-on-fails", &[(FAULT, FAULTS), ("outcome: rolled-back", "outcome: stuck")]);
    let verdict = run(&scenario).verdict;
    let [upgrade, rollback] = &verdict.engine[..] else { panic!("{:?}", verdict.engine) };
    assert_eq!((upgrade.verb, upgrade.outcome), (Verb::Upgrade, Some(Outcome::Stuck)), "{}", summary(&verdict));
    assert_eq!((rollback.verb, rollback.outcome), (Verb::Rollback, Some(Outcome::RolledBack)), "{}", summary(&verdict));
    assert!(upgrade.advice.is_some() && rollback.advice.is_none());
    let text = ending(&verdict, &Ending { folder: None, next: None }, Style::PLAIN);
    assert!(!text.contains("`govc vm.power"), "{text}");
}
