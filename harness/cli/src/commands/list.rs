//! `grenadier list`.

use grenadier_checks::ExitCode;
use grenadier_scenario::{Embedded, Field, Scenario, embedded, parse};
use serde_json::json;

use crate::arguments::{Format, List};
use crate::output::line;

pub(crate) fn run(arguments: &List) -> ExitCode {
    let scenario =
        |it: &Embedded| parse(it.source, it.path).expect("embedded scenarios are tested to be without problems");
    let asked = |scenario: &Scenario| {
        (!arguments.field || scenario.field.is_some()) && arguments.symptom.iter().all(|text| shows(scenario, text))
    };
    let scenarios: Vec<Scenario> = embedded().iter().map(scenario).filter(asked).collect();
    match arguments.format {
        Format::Json => {
            let rows: Vec<_> = scenarios
                .iter()
                .map(|scenario| {
                    let Scenario { name, system, labels, description, field, .. } = scenario;
                    let (from, to) = (scenario.from.to_string(), scenario.to.to_string());
                    json!({
                        "name": name, "system": system, "from": from, "to": to, "labels": labels,
                        "description": description, "field": field,
                    })
                })
                .collect();
            line(&serde_json::to_string_pretty(&rows).expect("rows are plain JSON"));
        }
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
