//! The scenario that every leap is rehearsed with.

use grenadier_catalog::{Outcome, RefusalRule};
use grenadier_scenario::{
    Diagnostics, Expect, Given, Loaded, OutageBudget, ProcedureError, Rollback, Scenario, VersionChoice, parse,
};
use thiserror::Error;

use crate::leap::Leap;
use crate::versions::Versions;

/// A scenario whose topology, resources and expectations every leap is rehearsed with.
#[derive(Clone, Debug)]
pub struct Template {
    /// The scenario, for the engine that was asked for.
    pub scenario: Scenario,
}

/// A scenario cannot be taken for every leap. All of these are errors in the input (exit code 2).
#[derive(Debug, Error)]
pub enum TemplateError {
    /// It does not rehearse an upgrade that succeeds.
    #[error("scenario {scenario} cannot be rehearsed between other versions: it has {what}")]
    Deviates {
        /// The scenario.
        scenario: String,
        /// What stands in the way.
        what: &'static str,
    },
    /// It has no such procedure.
    #[error(transparent)]
    Procedure(#[from] ProcedureError),
    /// It does not hold between other versions.
    #[error("scenario {scenario} does not hold for {leap}")]
    Leap {
        /// The scenario.
        scenario: String,
        /// The leap.
        leap: String,
        /// What is wrong then.
        problems: Box<Diagnostics>,
    },
}

impl TemplateError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            TemplateError::Deviates { .. } => {
                "take one without it: paths are about upgrades of which nothing but the versions decides".to_owned()
            }
            TemplateError::Procedure(error) => error.hint(),
            TemplateError::Leap { problems, .. } => {
                let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
                said.join("; ")
            }
        }
    }
}

/// What a scenario has beside an upgrade that nothing disturbs: nothing, where versions alone decide how it ends.
pub(crate) fn deviation(scenario: &Scenario) -> Option<&'static str> {
    let harmless =
        |given: &Given| matches!(given, Given::Customisation(_) | Given::ServiceRange(_) | Given::UpgradedFrom(_));
    let found = [
        (!scenario.faults.is_empty(), "faults"),
        (!scenario.events.is_empty(), "events"),
        (scenario.target.is_some(), "inputs for the target that differ from the base's"),
        (!scenario.given.iter().all(harmless), "a base that deviates"),
        (!scenario.expect.caught_by.is_empty(), "checks that must fail"),
    ];
    found.into_iter().find(|(is, _)| *is).map(|(_, what)| what)
}

impl Template {
    /// Takes `loaded`, for another procedure than its own where one is named.
    ///
    /// # Errors
    /// It has something beside an upgrade that succeeds, or no such procedure.
    pub fn new(loaded: &Loaded, procedure: Option<&str>) -> Result<Template, TemplateError> {
        let scenario = match procedure {
            Some(name) => loaded.scenario.with_procedure(name)?,
            None => loaded.scenario.clone(),
        };
        let fails = (scenario.expect.outcome != Outcome::Upgraded).then_some("an upgrade that does not succeed");
        match deviation(&scenario).or(fails) {
            Some(what) => Err(TemplateError::Deviates { scenario: scenario.name, what }),
            None => Ok(Template { scenario }),
        }
    }

    /// The scenario of a leap: one of its own, as a person would write it.
    ///
    /// # Errors
    /// What the template says does not hold between these versions.
    pub fn leap(&self, leap: &Leap, versions: &Versions, rule: Option<RefusalRule>) -> Result<Scenario, TemplateError> {
        let choice = |at: usize| versions.at(at).choice.clone();
        let mut scenario = self.scenario.clone();
        scenario.name = name(&self.scenario.name, leap, versions);
        scenario.description = Some(format!("{} between other versions: {}", self.scenario.name, leap.told(versions)));
        scenario.labels = Vec::new();
        scenario.field = None;
        scenario.known_failures = Vec::new();
        (scenario.from, scenario.to) = (choice(leap.from), choice(leap.to));
        scenario.given.retain(|given| !matches!(given, Given::UpgradedFrom(_)));
        scenario.given.extend(leap.came_by.iter().map(|at| Given::UpgradedFrom(choice(*at))));
        if let Some(rule) = rule {
            scenario.rollback = Rollback::Never;
            scenario.expect = Expect {
                outcome: Outcome::Refused,
                refused_by: Some(rule),
                outage: Some(OutageBudget { at_most: std::time::Duration::ZERO }),
                restored: Some(true),
                ..Expect::default()
            };
        }
        let source = scenario.to_yaml();
        parse(&source, &format!("{}.yaml", scenario.name)).map_err(|problems| TemplateError::Leap {
            scenario: self.scenario.name.clone(),
            leap: leap.told(versions),
            problems: Box::new(problems),
        })
    }
}

/// The name of a leap's scenario: `haproxy-appliance-swap-v0-1-9-to-v0-2-0-by-v0-1-8`.
fn name(template: &str, leap: &Leap, versions: &Versions) -> String {
    let word = |at: &usize| match &versions.at(*at).choice {
        VersionChoice::Catalogue(name) => kebab(name),
        VersionChoice::Own(_) => format!("own-{}-{}", kebab(&versions.at(*at).version.number.to_string()), at + 1),
    };
    let mut name = format!("{template}-{}-to-{}", word(&leap.from), word(&leap.to));
    if !leap.came_by.is_empty() {
        name += &format!("-by-{}", leap.came_by.iter().map(word).collect::<Vec<_>>().join("-"));
    }
    name
}

fn kebab(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use grenadier_scenario::load;

    use super::*;
    use crate::testing::question;

    #[test]
    fn the_scenario_of_a_leap_says_where_the_appliance_came_from() {
        let question = question();
        let leap = Leap { came_by: vec![0, 1], from: 2, to: 3 };
        let scenario = question.templates()[0].leap(&leap, question.versions(), None).unwrap();
        assert_eq!(scenario.name, "haproxy-appliance-swap-v0-1-10-to-v0-2-0-by-v0-1-8-v0-1-9");
        let earlier: Vec<String> = scenario.earlier_versions().into_iter().map(|version| version.name).collect();
        assert_eq!(earlier, ["v0.1.8", "v0.1.9"]);
        assert_eq!(
            (scenario.base_version().name.as_str(), scenario.target_version().name.as_str()),
            ("v0.1.10", "v0.2.0")
        );
        assert_eq!(scenario.expect, question.templates()[0].scenario.expect);
    }

    #[test]
    fn a_forbidden_leap_must_be_refused_by_its_rule_and_touch_nothing() {
        let question = question();
        let leap = Leap::fresh(3, 0);
        let scenario = question.templates()[0].leap(&leap, question.versions(), question.rule(&leap)).unwrap();
        assert_eq!(scenario.expect.refused_by, Some(RefusalRule::TargetNotNewer));
        assert_eq!((scenario.expect.outcome, scenario.expect.restored), (Outcome::Refused, Some(true)));
    }

    #[test]
    fn a_scenario_in_which_more_than_versions_decide_is_no_template() {
        for (name, what) in [
            ("haproxy-appliance-power-on-fails", "faults"),
            ("haproxy-appliance-both-on", "events"),
            ("haproxy-appliance-refuse-certificate-missing", "a base that deviates"),
            ("haproxy-appliance-refuse-address-plan-differs", "inputs for the target that differ from the base's"),
            ("haproxy-appliance-refuse-target-not-newer", "an upgrade that does not succeed"),
        ] {
            let error = Template::new(&load(name).unwrap(), None).unwrap_err();
            assert!(error.to_string().ends_with(&format!("it has {what}")), "{error}");
        }
        let error = Template::new(&load("haproxy-appliance-swap").unwrap(), Some("hardend")).unwrap_err();
        assert_eq!(error.hint(), "did you mean `hardened`?");
    }
}
