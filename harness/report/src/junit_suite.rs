//! JUnit XML of something that is no single run.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::JunitError;
use crate::junit::{block, line};

/// One test case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JunitCase {
    /// Its name; the suite's is put before it.
    pub name: String,
    /// How it ended.
    pub status: JunitStatus,
    /// In one line.
    pub message: String,
    /// More about it.
    pub details: String,
}

/// How a test case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JunitStatus {
    /// Well.
    Passed,
    /// What is tested failed.
    Failed,
    /// Nothing can be said of what is tested.
    Error,
    /// It does not count.
    Skipped,
}

/// A suite of test cases as JUnit XML, with what XML forbids stripped and every text bounded.
///
/// # Errors
/// Where the XML cannot be written; the texts in it are no reason for that.
pub fn junit_suite(name: &str, cases: &[JunitCase]) -> Result<String, JunitError> {
    let mut suite = TestSuite::new(line(name));
    for given in cases {
        let mut status = match given.status {
            JunitStatus::Passed => TestCaseStatus::success(),
            JunitStatus::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
            JunitStatus::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
            JunitStatus::Skipped => TestCaseStatus::skipped(),
        };
        if given.status != JunitStatus::Passed {
            status.set_message(line(&given.message));
        }
        if matches!(given.status, JunitStatus::Failed | JunitStatus::Error) {
            status.set_description(block(&format!("{}\n{}", given.message, given.details)));
        }
        let mut case = TestCase::new(line(&format!("{name}/{}", given.name)), status);
        case.set_classname(line(name));
        case.set_system_out(block(&format!("{}\n{}", given.message, given.details)));
        suite.add_test_case(case);
    }
    let mut report = Report::new("grenadier");
    report.add_test_suite(suite);
    Ok(report.to_string()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strict_parser_takes_it_and_counts() {
        let case = |name: &str, status| JunitCase {
            name: name.to_owned(),
            status,
            message: "what ]]> \u{1b}[31m".to_owned(),
            details: "a\nb & c".to_owned(),
        };
        use JunitStatus::{Error, Failed, Passed, Skipped};
        let cases = [case("a", Passed), case("b", Failed), case("c", Error), case("d", Skipped)];
        let xml = junit_suite("system/scenario[explore]", &cases).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        let count = |name: &str| suite.attribute(name).unwrap_or("none");
        assert_eq!((count("tests"), count("failures"), count("errors"), count("skipped")), ("4", "1", "1", "1"));
        assert!(xml.contains("system/scenario[explore]/b"), "{xml}");
    }
}
