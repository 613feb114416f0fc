//! Calling the engine under test.

use std::time::Duration;

use grenadier_catalog::{Named, Outcome};
use grenadier_checks::{EngineEnd, Verb};
#[cfg(feature = "mutants")]
use grenadier_engine::procedures::haproxy_appliance::mutants;
use grenadier_engine::procedures::haproxy_appliance::{Deadlines, Ova, Parameters, Swap, Vantage, named};
use grenadier_engine::{Advice, Engine, EngineReport, Journal, JournalError, MemoryStorage, Plan, Procedure};
use grenadier_events::EventLog;
use grenadier_scenario::{Blocks, ProductVersion, Rollback, Scenario};
use grenadier_wire::Wire;

use super::base::{package, vcenter_access};
use super::layout::{self, Layout, operator_machine};
use super::process;
use super::{HaproxyAppliance, appliance_name, upgraded_name};
use crate::rehearsal::administrator;
use crate::setting::{ADMINISTRATOR, HAPROXY_USER, Secrets, UPGRADER};
use crate::stage::{Pace, Stage};
use crate::systems::PhaseError;

impl HaproxyAppliance {
    pub(super) async fn call_engine(&mut self, stage: &dyn Stage, verb: Verb) -> EngineEnd {
        if let Some(program) = stage.engine_program() {
            return process::call(program, stage, &self.scenario.engine.procedure, self.parameters(stage), verb).await;
        }
        if verb == Verb::Upgrade {
            self.journal = MemoryStorage::default();
        }
        // Everything but the journal is new each time, as it is for an engine that is a process of its own.
        let mut journal = match Journal::open(Box::new(self.journal.clone())) {
            Ok(journal) => journal,
            Err(error) => return unreadable(stage, &error),
        };
        let parameters = self.parameters(stage);
        #[cfg(feature = "mutants")]
        if let Some(defect) = self.defect {
            let wire = stage.wire().clone();
            return end(stage, mutants::call(defect, reported(verb), wire, parameters, &mut journal).await);
        }
        let mut procedure = procedure(&self.scenario, stage.wire().clone(), parameters);
        let engine = Engine::new(stage.wire().clone());
        let report = match verb {
            Verb::Upgrade => engine.upgrade(&mut procedure, &mut journal).await,
            Verb::Resume => engine.resume(&mut procedure, &mut journal).await,
            Verb::Rollback => engine.rollback(&mut procedure, &mut journal).await,
        };
        end(stage, report)
    }

    /// Has an engine with this defect called in place of the sound one.
    #[cfg(feature = "mutants")]
    pub(crate) fn call_mutant(&mut self, defect: Option<mutants::Defect>) {
        self.defect = defect;
    }

    pub(super) fn parameters(&self, stage: &dyn Stage) -> Parameters {
        let scenario = &self.scenario;
        let access = vcenter_access(stage, UPGRADER, &self.secrets.upgrader);
        let leap = Leap { from: &self.old_name(), base: self.base(), target: &self.target };
        parameters(scenario, &self.secrets, self.layout(), stage.blocks(), stage.pace(), access, &leap)
    }

    /// Brings the appliance from the version it was deployed with to the base, as it came there: with the engine under test, step
    /// by step over each version between. What those upgrades do to the world is in the log; their calls and steps are not, because
    /// the log tells of the upgrade that is rehearsed.
    pub(super) async fn upgrade_before(&self, stage: &dyn Stage) -> Result<(), PhaseError> {
        for at in 1..self.versions.len() {
            let (base, target) = (&self.versions[at - 1], &self.versions[at]);
            let leap = Leap { from: &appliance_name(&self.versions, at - 1), base, target };
            // Whoever upgraded then lacked nothing: what the scenario takes away is taken from the upgrade it is about.
            let access = vcenter_access(stage, ADMINISTRATOR, &self.secrets.administrator);
            let (layout, blocks) = (self.layout(), stage.blocks());
            let parameters = parameters(&self.scenario, &self.secrets, layout, blocks, stage.pace(), access, &leap);
            let parameters = Parameters {
                target_networks: None,
                target_service_ranges: None,
                vsphere_after: None,
                remove_old: true,
                ..parameters
            };
            let wire = stage.wire().beside(EventLog::default());
            let mut procedure = procedure(&self.scenario, wire.clone(), parameters);
            let report = Engine::new(wire).upgrade(&mut procedure, &mut Journal::in_memory()).await;
            let (base, target) = (&base.name, &target.name);
            if report.outcome != grenadier_engine::Outcome::Upgraded {
                let why = format!("the earlier upgrade from {base} to {target} did not succeed: {}", report.message);
                return Err(PhaseError::Unfit(why));
            }
            administrator(stage, "history", format!("upgraded from {base} to {target}"));
        }
        Ok(())
    }
}

/// What the engine would do for `scenario`, without a world to do it in.
pub(crate) fn plan(scenario: &Scenario, secrets: &Secrets, blocks: &Blocks, pace: &Pace, wire: Wire) -> Plan {
    let access = grenadier_engine::vsphere::VSphereAccess {
        endpoint: crate::setting::VCENTER_ENDPOINT.to_owned(),
        tls: None,
        user: UPGRADER.to_owned(),
        password: secrets.upgrader.clone(),
    };
    let layout = Layout::of(scenario, blocks);
    let earlier = scenario.earlier_versions();
    let (base, target) = (scenario.base_version(), scenario.target_version());
    let versions: Vec<ProductVersion> = earlier.into_iter().chain([base]).collect();
    let last = versions.len() - 1;
    let leap = Leap { from: &appliance_name(&versions, last), base: &versions[last], target: &target };
    let parameters = parameters(scenario, secrets, &layout, blocks, pace, access, &leap);
    procedure(scenario, wire, parameters).plan().clone()
}

/// The procedure that the scenario names.
pub(super) fn procedure(scenario: &Scenario, wire: Wire, parameters: Parameters) -> Procedure<Swap> {
    let found = named(&scenario.engine.procedure, wire, parameters);
    found.expect("the engine has every procedure of the catalogue")
}

/// From which appliance, of which version, to which version.
struct Leap<'a> {
    from: &'a str,
    base: &'a ProductVersion,
    target: &'a ProductVersion,
}

fn parameters(
    scenario: &Scenario,
    secrets: &Secrets,
    layout: &Layout,
    blocks: &Blocks,
    pace: &Pace,
    vcenter: grenadier_engine::vsphere::VSphereAccess,
    leap: &Leap<'_>,
) -> Parameters {
    let Leap { from, base, target } = *leap;
    let inputs = scenario.target.as_ref();
    let package = package(target, pace);
    let vantages = layout.operators.iter().map(|place| Vantage {
        cluster: operator_machine(place.cluster).to_owned(),
        host: place.nics[0].1.addr().to_string(),
        user: "root".to_owned(),
        password: None,
        targets: layout.balancers.iter().map(|balancer| balancer.vip).collect(),
    });
    Parameters {
        vcenter,
        datacenter: "DC0".to_owned(),
        old_name: from.to_owned(),
        new_name: upgraded_name(target),
        base: format!("v{}", base.number),
        target: format!("v{}", target.number),
        target_regenerates_certificates: target.facts.regenerates_certificates,
        vsphere_after: scenario.topology.vsphere_after.map(|version| version.to_string()),
        ova: Ova { descriptor: package.descriptor, disk: package.disk },
        target_networks: inputs
            .map(|inputs| inputs.networks.segments().iter().map(|segment| segment.name().to_owned()).collect()),
        target_service_ranges: inputs
            .map(|inputs| layout::ranges(&inputs.service_ranges, blocks).iter().map(ToString::to_string).collect()),
        root_password: secrets.appliance_root.clone(),
        haproxy_user: HAPROXY_USER.to_owned(),
        haproxy_password: secrets.haproxy.clone(),
        vantages: vantages.collect(),
        remove_old: scenario.engine.remove_old,
        // A rollback that is rehearsed for its own sake leaves the new machine to be looked at; one that is needed tidies up.
        keep_new_after_rollback: scenario.rollback == Rollback::Always,
        run: String::new(),
        deadlines: Deadlines {
            routes: pace.routes_within,
            addresses: pace.routes_within + Duration::from_secs(60),
            poll: Duration::from_millis(pace.poll_ms.max(100) * 4).min(Duration::from_secs(1)),
            ..Deadlines::default()
        },
    }
}

/// An engine that cannot read its journal does nothing.
fn unreadable(stage: &dyn Stage, error: &JournalError) -> EngineEnd {
    EngineEnd {
        at_ns: stage.clock().now(),
        exit_code: 1,
        outcome: None,
        rule: None,
        message: error.to_string(),
        advice: None,
    }
}

fn end(stage: &dyn Stage, report: EngineReport) -> EngineEnd {
    use grenadier_engine::Outcome as Claimed;
    let (outcome, rule) = match report.outcome {
        Claimed::Upgraded => (Outcome::Upgraded, None),
        Claimed::RolledBack => (Outcome::RolledBack, None),
        Claimed::Refused { rule, .. } => (Outcome::Refused, Some(rule)),
        Claimed::Stuck => (Outcome::Stuck, None),
    };
    EngineEnd {
        at_ns: stage.clock().now(),
        exit_code: report.exit_code,
        outcome: Some(outcome),
        rule,
        message: report.message,
        advice: report.advice.map(|Advice { left, next }| grenadier_checks::Advice { left, next }),
    }
}

/// The verb in the engine's words.
#[cfg(feature = "mutants")]
const fn reported(verb: Verb) -> grenadier_engine::Verb {
    match verb {
        Verb::Upgrade => grenadier_engine::Verb::Upgrade,
        Verb::Resume => grenadier_engine::Verb::Resume,
        Verb::Rollback => grenadier_engine::Verb::Rollback,
    }
}
