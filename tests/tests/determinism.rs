//! The same scenario and seed give the same log, byte for byte.
//!
//! Other processes, environments and directories are tried through the program, in `harness/cli/tests`.

use grenadier_clock::Seed;
use grenadier_scenario::embedded;
use grenadier_tests::{run, run_with, scenario, variant};

const SWAP: &str = "haproxy-appliance-swap";

#[test]
fn every_scenario_gives_one_log() {
    for embedded in embedded() {
        let scenario = scenario(embedded.name);
        let (first, second) = (run(&scenario), run(&scenario));
        if first.log.hash() != second.log.hash() {
            // Equal hashes are the claim; where it does not hold, the first line that differs says more.
            let (first, second) = (first.log.to_jsonl(), second.log.to_jsonl());
            let differing = first.lines().zip(second.lines()).find(|(first, second)| first != second);
            panic!("{} gives two logs; they part at {differing:#?}", embedded.name);
        }
        assert_eq!(first.verdict, second.verdict, "{}", embedded.name);
        assert_eq!(first.captures, second.captures, "{}", embedded.name);
    }
}

#[test]
fn the_log_is_long_enough_to_mean_it() {
    assert!(run(&scenario(SWAP)).log.len() >= 300);
}

/// Other runs at the same moment share nothing with this one.
#[test]
fn threads_beside_each_other_give_the_same_log() {
    let alone = run(&scenario(SWAP)).log.hash();
    let hashes: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| run(&scenario(SWAP)).log.hash())).collect();
        threads.into_iter().map(|thread| thread.join().expect("a run does not panic")).collect()
    });
    assert_eq!(hashes, vec![alone; 4]);
}

#[test]
fn another_seed_of_a_jittered_run_differs_and_still_passes() {
    let jittered = variant(SWAP, &[("horizon: 10m", "horizon: 15m\ntiming: {jitter: 10%}")]);
    let logs: Vec<_> = [1, 2, 1].map(|seed| run_with(&jittered, Seed(seed))).into();
    assert_eq!(logs[0].log.hash(), logs[2].log.hash());
    assert_ne!(logs[0].log.hash(), logs[1].log.hash());
    // The seed is in the first event, so it takes a look at the times to know that the runs differ.
    let times = |at: usize| logs[at].log.with(|events| events.iter().map(|event| event.t_ns).collect::<Vec<_>>());
    assert_ne!(times(0), times(1));
    for output in &logs {
        assert_eq!(output.verdict.exit_code, 0, "{}", grenadier_tests::summary(&output.verdict));
    }
}
