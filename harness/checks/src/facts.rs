//! Everything a verdict is made from.

use std::fmt;
use std::sync::Arc;

use grenadier_catalog::{Named, Outcome};
use grenadier_clock::Time;
use grenadier_events::{Event, World};
use grenadier_probe::{Moment, Spans};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AcknowledgedWrite, Capture, EngineFact, Expectation, Exposure, Inventory, Masks, Meaning, Pattern, Reference,
    Routes, Verb,
};

/// What was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// The scenario's name.
    pub scenario: String,
    /// The system under upgrade.
    pub system: String,
    /// The procedure that was asked for in place of the scenario's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// Where it ran.
    pub world: World,
    /// The seed everything random followed from.
    pub seed: u64,
    /// The version before.
    pub base: String,
    /// The version after.
    pub target: String,
    /// The timing profile.
    pub profile: String,
    /// The command that runs it again, alike.
    pub replay: String,
}

/// One thing at up to three moments of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stages<T> {
    /// Before the upgrade, when everything was verified.
    pub base: Option<T>,
    /// After the upgrade, however it ended, when the system was quiet again (end of `verify-upgraded`).
    pub upgraded: Option<T>,
    /// At the end of the run, before `destroy`: after the rollback where there was one.
    pub end: Option<T>,
}

impl<T> Default for Stages<T> {
    fn default() -> Stages<T> {
        Stages { base: None, upgraded: None, end: None }
    }
}

impl<T> Stages<T> {
    /// What there is after the base, with the words for when.
    pub fn after(&self) -> impl Iterator<Item = (&'static str, &T)> {
        [("after the upgrade", &self.upgraded), ("at the end", &self.end)]
            .into_iter()
            .filter_map(|(when, value)| Some((when, value.as_ref()?)))
    }
}

/// Which version the world shows, whatever the engine says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// The target version serves, alone.
    Upgraded,
    /// The base version serves, alone.
    Base,
    /// Both versions are on.
    Both,
    /// None is.
    Neither,
    /// Something in between, in words.
    Mixed(String),
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Upgraded => f.pad("the target version"),
            Shown::Base => f.pad("the base version"),
            Shown::Both => f.pad("both versions"),
            Shown::Neither => f.pad("neither version"),
            Shown::Mixed(what) => f.pad(what),
        }
    }
}

/// Something probes looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name in events.
    pub name: String,
    /// The cluster it belongs to.
    pub cluster: String,
    /// Whether it is outside the upgrade, to tell a broken environment from a broken upgrade.
    pub is_canary: bool,
}

/// How a run came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// It reached its declared horizon.
    Horizon,
    /// Nothing was left that could still happen: everything works, and in virtual time it did so for a while.
    Quiet,
    /// It was cut short for this reason, before anybody could know how it ends.
    Cut(String),
    /// Somebody interrupted it.
    Interrupted,
    /// The world it stood on went away, or could not be taken down again.
    Lost(String),
}

/// Everything a verdict is made from. The runner fills it; whatever it could not find out stays empty, and the checks that
/// need it say `not-covered`.
pub struct Facts<'a> {
    /// What was run.
    pub subject: Subject,
    /// The log.
    pub events: &'a [Event],
    /// The declared end of the run.
    pub horizon: Time,
    /// When the run really ended: everything is judged up to here.
    pub ended_ns: Time,
    /// How.
    pub end: RunEnd,
    /// What the scenario expects.
    pub expect: Expectation,
    /// The calls of the engine, in order.
    pub engine: Vec<EngineFact>,
    /// What the world showed.
    pub shows: Stages<Shown>,
    /// The captured states.
    pub captures: Stages<Capture>,
    /// What could be left behind.
    pub inventory: Stages<Inventory>,
    /// What the state means: machines and their addresses. Routes are beside it.
    pub meaning: Stages<Meaning>,
    /// The routes.
    pub routes: Stages<Routes>,
    /// SHA-256 of the certificate the product's API serves, which its users pin.
    pub certificates: Stages<String>,
    /// Secrets where they do not belong.
    pub exposures: Stages<Vec<Exposure>>,
    /// What the target version itself consists of: no leftover where the run ends upgraded.
    pub product: Inventory,
    /// Paths of objects that a step declares to recreate: their identity may change.
    pub recreated: Vec<Pattern>,
    /// What a workload wrote and had acknowledged between base and end.
    pub acknowledged: Vec<AcknowledgedWrite>,
    /// What the probes looked at.
    pub targets: Vec<Target>,
    /// The reviewed masks of the system.
    pub masks: &'a Masks,
    /// Ids of the assumptions (rows of `docs/fidelity.md`) the outcome hangs on.
    pub assumptions: Vec<String>,
    /// What an undisturbed run of the same scenario came to, where this run was disturbed and is compared with it.
    pub reference: Option<Arc<Reference>>,
}

impl<'a> Facts<'a> {
    /// Facts of a run of which nothing is known but the log: a start for the runner to fill.
    pub fn new(subject: Subject, events: &'a [Event], masks: &'a Masks) -> Facts<'a> {
        let ended_ns = events.last().map_or(Time::ZERO, |event| event.t_ns);
        Facts {
            subject,
            events,
            horizon: ended_ns,
            ended_ns,
            end: RunEnd::Quiet,
            expect: Expectation::default(),
            engine: Vec::new(),
            shows: Stages::default(),
            captures: Stages::default(),
            inventory: Stages::default(),
            meaning: Stages::default(),
            routes: Stages::default(),
            certificates: Stages::default(),
            exposures: Stages::default(),
            product: Inventory::default(),
            recreated: Vec::new(),
            acknowledged: Vec::new(),
            targets: Vec::new(),
            masks,
            assumptions: Vec::new(),
            reference: None,
        }
    }

    /// Judges a disturbed run: an upgrade that went back by itself is as good as one that ended as the scenario expects, and
    /// is held to what it promises: the original state, and nothing else. No outage budget counts, because the scenario's is
    /// that of a run in which nothing goes wrong.
    pub fn allow_going_back(&mut self) {
        self.expect.outage_at_most = None;
        let went_back = self.upgrade().and_then(EngineFact::claims) == Some(Outcome::RolledBack);
        // Where it crashed and was asked to go back, it may leave what it may leave after any rollback it is asked for.
        // So may one that crashed in that rollback, and only went on with it.
        let asked = self.engine.iter().any(|fact| fact.asked != Verb::Rollback && fact.verb == Verb::Rollback);
        if went_back && self.expect.outcome != Outcome::RolledBack {
            self.expect.outcome = Outcome::RolledBack;
            self.expect.restored = Some(true);
            let end = self.captures.end.as_ref();
            let value = |path: &str| end.and_then(|capture| capture.root.value_at(path));
            self.expect
                .residuals
                .retain(|residual| asked && residual.holds.iter().all(|(path, is)| value(path) == Some(is.as_str())));
        }
    }

    /// The engine's upgrade: the last call that tells how the upgrade ended. Where its process crashed, that is the one that
    /// went on with it, or took it back.
    pub fn upgrade(&self) -> Option<&EngineFact> {
        self.engine.iter().rfind(|fact| fact.asked != Verb::Rollback && !fact.crashed)
    }

    /// The engine's rollback, where it was asked for one after the upgrade had ended.
    pub fn rollback(&self) -> Option<&EngineFact> {
        self.engine.iter().rfind(|fact| fact.asked == Verb::Rollback && !fact.crashed)
    }

    /// Where the run went in the end, as the engine claims: the rollback's outcome where there was one, else the upgrade's.
    pub fn claimed(&self) -> Option<Outcome> {
        self.rollback().or(self.upgrade())?.claims()
    }

    /// Why the original state must be there at the end, in words; none where it must not.
    pub fn must_be_base(&self) -> Option<String> {
        if self.rollback().is_some() {
            return Some("the upgrade was rolled back".to_owned());
        }
        let back = |outcome: &Outcome| matches!(outcome, Outcome::RolledBack | Outcome::Refused);
        if let Some(claim) = self.claimed().filter(back) {
            return Some(format!("the engine says {}", claim.name()));
        }
        back(&self.expect.outcome).then(|| format!("the scenario expects {}", self.expect.outcome.name()))
    }

    /// The moment before the upgrade at which the base is judged: the start of phase `upgrade`.
    pub(crate) fn before_upgrade(&self, spans: &Spans) -> Option<Moment> {
        spans.phase("upgrade").map(|span| span.from)
    }

    /// The moments after the upgrade at which the system is judged, with the words for when: the end of the upgrade's
    /// verification, and the end of the run, before everything is taken down.
    pub(crate) fn after_upgrade(&self, spans: &Spans) -> Vec<(&'static str, Moment)> {
        let mut moments = Vec::new();
        if let Some(to) = spans.phase("verify-upgraded").and_then(|span| span.to) {
            moments.push(("after the upgrade", to));
        }
        if spans.phase("upgrade").is_some() {
            let end = Moment { at: self.ended_ns, seq: u64::MAX };
            moments.push(("at the end", spans.phase("destroy").map_or(end, |span| span.from.min(end))));
        }
        moments
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::swap;
    use crate::{Node, Verb};

    use super::*;

    /// What is allowed to remain after an upgrade that ended rolled back in a process asked for `verb`.
    fn residuals(verb: Verb, new_machine_is: &str) -> Vec<String> {
        residuals_after(&[verb], new_machine_is)
    }

    /// The same, where each process but the last crashed.
    fn residuals_after(verbs: &[Verb], new_machine_is: &str) -> Vec<String> {
        let mut run = swap();
        run.set_at_end("machines/haproxy-v0.2.0/power", Node::runtime(new_machine_is));
        let rolled_back = EngineFact { asked: Verb::Upgrade, ..run.engine.remove(1) };
        let crashed = EngineFact { crashed: true, ..run.engine.remove(0) };
        run.engine = vec![crashed];
        run.engine.extend(verbs.iter().map(|verb| EngineFact { verb: *verb, crashed: true, ..rolled_back.clone() }));
        run.engine.last_mut().unwrap().crashed = false;
        let mut facts = run.facts();
        facts.allow_going_back();
        assert_eq!((facts.expect.outcome, facts.expect.restored), (Outcome::RolledBack, Some(true)));
        facts.expect.residuals.into_iter().map(|residual| residual.name).collect()
    }

    #[test]
    fn only_a_rollback_that_was_asked_for_may_leave_what_is_declared() {
        assert_eq!(residuals(Verb::Rollback, "off"), ["new-appliance-powered-off"]);
        assert_eq!(residuals(Verb::Rollback, "on"), [""; 0], "it is not as it was declared");
        assert_eq!(residuals_after(&[Verb::Rollback, Verb::Resume], "off"), ["new-appliance-powered-off"]);
        assert_eq!(residuals(Verb::Resume, "off"), [""; 0], "an upgrade that goes back by itself leaves nothing");
    }
}
