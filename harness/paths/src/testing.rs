//! What the tests of this crate share.

use std::collections::BTreeSet;

use grenadier_catalog::System;
use grenadier_scenario::load;

use crate::leap::{Leap, Rehearsal, State};
use crate::matrix::{Paths, Source, paths};
use crate::question::Question;
use crate::template::Template;

/// Every leap between the versions of the catalogue, with the swap.
pub(crate) fn question() -> Question {
    let template = Template::new(&load("haproxy-appliance-swap").unwrap(), None).unwrap();
    Question::new(System::find("haproxy-appliance").unwrap(), vec![template]).unwrap()
}

/// A source that answers as it was told to, and remembers what it was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    rehearses: bool,
    failing: BTreeSet<Leap>,
    pub asked: Vec<Leap>,
}

impl Script {
    /// Everything passes.
    pub(crate) fn passing() -> Script {
        Script { rehearses: true, ..Script::default() }
    }

    /// But these leaps, told as what they came by, from, to.
    pub(crate) fn failing(mut self, leaps: &[(&[usize], usize, usize)]) -> Script {
        self.failing = leaps.iter().map(|(by, from, to)| Leap { came_by: by.to_vec(), from: *from, to: *to }).collect();
        self
    }
}

impl Source for Script {
    fn rehearsals(&mut self, leaps: &[Leap]) -> Vec<Vec<Rehearsal>> {
        self.asked.extend(leaps.iter().cloned());
        let rehearsal = |leap: &Leap| {
            let (state, summary) = match (self.failing.contains(leap), leap.to < leap.from) {
                (true, _) => (State::Failed, "failed: outage: too long"),
                (false, true) => (State::Refused, "passed: all 10 checks"),
                (false, false) => (State::Rehearsed, "passed: all 10 checks"),
            };
            Rehearsal {
                scenario: "leap".into(),
                engine: "hardened".into(),
                world: "virtual".into(),
                state,
                summary: summary.into(),
                outage_ns: Some(40_000_000_000),
                rollback_outage_ns: None,
                folder: Some("out/rows/leap".into()),
                replay: "grenadier run leap.yaml".into(),
            }
        };
        leaps.iter().map(|leap| self.rehearses.then(|| rehearsal(leap)).into_iter().collect()).collect()
    }
}

/// The matrix that a script makes of the question.
pub(crate) fn answered(script: &Script) -> Paths {
    paths(&question(), &mut script.clone())
}
