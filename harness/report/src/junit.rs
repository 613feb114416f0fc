//! JUnit XML, as GitLab, Jenkins and GitHub actions read it.

use std::time::Duration;

use grenadier_catalog::{Check, Named};
use grenadier_checks::{CheckLine, Subject, Verdict, Word};
use grenadier_events::CheckStatus;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};
use thiserror::Error;

use crate::junit_suite::{self, JunitCase};
use crate::text;

/// How much of a text one test case carries, in characters. GitLab refuses files above 30 MB and shows little of a long text.
const MOST_CHARS: usize = 8_000;
/// How much one line (a message, a name) may hold.
const MOST_LINE_CHARS: usize = 500;

/// Why no JUnit report could be made.
#[derive(Debug, Error)]
#[error("JUnit report could not be written: {0}")]
pub struct JunitError(#[from] quick_junit::SerializeError);

/// A JUnit report that grows by suites.
#[derive(Clone, Debug)]
pub struct JunitReport(Report);

impl Default for JunitReport {
    fn default() -> JunitReport {
        JunitReport(Report::new("grenadier"))
    }
}

impl JunitReport {
    /// Adds a run: one suite, one test case for the verdict, one for each check, and `more`.
    ///
    /// Names are `system/scenario[world]/check`, unique in a pipeline that joins the files of many scenarios, both worlds and
    /// every procedure (GitLab drops the second of two equal names). The verdict comes first, because a viewer shows the
    /// beginning. A failed check is a `failure`; what says nothing about the upgrade (a canary down, a required check not made)
    /// is an `error`; what does not apply is `skipped`. `time` is how long it took.
    pub fn add_run(&mut self, verdict: &Verdict, time: Duration, more: &[JunitCase]) {
        let name = suite_of(&verdict.run);
        let mut suite = TestSuite::new(line(&name));
        suite.set_time(time);
        for (name, value) in [
            ("seed", verdict.run.seed.to_string()),
            ("replay", verdict.run.replay.clone()),
            ("base", verdict.run.base.clone()),
            ("target", verdict.run.target.clone()),
            ("verdict", verdict.verdict.name().to_owned()),
            ("procedure", verdict.run.procedure.clone().unwrap_or_default()),
        ] {
            if value.is_empty() {
                continue;
            }
            suite.add_property((line(name), line(&value)));
        }
        suite.add_test_case(verdict_case(verdict, &name, time));
        for check in &verdict.checks {
            suite.add_test_case(check_case(verdict, check, &name));
        }
        junit_suite::add_cases(&mut suite, &name, more);
        suite.set_system_out(block(&how_to_replay(verdict)));
        self.add_timed(suite, time);
    }

    /// Adds a suite of something that is no single run, and how long it took, where that is known.
    pub fn add_suite(&mut self, name: &str, time: Option<Duration>, cases: &[JunitCase]) {
        let mut suite = TestSuite::new(line(name));
        junit_suite::add_cases(&mut suite, name, cases);
        match time {
            Some(time) => {
                suite.set_time(time);
                self.add_timed(suite, time);
            }
            None => {
                self.0.add_test_suite(suite);
            }
        }
    }

    fn add_timed(&mut self, suite: TestSuite, time: Duration) {
        let before = self.0.time.unwrap_or_default();
        self.0.set_time(before + time);
        self.0.add_test_suite(suite);
    }

    /// The report as XML, with what XML forbids stripped and every text bounded.
    ///
    /// # Errors
    /// Where the XML cannot be written; the texts in it are no reason for that.
    pub fn to_xml(&self) -> Result<String, JunitError> {
        Ok(self.0.to_string()?)
    }
}

/// The verdict as JUnit XML: [`JunitReport::add_run`] alone, with the run's own time: virtual seconds in the virtual world.
///
/// # Errors
/// Where the XML cannot be written; the texts in it are no reason for that.
pub fn junit(verdict: &Verdict) -> Result<String, JunitError> {
    let mut report = JunitReport::default();
    report.add_run(verdict, Duration::from_nanos(verdict.ended_ns.as_ns()), &[]);
    report.to_xml()
}

/// The name of a suite: `system/scenario[place]`, or `system/scenario[place:procedure]` where it is not the scenario's own
/// procedure. The place is a world, or `explore`.
pub fn suite_name(system: &str, scenario: &str, place: &str, procedure: Option<&str>) -> String {
    let procedure = procedure.map(|name| format!(":{name}")).unwrap_or_default();
    format!("{system}/{scenario}[{place}{procedure}]")
}

/// The name of a run's suite.
pub fn suite_of(run: &Subject) -> String {
    suite_name(&run.system, &run.scenario, run.world.name(), run.procedure.as_deref())
}

fn verdict_case(verdict: &Verdict, suite: &str, time: Duration) -> TestCase {
    let status = match verdict.verdict {
        Word::Passed => TestCaseStatus::success(),
        Word::Failed => non_success(NonSuccessKind::Failure, None, &verdict.summary, &verdict.reasons),
        Word::Unfit | Word::Interrupted => non_success(NonSuccessKind::Error, None, &verdict.summary, &verdict.reasons),
    };
    let mut case = case(suite, "verdict", status);
    case.set_time(time);
    case.set_system_out(block(&format!("{}\n{}", verdict.summary, how_to_replay(verdict))));
    case
}

fn check_case(verdict: &Verdict, check: &CheckLine, suite: &str) -> TestCase {
    let result = &check.result;
    let bad = |kind, message: &str| non_success(kind, Some(&verdict.summary), message, &result.evidence);
    let status = match (result.status, check.is_good()) {
        (CheckStatus::Pass | CheckStatus::Fail, true) => TestCaseStatus::success(),
        // A canary says something about the environment, not about the upgrade.
        (CheckStatus::Fail, false) if result.check == Check::Canary => bad(NonSuccessKind::Error, &result.message),
        (CheckStatus::Fail, false) => bad(NonSuccessKind::Failure, &result.message),
        (CheckStatus::Pass, false) => {
            let message = format!("must fail in this scenario, but passed: {}", result.message);
            bad(NonSuccessKind::Failure, &message)
        }
        (CheckStatus::NotCovered, false) => {
            bad(NonSuccessKind::Error, &format!("required, but not covered: {}", result.message))
        }
        (CheckStatus::NotCovered, true) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(line(&result.message));
            status
        }
    };
    let mut case = case(suite, result.check.name(), status);
    let mut out = String::new();
    if result.status == CheckStatus::Fail && check.is_good() {
        out += "failed, as the scenario expects\n";
    }
    for line in std::iter::once(&result.message).chain(&result.evidence) {
        out += line;
        out.push('\n');
    }
    out += &how_to_replay(verdict);
    case.set_system_out(block(&out));
    case
}

fn case(suite: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(line(&format!("{suite}/{name}")), status);
    case.set_classname(line(suite));
    case
}

/// The verdict of the run stands first in the text, because a viewer may show that alone.
fn non_success(kind: NonSuccessKind, verdict: Option<&str>, message: &str, evidence: &[String]) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(line(message));
    let lines: Vec<&str> = verdict.into_iter().chain([message]).chain(evidence.iter().map(String::as_str)).collect();
    status.set_description(block(&lines.join("\n")));
    status
}

fn how_to_replay(verdict: &Verdict) -> String {
    format!("seed {}\nreplay: {}\n", verdict.run.seed, verdict.run.replay)
}

pub(crate) fn line(text: &str) -> XmlString {
    XmlString::new(text::one_line(&text::bounded(text, MOST_LINE_CHARS)))
}

pub(crate) fn block(text: &str) -> XmlString {
    XmlString::new(text::clean(&text::bounded(text, MOST_CHARS)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;
    use crate::testing;

    /// Every character that ever broke a report, and some that never should.
    const NASTY: &str = "esc \u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7} nul \0 c1 \u{9b}31m \u{85} del \u{7f} ]]> \
        <![CDATA[ <!-- & &amp; &#0; \" ' emoji 🚀👩‍🚀 bom \u{feff} not \u{fffe}\u{ffff} sep \u{2028} rtl \u{202e} \
        tab\t cr\r crlf\r\n vt\u{b} ff\u{c} end";

    fn nasty(text: &str) -> Verdict {
        let mut verdict = testing::failed();
        verdict.summary = text.to_owned();
        verdict.reasons = vec![text.to_owned()];
        verdict.run.scenario = text.to_owned();
        verdict.run.replay = text.to_owned();
        for check in &mut verdict.checks {
            check.result.message = text.to_owned();
            check.result.evidence = vec![text.to_owned(); 2];
        }
        verdict
    }

    #[test]
    fn the_verdict_comes_first_and_names_are_unique() {
        let xml = junit(&testing::failed()).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        let names: Vec<_> = cases.iter().map(|case| case.attribute("name").unwrap()).collect();
        assert_eq!(names[0], "haproxy-appliance/haproxy-appliance-swap[virtual]/verdict");
        assert_eq!(names[1], "haproxy-appliance/haproxy-appliance-swap[virtual]/outage");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let failure = cases[0].children().find(|node| node.has_tag_name("failure")).unwrap();
        assert!(failure.attribute("message").unwrap().starts_with("failed: "), "{xml}");
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        assert_eq!(suite.attribute("failures"), Some("3"));
        assert_eq!(suite.attribute("skipped"), Some("1"));
        for case in &cases {
            let out = case.children().find(|node| node.has_tag_name("system-out")).unwrap().text().unwrap();
            assert!(out.contains("seed 1") && out.contains("replay: grenadier run"), "{out}");
        }
    }

    #[test]
    fn every_failure_begins_with_the_verdict_of_its_run() {
        let failed = testing::failed();
        let xml = junit(&failed).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let failures: Vec<_> = document.descendants().filter(|node| node.has_tag_name("failure")).collect();
        assert_eq!(failures.len(), 3);
        assert!(failures.iter().all(|node| node.text().unwrap().starts_with(&failed.summary)), "{xml}");
    }

    #[test]
    fn each_procedure_has_names_of_its_own() {
        let mut other = testing::passed();
        other.run.procedure = Some("documented".to_owned());
        let mut report = JunitReport::default();
        report.add_run(&testing::passed(), Duration::from_secs(1), &[]);
        report.add_run(&other, Duration::from_secs(2), &[]);
        report.add_suite("other", None, &[]);
        let xml = report.to_xml().unwrap();
        assert!(xml.contains("haproxy-appliance/haproxy-appliance-swap[virtual:documented]/outage"), "{xml}");
        let document = roxmltree::Document::parse(&xml).unwrap();
        let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        let names: BTreeSet<_> = cases.iter().map(|case| case.attribute("name").unwrap()).collect();
        assert_eq!((names.len(), cases.len()), (22, 22));
        assert_eq!(document.root_element().attribute("time"), Some("3.000"));
    }

    #[test]
    fn what_says_nothing_about_the_upgrade_is_an_error() {
        let xml = junit(&testing::unfit()).unwrap();
        assert!(xml.contains("<error message=\"not fit to tell"), "{xml}");
        assert!(xml.contains("errors=\"2\""), "{xml}");
    }

    #[test]
    fn a_check_that_fails_as_expected_is_a_success() {
        let xml = junit(&testing::caught()).unwrap();
        assert!(xml.contains("failures=\"0\""), "{xml}");
        assert!(xml.contains("failed, as the scenario expects"), "{xml}");
    }

    #[test]
    fn a_strict_parser_takes_it_whatever_the_texts_contain() {
        let xml = junit(&nasty(NASTY)).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let out = document.descendants().find(|node| node.has_tag_name("system-out")).unwrap();
        let text = out.text().unwrap();
        assert!(text.contains("]]> <![CDATA[ <!-- & &amp; &#0; \" ' emoji 🚀👩‍🚀"), "{text}");
        assert!(text.contains("esc red "), "{text}");
    }

    #[test]
    fn another_strict_parser_takes_it_too() {
        let script = "import sys, xml.etree.ElementTree as e; r = e.fromstring(sys.stdin.buffer.read()); \
                      print(len(r.findall('.//testcase')))";
        let python = Command::new("python3")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut python = match python {
            Ok(python) => python,
            Err(error) => {
                println!("not covered: no python3 here ({error})");
                return;
            }
        };
        let verdict = nasty(NASTY);
        let xml = junit(&verdict).unwrap();
        python.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
        let output = python.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let want = (verdict.checks.len() + 1).to_string();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), want);
    }

    #[test]
    fn sizes_are_bounded() {
        let xml = junit(&nasty(&"x]]>\u{1b}".repeat(1_000_000))).unwrap();
        assert!(xml.len() < 2_000_000, "{}", xml.len());
        assert!(xml.contains("more characters"));
        roxmltree::Document::parse(&xml).unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_gives_a_document(text in any::<String>()) {
            let xml = junit(&nasty(&text)).unwrap();
            let document = roxmltree::Document::parse(&xml);
            prop_assert!(document.is_ok(), "{:?}", document.err());
        }
    }
}
