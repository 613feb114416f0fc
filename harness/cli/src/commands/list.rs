//! `grenadier list`.

use grenadier_checks::ExitCode;
use grenadier_outputs::{Listing, pretty};
use grenadier_scenario::{Embedded, Field, Scenario, embedded, parse};

use crate::arguments::{Format, List};
use crate::output::{line, print};

pub(crate) fn run(arguments: &List) -> ExitCode {
    let scenario =
        |it: &Embedded| parse(it.source, it.path).expect("embedded scenarios are tested to be without problems");
    let asked = |scenario: &Scenario| {
        (!arguments.field || scenario.field.is_some()) && arguments.symptom.iter().all(|text| shows(scenario, text))
    };
    let scenarios: Vec<Scenario> = embedded().iter().map(scenario).filter(asked).collect();
    match arguments.format {
        Format::Json => {
            print(&pretty(&Listing::of(&scenarios)));
        }
        Format::Text if arguments.quiet.quiet => scenarios.iter().for_each(|scenario| line(&scenario.name)),
        Format::Text if scenarios.is_empty() => {
            line("no scenario that comes with the product is recognised by that");
            line("\nsee all symptoms with: grenadier list --field");
        }
        Format::Text => {
            let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or_default();
            for Scenario { name, from, to, description, field, .. } in &scenarios {
                let description = description.as_deref().unwrap_or_default();
                line(&format!("{name:width$}  {from} → {to}  {description}"));
                let field = field.as_ref().filter(|_| arguments.field || !arguments.symptom.is_empty());
                if let Some(field) = field {
                    line(&format!("{:width$}  {}: {}", "", sources(field), field.symptoms.join(" · ")));
                }
            }
            line("\nrun one with: grenadier run <name>");
        }
    }
    ExitCode::Passed
}

/// Whether this is how the scenario's failure is recognised.
fn shows(scenario: &Scenario, text: &str) -> bool {
    let Some(field) = &scenario.field else { return false };
    let text = text.to_lowercase();
    let said = field.symptoms.iter().map(String::as_str).chain(scenario.description.as_deref());
    said.chain([sources(field).as_str()]).any(|said| said.to_lowercase().contains(&text))
}

/// Where the failure is reported.
fn sources(field: &Field) -> String {
    [field.source.issue.as_deref(), field.source.document.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}
