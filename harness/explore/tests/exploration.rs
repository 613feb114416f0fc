//! Explorations of the documented procedure, which does not survive everything.

use std::num::NonZeroUsize;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use grenadier_checks::ExitCode;
use grenadier_events::EventLog;
use grenadier_explore::{Exploration, Random, Settings, Shard, Watch, explore, merge, replay, shrink};
use grenadier_scenario::{Case, KnownFailure, Origin, Scenario, load, parse_case};

const NAME: &str = "haproxy-appliance-swap";

struct Idle(AtomicBool);

impl Watch for Idle {
    fn stop(&self) -> &AtomicBool {
        &self.0
    }
}

fn documented() -> Scenario {
    load(NAME).unwrap().scenario.with_procedure("documented").unwrap()
}

fn explored(scenario: Scenario, settings: Settings) -> Exploration {
    explore(Origin::Name(NAME.to_owned()), scenario, &settings, &Idle(AtomicBool::new(false))).unwrap()
}

fn within(budget: u64) -> Settings {
    Settings { budget: Some(budget), ..Settings::default() }
}

/// Cases spread over everything that can go wrong once.
static SOME: LazyLock<Exploration> = LazyLock::new(|| explored(documented(), within(60)));

#[test]
fn shards_joined_are_the_whole_and_workers_change_nothing() {
    let shard = |k| {
        let settings = Settings { shard: Some(Shard { k, n: 3 }), workers: NonZeroUsize::new(1), ..within(60) };
        explored(documented(), settings)
    };
    let shards: Vec<Exploration> = (1..=3).map(shard).collect();
    assert!(shards.iter().all(|shard| shard.cases == 20), "each has its part");
    assert_eq!(merge(shards.clone()).unwrap().to_json(), SOME.to_json());
    assert!(merge(shards[..2].to_vec()).unwrap_err().to_string().contains("3/3 is there missing"));
    assert!(merge(vec![shards[0].clone(), shards[0].clone(), shards[2].clone()]).is_err());
    assert!(merge(vec![SOME.clone()]).is_err(), "the whole is no shard");
}

#[test]
fn every_failure_has_a_case_that_shows_it_again_byte_for_byte() {
    assert_eq!((SOME.cases, SOME.is_complete()), (60, false));
    assert!(SOME.failed > 0 && !SOME.failures.is_empty(), "the documented procedure does not survive everything");
    assert_eq!(SOME.exit_code(), ExitCode::Failed);
    for failure in SOME.failures.iter().take(4) {
        let case =
            parse_case(&failure.case, "cases/case.yaml").unwrap_or_else(|error| panic!("{}: {error}", failure.case));
        let run = || {
            let log = EventLog::default();
            let replayed = replay(&case, "", log.clone(), None).unwrap();
            (replayed.shows, log.with(|events| serde_json::to_string(events).unwrap()))
        };
        let (shows, events) = run();
        assert_eq!(shows, Some(failure.signature.to_string()));
        assert!(run().1 == events, "{} runs differently the second time", failure.file);
    }
}

#[test]
fn a_shrunk_case_has_nothing_that_is_not_needed() {
    let failure = SOME.failures.first().unwrap();
    let mut case: Case = parse_case(&failure.case, "cases/case.yaml").unwrap();
    assert_eq!(case.scenario.faults.len(), 1);
    case.ties = Some(3);
    let shrunk = shrink(&case).unwrap();
    let small = shrunk.case.expect("it still fails");
    assert_eq!((small.ties, small.scenario.faults.len()), (None, 1));
    // What does not fail cannot be made smaller.
    let harmless = Case { scenario: documented(), ties: None, ..case };
    assert!(shrink(&harmless).unwrap().case.is_none());
}

#[test]
fn known_failures_are_not_red_and_mended_ones_are() {
    let known = |signature: &str| KnownFailure {
        signature: signature.parse().unwrap(),
        reason: "the document says no more".to_owned(),
        issue: "https://example.org/issues/1".to_owned(),
    };
    let mut scenario = documented();
    scenario.known_failures = vec![known("*/*/*/*"), known("panic/nothing/no-step/none")];
    let found = explored(scenario, within(60));
    assert!(found.failures.iter().all(|failure| failure.known.is_some()));
    assert_eq!(found.known_failures[0].cases, found.failed);
    assert_eq!((found.mended().count(), found.exit_code()), (0, ExitCode::Passed), "a budget cut it short");
    let whole = Exploration { enumerated: found.cases, ..found };
    let mended: Vec<&str> = whole.mended().map(|line| line.signature.as_str()).collect();
    assert_eq!((mended, whole.exit_code()), (vec!["panic/nothing/no-step/none"], ExitCode::Failed));
}

#[test]
fn random_schedules_are_drawn_from_their_seed() {
    let drawn = |schedules, seed| {
        let random = Some(Random { schedules, seed });
        explored(documented(), Settings { random, ..Settings::default() })
    };
    let some = drawn(12, 5);
    assert_eq!(some.cases, 12);
    assert_eq!(some.to_json(), drawn(12, 5).to_json());
    let coverage = |found: &Exploration| serde_json::to_string(&found.coverage).unwrap();
    assert_ne!(coverage(&some), coverage(&drawn(12, 6)));
}
