//! What the procedure that does no more than its document says fails under every single fault, kept as a golden file.

use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;

use grenadier_explore::{Settings, Watch, explore};
use grenadier_scenario::Origin;
use grenadier_tests::{Golden, scenario};

const NAME: &str = "haproxy-appliance-swap";

struct Idle(AtomicBool);

impl Watch for Idle {
    fn stop(&self) -> &AtomicBool {
        &self.0
    }
}

#[test]
fn what_the_documented_procedure_fails_is_as_recorded() {
    let documented = scenario(NAME).with_procedure("documented").unwrap();
    let idle = Idle(AtomicBool::new(false));
    let found = explore(Origin::Name(NAME.to_owned()), documented, &Settings::default(), &idle).unwrap();
    let mut text = format!("{} of {} cases, {} failed\n", found.cases, found.enumerated, found.failed);
    for (ended, cases) in &found.ended {
        writeln!(text, "{cases} ended {ended}").unwrap();
    }
    for failure in &found.failures {
        writeln!(text, "{} in {}", failure.signature, failure.cases).unwrap();
    }
    Golden::named("documented-under-faults.txt").check(&text).unwrap();
}
