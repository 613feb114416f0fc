//! One run, from scenario to verdict.

use grenadier_catalog::Named;
use grenadier_checks::{Capture, Expectation, Facts, Masks, Required, Stages, Subject, Verdict};
use grenadier_clock::{Seed, Time};
use grenadier_events::{Actor, EventLog, Kind, World};
use grenadier_scenario::{Require, Scenario};
use grenadier_wire::FaultRule;

use crate::rehearsal::{Rehearsed, rehearse};
use crate::setting::Setting;
use crate::stage::Stage;
use crate::systems::{Nature, Observed, System, haproxy_appliance};
use crate::worlds::virtual_world::VirtualStage;

/// What a run leaves.
pub struct RunOutput {
    /// Everything that happened, in order.
    pub log: EventLog,
    /// What it came to.
    pub verdict: Verdict,
    /// The captured states.
    pub captures: Vec<Capture>,
}

/// Runs `scenario` in the virtual world. `log` may be observed already: everything is written to it as it happens.
pub fn run_virtual(scenario: &Scenario, seed: Seed, replay: &str, log: EventLog) -> RunOutput {
    let setting = Setting::of(scenario, seed);
    let guests = haproxy_appliance::guests(seed);
    let mut system = haproxy_appliance::HaproxyAppliance::new(scenario, setting.secrets.clone());
    let stage = VirtualStage::new(scenario, seed, log, &setting, guests);
    let subject = subject(scenario, World::Virtual, seed, replay);
    begin(&stage, scenario, &subject);
    let rehearsed = stage.block_on(rehearse(&stage, scenario, &mut system));
    conclude(&stage, scenario, subject, system.nature(), rehearsed)
}

fn subject(scenario: &Scenario, world: World, seed: Seed, replay: &str) -> Subject {
    Subject {
        scenario: scenario.name.clone(),
        system: scenario.system.clone(),
        world,
        seed: seed.0,
        base: scenario.base_version().name,
        target: scenario.target_version().name,
        profile: "reference".to_owned(),
        replay: replay.to_owned(),
    }
}

fn begin(stage: &dyn Stage, scenario: &Scenario, subject: &Subject) {
    for fault in &scenario.faults {
        let at = fault.at.to_string().parse().expect("the catalogue's call addresses are the wire's");
        let fault = fault.kind.name().parse().expect("the catalogue's fault kinds are the wire's");
        stage.wire().add_rule(FaultRule { at, fault });
    }
    let kind = Kind::RunStarted {
        scenario: subject.scenario.clone(),
        system: subject.system.clone(),
        world: subject.world,
        seed: subject.seed,
        base: subject.base.clone(),
        target: subject.target.clone(),
        profile: subject.profile.clone(),
    };
    stage.log().emit(Time::ZERO, Actor::Runner, kind);
}

/// Makes the checks and writes what they found.
fn conclude(
    stage: &dyn Stage,
    scenario: &Scenario,
    subject: Subject,
    nature: Nature,
    rehearsed: Rehearsed,
) -> RunOutput {
    let log = stage.log().clone();
    let now = stage.clock().now();
    for rule in stage.wire().idle_rules() {
        let kind = Kind::FaultNotInjectable {
            at: rule.at.to_string(),
            fault: rule.fault.to_string(),
            reason: "the engine never made this call".to_owned(),
        };
        log.emit(now, Actor::Runner, kind);
    }
    let Rehearsed { engine, observed, end, ended } = rehearsed;
    let (mut captures, mut stages) = (Vec::new(), Split::default());
    for (observed, place) in [(observed.base, 0), (observed.upgraded, 1), (observed.end, 2)] {
        let Some(observed) = observed else { continue };
        captures.push(observed.capture.clone());
        stages.take(place, observed);
    }
    let Nature { targets, product, residuals, recreated, assumptions } = nature;
    let events = log.events();
    let facts = Facts {
        horizon: Time::ZERO + scenario.horizon,
        ended_ns: ended,
        end,
        expect: Expectation {
            outcome: scenario.expect.outcome,
            refused_by: scenario.expect.refused_by,
            outage_at_most: scenario.expect.outage.map(|outage| outage.at_most),
            restored: scenario.expect.restored,
            residuals,
            caught_by: scenario.expect.caught_by.iter().copied().collect(),
            required: match &scenario.require {
                Require::All => Required::All,
                Require::These(checks) => Required::These(checks.iter().copied().collect()),
            },
        },
        engine,
        shows: stages.shows,
        captures: stages.captures,
        inventory: stages.inventory,
        meaning: stages.meaning,
        routes: stages.routes,
        certificates: stages.certificates,
        product,
        recreated,
        targets,
        assumptions,
        ..Facts::new(subject, &events, Masks::of(&scenario.system))
    };
    let verdict = Verdict::judge(&facts);
    for line in &verdict.checks {
        log.emit(now, Actor::Runner, line.result.to_event());
    }
    log.emit(now, Actor::Runner, verdict.to_event());
    RunOutput { log, verdict, captures }
}

/// What was observed, by what it is about instead of by moment.
#[derive(Default)]
struct Split {
    shows: Stages<grenadier_checks::Shown>,
    captures: Stages<Capture>,
    inventory: Stages<grenadier_checks::Inventory>,
    meaning: Stages<grenadier_checks::Meaning>,
    routes: Stages<grenadier_checks::Routes>,
    certificates: Stages<String>,
}

fn put<T>(stages: &mut Stages<T>, place: usize, value: Option<T>) {
    *match place {
        0 => &mut stages.base,
        1 => &mut stages.upgraded,
        _ => &mut stages.end,
    } = value;
}

impl Split {
    fn take(&mut self, place: usize, observed: Observed) {
        let Observed { capture, shown, inventory, meaning, routes, certificate } = observed;
        put(&mut self.shows, place, Some(shown));
        put(&mut self.captures, place, Some(capture));
        put(&mut self.inventory, place, Some(inventory));
        put(&mut self.meaning, place, Some(meaning));
        put(&mut self.routes, place, Some(routes));
        put(&mut self.certificates, place, certificate);
    }
}
