//! `grenadier list`.

use grenadier_checks::ExitCode;
use grenadier_scenario::{Embedded, Scenario, embedded, parse};
use serde_json::json;

use crate::arguments::{Format, List};
use crate::output::line;

pub(crate) fn run(arguments: &List) -> ExitCode {
    let scenario =
        |it: &Embedded| parse(it.source, it.path).expect("embedded scenarios are tested to be without problems");
    let scenarios: Vec<Scenario> = embedded().iter().map(scenario).collect();
    match arguments.format {
        Format::Json => {
            let rows: Vec<_> = scenarios
                .iter()
                .map(|scenario| {
                    let Scenario { name, system, labels, description, .. } = scenario;
                    let (from, to) = (scenario.from.to_string(), scenario.to.to_string());
                    json!({
                        "name": name, "system": system, "from": from, "to": to, "labels": labels,
                        "description": description,
                    })
                })
                .collect();
            line(&serde_json::to_string_pretty(&rows).expect("rows are plain JSON"));
        }
        Format::Text => {
            let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or_default();
            for Scenario { name, from, to, description, .. } in &scenarios {
                let description = description.as_deref().unwrap_or_default();
                line(&format!("{name:width$}  {from} → {to}  {description}"));
            }
            line("\nrun one with: grenadier run <name>");
        }
    }
    ExitCode::Passed
}
