//! `grenadier list`.

use grenadier_checks::ExitCode;
use grenadier_scenario::{embedded, parse};
use serde_json::json;

use crate::arguments::{Format, List};
use crate::output::line;

pub(crate) fn run(arguments: &List) -> ExitCode {
    let mut rows = Vec::new();
    for scenario in embedded() {
        let parsed =
            parse(scenario.source, scenario.path).expect("embedded scenarios are tested to be without problems");
        rows.push((parsed.name, parsed.system, parsed.from.to_string(), parsed.to.to_string(), parsed.description));
    }
    match arguments.format {
        Format::Json => {
            let rows: Vec<_> = rows
                .iter()
                .map(|(name, system, from, to, description)| {
                    json!({"name": name, "system": system, "from": from, "to": to, "description": description})
                })
                .collect();
            line(&serde_json::to_string_pretty(&rows).expect("rows are plain JSON"));
        }
        Format::Text => {
            let width = rows.iter().map(|row| row.0.len()).max().unwrap_or_default();
            for (name, _, from, to, description) in &rows {
                let description = description.as_deref().unwrap_or_default();
                line(&format!("{name:width$}  {from} → {to}  {description}"));
            }
            line("\nrun one with: grenadier run <name>");
        }
    }
    ExitCode::Passed
}
