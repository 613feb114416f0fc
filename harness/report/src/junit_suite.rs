//! JUnit XML of something that is no single run.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::JunitError;
use crate::junit::{JunitReport, block, line};

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

/// How many test cases one suite carries: a viewer shows no more, and a broken engine may fail everywhere.
const MOST_CASES: usize = 300;

/// A suite of test cases as JUnit XML: [`JunitReport::add_suite`] alone.
///
/// # Errors
/// Where the XML cannot be written; the texts in it are no reason for that.
pub fn junit_suite(name: &str, cases: &[JunitCase]) -> Result<String, JunitError> {
    let mut report = JunitReport::default();
    report.add_suite(name, None, cases);
    report.to_xml()
}

/// Adds `cases` to the suite called `name`; of too many the last one says how many are left out.
pub(crate) fn add_cases(suite: &mut TestSuite, name: &str, cases: &[JunitCase]) {
    for given in cases.iter().take(MOST_CASES) {
        suite.add_test_case(test_case(name, given));
    }
    if let Some(more) = cases.len().checked_sub(MOST_CASES).filter(|more| *more > 0) {
        let left_out = JunitCase {
            name: "more".to_owned(),
            status: JunitStatus::Skipped,
            message: format!("{more} more test cases are left out here"),
            details: String::new(),
        };
        suite.add_test_case(test_case(name, &left_out));
    }
}

fn test_case(suite: &str, given: &JunitCase) -> TestCase {
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
    let mut case = TestCase::new(line(&format!("{suite}/{}", given.name)), status);
    case.set_classname(line(suite));
    case.set_system_out(block(&format!("{}\n{}", given.message, given.details)));
    case
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

    #[test]
    fn of_too_many_cases_the_last_says_how_many_are_left_out() {
        let case = |number| JunitCase {
            name: format!("case-{number}"),
            status: JunitStatus::Failed,
            message: "x".repeat(100_000),
            details: String::new(),
        };
        let cases: Vec<JunitCase> = (0..MOST_CASES + 7).map(case).collect();
        let xml = junit_suite("suite", &cases).unwrap();
        assert_eq!(xml.matches("<testcase ").count(), MOST_CASES + 1);
        assert!(xml.contains("7 more test cases are left out here"), "{}", &xml[xml.len() - 500..]);
        assert!(xml.len() < 10_000_000, "{}", xml.len());
    }
}
