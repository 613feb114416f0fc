//! Every leap between two versions, and the ways round.

use std::collections::{BTreeMap, BTreeSet};

use grenadier_catalog::Leap as Versioned;
use grenadier_checks::{ExitCode, Word};
use grenadier_report::counted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::leap::{Leap, LeapLine, Rehearsal, State};
use crate::question::Question;
use crate::route::{MOST_TRIED, RouteLine, Why, ways};

/// The version of the shape of `paths.json`, written as `v`.
pub const VERSION: u32 = 1;

/// Somebody who knows of leaps, or finds out.
pub trait Source {
    /// What is known of each of these leaps, in their order.
    fn rehearsals(&mut self, leaps: &[Leap]) -> Vec<Vec<Rehearsal>>;

    /// Whether somebody interrupted it, so that something is missing.
    fn interrupted(&self) -> bool {
        false
    }
}

/// A version in the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionLine {
    /// Its name.
    pub name: String,
    /// Its place in the order of versions.
    pub number: String,
    /// Whether the matrix has leaps from it.
    pub starts: bool,
    /// Whether the matrix has leaps to it.
    pub ends: bool,
}

/// Which version upgrades to which. This is `paths.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Paths {
    /// The version of this shape, see [`VERSION`].
    pub v: u32,
    /// The system.
    pub system: String,
    /// The engine: a procedure of the built-in one.
    pub engine: String,
    /// The scenarios whose topology and resources every leap is rehearsed with.
    pub scenarios: Vec<String>,
    /// In one word. `passed` says that nothing failed, not that everything was rehearsed.
    pub verdict: Word,
    /// The exit code of `grenadier`.
    pub exit_code: u8,
    /// In one line.
    pub summary: String,
    /// The versions, oldest first.
    pub versions: Vec<VersionLine>,
    /// The rules that forbid leaps here: what each says, by its name.
    pub rules: BTreeMap<String, String>,
    /// Every leap between two of them.
    pub leaps: Vec<LeapLine>,
    /// The ways in several hops.
    pub routes: Vec<RouteLine>,
}

/// Answers `question` with what `source` knows.
pub fn paths(question: &Question, source: &mut dyn Source) -> Paths {
    let mut known = Known { question, source, lines: BTreeMap::new() };
    let direct: Vec<Leap> = question
        .starts()
        .flat_map(|from| question.ends().filter(move |to| *to != from).map(move |to| Leap::fresh(from, to)))
        .collect();
    known.learn(&direct);
    let routes = routes(question, &mut known, &direct);
    let leaps: Vec<LeapLine> = direct.iter().map(|leap| known.line(leap)).collect();
    let interrupted = known.source.interrupted();
    let (verdict, summary) = verdict(&leaps, &routes, interrupted);
    Paths {
        v: VERSION,
        system: question.system().name.to_owned(),
        engine: question.engine().to_owned(),
        scenarios: question.templates().iter().map(|template| template.scenario.name.clone()).collect(),
        verdict,
        exit_code: verdict.exit_code().code(),
        summary,
        versions: versions(question),
        rules: rules(question, &direct),
        leaps,
        routes,
    }
}

impl Paths {
    /// The document.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("it has string keys and whole numbers") + "\n"
    }

    /// The exit code of `grenadier`.
    pub fn exit_code(&self) -> ExitCode {
        self.verdict.exit_code()
    }

    /// The leap of a freshly deployed appliance between two versions.
    pub fn leap(&self, from: &str, to: &str) -> Option<&LeapLine> {
        self.leaps.iter().find(|leap| leap.from == from && leap.to == to)
    }

    /// The leaps that somebody has to look at, hops of routes among them, each once.
    pub fn bad(&self) -> Vec<&LeapLine> {
        let hops = self.routes.iter().flat_map(|route| &route.hops);
        let mut bad: Vec<&LeapLine> = Vec::new();
        for leap in self.leaps.iter().chain(hops) {
            if matches!(leap.state, State::Failed | State::Unfit) && !bad.contains(&leap) {
                bad.push(leap);
            }
        }
        bad
    }
}

/// What was learnt of leaps so far.
struct Known<'a> {
    question: &'a Question,
    source: &'a mut dyn Source,
    lines: BTreeMap<Leap, LeapLine>,
}

impl Known<'_> {
    /// Asks for what is not known yet.
    fn learn(&mut self, leaps: &[Leap]) {
        let new: Vec<Leap> = leaps.iter().filter(|leap| !self.lines.contains_key(leap)).cloned().collect();
        if new.is_empty() {
            return;
        }
        let rehearsals = self.source.rehearsals(&new);
        for (leap, rehearsals) in new.into_iter().zip(rehearsals) {
            let rule = self.question.rule(&leap);
            let line = LeapLine::of(&leap, self.question.versions(), rule, rehearsals);
            self.lines.insert(leap, line);
        }
    }

    fn line(&mut self, leap: &Leap) -> LeapLine {
        self.learn(std::slice::from_ref(leap));
        self.lines[leap].clone()
    }

    /// The hops of a way. After one that cannot be made, the others are not asked for: there is no state to begin from.
    fn hops(&mut self, way: &[usize]) -> Vec<LeapLine> {
        let mut hops = Vec::new();
        let mut blocked = false;
        for at in 1..way.len() {
            let leap = Leap { came_by: way[..at - 1].to_vec(), from: way[at - 1], to: way[at] };
            let line = if blocked {
                LeapLine::of(&leap, self.question.versions(), self.question.rule(&leap), Vec::new())
            } else {
                self.line(&leap)
            };
            blocked |= !matches!(line.state, State::Rehearsed | State::NotRehearsed);
            hops.push(line);
        }
        hops
    }
}

fn routes(question: &Question, known: &mut Known<'_>, direct: &[Leap]) -> Vec<RouteLine> {
    let mut routes = Vec::new();
    if let Some(way) = question.way() {
        routes.push(RouteLine::of(Why::Asked, known.hops(&way)));
    }
    // Whatever is not known to be in the way may be on the way, versions that the matrix does not show among them.
    let all: Vec<Leap> = (0..question.versions().len())
        .flat_map(|from| (0..question.versions().len()).map(move |to| (from, to)))
        .filter(|(from, to)| from != to)
        .map(|(from, to)| Leap::fresh(from, to))
        .collect();
    let blocked = |line: &LeapLine| matches!(line.state, State::Refused | State::Failed);
    let stuck: Vec<Leap> = direct.iter().filter(|leap| blocked(&known.lines[leap])).cloned().collect();
    if !stuck.is_empty() {
        let possible: Vec<Leap> = all.into_iter().filter(|leap| question.rule(leap).is_none()).collect();
        known.learn(&possible);
        let open: BTreeSet<(usize, usize)> =
            possible.iter().filter(|leap| !blocked(&known.lines[leap])).map(|leap| (leap.from, leap.to)).collect();
        for leap in stuck {
            let mut last = None;
            for way in ways(leap.from, leap.to, &open).take(MOST_TRIED) {
                let route = RouteLine::of(Why::WayRound, known.hops(&way));
                let found = matches!(route.state, State::Rehearsed | State::NotRehearsed);
                last = Some(route);
                if found {
                    break;
                }
            }
            routes.extend(last);
        }
    }
    if let Some(way) = question.every_version() {
        let route = RouteLine::of(Why::EveryVersion, known.hops(&way));
        if routes.iter().all(|known| known.hops != route.hops) {
            routes.push(route);
        }
    }
    routes
}

fn verdict(leaps: &[LeapLine], routes: &[RouteLine], interrupted: bool) -> (Word, String) {
    let leaps_in = |state: State| leaps.iter().filter(|leap| leap.state == state).count() as u64;
    let routes_in = |state: State| routes.iter().filter(|route| route.state == state).count() as u64;
    let any = |state: State| leaps_in(state) + routes_in(state) > 0;
    let word = match interrupted {
        true => Word::Interrupted,
        false if any(State::Failed) => Word::Failed,
        false if any(State::Unfit) => Word::Unfit,
        false => Word::Passed,
    };
    let states = [State::Rehearsed, State::Refused, State::Failed, State::Unfit, State::NotRehearsed];
    let told =
        |state: State| (leaps_in(state) > 0).then(|| format!("{} {}", leaps_in(state), state.words().to_lowercase()));
    let mut summary = format!("{}: of {}, ", word.name(), counted(leaps.len() as u64, "leap", "leaps"));
    summary += &states.into_iter().filter_map(told).collect::<Vec<_>>().join(", ");
    if !routes.is_empty() {
        let rehearsed = routes_in(State::Rehearsed);
        summary +=
            &format!("; {} in several hops, {rehearsed} rehearsed", counted(routes.len() as u64, "route", "routes"));
    }
    (word, summary)
}

fn versions(question: &Question) -> Vec<VersionLine> {
    let (starts, ends): (BTreeSet<usize>, BTreeSet<usize>) = (question.starts().collect(), question.ends().collect());
    let line = |(at, known): (usize, &crate::KnownVersion)| VersionLine {
        name: known.version.name.clone(),
        number: known.version.number.to_string(),
        starts: starts.contains(&at),
        ends: ends.contains(&at),
    };
    question.versions().iter().enumerate().map(line).collect()
}

fn rules(question: &Question, leaps: &[Leap]) -> BTreeMap<String, String> {
    use grenadier_catalog::Named;
    let rules = leaps.iter().filter_map(|leap| question.rule(leap));
    rules.map(|rule| (rule.name().to_owned(), format!("{} ({})", rule.doc(), rule.source()))).collect()
}

/// What the catalogue needs to know of a leap.
pub(crate) fn versioned(question: &Question, leap: &Leap) -> Versioned {
    let number = |at: usize| question.versions().at(at).version.number;
    Versioned { from: number(leap.from), to: number(leap.to), vsphere: question.vsphere() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Script, answered, question};

    #[test]
    fn a_hop_begins_where_the_one_before_left_the_appliance() {
        let mut script = Script::passing();
        let found = paths(&question(), &mut script);
        let route = &found.routes[0];
        assert_eq!((found.routes.len(), route.why, route.state), (1, Why::EveryVersion, State::Rehearsed));
        let told: Vec<(Vec<String>, &str, &str)> =
            route.hops.iter().map(|hop| (hop.came_by.clone(), hop.from.as_str(), hop.to.as_str())).collect();
        assert_eq!(told[2], (vec!["v0.1.8".to_owned(), "v0.1.9".to_owned()], "v0.1.10", "v0.2.0"));
        let unique: BTreeSet<&Leap> = script.asked.iter().collect();
        assert_eq!(script.asked.len(), unique.len(), "nothing is rehearsed twice");
    }

    #[test]
    fn the_way_round_a_failed_leap_is_the_shortest_that_passes() {
        // Directly and by way of v0.1.9 it fails, the second time only for an appliance that came by v0.1.8.
        let found = answered(&Script::passing().failing(&[(&[], 0, 3), (&[0], 1, 3)]));
        let route = found.routes.iter().find(|route| route.why == Why::WayRound).unwrap();
        assert_eq!((route.versions(), route.state), (vec!["v0.1.8", "v0.1.10", "v0.2.0"], State::Rehearsed));
        assert_eq!(found.exit_code(), ExitCode::Failed, "that there is a way round does not mend the leap");
    }

    #[test]
    fn after_a_hop_that_failed_nothing_is_rehearsed() {
        let mut script = Script::passing().failing(&[(&[0], 1, 2)]);
        let found = paths(&question(), &mut script);
        let states: Vec<State> = found.routes[0].hops.iter().map(|hop| hop.state).collect();
        assert_eq!(states, [State::Rehearsed, State::Failed, State::NotRehearsed]);
        assert_eq!((found.routes[0].state, found.verdict), (State::Failed, Word::Failed));
        assert!(script.asked.iter().all(|leap| leap.came_by != [0, 1]));
    }

    #[test]
    fn without_rehearsals_the_rules_are_still_known_and_nothing_failed() {
        let found = answered(&Script::default());
        assert_eq!(found.leap("v0.2.0", "v0.1.8").map(|leap| leap.state), Some(State::Refused));
        assert_eq!(found.leap("v0.1.8", "v0.2.0").map(|leap| leap.state), Some(State::NotRehearsed));
        assert_eq!(
            found.summary,
            "passed: of 12 leaps, 6 refused, 6 not rehearsed; 1 route in several hops, 0 rehearsed"
        );
    }

    #[test]
    fn one_leap_and_the_way_that_was_asked_for() {
        let asked = question().between(Some("v0.1.8"), Some("v0.2.0"), &["0.1.10"]).unwrap();
        let found = paths(&asked, &mut Script::passing());
        assert_eq!((found.leaps.len(), found.routes.len()), (1, 1));
        assert_eq!(
            (found.routes[0].why, found.routes[0].versions()),
            (Why::Asked, vec!["v0.1.8", "v0.1.10", "v0.2.0"])
        );
    }

    #[test]
    fn what_cannot_be_asked_is_told_with_a_hint() {
        use crate::QuestionError;
        let asked = |from, to, by: &[&str]| question().between(from, to, by).unwrap_err();
        let unknown = asked(Some("v0.3.0"), None, &[]);
        assert_eq!(unknown.to_string(), "haproxy-appliance has no version `v0.3.0`");
        assert!(unknown.hint().starts_with("versions: v0.1.8, v0.1.9, v0.1.10, v0.2.0; "), "{}", unknown.hint());
        assert!(matches!(asked(Some("v0.1.8"), None, &["v0.1.9"]), QuestionError::Endless { .. }));
        let twice = asked(Some("v0.1.8"), Some("v0.2.0"), &["v0.1.8"]);
        assert_eq!(twice.to_string(), "the way comes to v0.1.8 twice");
    }
}
