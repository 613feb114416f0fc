//! Which scenarios a rule of a profile is about.

use glob::{MatchOptions, Pattern};

use crate::diagnostic::{Finding, Span};
use crate::{Loaded, suggest};

/// Which scenarios a rule is about: for each key it has, one of its values fits. Without a key: all.
#[derive(Debug, Clone)]
pub struct Choice {
    pub(crate) criteria: Vec<(Criterion, Span)>,
    pub(crate) place: Span,
}

/// One value of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Criterion {
    System(String),
    /// The name of a scenario, or the path of its file or the end of that.
    File(Pattern),
    /// From which version to which.
    Upgrade(Pattern, Pattern),
    Label(String),
}

/// A star ends at a slash.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl Criterion {
    fn fits(&self, loaded: &Loaded) -> bool {
        let scenario = &loaded.scenario;
        match self {
            Criterion::System(system) => scenario.system == *system,
            Criterion::File(pattern) => {
                pattern.matches(&scenario.name) || ends(&loaded.file).any(|end| pattern.matches_with(end, OPTIONS))
            }
            Criterion::Upgrade(from, to) => {
                from.matches(&scenario.base_version().name) && to.matches(&scenario.target_version().name)
            }
            Criterion::Label(label) => scenario.labels.contains(label),
        }
    }

    fn is_of_the_key_of(&self, other: &Criterion) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// That no scenario has it, and what there is.
    fn nobody(&self, scenarios: &[Loaded]) -> (String, String) {
        let list = |what: &str, given: &str, mut all: Vec<&str>| {
            all.sort_unstable();
            all.dedup();
            suggest::hint(what, given, all)
        };
        match self {
            Criterion::System(system) => {
                let systems = scenarios.iter().map(|loaded| loaded.scenario.system.as_str()).collect();
                (format!("no scenario is of system `{system}`"), list("system", system, systems))
            }
            Criterion::File(pattern) => {
                let names = scenarios.iter().map(|loaded| loaded.scenario.name.as_str()).collect();
                (format!("no scenario has the name or file `{pattern}`"), list("scenario", pattern.as_str(), names))
            }
            Criterion::Upgrade(from, to) => {
                let upgrade = |loaded: &Loaded| {
                    format!("{}->{}", loaded.scenario.base_version().name, loaded.scenario.target_version().name)
                };
                // Not by nearness: a version is no slip for another.
                let mut upgrades: Vec<String> = scenarios.iter().map(upgrade).collect();
                upgrades.sort_unstable();
                upgrades.dedup();
                (format!("no scenario upgrades {from}->{to}"), format!("upgrades: {}", upgrades.join(", ")))
            }
            Criterion::Label(label) => {
                let labels = scenarios.iter().flat_map(|loaded| &loaded.scenario.labels).map(String::as_str).collect();
                (format!("no scenario has the label `{label}`"), list("label", label, labels))
            }
        }
    }
}

/// A path, and what is left of it without its first folders.
fn ends(path: &str) -> impl Iterator<Item = &str> {
    std::iter::once(path).chain(path.match_indices('/').map(|(at, _)| &path[at + 1..]))
}

impl Choice {
    /// Every scenario.
    pub fn everything() -> Choice {
        Choice { criteria: Vec::new(), place: 0..0 }
    }

    /// Whether `loaded` is among those.
    pub fn chooses(&self, loaded: &Loaded) -> bool {
        self.criteria.iter().all(|(criterion, _)| {
            self.criteria.iter().any(|(other, _)| other.is_of_the_key_of(criterion) && other.fits(loaded))
        })
    }

    /// What is named and not there; or that nothing is chosen although all of it is.
    pub(crate) fn problems(&self, scenarios: &[Loaded]) -> Vec<Finding> {
        let unknown = self.criteria.iter().filter(|(criterion, _)| !scenarios.iter().any(|it| criterion.fits(it)));
        let mut findings: Vec<Finding> = unknown
            .map(|(criterion, span)| {
                let (message, help) = criterion.nobody(scenarios);
                Finding { span: span.clone(), message, help: Some(help), also: None }
            })
            .collect();
        if findings.is_empty() && !scenarios.iter().any(|loaded| self.chooses(loaded)) {
            findings.push(Finding {
                span: self.place.clone(),
                message: "no scenario is chosen by this rule".to_owned(),
                help: Some("a scenario must fit one value of each key: leave a key out, or the rule".to_owned()),
                also: None,
            });
        }
        findings
    }
}

/// An upgrade as a profile writes it, `v0.1.10->v0.2.0`; a star stands for anything.
pub(crate) fn upgrade(text: &str) -> Option<Criterion> {
    let (from, to) = text.split_once("->")?;
    let side = |text: &str| Pattern::new(text.trim()).ok().filter(|pattern| !pattern.as_str().is_empty());
    Some(Criterion::Upgrade(side(from)?, side(to)?))
}
