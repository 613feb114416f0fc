//! What must hold of the files that people write, whatever the bytes: for property tests and fuzzers.

use grenadier_catalog::{CallAddress, parse_duration};

use crate::{Case, Diagnostics, Origin, Style, parse, parse_case, parse_profile};

/// A scenario reads, or its problems lie inside the file and can be shown.
pub fn scenario(bytes: &[u8]) {
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    match parse(source, "any.yaml") {
        Err(problems) => shown(source, &problems),
        // A case of it holds the document itself.
        Ok(scenario) => {
            let case = Case::of(Origin::Document(source.to_owned()), scenario);
            let written = case.to_yaml("case.yaml");
            let again = parse_case(&written, "case.yaml").unwrap_or_else(|error| panic!("{error}:\n{written}"));
            assert_eq!(again.scenario, case.scenario, "{written}");
        }
    }
}

/// A case reads or has problems, and one that reads is written so that it reads as the same.
pub fn case(bytes: &[u8]) {
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    // A case may name a file; none is opened here.
    if source.lines().any(|line| line.contains("scenario") && line.contains(['/', '\\', '.'])) {
        return;
    }
    let Ok(case) = parse_case(source, "any.yaml") else { return };
    let written = case.to_yaml("any.yaml");
    let again = parse_case(&written, "any.yaml").unwrap_or_else(|error| panic!("{error}:\n{written}"));
    assert_eq!(
        (&again.scenario, again.ties, &again.overturned),
        (&case.scenario, case.ties, &case.overturned),
        "{written}"
    );
    assert_eq!(again.to_yaml("any.yaml"), written);
}

/// A gate's profile reads, or its problems lie inside the file and can be shown.
pub fn profile(bytes: &[u8]) {
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    if let Err(problems) = parse_profile(source, "any.yaml") {
        shown(source, &problems);
    }
}

/// Problems lie inside the file and can be shown.
fn shown(source: &str, problems: &Diagnostics) {
    let lines = source.lines().count() + 1;
    for problem in problems.iter() {
        assert!((1..=lines).contains(&problem.line), "{problem:?}");
        assert!(problem.column >= 1 && !problem.message.is_empty(), "{problem:?}");
    }
    assert!(problems.render(Style::Plain).contains("any.yaml"));
    assert!(problems.render(Style::Fancy).contains("any.yaml"));
}

/// Names on the command line: a call's address, a length of time.
pub fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(address) = text.parse::<CallAddress>() {
        let written = address.to_string();
        assert_eq!(written.parse::<CallAddress>().as_ref(), Ok(&address), "{written}");
    }
    if let Ok(length) = parse_duration(text) {
        let written = grenadier_catalog::format_duration(length);
        assert_eq!(parse_duration(&written), Ok(length), "{written}");
    }
}
