//! `junit.xml` of an exploration.

use grenadier_report::{JunitCase, JunitError, JunitStatus, junit_suite};

use crate::Exploration;

/// One test case for the exploration, one for each distinct failure, one for each known failure that is none any more.
///
/// # Errors
/// Where the XML cannot be written; the texts in it are no reason for that.
pub fn junit(exploration: &Exploration) -> Result<String, JunitError> {
    let Exploration { scenario, system, cases, enumerated, failed, .. } = exploration;
    let suite = format!("{system}/{scenario}[explore]");
    let bad = exploration.failures.iter().filter(|failure| failure.known.is_none()).count();
    let summary = format!("{cases} of {enumerated} cases, {failed} failed, {bad} distinct failures nobody knows of");
    let status = if exploration.exit_code().code() == 0 { JunitStatus::Passed } else { JunitStatus::Failed };
    let mut lines =
        vec![JunitCase { name: "exploration".to_owned(), status, message: summary, details: String::new() }];
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
    junit_suite(&suite, &lines)
}
