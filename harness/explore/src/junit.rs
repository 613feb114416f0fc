//! `junit.xml` of an exploration.

use grenadier_checks::ExitCode;
use grenadier_report::{JunitCase, JunitError, JunitStatus, junit_suite, suite_name};

use crate::Exploration;

/// [`junit_cases`] as XML.
///
/// # Errors
/// Where the XML cannot be written; the texts in it are no reason for that.
pub fn junit(exploration: &Exploration) -> Result<String, JunitError> {
    let Exploration { scenario, system, .. } = exploration;
    junit_suite(&suite_name(system, scenario, "explore", None), &junit_cases(exploration))
}

/// One test case for the exploration, one for each distinct failure, one for each known failure that is none any more.
pub fn junit_cases(exploration: &Exploration) -> Vec<JunitCase> {
    let Exploration { scenario, seed, cases, enumerated, failed, .. } = exploration;
    let bad = exploration.failures.iter().filter(|failure| failure.known.is_none()).count();
    let summary = format!("{cases} of {enumerated} cases, {failed} failed, {bad} distinct failures nobody knows of");
    let status = match exploration.exit_code() {
        ExitCode::Passed => JunitStatus::Passed,
        ExitCode::Failed => JunitStatus::Failed,
        ExitCode::Input | ExitCode::Environment | ExitCode::Interrupted => JunitStatus::Error,
    };
    let details = format!("seed {seed}\nreplay: grenadier explore {scenario}");
    let mut lines = vec![JunitCase { name: "exploration".to_owned(), status, message: summary, details }];
    for failure in &exploration.failures {
        let (status, known) = match &failure.known {
            Some(issue) => (JunitStatus::Skipped, format!("known: {issue}\n")),
            None if matches!(failure.signature.check.as_str(), "panic" | "unfit") => {
                (JunitStatus::Error, String::new())
            }
            None => (JunitStatus::Failed, String::new()),
        };
        lines.push(JunitCase {
            name: failure.signature.to_string(),
            status,
            message: failure.message.clone(),
            details: format!("{known}in {} cases\n{}", failure.cases, failure.case),
        });
    }
    for known in exploration.mended() {
        lines.push(JunitCase {
            name: known.signature.clone(),
            status: JunitStatus::Failed,
            message: "known to fail, but does not any more: take it out of known-failures".to_owned(),
            details: format!("{}\n{}", known.reason, known.issue),
        });
    }
    lines
}
