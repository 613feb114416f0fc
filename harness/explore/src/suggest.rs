//! Faults that an engine's own log points to.

use grenadier_catalog::{AfterCrash, FaultKind, FaultPlace};
use grenadier_scenario::Fault;

use crate::enumerate::{faults_at, faults_at_step};
use crate::points::{Point, StepPoint};

/// A fault of the reference run that would look like what a log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The fault.
    pub fault: Fault,
    /// The line of the log that points to it, counted from 1.
    pub line: usize,
    /// That line, cut to a length people read.
    pub text: String,
    /// The words in it that were understood: what was called, then what went wrong.
    pub words: [String; 2],
    weight: usize,
}

/// What logs say when something goes wrong, and which faults look like it. The first that fits a line counts, so what is said
/// more precisely stands first.
const SYMPTOMS: &[(&[&str], &[FaultKind])] = {
    use FaultKind::*;
    &[
        (&["connection refused", "econnrefused"], &[Refuse]),
        (&["too many requests", "429", "throttl"], &[Throttle]),
        (&["service unavailable", "503"], &[Unavailable]),
        (&["notauthenticated", "not authenticated", "session is not", "session expired", "401"], &[Unauthorised]),
        (&["no space left", "disk full", "disk is full"], &[DiskFull]),
        (&["no route to host", "unreachable"], &[Partition]),
        (
            &["connection reset", "econnreset", "broken pipe", "closed by peer", "unexpected eof"],
            &[LostReply, Truncate],
        ),
        (&["truncated", "unexpected end", "incomplete read", "content-length"], &[Truncate]),
        (&["sigkill", "oom", "killed", "segmentation fault", "panicked"], &[CrashAfter, CrashBefore]),
        (&["systemerror", "general system error", "task failed", "task ended in error"], &[TaskFails, ErrorAfter]),
        (&["internal server error", "bad gateway", "500", "502"], &[ErrorAfter]),
        (&["still running", "task timed out", "task did not"], &[TaskStuck]),
        (&["retransmi", "packet loss", "dropped packets"], &[Loss, Delay]),
        (&["stunned", "hung task", "soft lockup", "clock jumped", "not responding"], &[Pause]),
        (&["timed out", "timeout", "deadline exceeded", "no answer"], &[HangAfter, TaskStuck, Hang, Slow]),
        (&["already exists", "duplicatename", "duplicate name"], &[LostReply, HangAfter]),
        (&["invalidpowerstate", "already powered"], &[LostReply, HangAfter]),
        (&["stale", "out of date", "older than"], &[StaleRead]),
        (&["failed to boot", "kernel panic", "emergency mode"], &[BootFails]),
        (&["no address", "no ip address", "dhcp"], &[NoAddress]),
        (&["slow boot", "waiting for tools", "tools are not running"], &[SlowStart]),
    ]
};

/// How much of a log is looked at, in lines and in bytes of a line: the last lines, which say what it came to.
const LINES: usize = 100_000;
const WIDTH: usize = 2_000;
/// How much of a line is shown, in characters.
const SHOWN: usize = 160;

/// The faults of a run with these calls and steps that a log points to, the likeliest first, at most `most`.
///
/// A line points to a fault where it says what went wrong, and it or the lines before it name a call or a step. Only what can be
/// injected is named. Of a call that a step makes several times, the first is named.
pub fn suggest(points: &[Point], steps: &[StepPoint], log: &str, most: usize) -> Vec<Suggestion> {
    let lines: Vec<(usize, &str)> = log.lines().enumerate().collect();
    let mut found: Vec<Suggestion> = Vec::new();
    let (mut step, mut call): (Option<&str>, Option<&str>) = (None, None);
    for (number, line) in &lines[lines.len().saturating_sub(LINES)..] {
        let line = &line[..line.floor_char_boundary(WIDTH)];
        let words = Words::of(line);
        if let Some(named) = steps.iter().find(|known| words.names(&known.step)) {
            if step != Some(named.step.as_str()) {
                call = None;
            }
            step = Some(&named.step);
        }
        let named = points.iter().filter(|point| words.calls(point)).map(|point| point.at.template.as_str());
        let here = named.max_by_key(|template| template.len());
        call = here.or(call);
        let Some((symptom, kinds)) = words.symptom() else { continue };
        let candidates = points.iter().filter(|point| {
            call.is_some_and(|call| point.at.template.as_str() == call)
                && point.at.occurrence == 1
                && step.is_none_or(|step| point.at.step.as_deref() == Some(step))
        });
        let mut faults: Vec<Fault> = candidates.flat_map(|point| faults_at(point, &[])).collect();
        let in_step = steps.iter().filter(|known| step == Some(known.step.as_str()));
        faults.extend(in_step.flat_map(|known| faults_at_step(known, &[])));
        for fault in faults.into_iter().filter(|fault| fault.then != Some(AfterCrash::Rollback)) {
            let Some(rank) = kinds.iter().position(|kind| *kind == fault.kind) else { continue };
            let at_call = matches!(fault.at, FaultPlace::Call(_));
            // A call that the line itself names is worth more than one that a line before it does, that more than a step alone.
            let weight = usize::from(here.is_some() && at_call) * 20 + usize::from(at_call) * 10 + 5 - rank.min(5);
            let name = if at_call { call.unwrap_or_default() } else { step.unwrap_or_default() };
            let text = line.trim().chars().take(SHOWN).collect();
            let words = [name.to_owned(), symptom.to_owned()];
            match found.iter_mut().find(|known| known.fault == fault) {
                Some(known) if known.weight >= weight => {}
                Some(known) => *known = Suggestion { fault, line: number + 1, text, words, weight },
                None => found.push(Suggestion { fault, line: number + 1, text, words, weight }),
            }
        }
    }
    // What was said last is what it came to.
    found.sort_by_key(|known| (usize::MAX - known.weight, usize::MAX - known.line));
    found.truncate(most);
    found
}

/// A line, as it is compared.
struct Words {
    /// In small letters.
    lower: String,
    /// Only its letters and digits: `Power on VM` and `PowerOnVM_Task` begin alike.
    bare: String,
}

fn bare(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

impl Words {
    fn of(line: &str) -> Words {
        Words { lower: line.to_lowercase(), bare: bare(line) }
    }

    fn names(&self, step: &str) -> bool {
        self.bare.contains(&bare(step))
    }

    fn calls(&self, point: &Point) -> bool {
        let template = &point.at.template;
        match template.protocol() {
            // Programs have short names: a whole word, or nothing.
            "shell" => self.word(template.call()),
            "vsphere" if template.http_method().is_none() => {
                self.bare.contains(bare(template.call()).trim_end_matches("task"))
            }
            _ => template.call().split_once(' ').is_some_and(|(_, path)| self.lower.contains(&path.to_lowercase())),
        }
    }

    fn word(&self, word: &str) -> bool {
        self.lower.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|known| known == word)
    }

    fn symptom(&self) -> Option<(&'static str, &'static [FaultKind])> {
        let said = |symptom: &&&str| match symptom.bytes().all(|byte| byte.is_ascii_digit()) || symptom.len() < 4 {
            true => self.word(symptom),
            false => self.lower.contains(**symptom),
        };
        SYMPTOMS.iter().find_map(|(symptoms, kinds)| Some((*symptoms.iter().find(said)?, *kinds)))
    }
}

#[cfg(test)]
mod tests {
    use grenadier_catalog::Machine;

    use super::*;

    fn points() -> Vec<Point> {
        [
            "deploy-new/vsphere.ImportVApp#1",
            "power-on-new/vsphere.PowerOnVM_Task#1",
            "power-off-old/vsphere.PowerOnVM_Task#1",
            "verify-routes/dataplane.GET /configuration#1",
            "verify-routes/dataplane.GET /configuration/binds#1",
            "verify-services/shell.systemctl#1",
            "verify-services/shell.systemctl#2",
        ]
        .map(|at| Point { at: at.parse().unwrap(), mutating: true })
        .into()
    }

    fn suggested(log: &str) -> Vec<String> {
        at_most(10, log)
    }

    fn at_most(most: usize, log: &str) -> Vec<String> {
        let steps = ["deploy-new", "power-on-new", "power-off-old", "verify-routes", "verify-services"]
            .map(|step| StepPoint { step: step.to_owned(), machines: vec![Machine::NewAppliance] });
        suggest(&points(), &steps, log, most)
            .into_iter()
            .map(|known| format!("{}: {}", known.line, known.fault))
            .collect()
    }

    #[test]
    fn a_line_with_call_and_symptom_names_the_fault() {
        assert_eq!(
            suggested("info: begin\nerror: ImportVApp: read tcp: connection reset by peer\n"),
            ["2: deploy-new/vsphere.ImportVApp#1=lost-reply", "2: deploy-new/vsphere.ImportVApp#1=truncate"],
        );
        assert_eq!(
            suggested("GET https://lb/v2/services/haproxy/configuration/binds: 503"),
            ["1: verify-routes/dataplane.GET /configuration/binds#1=unavailable"],
        );
        assert_eq!(
            suggested("ssh: systemctl is-active haproxy: connection refused"),
            ["1: verify-services/shell.systemctl#1=refuse"],
        );
    }

    #[test]
    fn the_step_said_before_says_which_call() {
        let both = suggested("PowerOnVM_Task: SystemError");
        assert_eq!(both.len(), 4, "{both:?}");
        assert_eq!(
            suggested("step power-off-old (undo)\nPower on VM haproxy\nA general system error occurred"),
            [
                "3: power-off-old/vsphere.PowerOnVM_Task#1=task-fails",
                "3: power-off-old/vsphere.PowerOnVM_Task#1=error-after",
            ],
        );
    }

    #[test]
    fn a_call_of_an_earlier_step_is_forgotten() {
        assert_eq!(
            suggested("power-on-new\nPower on VM\nstep power-off-old\nA general system error occurred"),
            [""; 0]
        );
    }

    #[test]
    fn a_call_comes_before_a_step_and_what_was_said_last_before_what_was_said_first() {
        assert_eq!(
            suggested("deploy-new\nImportVApp\nanswered 503\nno space left on device"),
            ["3: deploy-new/vsphere.ImportVApp#1=unavailable", "4: deploy-new=disk-full:new-appliance"],
        );
        let both = "deploy-new ImportVApp: 503\npower-on-new PowerOnVM_Task: 503";
        let [first, second] =
            ["1: deploy-new/vsphere.ImportVApp#1=unavailable", "2: power-on-new/vsphere.PowerOnVM_Task#1=unavailable"];
        assert_eq!(suggested(both), [second, first]);
        assert_eq!(at_most(1, both), [second]);
    }

    #[test]
    fn what_happens_to_a_machine_or_the_engine_happens_at_the_step() {
        assert_eq!(suggested("[deploy-new] write: no space left on device"), ["1: deploy-new=disk-full:new-appliance"]);
        assert_eq!(
            suggested("deploy-new\nKilled"),
            ["2: deploy-new=crash-after:resume", "2: deploy-new=crash-before:resume"]
        );
    }

    #[test]
    fn numbers_and_short_words_count_only_whole() {
        assert_eq!(suggested("ImportVApp took 15031 ms in room 4290"), [""; 0]);
        assert_eq!(suggested("systemctlx: connection refused"), [""; 0]);
        assert_eq!(suggested("nothing that anybody knows: connection refused"), [""; 0]);
    }

    #[test]
    fn no_log_is_too_long_or_too_odd() {
        let odd = format!("{}\n\u{fffd}é{}", "ImportVApp 503 ".repeat(100_000), "ü".repeat(5_000));
        assert_eq!(suggested(&odd), ["1: deploy-new/vsphere.ImportVApp#1=unavailable"]);
        assert_eq!(suggested(""), [""; 0]);
        let (last, gone) = ("\n".repeat(LINES - 1), "\n".repeat(LINES));
        assert_eq!(suggested(&format!("ImportVApp: 503{last}.")).len(), 1);
        assert_eq!(suggested(&format!("ImportVApp: 503{gone}.")), [""; 0], "only the last lines are looked at");
    }
}
