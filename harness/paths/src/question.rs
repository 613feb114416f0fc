//! What is asked: which versions, with which scenarios, by which engine.

use grenadier_catalog::{RefusalRule, System, VersionNumber};
use thiserror::Error;

use crate::leap::Leap;
use crate::matrix::versioned;
use crate::template::Template;
use crate::versions::Versions;

/// Which leaps are asked about, and what each is rehearsed with.
#[derive(Clone, Debug)]
pub struct Question {
    system: &'static System,
    templates: Vec<Template>,
    versions: Versions,
    from: Option<usize>,
    to: Option<usize>,
    by: Vec<usize>,
}

/// Nobody can answer what was asked. All of these are errors in the input (exit code 2).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuestionError {
    /// No scenario to rehearse with.
    #[error("{system} has no scenario labelled `base` to rehearse its upgrades with")]
    NoScenario {
        /// The system.
        system: &'static str,
    },
    /// A scenario is about another system.
    #[error("scenario {scenario} is about {its}, not {system}")]
    OtherSystem {
        /// The scenario.
        scenario: String,
        /// What it is about.
        its: String,
        /// What was asked about.
        system: &'static str,
    },
    /// Two scenarios are not the same engine's, or not around the same vSphere.
    #[error("scenarios {one} and {other} cannot share a matrix: their {what} differ")]
    Mixed {
        /// One.
        one: String,
        /// The other.
        other: String,
        /// In what they differ.
        what: &'static str,
    },
    /// There is no such version.
    #[error("{system} has no version `{text}`")]
    UnknownVersion {
        /// The system.
        system: &'static str,
        /// What was asked for.
        text: String,
        /// Those it has.
        versions: String,
    },
    /// A way has no beginning or no end.
    #[error("a way by {by} needs to know from where and to where")]
    Endless {
        /// By which versions.
        by: String,
    },
    /// A way comes to a version twice.
    #[error("the way comes to {version} twice")]
    Twice {
        /// The version.
        version: String,
    },
}

impl QuestionError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            QuestionError::NoScenario { .. } => "name one with --scenario".to_owned(),
            QuestionError::OtherSystem { its, .. } => format!("ask about {its}, or name another scenario"),
            QuestionError::Mixed { .. } => "ask about one of them at a time, with --scenario".to_owned(),
            QuestionError::UnknownVersion { versions, .. } => format!(
                "versions: {versions}; one of your own is there when a scenario named with --scenario has it in `from` or `to`"
            ),
            QuestionError::Endless { .. } => "give --from and --to as well".to_owned(),
            QuestionError::Twice { .. } => {
                "name each version once, in the order in which the appliance comes to them".to_owned()
            }
        }
    }
}

impl Question {
    /// Every leap between the versions of `system`, rehearsed with each of `templates`.
    ///
    /// # Errors
    /// There is no template, or they do not belong together.
    pub fn new(system: &'static System, templates: Vec<Template>) -> Result<Question, QuestionError> {
        let Some(first) = templates.first() else { return Err(QuestionError::NoScenario { system: system.name }) };
        let first = first.scenario.clone();
        for template in &templates {
            let scenario = &template.scenario;
            if scenario.system != system.name {
                let (scenario, its) = (scenario.name.clone(), scenario.system.clone());
                return Err(QuestionError::OtherSystem { scenario, its, system: system.name });
            }
            let vsphere =
                |scenario: &grenadier_scenario::Scenario| (scenario.topology.vsphere, scenario.topology.vsphere_after);
            let differ = [
                ("engines", scenario.engine.procedure != first.engine.procedure),
                ("vSpheres", vsphere(scenario) != vsphere(&first)),
            ];
            if let Some((what, _)) = differ.into_iter().find(|(_, differ)| *differ) {
                return Err(QuestionError::Mixed { one: first.name, other: scenario.name.clone(), what });
            }
        }
        let named = templates.iter().flat_map(|template| [&template.scenario.from, &template.scenario.to]);
        let versions = Versions::of(system, named);
        Ok(Question { system, templates, versions, from: None, to: None, by: Vec::new() })
    }

    /// Only leaps from one version, to one version; and where `by` is not empty, the way by these versions, in this order.
    ///
    /// # Errors
    /// A version is not there, or the way makes no sense.
    pub fn between(
        mut self,
        from: Option<&str>,
        to: Option<&str>,
        by: &[impl AsRef<str>],
    ) -> Result<Question, QuestionError> {
        let find = |text: &str| {
            self.versions.find(text).ok_or_else(|| QuestionError::UnknownVersion {
                system: self.system.name,
                text: text.to_owned(),
                versions: self.versions.names().join(", "),
            })
        };
        let (from, to) = (from.map(find).transpose()?, to.map(find).transpose()?);
        let by = by.iter().map(|text| find(text.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let name = |at: usize| self.versions.at(at).version.name.clone();
        if !by.is_empty() {
            let (Some(from), Some(to)) = (from, to) else {
                return Err(QuestionError::Endless { by: by.into_iter().map(name).collect::<Vec<_>>().join(", ") });
            };
            let way: Vec<usize> = [from].into_iter().chain(by.iter().copied()).chain([to]).collect();
            if let Some((_, twice)) = way.iter().enumerate().find(|(at, version)| way[..*at].contains(version)) {
                return Err(QuestionError::Twice { version: name(*twice) });
            }
        }
        (self.from, self.to, self.by) = (from, to, by);
        Ok(self)
    }

    /// The system.
    pub fn system(&self) -> &'static System {
        self.system
    }

    /// What every leap is rehearsed with.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// The versions.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// The engine.
    pub fn engine(&self) -> &str {
        &self.templates[0].scenario.engine.procedure
    }

    /// The rule that forbids a leap.
    pub fn rule(&self, leap: &Leap) -> Option<RefusalRule> {
        (self.system.forbids)(&versioned(self, leap))
    }

    /// The vSphere around the leaps: where that is upgraded too, the newer one.
    pub(crate) fn vsphere(&self) -> VersionNumber {
        let topology = &self.templates[0].scenario.topology;
        topology.vsphere_after.unwrap_or(topology.vsphere).max(topology.vsphere)
    }

    pub(crate) fn starts(&self) -> impl Iterator<Item = usize> {
        self.chosen(self.from)
    }

    pub(crate) fn ends(&self) -> impl Iterator<Item = usize> {
        self.chosen(self.to)
    }

    fn chosen(&self, one: Option<usize>) -> impl Iterator<Item = usize> + use<> {
        one.map_or(0..self.versions.len(), |one| one..one + 1)
    }

    /// The way that was asked for.
    pub(crate) fn way(&self) -> Option<Vec<usize>> {
        let (from, to) = (self.from?, self.to?);
        (!self.by.is_empty()).then(|| [from].into_iter().chain(self.by.iter().copied()).chain([to]).collect())
    }

    /// Every version in turn, where that is more than one hop and nobody asked for less.
    pub(crate) fn every_version(&self) -> Option<Vec<usize>> {
        let all = self.from.is_none() && self.to.is_none() && self.versions.len() > 2;
        all.then(|| (0..self.versions.len()).collect())
    }
}
