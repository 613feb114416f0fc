//! What the verdict of a scenario hangs on: each assumed behaviour of a simulator turned over, one after another.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use grenadier_catalog::Named;
use grenadier_checks::{CheckLine, Verdict, Word};
use grenadier_clock::Seed;
use grenadier_events::{CheckStatus, EventLog};
use grenadier_fidelity::Behaviour;
use grenadier_runner::{DECLARED, Options, run_virtual_with};
use grenadier_scenario::{Case, JudgedBy, Origin, Scenario};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::panics::caught;
use crate::plan::Plan;
use crate::settings::{Settings, Watch};
use crate::workers;

/// What came of a scenario with each of its assumptions turned over. This is `assumptions.json`; `docs/explore.md` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assumptions {
    /// The version of this shape, see [`VERSION`](crate::VERSION).
    pub v: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The seed of all runs.
    pub seed: u64,
    /// The verdict while everything holds that is assumed: `passed`, `failed` or `unfit`.
    pub verdict: String,
    /// Whether somebody stopped it before all were turned over.
    pub interrupted: bool,
    /// The assumptions that the run relied on, in the order of `docs/fidelity.md`.
    pub assumptions: Vec<Assumption>,
}

/// One assumption that a run relied on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assumption {
    /// Its row in `docs/fidelity.md`.
    pub id: String,
    /// The behaviour.
    pub says: String,
    /// What happens instead when it is turned over; none: the simulator cannot.
    pub otherwise: Option<String>,
    /// What came of that; none where it cannot be turned over, or nobody got to it.
    pub turned: Option<Turned>,
}

/// A run with an assumption turned over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Turned {
    /// Its verdict.
    pub verdict: String,
    /// The checks that came out differently.
    pub checks: Vec<Change>,
    /// The file of its case within the folder, where the verdict changed.
    pub file: Option<String>,
    /// The case, as `grenadier replay` takes it.
    pub case: Option<String>,
}

/// A check that came out differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The check.
    pub check: String,
    /// What it said.
    pub before: String,
    /// What it says.
    pub now: String,
    /// One line of evidence for that.
    pub message: String,
}

impl Assumptions {
    /// Those whose turning over changed the verdict.
    pub fn decisive(&self) -> impl Iterator<Item = &Assumption> {
        self.assumptions.iter().filter(|it| it.turned.as_ref().is_some_and(|turned| turned.verdict != self.verdict))
    }

    /// `assumptions.json`.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("it has string keys and no numbers but integers");
        text.push('\n');
        text
    }

    /// What it came to, in one line.
    pub fn line(&self) -> String {
        let names: Vec<&str> = self.decisive().map(|it| it.id.as_str()).collect();
        let word = if self.interrupted { "INTERRUPTED  " } else { "" };
        let (verdict, all) = (&self.verdict, self.assumptions.len());
        let hangs = format!("{word}{}: {verdict}, which hangs on {} of {all} assumptions", self.scenario, names.len());
        if names.is_empty() { hangs } else { format!("{hangs}: {}", names.join(", ")) }
    }

    /// As people read it. `folder` is where its cases are.
    pub fn text(&self, folder: Option<&str>) -> String {
        let mut text = String::new();
        let mut line = |line: &str| writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
        let turned = self.assumptions.iter().filter(|it| it.turned.is_some()).count();
        line(&format!(
            "{} assumptions, {turned} of them turned over; the verdict is {}",
            self.assumptions.len(),
            self.verdict
        ));
        for assumption in &self.assumptions {
            line("");
            let Assumption { id, says, otherwise, turned } = assumption;
            match turned {
                Some(turned) if turned.verdict != self.verdict => line(&format!("{id}: the verdict hangs on it")),
                Some(_) => line(&format!("{id}: the verdict is the same without it")),
                None if otherwise.is_none() => line(&format!("{id}: cannot be turned over")),
                None => line(&format!("{id}: nobody got to it")),
            }
            line(&format!("   assumed    {says}"));
            if let Some(otherwise) = otherwise {
                line(&format!("   otherwise  {otherwise}"));
            }
            let Some(turned) = turned else { continue };
            for Change { check, before, now, message } in &turned.checks {
                line(&format!("   {check}: {before}, then {now}: {message}"));
            }
            if let (Some(file), Some(folder)) = (&turned.file, folder) {
                line(&format!("   replay     grenadier replay {folder}/{file}"));
            }
        }
        let decisive: Vec<&str> = self.decisive().map(|it| it.id.as_str()).collect();
        line("");
        match decisive.as_slice() {
            [] => line(&format!("{}: the verdict hangs on none of them", self.scenario)),
            some => line(&format!("{}: the verdict hangs on {}", self.scenario, some.join(", "))),
        }
        if self.interrupted {
            line("interrupted: not all were turned over");
        }
        text
    }
}

/// Runs `scenario` as it is, then once for each assumption that run relied on, with that one turned over. Every run is judged
/// by what the scenario expects.
pub fn assumptions(origin: &Origin, scenario: &Scenario, settings: &Settings, watch: &dyn Watch) -> Assumptions {
    let usual = run_virtual_with(scenario, Seed(scenario.seed), "", EventLog::default(), &Options::default()).verdict;
    let relied_on: Vec<&Behaviour> = DECLARED
        .iter()
        .flat_map(|declared| declared.behaviours)
        .copied()
        .filter(|behaviour| usual.assumptions.iter().any(|id| id == behaviour.id))
        .collect();
    let jobs: Vec<&Behaviour> = relied_on.iter().filter(|behaviour| behaviour.otherwise.is_some()).copied().collect();
    watch.begins(jobs.len() as u64);
    let found = workers::run(jobs.len() as u64, settings.workers, watch, |job, all: &mut Vec<(&str, Turned)>| {
        let behaviour = jobs[job as usize];
        let turned = turned(origin, scenario, &usual, behaviour);
        watch.ran(turned.file.is_some());
        all.push((behaviour.id, turned));
    });
    let mut found: Vec<(&str, Turned)> = found.into_iter().flatten().collect();
    let mut taken = |id: &str| {
        let at = found.iter().position(|(of, _)| *of == id)?;
        Some(found.swap_remove(at).1)
    };
    let line = |behaviour: &Behaviour| Assumption {
        id: behaviour.id.to_owned(),
        says: behaviour.says.to_owned(),
        otherwise: behaviour.otherwise.map(str::to_owned),
        turned: taken(behaviour.id),
    };
    Assumptions {
        v: crate::VERSION,
        scenario: scenario.name.clone(),
        seed: scenario.seed,
        verdict: word(usual.verdict),
        assumptions: relied_on.into_iter().map(line).collect(),
        interrupted: watch.stop().load(std::sync::atomic::Ordering::Relaxed),
    }
}

fn turned(origin: &Origin, scenario: &Scenario, usual: &Verdict, behaviour: &Behaviour) -> Turned {
    let overturned: BTreeSet<String> = [behaviour.id.to_owned()].into();
    let options = Options { overturned: overturned.clone(), ..Options::default() };
    let run = || run_virtual_with(scenario, Seed(scenario.seed), "", EventLog::default(), &options).verdict;
    let (verdict, checks) = match caught(run) {
        Ok(now) => (word(now.verdict), changes(usual, &now)),
        Err(panicked) => {
            let message = format!("{} at {}", panicked.message, panicked.place);
            let change =
                Change { check: "panic".to_owned(), before: "none".to_owned(), now: "fail".to_owned(), message };
            ("panicked".to_owned(), vec![change])
        }
    };
    let changed = verdict != word(usual.verdict);
    let file = changed.then(|| format!("cases/{}.yaml", behaviour.id));
    let case = file.as_ref().map(|file| {
        let plan = Plan { overturned, ..Plan::default() };
        let case = Case { judged: JudgedBy::Scenario, ..plan.case(origin, scenario, None) };
        case.to_yaml(file)
    });
    Turned { verdict, checks, file, case }
}

fn changes(usual: &Verdict, now: &Verdict) -> Vec<Change> {
    let status = |line: &CheckLine| match line.result.status {
        CheckStatus::Pass => "pass",
        CheckStatus::Fail => "fail",
        CheckStatus::NotCovered => "not covered",
    };
    let before =
        |line: &CheckLine| usual.checks.iter().find(|other| other.result.check == line.result.check).map(status);
    let changed = now.checks.iter().filter(|line| before(line) != Some(status(line)));
    let change = |line: &CheckLine| Change {
        check: line.result.check.name().to_owned(),
        before: before(line).unwrap_or("none").to_owned(),
        now: status(line).to_owned(),
        message: line.result.message.clone(),
    };
    changed.map(change).collect()
}

fn word(word: Word) -> String {
    word.name().to_owned()
}

#[cfg(test)]
mod tests {
    use grenadier_scenario::load;

    use super::*;
    use crate::replay;
    use crate::testing::Idle;

    /// The swap allows 90 s without service, and the new appliance boots in a third of that; three times as long is too long.
    #[test]
    fn a_verdict_hangs_on_how_long_a_boot_takes_and_its_case_shows_it() {
        let scenario = load("haproxy-appliance-swap").unwrap().scenario;
        let origin = Origin::Name("haproxy-appliance-swap".to_owned());
        let found = assumptions(&origin, &scenario, &Settings::default(), &Idle::default());
        assert_eq!(found.verdict, "passed");
        let of = |id: &str| found.assumptions.iter().find(|it| it.id == id).unwrap();
        let boot = of("appliance-boot-times").turned.as_ref().unwrap();
        assert_eq!(boot.verdict, "failed", "{boot:?}");
        assert!(boot.checks.iter().any(|change| change.check == "outage" && change.now == "fail"), "{boot:?}");
        assert!(of("power-off-keeps-files").turned.is_none(), "no simulator can lose files at a power-off");
        assert!(found.decisive().any(|it| it.id == "appliance-boot-times"));
        assert!(found.text(None).contains("appliance-boot-times: the verdict hangs on it"));

        let case = grenadier_scenario::parse_case(boot.case.as_ref().unwrap(), "case.yaml").unwrap();
        assert_eq!(case.overturned, ["appliance-boot-times".to_owned()].into());
        let replayed = replay(&case, "", EventLog::default(), None).unwrap();
        assert_eq!(word(replayed.output.verdict.verdict), "failed");
    }
}
