//! Engines with one fault each: the check that is there for it notices.
//!
//! A row of the table is run twice. The sound engine passes every check in it, so it is the defect that turns it red; the
//! engine with the defect fails, and the stated check is among those that say so.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use grenadier_catalog::{Check, Named};
use grenadier_checks::{Verdict, Word};
use grenadier_clock::Seed;
use grenadier_engine::procedures::haproxy_appliance::mutants::Defect;
use grenadier_events::{CheckStatus, EventLog};
use grenadier_runner::{Judged, Options, run_virtual_with};
use grenadier_tests::{run, scenario, summary, variant};
use libtest_mimic::{Arguments, Failed, Trial};

/// An engine with a fault, the run in which it shows, and the check that must notice.
struct Mutant {
    defect: Defect,
    scenario: &'static str,
    edits: &'static [(&'static str, &'static str)],
    /// Judged as an exploration judges: against the undisturbed run.
    under_faults: bool,
    caught_by: Check,
}

const UPGRADE: &str = "haproxy-appliance-upgrade";
const SWAP: &str = "haproxy-appliance-swap";
const POWER_ON_FAILS: &str = "haproxy-appliance-power-on-fails";

const fn mutant(defect: Defect, scenario: &'static str, caught_by: Check) -> Mutant {
    Mutant { defect, scenario, edits: &[], under_faults: false, caught_by }
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        // The answer to the import is lost: the machine is there, and nobody knows whose it is.
        edits: &[("expect:", "faults:\n  - {at: deploy-new/vsphere.ImportVApp#1, do: lost-reply}\nexpect:")],
        ..mutant(Defect::NoIdempotencyKey, UPGRADE, Check::Leftovers)
    },
    mutant(Defect::UndoInWrongOrder, SWAP, Check::UniqueAddressOwner),
    mutant(Defect::ForgetsToPowerOff, UPGRADE, Check::UniqueAddressOwner),
    mutant(Defect::SwallowsAnError, POWER_ON_FAILS, Check::Outcome),
    mutant(Defect::ExitsZeroOnFailure, POWER_ON_FAILS, Check::Outcome),
    mutant(Defect::KeepsTheSnapshot, SWAP, Check::Leftovers),
    mutant(Defect::LeavesTheNewMachine, POWER_ON_FAILS, Check::Leftovers),
    mutant(Defect::WrongCertificate, UPGRADE, Check::Identity),
    Mutant {
        edits: &[("to: v0.2.0", "to: {like: v0.2.0, version: v0.2.1, with: {regenerates-certificates: true}}")],
        ..mutant(Defect::SkipsVerification, UPGRADE, Check::Identity)
    },
    mutant(Defect::GivesUpEarly, UPGRADE, Check::Outcome),
    mutant(Defect::UndoesTooMuch, SWAP, Check::Restored),
    mutant(Defect::KeepsACredentialFile, SWAP, Check::Restored),
    mutant(Defect::KeepsACredentialFile, UPGRADE, Check::Secrets),
    mutant(Defect::ChangesBeforeItRefuses, "haproxy-appliance-refuse-topology-differs", Check::Restored),
    mutant(Defect::IgnoresTheNextVsphere, "haproxy-appliance-refuse-vsphere-gets-too-new", Check::Outcome),
    Mutant {
        edits: &[("expect:", "faults:\n  - {at: power-on-new/vsphere.PowerOnVM_Task#1, do: lost-reply}\nexpect:")],
        under_faults: true,
        ..mutant(Defect::LosesCustomisations, UPGRADE, Check::Differential)
    },
    mutant(Defect::Dawdles, UPGRADE, Check::Outage),
    mutant(Defect::WaitsForEver, UPGRADE, Check::Terminates),
    mutant(Defect::WritesBehindTheProcess, UPGRADE, Check::RoutesEqual),
];

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = MUTANTS
        .iter()
        .map(|mutant| {
            let name = format!("{} is caught by {}", mutant.defect.name(), mutant.caught_by.name());
            Trial::test(name, || is_caught(mutant))
        })
        .collect();
    trials.push(Trial::test("every defect and every check is in the table", everything_is_there));
    trials.push(Trial::test("nothing but tests turns the defects on", only_tests_have_them));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn is_caught(mutant: &Mutant) -> Result<(), Failed> {
    let sound = verdict(mutant, None);
    if sound.verdict != Word::Passed {
        return Err(format!("the sound engine does not pass:\n{}", summary(&sound)).into());
    }
    let verdict = verdict(mutant, Some(mutant.defect));
    if verdict.verdict != Word::Failed {
        return Err(format!("nobody noticed:\n{}", summary(&verdict)).into());
    }
    let noticed = verdict
        .checks
        .iter()
        .any(|line| line.result.check == mutant.caught_by && line.result.status == CheckStatus::Fail);
    if noticed { Ok(()) } else { Err(format!("only others noticed:\n{}", summary(&verdict)).into()) }
}

fn verdict(mutant: &Mutant, defect: Option<Defect>) -> Verdict {
    let told = variant(mutant.scenario, mutant.edits);
    let judged = match mutant.under_faults {
        true => Judged::UnderFaults(Arc::new(run(&scenario(mutant.scenario)).reference())),
        false => Judged::AsDeclared,
    };
    let options = Options { judged, defect, ..Options::default() };
    run_virtual_with(&told, Seed(told.seed), "", EventLog::default(), &options).verdict
}

/// No defect is forgotten, and each check has one that it catches. The canary is left out: what takes it down is no engine.
fn everything_is_there() -> Result<(), Failed> {
    for defect in Defect::ALL {
        if !MUTANTS.iter().any(|mutant| mutant.defect == *defect) {
            return Err(format!("{} is not in the table", defect.name()).into());
        }
    }
    for check in <Check as Named>::ALL.iter().filter(|check| **check != Check::Canary) {
        if !MUTANTS.iter().any(|mutant| mutant.caught_by == *check) {
            return Err(format!("no engine is caught by {}", check.name()).into());
        }
    }
    Ok(())
}

/// Which manifests of the workspace turn the feature on. One that declares it hands it on to others only.
fn only_tests_have_them() -> Result<(), Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let workspace = fs::read_to_string(root.join("Cargo.toml"))?;
    let members = workspace.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","));
    let mut with = Vec::new();
    for member in members {
        let manifest = fs::read_to_string(root.join(member).join("Cargo.toml"))?;
        let turns_on = |line: &str| line.contains("\"mutants\"") || line.starts_with("default = ");
        if manifest.lines().any(turns_on) {
            with.push(member);
        }
    }
    if with == ["tests"] { Ok(()) } else { Err(format!("the feature is turned on by {with:?}").into()) }
}
