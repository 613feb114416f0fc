//! From case to text.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Case, JudgedBy, Origin};
use crate::{Scenario, parse};

impl Case {
    /// The case as a YAML document that reads back to it. `path` is where it will be, for its first line.
    pub fn to_yaml(&self, path: &str) -> String {
        let mut text = format!("# grenadier replay {path}\n");
        if let Some(shows) = &self.shows {
            line(&mut text, &format!("shows: {shows}"));
        }
        match &self.origin {
            Origin::Name(name) | Origin::Path(name) => line(&mut text, &format!("scenario: {}", scalar(name))),
            Origin::Document(source) => {
                text.push_str("scenario:\n");
                text.push_str(&nested(source, &self.scenario));
            }
        }
        if self.scenario.engine.in_place_of.is_some() {
            line(&mut text, &format!("procedure: {}", self.scenario.engine.procedure));
        }
        line(&mut text, &format!("seed: {}", self.scenario.seed));
        if let Some(ties) = self.ties {
            line(&mut text, &format!("ties: {ties}"));
        }
        if self.scenario.timing.profile != self.declared.timing.profile {
            text.push_str("timing:");
            let profile = serde_json::to_value(&self.scenario.timing.profile).expect("lengths have names");
            below(&mut text, &profile, 0);
        }
        if self.scenario.timing.jitter != self.declared.timing.jitter {
            line(&mut text, &format!("jitter: {}", self.scenario.timing.jitter));
        }
        if !self.overturned.is_empty() {
            let ids: Vec<&str> = self.overturned.iter().map(String::as_str).collect();
            line(&mut text, &format!("overturned: [{}]", ids.join(", ")));
        }
        let faults = serde_json::to_value(&self.scenario.faults).expect("faults have string keys");
        text.push_str(if self.scenario.faults.is_empty() { "faults: []\n" } else { "faults:\n" });
        list(&mut text, &faults, 2);
        if self.judged == JudgedBy::Exploration {
            text.push_str("judged: exploration\n");
        }
        text
    }
}

impl Scenario {
    /// The scenario as a YAML document that reads back to it, with every default written out.
    pub fn to_yaml(&self) -> String {
        let value = serde_json::to_value(self).expect("a scenario has string keys");
        let mut text = String::new();
        map(&mut text, &value, 0);
        text
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes everything");
}

/// The document below a key: its own text moved to the right, comments and all, where that means the same; else its values.
fn nested(source: &str, scenario: &Scenario) -> String {
    let indented = |line: &str| if line.trim().is_empty() { "\n".to_owned() } else { format!("  {line}\n") };
    let moved: String = source.lines().map(indented).collect();
    // A document that begins with a marker or a directive cannot be moved.
    let within = format!("scenario:\n{moved}");
    let same = super::parse_case(&within, "case.yaml").is_ok_and(|case| {
        let original = parse(source, "scenario.yaml");
        original.is_ok_and(|original| original == case.scenario && original.name == scenario.name)
    });
    if same {
        return moved;
    }
    scenario.to_yaml().lines().map(indented).collect()
}

fn map(text: &mut String, value: &Value, indent: usize) {
    for (key, value) in value.as_object().into_iter().flatten() {
        text.push_str(&" ".repeat(indent));
        text.push_str(key);
        text.push(':');
        below(text, value, indent);
    }
}

fn list(text: &mut String, value: &Value, indent: usize) {
    for item in value.as_array().into_iter().flatten() {
        if item.as_object().is_some_and(|fields| !fields.is_empty()) {
            let mut fields = String::new();
            map(&mut fields, item, indent + 2);
            text.push_str(&" ".repeat(indent));
            text.push_str("- ");
            text.push_str(fields.trim_start());
        } else {
            text.push_str(&" ".repeat(indent));
            text.push('-');
            below(text, item, indent);
        }
    }
}

/// What stands behind a colon or a hyphen.
fn below(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(fields) if fields.is_empty() => text.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => text.push_str(" []\n"),
        Value::Object(_) => {
            text.push('\n');
            map(text, value, indent + 2);
        }
        Value::Array(_) => {
            text.push('\n');
            list(text, value, indent + 2);
        }
        Value::String(value) => line(text, &format!(" {}", scalar(value))),
        other => line(text, &format!(" {other}")),
    }
}

/// A text as YAML writes it: plain where nothing in it means something, else in quotes.
fn scalar(text: &str) -> String {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '/');
    let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || " _./{}#+-%@".contains(c));
    let word = !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    if first && rest && word && !text.contains(" #") && !text.ends_with(' ') {
        return text.to_owned();
    }
    serde_json::to_string(text).expect("a text is JSON")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use grenadier_catalog::TimingField;

    use super::*;
    use crate::{TimingProfile, embedded, parse_case};

    fn round_trip(case: &Case) -> String {
        let text = case.to_yaml("case.yaml");
        let read = parse_case(&text, "case.yaml").unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read.scenario, case.scenario, "{text}");
        assert_eq!((read.ties, read.judged, &read.shows), (case.ties, case.judged, &case.shows));
        text
    }

    #[test]
    fn every_embedded_scenario_survives_by_name_and_as_a_document() {
        for embedded in embedded() {
            let mut scenario = parse(embedded.source, embedded.path).unwrap();
            scenario.seed = 77;
            round_trip(&Case::of(Origin::Name(embedded.name.to_owned()), scenario.clone()));
            let text = round_trip(&Case::of(Origin::Document(embedded.source.to_owned()), scenario));
            let kept = embedded.source.lines().filter(|line| !line.is_empty()).all(|line| text.contains(line));
            assert!(kept, "the document is there as it was written");
        }
    }

    #[test]
    fn a_document_that_cannot_be_moved_is_written_anew() {
        let embedded = embedded().iter().find(|it| it.name == "haproxy-appliance-power-on-fails").unwrap();
        let source = format!("---\n{}", embedded.source);
        let scenario = parse(&source, "scenario.yaml").unwrap();
        let text = round_trip(&Case::of(Origin::Document(source), scenario));
        assert!(!text.contains("---"), "{text}");
    }

    #[test]
    fn faults_ties_and_judgement_are_written() {
        let source = embedded().iter().find(|it| it.name == "haproxy-appliance-power-on-fails").unwrap().source;
        let mut case = Case::of(Origin::Document(source.to_owned()), parse(source, "scenario.yaml").unwrap());
        let fault = |text: &str| crate::parse_fault(text, &case.scenario).unwrap();
        case.scenario.faults = vec![
            fault("verify-routes/dataplane.PUT /transactions/{id}#12=hang"),
            fault("verify-routes/dataplane.GET /info#1=slow:5s"),
            fault("deploy-new=crash-after:rollback"),
            fault("verify-services=partition:new-appliance:1m"),
        ];
        case.ties = Some(9);
        case.scenario.timing.jitter = "7%".parse().unwrap();
        case.scenario.timing.profile = TimingProfile::Own([(TimingField::PowerOn, Duration::from_millis(480))].into());
        case.judged = JudgedBy::Exploration;
        case.shows = Some("outcome/engine-stuck/verify-routes/hang".to_owned());
        let text = round_trip(&case);
        assert!(text.contains("  - at: verify-routes/dataplane.PUT /transactions/{id}#12\n    do: hang\n"), "{text}");
        assert!(text.contains("  - at: deploy-new\n    do: crash-after\n    then: rollback\n"), "{text}");
        assert!(text.contains("timing:\n  power-on: \"480ms\"\n"), "{text}");
        case.scenario.faults.clear();
        round_trip(&case);
    }
}
