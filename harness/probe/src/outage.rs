//! One interval in which a target was not answered.

use grenadier_clock::Time;
use grenadier_events::{Bounds, Event, FailureClass, Kind, ProbeKind, StepVerb};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Length, Spans, Window, watches};

/// One interval in which a client had no answer from a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outage {
    /// The load balancer (or the canary).
    pub target: String,
    /// Who looked.
    pub client: String,
    /// How it looked.
    pub probe: ProbeKind,
    /// When it began: between the last answer and the first missing one.
    pub from: Bounds,
    /// When it ended: between the last missing answer and the first one. None where it had not by the end of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Bounds>,
    /// The engine's step during which it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What the engine did with that step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<StepVerb>,
    /// The phase during which it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Which hop failed first, and how.
    pub reason: String,
    /// What kind of failure the prober met first; none where nobody had to probe to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// What else failed before it was answered again, in order, each reason once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<String>,
}

impl Outage {
    /// How long it lasted within `window`.
    ///
    /// At least from the first missing answer to the last one, at most from the last answer before to the first one after. An
    /// outage without an end lasts as long as the window.
    pub fn within(&self, window: &Window) -> Length {
        let to = self.to.unwrap_or(Bounds::exact(Time::from_ns(u64::MAX)));
        let clipped = |from: Time, to: Time| {
            let (from, to) = (from.max(window.from), to.min(window.to));
            to.as_ns().saturating_sub(from.as_ns())
        };
        Length {
            lower_ns: clipped(self.from.latest_ns, to.earliest_ns),
            upper_ns: clipped(self.from.earliest_ns, to.latest_ns),
        }
    }

    /// How long it lasted; until `end` where it has no end.
    pub fn length(&self, end: Time) -> Length {
        self.within(&Window { part: crate::Part::Upgrade, from: Time::ZERO, to: end })
    }

    /// What it is laid to: `power-off-old`, `undo power-on-new`, or the phase where no step was on.
    pub fn cause(&self) -> String {
        match (&self.step, self.verb, &self.phase) {
            (Some(step), Some(StepVerb::Undo), _) => format!("undo {step}"),
            (Some(step), _, _) => step.clone(),
            (None, _, Some(phase)) => format!("phase {phase}"),
            (None, _, None) => "no phase".to_owned(),
        }
    }

    /// The event that tells of it.
    pub fn to_event(&self) -> Kind {
        Kind::Outage {
            target: self.target.clone(),
            client: self.client.clone(),
            probe: self.probe,
            from: self.from,
            to: self.to,
            step: self.step.clone(),
        }
    }
}

/// Every outage of a log up to `horizon`, the end of the run, in order of target, client, kind and time.
///
/// An outage that lasts beyond the horizon has no end.
pub fn outages(events: &[Event], horizon: Time) -> Vec<Outage> {
    let spans = Spans::of(events);
    let mut all: Vec<Outage> = watches(events).iter().flat_map(|watch| watch.outages(&spans)).collect();
    all.retain(|outage| outage.from.earliest_ns < horizon);
    for outage in &mut all {
        outage.to = outage.to.filter(|to| to.earliest_ns <= horizon);
    }
    all
}

#[cfg(test)]
pub(crate) mod tests {
    use grenadier_events::{Actor, Availability, PhaseStatus, ServedBy, VERSION};
    use proptest::prelude::*;

    use super::*;

    /// A log written by hand; times are nanoseconds.
    #[derive(Default)]
    pub(crate) struct Story {
        pub(crate) events: Vec<Event>,
    }

    impl Story {
        fn tell(&mut self, t_ns: u64, kind: Kind) -> u64 {
            let seq = self.events.len() as u64;
            self.events.push(Event { v: VERSION, t_ns: Time::from_ns(t_ns), seq, actor: Actor::World, kind });
            seq
        }

        pub(crate) fn phase(&mut self, t_ns: u64, phase: &str) -> u64 {
            self.tell(t_ns, Kind::PhaseStarted { phase: phase.into() })
        }

        pub(crate) fn skip(&mut self, t_ns: u64, phase: &str) {
            self.tell(
                t_ns,
                Kind::PhaseFinished { phase: phase.into(), status: PhaseStatus::Skipped, message: Some("x".into()) },
            );
        }

        pub(crate) fn step(&mut self, t_ns: u64, step: &str) {
            self.tell(t_ns, Kind::StepStarted { step: step.into(), verb: StepVerb::Apply });
        }

        pub(crate) fn step_end(&mut self, t_ns: u64, step: &str) {
            self.tell(t_ns, Kind::StepFinished { step: step.into(), verb: StepVerb::Apply, error: None });
        }

        pub(crate) fn engine_end(&mut self, t_ns: u64) {
            let kind =
                Kind::EngineFinished { verb: "upgrade".into(), exit_code: 1, outcome: None, message: String::new() };
            self.tell(t_ns, kind);
        }

        pub(crate) fn sees(&mut self, earliest: u64, latest: u64, now: Availability) {
            let at = Bounds { earliest_ns: Time::from_ns(earliest), latest_ns: Time::from_ns(latest) };
            self.tell(
                latest,
                Kind::Availability {
                    target: "shop".into(),
                    client: "client".into(),
                    probe: ProbeKind::HttpNew,
                    at,
                    now,
                },
            );
        }

        pub(crate) fn up(&mut self, t_ns: u64) {
            self.sees(t_ns, t_ns, Availability::Up(ServedBy { machine: "haproxy".into(), ..ServedBy::default() }));
        }

        pub(crate) fn down(&mut self, t_ns: u64, reason: &str) {
            self.sees(t_ns, t_ns, Availability::Down { reason: reason.into(), class: None });
        }
    }

    #[test]
    fn an_outage_names_its_step_and_a_change_of_reason_does_not_split_it() {
        let mut story = Story::default();
        story.phase(0, "create");
        story.down(1, "nobody has the address");
        story.up(5);
        story.phase(8, "upgrade");
        story.step(9, "power-off-old");
        story.down(10, "machine haproxy is off");
        story.step_end(12, "power-off-old");
        story.step(12, "power-on-new");
        story.down(20, "nothing listens on port 443");
        story.down(25, "machine haproxy is off");
        story.up(30);
        let found = outages(&story.events, Time::from_ns(100));
        assert_eq!(found.len(), 1, "{found:#?}");
        let outage = &found[0];
        assert_eq!((outage.from.earliest_ns.as_ns(), outage.to.unwrap().latest_ns.as_ns()), (10, 30));
        assert_eq!((outage.cause().as_str(), outage.phase.as_deref()), ("power-off-old", Some("upgrade")));
        assert_eq!(outage.reason, "machine haproxy is off");
        assert_eq!(outage.then, ["nothing listens on port 443"]);
        assert_eq!(outage.length(Time::from_ns(100)), Length::exact(20));
    }

    #[test]
    fn what_never_was_up_is_no_outage_but_is_known() {
        let mut story = Story::default();
        story.down(1, "nobody has the address");
        assert_eq!(outages(&story.events, Time::from_ns(100)), []);
        assert_eq!(watches(&story.events)[0].first_up(), None);
    }

    #[test]
    fn samples_give_bounds() {
        let mut story = Story::default();
        story.up(1);
        story.sees(100, 110, Availability::Down { reason: "timed out".into(), class: Some(FailureClass::Silent) });
        story.sees(200, 210, Availability::Up(ServedBy::default()));
        let found = outages(&story.events, Time::from_ns(1000));
        assert_eq!(found[0].length(Time::from_ns(1000)), Length { lower_ns: 90, upper_ns: 110 });
        assert_eq!(found[0].class, Some(FailureClass::Silent));
    }

    #[test]
    fn an_outage_beyond_the_horizon_has_no_end() {
        let mut story = Story::default();
        story.up(1);
        story.down(10, "off");
        story.up(50);
        let horizon = Time::from_ns(40);
        let found = outages(&story.events, horizon);
        assert_eq!(found[0].to, None);
        assert_eq!(found[0].length(horizon), Length::exact(30));
        assert_eq!(outages(&story.events, Time::from_ns(10)), []);
    }

    #[test]
    fn an_outage_reads_back_as_it_was_written() {
        let mut story = Story::default();
        story.up(1);
        story.down(10, "off");
        let found = outages(&story.events, Time::from_ns(40));
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Outage>>(&text).unwrap(), found, "{text}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Summed over a run, exact outages are exactly the time in which the watch was down after its first answer.
        #[test]
        fn exact_outages_sum_to_the_time_down(steps in prop::collection::vec((1u64..50, any::<bool>()), 1..40)) {
            let mut story = Story::default();
            let (mut now, mut down_ns, mut state, mut seen) = (0, 0, false, false);
            for (gap, up) in steps {
                if seen && !state {
                    down_ns += gap;
                }
                now += gap;
                if up { story.up(now) } else { story.down(now, "off") }
                state = up;
                seen |= up;
            }
            let end = Time::from_ns(now + 7);
            if seen && !state {
                down_ns += 7;
            }
            let mut sum = Length::default();
            for outage in outages(&story.events, end) {
                sum += outage.length(end);
            }
            prop_assert_eq!(sum, Length::exact(down_ns));
        }
    }
}
