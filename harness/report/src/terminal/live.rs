//! One line for each phase and step, as it ends.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use grenadier_clock::{Time, format_duration};
use grenadier_events::{Availability, Event, Kind, Observer, PhaseStatus, ProberState, StepVerb};

use super::style::Style;
use crate::text::one_line;
use crate::tone::Tone;
use crate::words::seen_by;

/// The phases in which the loss of a target is worth a line: before, it is being made; after, it is being taken down.
const WATCHED: [&str; 8] =
    ["verify", "shutdown", "verify-noapi", "upgrade", "verify-upgraded", "rollback", "compare", "resume"];

/// How long nobody must have looked at a target to be worth a line: as long as a sample waits for its answer.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// Prints a run as it happens: one line for each phase and step when it ends, one for each fault, and one whenever a target
/// is lost or comes back. On a terminal the step that is on stands in a last line that is overwritten.
///
/// A sink that cannot be written to (a closed pipe) does not stop a run; what it would have shown is lost.
pub struct Live {
    out: Box<dyn Write + Send>,
    style: Style,
    /// Whether the last line may be overwritten.
    interactive: bool,
    phase: Option<(String, Time)>,
    step: Option<(String, StepVerb, Time)>,
    lost: BTreeMap<(String, String, String), Time>,
}

impl Live {
    /// Prints to `out`; `interactive` says that it is a terminal on which a line can be overwritten (so not `TERM=dumb`).
    pub fn new(out: Box<dyn Write + Send>, style: Style, interactive: bool) -> Live {
        Live { out, style, interactive, phase: None, step: None, lost: BTreeMap::new() }
    }

    /// To be given to [`EventLog::observe`](grenadier_events::EventLog::observe).
    pub fn observer(mut self) -> Observer {
        Box::new(move |event| self.see(event))
    }

    /// Prints what `event` is worth.
    pub fn see(&mut self, event: &Event) {
        let now = event.t_ns;
        match &event.kind {
            Kind::RunStarted { scenario, world, seed, base, target, .. } => {
                (self.phase, self.step) = (None, None);
                self.lost.clear();
                let text = format!("{base} → {target}, {} world, seed {seed}", world.name());
                let name = self.style.paint(Tone::Strong, &one_line(scenario));
                self.line(Tone::Strong, "rehearsing", None, &format!("{name}  {}", one_line(&text)));
            }
            Kind::PhaseStarted { phase } => {
                self.phase = Some((phase.clone(), now));
                self.on(phase);
            }
            Kind::PhaseFinished { phase, status, message } => {
                self.phase_finished(now, phase, *status, message.as_deref())
            }
            Kind::StepStarted { step, verb } => {
                self.step = Some((step.clone(), *verb, now));
                self.on(&self.step_name(step, *verb));
            }
            Kind::StepFinished { step, verb, error } => self.step_finished(now, step, *verb, error.as_deref()),
            Kind::FaultInjected { at, fault } => {
                self.line(Tone::Notice, "FAULT", None, &format!("{}: {}", one_line(at), one_line(fault)));
            }
            Kind::FaultNotInjectable { at, fault, reason } => {
                let text = format!("{}: {} found no place to act: {}", one_line(at), one_line(fault), one_line(reason));
                self.line(Tone::Notice, "NO PLACE", None, &text);
            }
            Kind::Availability { target, client, probe, at, now: seen } => {
                let key = (target.clone(), client.clone(), probe.name().to_owned());
                self.availability(key, at.latest_ns, seen);
            }
            Kind::EngineFinished { .. } => self.step = None,
            Kind::RunFinished { .. } => self.clear(),
            Kind::Prober { target, client, probe, now: state } => {
                let name = seen_by(&one_line(target), probe.name());
                match state {
                    // Shorter ones are in the log, and the checks count them.
                    ProberState::Gap { from_ns, to_ns, reason, .. } if to_ns.since(*from_ns) > WORTH_TELLING => {
                        let text = format!("{name} by {}: {}", one_line(client), one_line(reason));
                        self.line(Tone::Notice, "UNSEEN", None, &text);
                    }
                    ProberState::NotCovered { reason } => {
                        self.line(Tone::Notice, "UNSEEN", None, &format!("{name}: not covered: {}", one_line(reason)));
                    }
                    ProberState::Gap { .. }
                    | ProberState::Started { .. }
                    | ProberState::Stopped { .. }
                    | ProberState::Late { .. } => {}
                }
            }
            // The log has them; a line each would bury what matters.
            Kind::Call { .. }
            | Kind::Task { .. }
            | Kind::MachineCreated { .. }
            | Kind::MachineDestroyed { .. }
            | Kind::PowerChanged { .. }
            | Kind::Snapshot { .. }
            | Kind::AddressOwners { .. }
            | Kind::Neighbour { .. }
            | Kind::Outage { .. }
            | Kind::Service { .. }
            | Kind::GuestLog { .. }
            | Kind::Operator { .. }
            | Kind::Captured { .. }
            | Kind::CheckFinished { .. }
            | Kind::Unknown(_) => {}
        }
    }

    fn phase_finished(&mut self, now: Time, phase: &str, status: PhaseStatus, message: Option<&str>) {
        let began = self.phase.take().filter(|(name, _)| name == phase).map(|(_, began)| began);
        let text = match message {
            Some(message) => format!("{phase}: {}", one_line(message)),
            None => phase.to_owned(),
        };
        match status {
            PhaseStatus::Passed => self.line(Tone::Good, "PASS", began.map(|began| (began, now)), &text),
            PhaseStatus::Failed => self.line(Tone::Bad, "FAIL", began.map(|began| (began, now)), &text),
            PhaseStatus::Skipped => self.line(Tone::Quiet, "SKIP", None, &text),
        }
    }

    fn step_finished(&mut self, now: Time, step: &str, verb: StepVerb, error: Option<&str>) {
        let began = self.step.take().filter(|(name, on, _)| name == step && *on == verb).map(|(_, _, began)| began);
        let span = began.map(|began| (began, now));
        let name = self.step_name(step, verb);
        match (error, verb) {
            (Some(error), _) => self.line(Tone::Bad, "FAIL", span, &format!("{name}: {}", one_line(error))),
            (None, StepVerb::Apply) => self.line(Tone::Good, "STEP", span, &name),
            (None, StepVerb::Undo) => self.line(Tone::Notice, "UNDO", span, &name),
            // It only looked whether the step took, and it did: one line for the step is enough.
            (None, StepVerb::Verify) => {}
        }
    }

    /// `upgrade / power-off-old`
    fn step_name(&self, step: &str, verb: StepVerb) -> String {
        let phase = self.phase.as_ref().map_or("", |(name, _)| name.as_str());
        let verb = match verb {
            StepVerb::Apply | StepVerb::Undo => "",
            StepVerb::Verify => "verify ",
        };
        let quiet =
            if phase.is_empty() { String::new() } else { self.style.paint(Tone::Quiet, &format!("{phase} / ")) };
        format!("{quiet}{verb}{}", one_line(step))
    }

    fn availability(&mut self, key: (String, String, String), at: Time, seen: &Availability) {
        let watched = self.phase.as_ref().is_some_and(|(phase, _)| WATCHED.contains(&phase.as_str()));
        let target = seen_by(&one_line(&key.0), &key.2);
        // One probe is the usual case; of several, each has its say once, so its client and kind are told too.
        match seen {
            Availability::Down { reason, .. } if watched && !self.lost.contains_key(&key) => {
                self.line(Tone::Notice, "DOWN", None, &format!("{target}: {}", one_line(reason)));
                self.lost.insert(key, at);
            }
            Availability::Down { .. } => {}
            Availability::Up(_) => {
                if let Some(began) = self.lost.remove(&key) {
                    self.line(Tone::Good, "UP", Some((began, at)), &target);
                }
            }
        }
    }

    /// `        PASS [   1m45s] upgrade`
    fn line(&mut self, tone: Tone, word: &str, span: Option<(Time, Time)>, text: &str) {
        self.clear();
        let time = match span {
            Some((began, ended)) => format!("[{:>8}]", format_duration(ended.since(began))),
            None if word == "rehearsing" => String::new(),
            None => " ".repeat(10),
        };
        let gap = if time.is_empty() { "" } else { " " };
        let time = self.style.paint(Tone::Quiet, &time);
        let _ = writeln!(self.out, "{}{gap}{time} {text}", self.style.word(tone, word));
        let _ = self.out.flush();
    }

    /// Shows what is on, in a line to be overwritten.
    fn on(&mut self, text: &str) {
        if self.interactive {
            self.clear();
            let time = " ".repeat(10);
            let _ = write!(self.out, "{} {time} {text} …", self.style.word(Tone::Quiet, "now"));
            let _ = self.out.flush();
        }
    }

    fn clear(&mut self) {
        if self.interactive {
            let _ = write!(self.out, "\r\u{1b}[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Sink, events};

    fn shown(style: Style, interactive: bool) -> String {
        let sink = Sink::default();
        let mut observer = Live::new(Box::new(sink.clone()), style, interactive).observer();
        for event in events() {
            observer(&event);
        }
        sink.text()
    }

    #[test]
    fn one_line_for_each_phase_and_step() {
        insta::assert_snapshot!(shown(Style::PLAIN, false), @r"
        rehearsing haproxy-appliance-swap  v0.1.10 → v0.2.0, virtual world, seed 1
              PASS [  52.31s] base
              PASS [   630ms] early-create
              PASS [   3.18s] create
              PASS [     10s] verify
              SKIP            shutdown: the procedure shuts the old appliance down itself
              STEP [   170ms] upgrade / check-prerequisites
              STEP [    20ms] upgrade / copy-certificates
              STEP [  31.25s] upgrade / deploy-new
              DOWN            shop: machine haproxy is off
              DOWN            api: machine haproxy is off
              STEP [   6.05s] upgrade / power-off-old
              STEP [  19.03s] upgrade / power-on-new
                UP [  39.76s] shop
                UP [ 41.447s] api
              STEP [  18.86s] upgrade / verify-routes
              PASS [   1m15s] upgrade
              PASS [     30s] verify-upgraded
              DOWN            shop: machine haproxy-v0.2.0 is off
              DOWN            api: machine haproxy-v0.2.0 is off
              UNDO [   3.01s] rollback / power-on-new
                UP [  13.06s] shop
                UP [  13.06s] api
              UNDO [  12.49s] rollback / power-off-old
              PASS [   15.5s] rollback
              PASS [   6m53s] compare
        ");
    }

    #[test]
    fn plain_output_has_no_control_characters() {
        let text = shown(Style::PLAIN, false);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }

    #[test]
    fn on_a_terminal_the_step_that_is_on_is_overwritten() {
        let text = shown(Style::COLOUR, true);
        assert!(text.contains("\r\u{1b}[K"));
        assert!(text.contains("power-on-new …"));
        // What stays on the screen: of each line the part behind the last return.
        let stays: Vec<&str> = text.lines().map(|line| line.rsplit("\r\u{1b}[K").next().unwrap()).collect();
        assert!(stays.iter().all(|line| !line.ends_with('…')), "{stays:#?}");
    }

    #[test]
    fn a_closed_pipe_does_not_stop_a_run() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
        }
        let mut live = Live::new(Box::new(Closed), Style::PLAIN, false);
        for event in events() {
            live.see(&event);
        }
    }
}
