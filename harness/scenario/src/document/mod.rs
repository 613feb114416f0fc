//! The typed document.
//!
//! These types are what the rest of the product works with, and what the schema is derived from. They are read by
//! [`crate::parse`] alone; serialising one gives a document that reads back to the same value, with every default written
//! out, which is how a run's `case.yaml` is made.

mod conduct;
mod expect;
mod fault;
mod field;
mod given;
mod known_failure;
mod resource;
mod timing;
mod topology;
mod version;

use std::time::Duration;

pub use conduct::{BindRange, Engine, ForeignEvent, PowerOn, Rollback, SecondEngine, Transaction, UpgradeVcenter};
pub use expect::{Expect, OutageBudget, Require};
pub use fault::Fault;
pub use field::{End, Field, Source};
pub use given::{ApplianceState, Customisation, Given};
use grenadier_catalog::{Procedure, System, duration_serde};
pub use known_failure::{KnownFailure, SignatureError, SignaturePattern};
pub use resource::{LoadBalancer, Probe, Resource, Workload};
pub(crate) use resource::{MAX_BACKENDS, MAX_CLIENTS, default_clients, default_cluster, default_every};
use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;
pub(crate) use timing::REFERENCE;
pub use timing::{Jitter, JitterError, Timing, TimingProfile};
pub use topology::{HostCapacity, TargetInputs, Topology};
pub use version::{OwnVersion, ProductVersion, VersionChoice};

use crate::{schema, suggest};

/// A scenario cannot be run with a procedure. All of these are errors in the input (exit code 2).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProcedureError {
    /// The system has none of this name.
    #[error("{system} has no procedure `{name}`")]
    Unknown {
        /// The system.
        system: &'static str,
        /// The name that was given.
        name: String,
        /// What to write instead.
        hint: String,
    },
    /// The scenario names a step that the procedure does not have.
    #[error("the scenario names step `{step}`, which procedure `{procedure}` does not have")]
    Step {
        /// The procedure.
        procedure: &'static str,
        /// The step.
        step: String,
        /// The steps it has.
        steps: String,
    },
}

impl ProcedureError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            ProcedureError::Unknown { hint, .. } => hint.clone(),
            ProcedureError::Step { steps, .. } => format!("its steps are {steps}"),
        }
    }
}

/// One rehearsal of an upgrade: from what to what, where, under which load and faults, and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "Grenadier scenario")]
pub struct Scenario {
    /// Name of the scenario, in kebab case; an embedded scenario is called as its file.
    #[schemars(regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub name: String,
    /// What the scenario is about, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::one_line")]
    pub description: Option<String>,
    /// Words by which a gate's profile chooses the scenario, such as `base`; they change nothing about its run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub labels: Vec<String>,
    /// The system to upgrade.
    #[schemars(schema_with = "schema::system")]
    pub system: String,
    /// The version the upgrade starts from.
    pub from: VersionChoice,
    /// The version the upgrade goes to.
    pub to: VersionChoice,
    /// The vSphere, networks, addresses and host around the appliance.
    pub topology: Topology,
    /// What the engine is told about the new appliance where that is not identical to the old one: only for scenarios in
    /// which the engine must refuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::target_inputs")]
    pub target: Option<TargetInputs>,
    /// Deviations from a healthy base, applied before the upgrade.
    #[serde(default)]
    pub given: Vec<Given>,
    /// What is created on the base version and must survive.
    #[schemars(length(min = 1))]
    pub create: Vec<Resource>,
    /// Who uses it meanwhile; one `http-new` probe every 10ms per load balancer if absent.
    #[serde(default)]
    pub workload: Vec<Workload>,
    /// The engine under test.
    #[serde(default)]
    pub engine: Engine,
    /// When the runner asks the engine to roll back.
    #[serde(default)]
    pub rollback: Rollback,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What others do meanwhile.
    #[serde(default)]
    pub events: Vec<ForeignEvent>,
    /// What must come of it.
    #[serde(default)]
    pub expect: Expect,
    /// The failure it reproduces, where somebody really had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::field")]
    pub field: Option<Field>,
    /// The checks that must have been made: `all` that apply, or these.
    #[serde(default)]
    pub require: Require,
    /// Failures that an exploration finds and somebody knows of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_failures: Vec<KnownFailure>,
    /// How long things take.
    #[serde(default)]
    pub timing: Timing,
    /// How long the run lasts, past every timer that could still go off.
    #[serde(default = "default_horizon", with = "duration_serde")]
    #[schemars(schema_with = "schema::duration")]
    pub horizon: Duration,
    /// Seed of every random stream.
    #[serde(default = "default_seed")]
    pub seed: u64,
}

/// Ten minutes: longer than the five after which the appliance's manual calls routes late.
pub(crate) fn default_horizon() -> Duration {
    Duration::from_secs(600)
}

pub(crate) fn default_seed() -> u64 {
    1
}

impl Scenario {
    /// The catalogue's entry of the scenario's system.
    ///
    /// # Panics
    ///
    /// When the scenario was not made by [`crate::parse`] and names no system of the catalogue.
    pub fn catalogue_system(&self) -> &'static System {
        System::find(&self.system).expect("the decoder let only systems of the catalogue pass")
    }

    /// The procedure the engine follows.
    ///
    /// # Panics
    ///
    /// When the scenario was not made by [`crate::parse`] and names no procedure of the catalogue.
    pub fn procedure(&self) -> &'static Procedure {
        self.catalogue_system()
            .procedure(&self.engine.procedure)
            .expect("the decoder let only procedures of the catalogue pass")
    }

    /// The same scenario for another procedure of its system: judged by what `field` says of that one, where there is such.
    ///
    /// # Errors
    ///
    /// The system has no such procedure, or the scenario names steps that the procedure does not have.
    pub fn with_procedure(&self, name: &str) -> Result<Scenario, ProcedureError> {
        let system = self.catalogue_system();
        let Some(procedure) = system.procedure(name) else {
            let names = system.procedures.iter().map(|procedure| procedure.name);
            let hint = suggest::hint("procedure", name, names);
            return Err(ProcedureError::Unknown { system: system.name, name: name.to_owned(), hint });
        };
        let named = self.faults.iter().map(|fault| fault.at.step());
        for step in named.chain(self.events.iter().flat_map(ForeignEvent::steps)) {
            if procedure.step(step).is_none() {
                let steps: Vec<&str> = procedure.steps.iter().map(|step| step.name).collect();
                let (step, steps) = (step.to_owned(), steps.join(", "));
                return Err(ProcedureError::Step { procedure: procedure.name, step, steps });
            }
        }
        let mut other = self.clone();
        if self.engine.procedure == name {
            return Ok(other);
        }
        other.engine.in_place_of =
            Some(self.engine.in_place_of.as_ref().unwrap_or(&self.engine.procedure).clone()).filter(|own| own != name);
        other.engine.procedure = name.to_owned();
        if let Some(end) = self.field.as_ref().and_then(|field| field.ends.get(name)) {
            other.expect = end.expected(&self.expect);
        }
        Ok(other)
    }

    /// The version the upgrade starts from, with its facts.
    pub fn base_version(&self) -> ProductVersion {
        self.from.resolve(self.catalogue_system())
    }

    /// The version the upgrade goes to, with its facts.
    pub fn target_version(&self) -> ProductVersion {
        self.to.resolve(self.catalogue_system())
    }

    /// The versions the appliance came by before it had the base version, the oldest first. None where it was deployed with that.
    pub fn earlier_versions(&self) -> Vec<ProductVersion> {
        let system = self.catalogue_system();
        let earlier = self.given.iter().filter_map(|given| match given {
            Given::UpgradedFrom(version) => Some(version.resolve(system)),
            _ => None,
        });
        earlier.collect()
    }

    /// What the engine is told about the new appliance: `target`, or what the old one has.
    pub fn target_inputs(&self) -> TargetInputs {
        self.target.clone().unwrap_or_else(|| TargetInputs {
            networks: self.topology.networks,
            service_ranges: self.topology.service_ranges.clone(),
        })
    }

    /// The load balancers to create, in order.
    pub fn load_balancers(&self) -> impl Iterator<Item = &LoadBalancer> {
        self.create.iter().map(|resource| match resource {
            Resource::LoadBalancer(load_balancer) => load_balancer,
        })
    }

    /// The load balancer with this name.
    pub fn load_balancer(&self, name: &str) -> Option<&LoadBalancer> {
        self.load_balancers().find(|load_balancer| load_balancer.name == name)
    }

    /// The probes of the workload, in order.
    pub fn probes(&self) -> impl Iterator<Item = &Probe> {
        self.workload.iter().map(|workload| match workload {
            Workload::Probe(probe) => probe,
        })
    }
}
