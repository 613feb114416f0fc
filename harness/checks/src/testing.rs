//! A run written by hand, for the tests of this crate: a good swap with its rollback, to be broken in one place by each test.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_catalog::Outcome;
use grenadier_clock::Time;
use grenadier_events::{
    Actor, Availability, Bounds, Event, Kind, PhaseStatus, Power, ProbeKind, ProberState, ServedBy, StepVerb, VERSION,
    World,
};

use crate::{
    AcknowledgedWrite, Capture, EngineEnd, EngineFact, Expectation, Exposure, Facts, Inventory, ItemKind, Masks,
    Meaning, MeaningOf, Node, Pattern, Residual, Route, Routes, RunEnd, Shown, Stages, Subject, Target, Verb,
};

/// Everything [`Facts`] borrow or hold.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) subject: Subject,
    pub(crate) events: Vec<Event>,
    pub(crate) horizon: Time,
    pub(crate) ended_ns: Time,
    pub(crate) end: RunEnd,
    pub(crate) expect: Expectation,
    pub(crate) engine: Vec<EngineFact>,
    pub(crate) shows: Stages<Shown>,
    pub(crate) captures: Stages<Capture>,
    pub(crate) inventory: Stages<Inventory>,
    pub(crate) meaning: Stages<Meaning>,
    pub(crate) routes: Stages<Routes>,
    pub(crate) certificates: Stages<String>,
    pub(crate) exposures: Stages<Vec<Exposure>>,
    pub(crate) product: Inventory,
    pub(crate) recreated: Vec<Pattern>,
    pub(crate) acknowledged: Vec<AcknowledgedWrite>,
    pub(crate) targets: Vec<Target>,
}

fn second(second: u64) -> Time {
    Time::from_ns(second * 1_000_000_000)
}

fn stages<T: Clone>(base: &T, upgraded: &T) -> Stages<T> {
    Stages { base: Some(base.clone()), upgraded: Some(upgraded.clone()), end: Some(base.clone()) }
}

/// A run of which nothing is known.
pub(crate) fn bare() -> Run {
    Run {
        subject: Subject {
            scenario: "haproxy-appliance-swap".into(),
            system: "haproxy-appliance".into(),
            procedure: None,
            world: World::Virtual,
            seed: 1,
            base: "v0.1.10".into(),
            target: "v0.2.0".into(),
            profile: "reference".into(),
            replay: "grenadier run haproxy-appliance-swap --seed 1".into(),
        },
        events: Vec::new(),
        horizon: second(600),
        ended_ns: second(600),
        end: RunEnd::Horizon,
        expect: Expectation::default(),
        engine: Vec::new(),
        shows: Stages::default(),
        captures: Stages::default(),
        inventory: Stages::default(),
        meaning: Stages::default(),
        routes: Stages::default(),
        certificates: Stages::default(),
        exposures: Stages::default(),
        product: Inventory::default(),
        recreated: Vec::new(),
        acknowledged: Vec::new(),
        targets: Vec::new(),
    }
}

fn with_system(mut run: Run) -> Run {
    run.targets = [("shop", "supervisor"), ("api", "tenant-1"), ("canary", "")]
        .map(|(name, cluster)| Target { name: name.into(), cluster: cluster.into(), is_canary: name == "canary" })
        .into();
    for (from, to, phase) in [(0, 50, "base"), (50, 80, "create"), (80, 90, "verify")] {
        run.phase(from, to, phase);
    }
    for (target, backends) in BACKENDS {
        run.up(60, target, backends, "haproxy", None);
    }
    run.owners(55, "198.18.2.16/28", &["haproxy"]);

    let route = |vip: &str, port, backends: &[&str]| Route {
        vip: vip.into(),
        port,
        backends: backends.iter().map(|text| (*text).to_owned()).collect(),
    };
    let file: BTreeMap<_, _> = [
        ("supervisor".to_owned(), [route("198.18.2.20", 443, &["198.18.1.40:8080", "198.18.1.41:8080"])].into()),
        ("tenant-1".to_owned(), [route("198.18.2.21", 6443, &["198.18.1.43:8080", "198.18.1.44:8080"])].into()),
    ]
    .into();
    let routes = Routes { process: Some(file.clone()), file };
    run.routes = stages(&routes, &routes);
    run.exposures = stages(&Vec::new(), &Vec::new());
    run.certificates = stages(&"aaaa".to_owned(), &"aaaa".to_owned());

    let on = |on| MeaningOf {
        power: if on { Power::On } else { Power::Off },
        addresses: if on { ["frontend 198.18.2.16/28".to_owned()].into() } else { [].into() },
    };
    run.meaning = stages(&[("haproxy".to_owned(), on(true))].into(), &[("haproxy".to_owned(), on(false))].into());

    let mut base = Capture::new("base", second(90));
    base.root.insert("machines/haproxy/power", Node::runtime("on"));
    base.root.insert("machines/haproxy/nics/4000/mac", Node::identity("00:50:56:00:00:01"));
    base.root.insert("machines/haproxy/files/etc/haproxy/haproxy.cfg", Node::config("# _version=3\nglobal\n"));
    base.root.insert("machines/haproxy/log/haproxy", Node::log("started\n"));
    let inventory = Inventory::default().with(ItemKind::Machine, "haproxy");
    run.inventory = stages(&inventory, &inventory);
    run.captures = stages(&base, &base);
    run
}

const BACKENDS: [(&str, &[&str]); 3] =
    [("shop", &["shop-1", "shop-2", "shop-3"]), ("api", &["api-1", "api-2"]), ("canary", &["canary"])];

/// A swap that goes well and is rolled back: 41 s of outage in the upgrade, 12 s in the rollback.
pub(crate) fn swap() -> Run {
    let mut run = with_system(bare());
    for (from, to, phase) in
        [(95, 200, "upgrade"), (200, 290, "verify-upgraded"), (300, 330, "rollback"), (330, 340, "compare")]
    {
        run.phase(from, to, phase);
    }
    run.step(99, 105, "power-off-old", StepVerb::Apply);
    run.step(105, 142, "power-on-new", StepVerb::Apply);
    run.step(301, 303, "power-on-new", StepVerb::Undo);
    run.step(303, 320, "power-off-old", StepVerb::Undo);
    for (target, backends) in &BACKENDS[..2] {
        run.down(100, target, "machine haproxy is off");
        run.up(141, target, backends, "haproxy-v0.2.0", None);
        run.down(302, target, "machine haproxy-v0.2.0 is off");
        run.up(314, target, backends, "haproxy", None);
    }
    for (at, owners) in [(100, &[][..]), (135, &["haproxy-v0.2.0"][..]), (302, &[][..]), (310, &["haproxy"][..])] {
        run.owners(at, "198.18.2.16/28", owners);
    }
    let call = |verb, began, ended, outcome, message: &str| EngineFact {
        verb,
        asked: verb,
        crashed: false,
        began_ns: second(began),
        end: Some(EngineEnd {
            at_ns: second(ended),
            exit_code: 0,
            outcome: Some(outcome),
            rule: None,
            message: message.into(),
            advice: None,
        }),
    };
    run.engine = vec![
        call(Verb::Upgrade, 95, 199, Outcome::Upgraded, "haproxy-v0.2.0 serves"),
        call(Verb::Rollback, 300, 320, Outcome::RolledBack, "haproxy serves again"),
    ];
    run.shows = stages(&Shown::Base, &Shown::Upgraded);
    run.expect.outage_at_most = Some(Duration::from_secs(90));
    run.expect.residuals = vec![Residual {
        name: "new-appliance-powered-off".into(),
        items: Inventory::default().with(ItemKind::Machine, "haproxy-v0.2.0"),
        paths: vec!["machines/haproxy-v0.2.0/**".parse().expect("a pattern")],
        holds: [("machines/haproxy-v0.2.0/power".to_owned(), "off".to_owned())].into(),
    }];
    run.inventory.end.as_mut().expect("listed").add(ItemKind::Machine, "haproxy-v0.2.0");
    run.set_at_end("machines/haproxy-v0.2.0/power", Node::runtime("off"));
    let off = MeaningOf { power: Power::Off, addresses: [].into() };
    run.meaning.end.as_mut().expect("known").insert("haproxy-v0.2.0".into(), off);
    run
}

/// An upgrade that is refused.
pub(crate) fn refused() -> Run {
    let mut run = with_system(bare());
    run.phase(95, 99, "upgrade");
    run.engine = vec![EngineFact {
        verb: Verb::Upgrade,
        asked: Verb::Upgrade,
        crashed: false,
        began_ns: second(95),
        end: Some(EngineEnd {
            at_ns: second(98),
            exit_code: 20,
            outcome: None,
            rule: Some("target-not-newer".into()),
            message: "v0.1.10 is not newer than v0.1.10".into(),
            advice: None,
        }),
    }];
    run.shows = stages(&Shown::Base, &Shown::Base);
    run.meaning.upgraded = run.meaning.base.clone();
    run.expect.outcome = Outcome::Refused;
    run.expect.refused_by = Some(grenadier_catalog::RefusalRule::TargetNotNewer);
    run
}

impl Run {
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            horizon: self.horizon,
            ended_ns: self.ended_ns,
            end: self.end.clone(),
            expect: self.expect.clone(),
            engine: self.engine.clone(),
            shows: self.shows.clone(),
            captures: self.captures.clone(),
            inventory: self.inventory.clone(),
            meaning: self.meaning.clone(),
            routes: self.routes.clone(),
            certificates: self.certificates.clone(),
            exposures: self.exposures.clone(),
            product: self.product.clone(),
            recreated: self.recreated.clone(),
            acknowledged: self.acknowledged.clone(),
            targets: self.targets.clone(),
            ..Facts::new(self.subject.clone(), &self.events, Masks::of("haproxy-appliance"))
        }
    }

    fn tell(&mut self, at: u64, actor: Actor, kind: Kind) {
        self.events.push(Event { v: VERSION, t_ns: second(at), seq: 0, actor, kind });
        self.events.sort_by_key(|event| event.t_ns);
        for (seq, event) in self.events.iter_mut().enumerate() {
            event.seq = seq as u64;
        }
    }

    fn phase(&mut self, from: u64, to: u64, phase: &str) {
        let phase = || phase.to_owned();
        // Told in the order of time, so that the end of one phase stands before the start of the next.
        self.tell(from, Actor::Runner, Kind::PhaseStarted { phase: phase() });
        self.tell(
            to,
            Actor::Runner,
            Kind::PhaseFinished { phase: phase(), status: PhaseStatus::Passed, message: None },
        );
    }

    pub(crate) fn fail_phase(&mut self, at: u64, phase: &str, message: &str) {
        let message = Some(message.to_owned());
        self.tell(at, Actor::Runner, Kind::PhaseFinished { phase: phase.into(), status: PhaseStatus::Failed, message });
    }

    fn step(&mut self, from: u64, to: u64, step: &str, verb: StepVerb) {
        self.tell(from, Actor::Engine, Kind::StepStarted { step: step.into(), verb });
        self.tell(to, Actor::Engine, Kind::StepFinished { step: step.into(), verb, error: None });
    }

    pub(crate) fn owners(&mut self, at: u64, address: &str, owners: &[&str]) {
        let owners = owners.iter().map(|text| (*text).to_owned()).collect();
        let kind = Kind::AddressOwners { segment: "frontend".into(), address: address.into(), owners };
        self.tell(at, Actor::World, kind);
    }

    pub(crate) fn engine_call(&mut self, at: u64, address: &str, result: &str) {
        let kind = Kind::Call {
            address: address.into(),
            endpoint: "vcenter.example:443".into(),
            began_ns: second(at),
            result: result.into(),
            fault: None,
        };
        self.tell(at, Actor::Engine, kind);
    }

    pub(crate) fn idle_fault(&mut self, at: u64, place: &str, fault: &str) {
        let reason = "no such call was made".to_owned();
        self.tell(at, Actor::Runner, Kind::FaultNotInjectable { at: place.into(), fault: fault.into(), reason });
    }

    fn sees(&mut self, at: u64, target: &str, now: Availability) {
        let at_bounds = Bounds::exact(second(at));
        let probe = ProbeKind::HttpNew;
        let (target, client) = (target.to_owned(), "client".to_owned());
        self.tell(at, Actor::Probe, Kind::Availability { target, client, probe, at: at_bounds, now });
    }

    fn up(&mut self, at: u64, target: &str, backends: &[&str], machine: &str, certificate: Option<&str>) {
        let served = ServedBy {
            machine: machine.into(),
            backends: backends.iter().map(|text| (*text).to_owned()).collect(),
            certificate: certificate.map(str::to_owned),
            ..ServedBy::default()
        };
        self.sees(at, target, Availability::Up(served));
    }

    fn down(&mut self, at: u64, target: &str, reason: &str) {
        self.sees(at, target, Availability::Down { reason: reason.into(), class: None });
    }

    pub(crate) fn down_at_the_end(&mut self, target: &str) {
        self.down(590, target, "off");
    }

    pub(crate) fn unwatched(&mut self, name: &str) {
        self.events.retain(|event| !matches!(&event.kind, Kind::Availability { target, .. } if target == name));
    }

    fn prober(&mut self, at: u64, target: &str, probe: ProbeKind, now: ProberState) {
        let (target, client) = (target.to_owned(), "client".to_owned());
        self.tell(at, Actor::Probe, Kind::Prober { target, client, probe, now });
    }

    /// A prober looked at the target from the beginning, but not from `at` on for so many seconds.
    pub(crate) fn unseen(&mut self, target: &str, at: u64, seconds: u64) {
        let started = ProberState::Started { at_ns: Time::ZERO, every_ns: 10_000_000 };
        self.prober(0, target, ProbeKind::HttpNew, started);
        let (from_ns, to_ns, reason) = (second(at), second(at + seconds), "it stood still".to_owned());
        self.prober(at + seconds, target, ProbeKind::HttpNew, ProberState::Gap { from_ns, to_ns, missed: 9, reason });
    }

    /// A kind of probe that was asked for cannot look at the target.
    pub(crate) fn not_covered(&mut self, target: &str) {
        let reason = "there are no datagrams".to_owned();
        self.prober(60, target, ProbeKind::Udp, ProberState::NotCovered { reason });
    }

    pub(crate) fn never_up(&mut self, name: &str) {
        self.unwatched(name);
        self.down(60, name, "nobody has the address");
    }

    pub(crate) fn up_from(&mut self, name: &str, at: u64) {
        self.never_up(name);
        self.up(at, name, &["api-1"], "haproxy-v0.2.0", None);
    }

    pub(crate) fn without_phases(&mut self) {
        self.events.retain(|event| !matches!(event.kind, Kind::PhaseStarted { .. } | Kind::PhaseFinished { .. }));
    }

    pub(crate) fn forget_who_answers(&mut self) {
        for event in &mut self.events {
            if let Kind::Availability { now: Availability::Up(served), .. } = &mut event.kind {
                *served = ServedBy::default();
            }
        }
    }

    /// The target comes back after the upgrade with other backends or another certificate.
    pub(crate) fn serve_after_upgrade(&mut self, name: &str, backends: &[&str], certificate: Option<&str>) {
        self.events.retain(|event| {
            let is_it = matches!(&event.kind, Kind::Availability { target, .. } if target == name);
            !(is_it && event.t_ns == second(141))
        });
        self.up(141, name, backends, "haproxy-v0.2.0", certificate);
    }

    pub(crate) fn shift_end_of_last_outage(&mut self, by: u64) {
        let ends: Vec<(String, ServedBy)> = self
            .events
            .iter()
            .filter_map(|event| match &event.kind {
                Kind::Availability { target, now: Availability::Up(served), .. } if event.t_ns == second(314) => {
                    Some((target.clone(), served.clone()))
                }
                _ => None,
            })
            .collect();
        self.events.retain(|event| !(event.t_ns == second(314) && matches!(event.kind, Kind::Availability { .. })));
        for (target, served) in ends {
            self.sees(314 + by, &target, Availability::Up(served));
        }
    }

    /// As if every change had been found by a sample, up to `ns` after it happened.
    pub(crate) fn blur_ns(&mut self, ns: u64) {
        for event in &mut self.events {
            if let Kind::Availability { at, .. } = &mut event.kind {
                at.earliest_ns = Time::from_ns(at.latest_ns.as_ns() - ns);
            }
        }
    }

    /// A machine is made, or destroyed.
    pub(crate) fn machine(&mut self, at: u64, machine: &str, made: bool) {
        let machine = machine.to_owned();
        let kind = if made { Kind::MachineCreated { machine } } else { Kind::MachineDestroyed { machine } };
        self.tell(at, Actor::World, kind);
    }

    /// Changes, or adds, a node of the last capture.
    pub(crate) fn set_at_end(&mut self, path: &str, node: Node) {
        let root = &mut self.captures.end.as_mut().expect("captured").root;
        let place = path.split('/').fold(root, |place, level| place.children.entry(level.to_owned()).or_default());
        *place = node;
    }
}
