//! `grenadier new`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use grenadier_checks::ExitCode;
use grenadier_scenario::{Fault, parse};
use thiserror::Error;

use crate::arguments::{Format, New};
use crate::output::{line, report};

/// The new scenario cannot be made from the old one's text.
#[derive(Debug, Error)]
enum NewError {
    #[error("`{from}` has its faults on one line, where none can be added")]
    Faults { from: String },
    #[error("write {}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

pub(crate) fn run(arguments: &New) -> ExitCode {
    let loaded = match super::load::scenario(&arguments.from, Format::Text) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let mut disturbed = loaded.scenario.clone();
    if let Err(code) = super::load::faults(&mut disturbed, &arguments.faults, Format::Text) {
        return code;
    }
    let added = &disturbed.faults[loaded.scenario.faults.len()..];
    let Some(text) = with_faults(&renamed(&loaded.source, &arguments.name), added) else {
        let error = NewError::Faults { from: arguments.from.clone() };
        return report(ExitCode::Input, &error, Some("write them one below the other, each behind a `-`"));
    };
    let path = arguments.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.yaml", arguments.name)));
    if let Err(problems) = parse(&text, &path.display().to_string()) {
        return super::load::complained(&[problems.into()], Format::Text);
    }
    let written = OpenOptions::new().write(true).create_new(true).open(&path);
    if let Err(source) = written.and_then(|mut file| file.write_all(text.as_bytes())) {
        let there = source.kind() == ErrorKind::AlreadyExists;
        let code = if there { ExitCode::Input } else { ExitCode::Environment };
        return report(code, &NewError::Write { path, source }, Some("choose another file with --out"));
    }
    let path = path.display();
    if arguments.quiet.quiet {
        line(&path.to_string());
        return ExitCode::Passed;
    }
    line(&format!("{path} begins as {} does", arguments.from));
    line(&format!("run it    grenadier run {path}"));
    line(&format!("break it  grenadier explore {path}"));
    ExitCode::Passed
}

/// The text with another name, and without the line that tells editors where the schema is: the file lies elsewhere.
fn renamed(source: &str, name: &str) -> String {
    let lines = source.lines().filter(|line| !line.starts_with("# yaml-language-server:"));
    let renamed = lines.map(|line| if line.starts_with("name:") { format!("name: {name}") } else { line.to_owned() });
    renamed.fold(String::new(), |text, line| text + &line + "\n")
}

/// The text with more faults behind those it has, or before what it expects. None where it has them in one line.
fn with_faults(text: &str, faults: &[Fault]) -> Option<String> {
    if faults.is_empty() {
        return Some(text.to_owned());
    }
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let items = faults.iter().flat_map(|fault| {
        let said = serde_json::to_value(fault).expect("a fault is a plain object");
        let fields = said.as_object().into_iter().flatten();
        let field =
            |(name, value): (&String, &serde_json::Value)| format!("{name}: {}", value.as_str().unwrap_or_default());
        let fields: Vec<String> = fields.map(field).collect();
        let lead = |at: usize| if at == 0 { "  - " } else { "    " };
        fields.into_iter().enumerate().map(|(at, field)| format!("{}{field}", lead(at))).collect::<Vec<_>>()
    });
    let key = lines.iter().position(|line| line.starts_with("faults:"));
    let at = match key {
        Some(key) if lines[key].trim_end() != "faults:" => return None,
        Some(key) => key + 1,
        None => {
            let before = lines.iter().position(|line| line.starts_with("expect:")).unwrap_or(lines.len());
            lines.insert(before, "faults:".to_owned());
            before + 1
        }
    };
    let items: Vec<String> = items.collect();
    lines.splice(at..at, items);
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use grenadier_scenario::{add_faults, embedded, load};

    use super::*;

    #[test]
    fn every_embedded_scenario_can_be_begun_from_and_broken() {
        for scenario in embedded() {
            let mut disturbed = load(scenario.name).unwrap().scenario;
            let had = disturbed.faults.len();
            add_faults(&mut disturbed, &["deploy-new=partition:new-appliance:60s".into()]).unwrap();
            let text = with_faults(&renamed(scenario.source, "mine"), &disturbed.faults[had..]).unwrap();
            let made = parse(&text, "mine.yaml")
                .unwrap_or_else(|problems| panic!("{}", problems.render(grenadier_scenario::Style::Plain)));
            assert_eq!((made.name.as_str(), made.faults.len()), ("mine", had + 1), "{}", scenario.name);
            assert!(made.faults.contains(&disturbed.faults[had]), "{}", scenario.name);
        }
    }

    #[test]
    fn comments_stay_and_one_line_of_faults_is_refused() {
        let text = "# yaml-language-server: $schema=x\n# why\nname: old\nfaults: [{at: a, do: b}]\n";
        assert_eq!(renamed(text, "mine"), "# why\nname: mine\nfaults: [{at: a, do: b}]\n");
        let fault = Fault::new(
            "deploy-new".parse::<grenadier_catalog::FaultPlace>().unwrap(),
            grenadier_catalog::FaultKind::DiskFull,
        );
        assert_eq!(with_faults(text, std::slice::from_ref(&fault)), None);
        let made =
            with_faults("name: mine\nhorizon: 10m\nexpect:\n  outcome: upgraded\n", std::slice::from_ref(&fault));
        let item = "faults:\n  - at: deploy-new\n    do: disk-full\n";
        let want = format!("name: mine\nhorizon: 10m\n{item}expect:\n  outcome: upgraded\n");
        assert_eq!(made.as_deref(), Some(want.as_str()));
        let more = with_faults("faults:\n  - {at: a, do: b}\n", &[fault]);
        assert_eq!(more.as_deref(), Some(format!("{item}  - {{at: a, do: b}}\n").as_str()));
        assert_eq!(with_faults(text, &[]).as_deref(), Some(text));
    }
}
