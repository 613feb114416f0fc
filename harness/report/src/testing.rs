//! A run written by hand, and the verdicts on it and on what it might have been.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grenadier_catalog::{Check as Name, Outcome};
use grenadier_checks::{
    Capture, EngineEnd, EngineFact, Facts, Inventory, ItemKind, Masks, MeaningOf, Node, Route, Routes, RunEnd, Shown,
    Stages, Subject, Target, Verb, Verdict,
};
use grenadier_clock::Time;
use grenadier_events::{
    Actor, Availability, Bounds, Event, EventLog, Kind, PhaseStatus, Power, ProbeKind, ServedBy, StepVerb, World,
};

/// A sink that can be read while somebody else writes to it.
#[derive(Clone, Default)]
pub(crate) struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn ms(ms: u64) -> Time {
    Time::from_ns(ms * 1_000_000)
}

/// A log in the making; times are milliseconds.
#[derive(Default)]
struct Story(EventLog);

impl Story {
    fn tell(&self, at: u64, kind: Kind) {
        self.0.emit(ms(at), Actor::World, kind);
    }

    fn phase(&self, at: u64, phase: &str) {
        self.tell(at, Kind::PhaseStarted { phase: phase.into() });
    }

    fn passed(&self, at: u64, phase: &str) {
        self.tell(at, Kind::PhaseFinished { phase: phase.into(), status: PhaseStatus::Passed, message: None });
    }

    fn step(&self, at: u64, step: &str, verb: StepVerb) {
        self.tell(at, Kind::StepStarted { step: step.into(), verb });
    }

    fn done(&self, at: u64, step: &str, verb: StepVerb) {
        self.tell(at, Kind::StepFinished { step: step.into(), verb, error: None });
    }

    fn sees(&self, at: u64, target: &str, now: Availability) {
        let kind = Kind::Availability {
            target: target.into(),
            client: "client".into(),
            probe: ProbeKind::HttpNew,
            at: Bounds::exact(ms(at)),
            now,
        };
        self.tell(at, kind);
    }

    fn up(&self, at: u64, target: &str, machine: &str) {
        let backends = vec![format!("{target}-1"), format!("{target}-2")];
        self.sees(at, target, Availability::Up(ServedBy { machine: machine.into(), backends, ..ServedBy::default() }));
    }

    fn down(&self, at: u64, target: &str, reason: &str) {
        self.sees(at, target, Availability::Down { reason: reason.into(), class: None });
    }

    fn owners(&self, at: u64, owners: &[&str]) {
        let owners = owners.iter().map(|text| (*text).to_owned()).collect();
        let kind = Kind::AddressOwners { segment: "frontend".into(), address: "198.18.2.16/28".into(), owners };
        self.tell(at, kind);
    }
}

/// How the run differs from a good one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Twist {
    None,
    BothOn,
    CanaryDown,
}

fn story(twist: Twist) -> Vec<Event> {
    let story = Story::default();
    story.tell(
        0,
        Kind::RunStarted {
            scenario: "haproxy-appliance-swap".into(),
            system: "haproxy-appliance".into(),
            world: World::Virtual,
            seed: 1,
            base: "v0.1.10".into(),
            target: "v0.2.0".into(),
            profile: "reference".into(),
        },
    );
    for (from, to, phase) in [(0, 52_310, "base"), (52_310, 52_940, "early-create"), (52_940, 56_120, "create")] {
        story.phase(from, phase);
        if phase == "create" {
            story.owners(53_000, &["haproxy"]);
            for target in ["shop", "api", "canary"] {
                story.down(53_100, target, "nobody answers for 198.18.2.20");
                story.up(55_900, target, "haproxy");
            }
        }
        story.passed(to, phase);
    }
    story.phase(56_120, "verify");
    story.passed(66_120, "verify");
    let skipped = Kind::PhaseFinished {
        phase: "shutdown".into(),
        status: PhaseStatus::Skipped,
        message: Some("the procedure shuts the old appliance down itself".into()),
    };
    story.tell(66_120, skipped);
    story.phase(66_120, "upgrade");
    for (from, to, step) in
        [(66_120, 66_290, "check-prerequisites"), (66_290, 66_310, "copy-certificates"), (66_310, 97_560, "deploy-new")]
    {
        story.step(from, step, StepVerb::Apply);
        story.done(to, step, StepVerb::Apply);
        story.step(to, step, StepVerb::Verify);
        story.done(to, step, StepVerb::Verify);
    }
    story.step(97_560, "power-off-old", StepVerb::Apply);
    story.owners(99_560, &[]);
    story.down(99_560, "shop", "machine haproxy is off");
    story.down(99_560, "api", "machine haproxy is off");
    story.done(103_610, "power-off-old", StepVerb::Apply);
    story.step(103_610, "power-on-new", StepVerb::Apply);
    story.down(120_000, "shop", "nothing listens on port 443");
    story.owners(121_000, &["haproxy-v0.2.0"]);
    story.done(122_640, "power-on-new", StepVerb::Apply);
    story.step(122_640, "verify-routes", StepVerb::Apply);
    story.up(139_320, "shop", "haproxy-v0.2.0");
    story.up(141_007, "api", "haproxy-v0.2.0");
    story.done(141_500, "verify-routes", StepVerb::Apply);
    story.passed(141_500, "upgrade");
    story.phase(141_500, "verify-upgraded");
    if twist == Twist::BothOn {
        story.owners(143_000, &["haproxy", "haproxy-v0.2.0"]);
        story.owners(147_250, &["haproxy-v0.2.0"]);
    }
    if twist == Twist::CanaryDown {
        story.down(150_000, "canary", "backend canary-1 refuses the connection");
        story.up(150_750, "canary", "canary");
    }
    story.passed(171_500, "verify-upgraded");
    story.phase(171_500, "rollback");
    story.step(171_500, "power-on-new", StepVerb::Undo);
    story.owners(173_500, &[]);
    story.down(173_500, "shop", "machine haproxy-v0.2.0 is off");
    story.down(173_500, "api", "machine haproxy-v0.2.0 is off");
    story.done(174_510, "power-on-new", StepVerb::Undo);
    story.step(174_510, "power-off-old", StepVerb::Undo);
    story.owners(185_000, &["haproxy"]);
    story.up(186_560, "shop", "haproxy");
    story.up(186_560, "api", "haproxy");
    story.done(187_000, "power-off-old", StepVerb::Undo);
    story.passed(187_000, "rollback");
    story.phase(187_000, "compare");
    story.passed(600_000, "compare");
    story.0.events()
}

/// The log of a swap that goes well and is rolled back.
pub(crate) fn events() -> Vec<Event> {
    story(Twist::None)
}

fn stages<T: Clone>(base: &T, upgraded: &T) -> Stages<T> {
    Stages { base: Some(base.clone()), upgraded: Some(upgraded.clone()), end: Some(base.clone()) }
}

/// Events from milliseconds and what happened then, as the log writes it.
pub(crate) fn log(lines: &[(u64, &str)]) -> Vec<Event> {
    let log = EventLog::default();
    for (at, json) in lines {
        log.emit(ms(*at), Actor::Engine, serde_json::from_str(json).unwrap());
    }
    log.events()
}

/// What is known of a run of which there is nothing but a log: no check can be made.
pub(crate) fn bare(events: &[Event]) -> Verdict {
    let masks = Masks::default();
    Verdict::judge(&Facts::new(subject(), events, &masks))
}

fn subject() -> Subject {
    Subject {
        scenario: "haproxy-appliance-swap".into(),
        system: "haproxy-appliance".into(),
        procedure: None,
        world: World::Virtual,
        seed: 1,
        base: "v0.1.10".into(),
        target: "v0.2.0".into(),
        profile: "reference".into(),
        replay: "grenadier run haproxy-appliance-swap --seed 1".into(),
    }
}

fn judged(twist: Twist, change: impl FnOnce(&mut Facts<'_>)) -> Verdict {
    let events = story(twist);
    let masks = Masks::default();
    let mut facts = Facts::new(subject(), &events, &masks);
    facts.end = RunEnd::Horizon;
    facts.targets = ["shop", "api", "canary"]
        .map(|name| Target { name: name.into(), cluster: "supervisor".into(), is_canary: name == "canary" })
        .into();
    let call = |verb, began, ended, outcome, message: &str| EngineFact {
        verb,
        asked: verb,
        crashed: false,
        began_ns: ms(began),
        end: Some(EngineEnd {
            at_ns: ms(ended),
            exit_code: 0,
            outcome: Some(outcome),
            rule: None,
            message: message.into(),
            advice: None,
        }),
    };
    facts.engine = vec![
        call(Verb::Upgrade, 66_120, 141_500, Outcome::Upgraded, "haproxy-v0.2.0 serves 2 load balancers"),
        call(Verb::Rollback, 171_500, 187_000, Outcome::RolledBack, "haproxy serves again"),
    ];
    facts.shows = stages(&Shown::Base, &Shown::Upgraded);
    facts.expect.outage_at_most = Some(Duration::from_secs(90));
    let mut capture = Capture::new("base", ms(66_000));
    capture.root.insert("machines/haproxy/power", Node::runtime("on"));
    facts.captures = stages(&capture, &capture);
    facts.inventory = stages(&Inventory::default(), &Inventory::default());
    let on = MeaningOf { power: Power::On, addresses: ["frontend 198.18.2.16/28".to_owned()].into() };
    let meaning = [("haproxy".to_owned(), on)].into();
    facts.meaning = stages(&meaning, &meaning);
    let route = Route { vip: "198.18.2.20".into(), port: 443, backends: ["198.18.1.40:8080".to_owned()].into() };
    let file: grenadier_checks::RoutesByCluster = [("supervisor".to_owned(), [route].into())].into();
    let routes = Routes { process: Some(file.clone()), file };
    facts.routes = stages(&routes, &routes);
    facts.certificates = stages(&"aaaa".to_owned(), &"aaaa".to_owned());
    facts.exposures = stages(&Vec::new(), &Vec::new());
    change(&mut facts);
    Verdict::judge(&facts)
}

/// Everything is well.
pub(crate) fn passed() -> Verdict {
    judged(Twist::None, |_| {})
}

/// The outage is too long, a snapshot is left over; restoring was not asked for.
pub(crate) fn failed() -> Verdict {
    judged(Twist::None, |facts| {
        facts.expect.outage_at_most = Some(Duration::from_secs(40));
        facts.expect.restored = Some(false);
        facts.inventory.end.as_mut().unwrap().add(ItemKind::Snapshot, "haproxy/before-upgrade");
        facts.assumptions = vec!["anyip-answers-garp".into()];
    })
}

/// The canary was down, so nothing is known.
pub(crate) fn unfit() -> Verdict {
    judged(Twist::CanaryDown, |_| {})
}

/// Both appliances were on, and the scenario expects that it is caught.
pub(crate) fn caught() -> Verdict {
    judged(Twist::BothOn, |facts| facts.expect.caught_by = [Name::UniqueAddressOwner].into())
}
