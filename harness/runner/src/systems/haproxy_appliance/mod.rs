//! The HAProxy load-balancer appliance for vSphere: deploy, create, call the engine, look.

mod base;
mod engine;
mod guests;
mod layout;
mod machines;
mod observe;
mod others;
mod process;
mod routes;

use std::time::Duration;

use grenadier_catalog::{Machine, Named, Residual as DeclaredResidual};
use grenadier_checks::{
    AcknowledgedWrite, EngineEnd, Inventory, ItemKind, Node, Pattern, Residual, Roles, Target, Verb,
};
use grenadier_engine::MemoryStorage;
use grenadier_engine::shell::{Shell, ShellAccess};
use grenadier_events::{Actor, Kind, ProbeKind, ProberState};
use grenadier_fleet::{Operation, Power, Reconfiguration, Watch, WatchId};
use grenadier_scenario::{ApplianceState, ForeignEvent, Given, ProductVersion, Scenario};

use crate::data_plane::DataPlane;
use crate::rehearsal::wait_until;
use crate::searcher::Searcher;
use crate::setting::{HAPROXY_USER, Secrets};
use crate::stage::{BoxFuture, Stage};
use crate::systems::{ForeignAction, Nature, Observed, Phase, PhaseError, Shutdown, System};
pub(crate) use engine::plan;
pub(crate) use guests::guests;
use layout::{Layout, OperatorPlace, operator_machine};
use machines::{CANARY, OperatorAccess, client_machine, operator_config};

/// The name under which the first appliance is deployed.
const FIRST: &str = "haproxy";
/// How long the base may take to come up.
const BASE_WITHIN: Duration = Duration::from_secs(180);

/// Where the appliance keeps its private keys.
const KEYS: [&str; 2] = ["/etc/haproxy/ca.key", "/etc/haproxy/server.key"];

/// What the phases know of the appliance under test.
pub(crate) struct HaproxyAppliance {
    scenario: Scenario,
    /// The versions up to the base, the oldest first: it is deployed with the first and upgraded to each that follows.
    versions: Vec<ProductVersion>,
    target: ProductVersion,
    secrets: Secrets,
    searcher: Searcher,
    layout: Option<Layout>,
    data_plane: DataPlane,
    /// SHA-256 of the certificate that the operators pin.
    pin: String,
    /// Whether the operators were told their load balancers.
    created: bool,
    watches: Vec<WatchId>,
    /// What outlives an engine that ends in the midst of its work.
    journal: MemoryStorage,
    /// The targets that answered when the base was captured.
    served_at_base: Vec<String>,
    /// What is wrong with the engine that is called.
    #[cfg(feature = "mutants")]
    defect: Option<grenadier_engine::procedures::haproxy_appliance::mutants::Defect>,
}

impl HaproxyAppliance {
    pub(crate) fn new(scenario: &Scenario, secrets: Secrets) -> HaproxyAppliance {
        HaproxyAppliance {
            versions: scenario.earlier_versions().into_iter().chain([scenario.base_version()]).collect(),
            target: scenario.target_version(),
            scenario: scenario.clone(),
            searcher: Searcher::new(&secrets, &KEYS),
            secrets,
            layout: None,
            data_plane: DataPlane::default(),
            pin: String::new(),
            created: false,
            watches: Vec::new(),
            journal: MemoryStorage::default(),
            served_at_base: Vec::new(),
            #[cfg(feature = "mutants")]
            defect: None,
        }
    }

    fn layout(&self) -> &Layout {
        self.layout.as_ref().expect("phase `base` made the layout and everything else needs that phase")
    }

    /// The version the upgrade starts from.
    fn base(&self) -> &ProductVersion {
        self.versions.last().expect("there is at least the base")
    }

    /// The name of the appliance that serves before the upgrade.
    fn old_name(&self) -> String {
        appliance_name(&self.versions, self.versions.len() - 1)
    }

    /// The name of the appliance that the upgrade deploys.
    fn new_name(&self) -> String {
        upgraded_name(&self.target)
    }

    fn appliance_shell(&self, stage: &dyn Stage) -> Shell {
        let access = ShellAccess {
            host: self.layout().management().to_string(),
            user: "root".to_owned(),
            password: Some(self.secrets.appliance_root.clone()),
        };
        Shell::new(stage.wire(), Actor::Runner, access)
    }

    fn operator_config(&self, place: &OperatorPlace, stage: &dyn Stage) -> String {
        let access = OperatorAccess {
            endpoint: self.layout().dataplane(),
            user: HAPROXY_USER,
            password: &self.secrets.haproxy,
            pin: &self.pin,
        };
        let balancers = if self.created { self.layout().balancers.as_slice() } else { &[] };
        operator_config(place, &access, balancers, stage.pace())
    }

    fn clusters(&self) -> Vec<&'static str> {
        self.layout().operators.iter().map(|place| operator_machine(place.cluster)).collect()
    }

    /// Waits until every target answers every client, by every backend it has, and every operator is content.
    async fn works(&self, stage: &dyn Stage, targets: &[String], operators: bool) -> Result<(), PhaseError> {
        wait_until(stage, "every target answering and every operator content", stage.pace().routes_within, || {
            let up = self.data_plane.up();
            let down: Vec<&str> = targets.iter().filter(|target| !up.contains(target)).map(String::as_str).collect();
            if !down.is_empty() {
                return Err(format!("no answer from {}", down.join(", ")));
            }
            // A target that is probed by new connections was answered by every backend it has.
            for balancer in self.layout().balancers.iter().filter(|balancer| targets.contains(&balancer.name)) {
                let seen = self.data_plane.backends(&balancer.name);
                let silent = balancer.backends.iter().filter(|(name, _, _)| !seen.is_empty() && !seen.contains(name));
                if let Some((name, _, _)) = silent.into_iter().next() {
                    return Err(format!("no answer from {name} behind {}", balancer.name));
                }
            }
            let retrying = if operators { self.data_plane.retrying(&self.clusters()) } else { Vec::new() };
            if retrying.is_empty() { Ok(()) } else { Err(format!("{} is not content", retrying.join(", "))) }
        })
        .await
    }

    fn all_targets(&self) -> Vec<String> {
        let balancers = self.layout().balancers.iter().map(|balancer| balancer.name.clone());
        balancers.chain([CANARY.to_owned()]).collect()
    }

    async fn perform(&self, stage: &dyn Stage, what: &str, operation: Operation) -> Result<(), PhaseError> {
        let done = stage.perform(operation).await;
        done.map(|_| ()).map_err(|source| PhaseError::Fleet { what: what.to_owned(), source })
    }

    /// Has every probe look from now on, and waits until each has: what nobody saw yet is not known.
    async fn watch_targets(&mut self, stage: &dyn Stage) -> Result<(), PhaseError> {
        let layout = self.layout();
        let canary = std::net::SocketAddr::new(layout.canary.0.addr(), layout.canary.1);
        let mut watches = Vec::new();
        for (index, _) in layout.clients.iter().enumerate() {
            let every = Duration::from_millis(10);
            watches.push((CANARY, canary, ProbeKind::HttpNew, every, vec![CANARY.to_owned()], index));
        }
        for probe in self.scenario.probes() {
            let balancer = layout.balancers.iter().find(|balancer| balancer.name == probe.target);
            let balancer = balancer.expect("the decoder let only declared targets pass");
            let (name, kind) = (balancer.name.as_str(), probe_kind(probe.kind));
            let backends: Vec<String> = balancer.backends.iter().map(|(name, _, _)| name.clone()).collect();
            for index in 0..probe.clients as usize {
                watches.push((name, balancer.vip, kind, probe.every, backends.clone(), index));
            }
        }
        let (mut watching, mut probes) = (Vec::new(), Vec::new());
        for (name, target, kind, every, backends, index) in watches {
            let machine = client_machine(index);
            if let Some(reason) = not_covered(kind) {
                let now = ProberState::NotCovered { reason: reason.to_owned() };
                let told = Kind::Prober { target: name.to_owned(), client: machine, probe: kind, now };
                stage.log().emit(stage.clock().now(), Actor::Probe, told);
                continue;
            }
            let client = stage.machine(&machine).ok_or_else(|| PhaseError::Unfit(format!("there is no {machine}")))?;
            let watch = Watch { client, target, tls: false, kind, every, backends };
            watching.push(stage.watch(watch, name, &machine));
            probes.push((name.to_owned(), machine, kind));
        }
        self.watches = watching;
        wait_until(stage, "every probe looking", BASE_WITHIN, || {
            let blind = self.data_plane.unheard(&probes);
            if blind.is_empty() { Ok(()) } else { Err(format!("nothing was heard of {}", blind.join(", "))) }
        })
        .await
    }
}

/// The kind of probe as fleets and events name it.
const fn probe_kind(kind: grenadier_catalog::ProbeKind) -> ProbeKind {
    match kind {
        grenadier_catalog::ProbeKind::HttpNew => ProbeKind::HttpNew,
        grenadier_catalog::ProbeKind::HttpPinned => ProbeKind::HttpPinned,
        grenadier_catalog::ProbeKind::TcpStream => ProbeKind::TcpStream,
        grenadier_catalog::ProbeKind::Tls => ProbeKind::Tls,
        grenadier_catalog::ProbeKind::Udp => ProbeKind::Udp,
        grenadier_catalog::ProbeKind::Arp => ProbeKind::Arp,
    }
}

/// Why a load balancer of this system cannot be looked at in this way, in either world.
const fn not_covered(kind: ProbeKind) -> Option<&'static str> {
    match kind {
        ProbeKind::Tls => Some("the appliance passes TCP on and ends no TLS of a load balancer"),
        ProbeKind::Udp => Some("HAProxy passes no datagrams on"),
        ProbeKind::HttpNew | ProbeKind::HttpPinned | ProbeKind::TcpStream | ProbeKind::Arp => None,
    }
}

impl System for HaproxyAppliance {
    fn shutdown_by(&self) -> Shutdown {
        Shutdown::Runner
    }

    fn base<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a> {
        Box::pin(async move {
            self.layout = Some(Layout::of(&self.scenario, stage.blocks()));
            self.data_plane = DataPlane::observing(stage.log());
            self.stand_up(stage).await
        })
    }

    fn early_create<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a> {
        Box::pin(async move { self.start_operators(stage).await })
    }

    fn create<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a> {
        Box::pin(async move {
            self.customise(stage).await?;
            self.created = true;
            self.data_plane.forget_operators();
            for place in self.layout().operators.clone() {
                let name = operator_machine(place.cluster);
                let machine = stage.machine(name).ok_or_else(|| PhaseError::Unfit(format!("there is no {name}")))?;
                let told = self.operator_config(&place, stage);
                let config = [("guestinfo.operator".to_owned(), told)].into();
                let change = Reconfiguration { config, ..Reconfiguration::default() };
                self.perform(stage, "tell an operator its load balancers", Operation::Reconfigure { machine, change })
                    .await?;
            }
            // An operator whose cluster wants nothing has nothing to program, and says nothing new.
            let wanting: Vec<&str> = self
                .clusters()
                .into_iter()
                .filter(|name| self.layout().programmed().any(|balancer| operator_machine(balancer.cluster) == *name))
                .collect();
            wait_until(stage, "every operator having programmed its routes", stage.pace().routes_within, || {
                let retrying = self.data_plane.retrying(&wanting);
                if retrying.is_empty() { Ok(()) } else { Err(format!("{} is not content", retrying.join(", "))) }
            })
            .await?;
            self.data_plane.recall_operators();
            self.upgrade_before(stage).await?;
            self.watch_targets(stage).await
        })
    }

    fn verify<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a> {
        Box::pin(async move { self.works(stage, &self.all_targets(), true).await })
    }

    fn shutdown<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a> {
        Box::pin(async move {
            let stopped = self.appliance_shell(stage).systemctl("stop", "dataplaneapi").await;
            stopped.map_err(|error| call("stop the Data Plane API", &error))
        })
    }

    fn verify_noapi<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a> {
        Box::pin(async move {
            let works = self.works(stage, &self.all_targets(), false).await;
            // The upgrade begins with an appliance whose services run.
            let shell = self.appliance_shell(stage);
            let started = shell.systemctl("start", "dataplaneapi").await;
            started.map_err(|error| call("start the Data Plane API again", &error))?;
            works?;
            self.works(stage, &self.all_targets(), true).await
        })
    }

    fn deviate<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a> {
        Box::pin(async move {
            let old =
                stage.machine(&self.old_name()).ok_or_else(|| PhaseError::Unfit("there is no appliance".to_owned()))?;
            for given in self.scenario.given.clone() {
                match given {
                    Given::FileMissing(path) => {
                        let order = Operation::WriteFile { machine: old, path, content: None };
                        self.perform(stage, "remove a file", order).await?;
                    }
                    Given::Appliance(state) => {
                        self.perform(stage, "power the appliance off", Operation::PowerOff { machine: old }).await?;
                        if state == ApplianceState::Absent {
                            self.perform(stage, "remove the appliance", Operation::Destroy { machine: old }).await?;
                        }
                    }
                    Given::RouteRuleDuplicated(network) => self.duplicate_route(stage, network).await?,
                    Given::LinkRouteLeft(network) => self.leave_link_route(stage, network).await?,
                    Given::ApiStopped(length) => self.stop_api(stage, length).await?,
                    // Made before: customisations, ranges and earlier upgrades belong to the base, privileges to the account.
                    Given::Customisation(_)
                    | Given::ServiceRange(_)
                    | Given::PrivilegeMissing(_)
                    | Given::UpgradedFrom(_) => {}
                }
            }
            Ok(())
        })
    }

    fn engine<'a>(&'a mut self, stage: &'a dyn Stage, verb: Verb) -> BoxFuture<'a, EngineEnd> {
        Box::pin(async move { self.call_engine(stage, verb).await })
    }

    fn verify_upgraded<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a> {
        Box::pin(async move { self.works(stage, &self.all_targets(), true).await })
    }

    fn settle<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a> {
        Box::pin(async move {
            let served = self.served_at_base.clone();
            let operators = served.iter().any(|target| target != CANARY);
            self.works(stage, &served, operators).await
        })
    }

    fn observe<'a>(&'a mut self, stage: &'a dyn Stage, name: &'a str) -> BoxFuture<'a, Result<Observed, PhaseError>> {
        Box::pin(async move {
            let observed = self.look(stage, name).await?;
            if name == "base" {
                self.served_at_base = self.data_plane.up();
            }
            Ok(observed)
        })
    }

    fn destroy<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a> {
        Box::pin(async move {
            for watch in self.watches.drain(..) {
                stage.unwatch(watch);
            }
            let machines: Vec<_> = stage.view(|view| {
                view.machines.values().map(|machine| (machine.id, machine.spec.name.clone(), machine.power)).collect()
            });
            let (on, all): (Vec<_>, Vec<_>) =
                (machines.iter().filter(|(_, _, power)| *power == Power::On).collect(), machines.iter().collect());
            let off = on.iter().map(|(machine, _, _)| stage.perform(Operation::PowerOff { machine: *machine }));
            let off = futures_util::future::join_all(off).await;
            let gone = all.iter().map(|(machine, _, _)| stage.perform(Operation::Destroy { machine: *machine }));
            let gone = futures_util::future::join_all(gone).await;
            off.into_iter().chain(gone).try_for_each(|done| {
                done.map(|_| ()).map_err(|source| PhaseError::Fleet { what: "take a machine down".to_owned(), source })
            })
        })
    }

    fn machine(&self, machine: Machine) -> String {
        match machine {
            Machine::OldAppliance => self.old_name(),
            Machine::NewAppliance => self.new_name(),
        }
    }

    fn foreign_actions(&self, event: &ForeignEvent, stage: &dyn Stage) -> Vec<(String, ForeignAction)> {
        HaproxyAppliance::foreign_actions(self, event, stage)
    }

    fn nature(&self) -> Nature {
        let (old, new) = (self.old_name(), self.new_name());
        let files = [format!("[LocalDS_0] {new}")];
        let product = files
            .iter()
            .fold(Inventory::default().with(ItemKind::Machine, &new), |all, file| all.with(ItemKind::File, file));
        let residual = |declared: &DeclaredResidual| {
            let (machine, items) = match declared {
                DeclaredResidual::NewAppliancePoweredOff => (new.clone(), product.clone()),
                DeclaredResidual::OldAppliancePoweredOff => {
                    (old.clone(), Inventory::default().with(ItemKind::Machine, &old))
                }
            };
            let pattern = |path: String| path.parse::<Pattern>().expect("a machine's name is a path");
            Residual {
                name: declared.name().to_owned(),
                items,
                paths: vec![pattern(format!("machines/{machine}")), pattern(format!("machines/{machine}/**"))],
                holds: [(format!("machines/{machine}/power"), "off".to_owned())].into(),
            }
        };
        let mut targets: Vec<Target> = self
            .scenario
            .load_balancers()
            .map(|balancer| Target {
                name: balancer.name.clone(),
                cluster: balancer.cluster.name().to_owned(),
                is_canary: false,
            })
            .collect();
        targets.push(Target { name: CANARY.to_owned(), cluster: String::new(), is_canary: true });
        let mut roles = Roles::default();
        for target in &targets {
            roles.name(&target.name, if target.is_canary { "canary" } else { "load-balancer" });
        }
        roles.name(&old, Machine::OldAppliance.name());
        roles.name(&new, Machine::NewAppliance.name());
        Nature {
            targets,
            roles,
            residuals: self.scenario.expect.residuals.iter().map(residual).collect(),
            product,
            recreated: Vec::new(),
            searcher: self.searcher.clone(),
            written_by_others: self.scenario.events.iter().filter_map(written).collect(),
        }
    }
}

/// The name of an appliance that an upgrade to this version deployed.
fn upgraded_name(version: &ProductVersion) -> String {
    format!("haproxy-v{}", version.number)
}

/// The name of the appliance of the `at`-th of these versions, which came one after the other.
fn appliance_name(versions: &[ProductVersion], at: usize) -> String {
    if at == 0 { FIRST.to_owned() } else { upgraded_name(&versions[at]) }
}

/// What an event of somebody else's leaves in the captured state, which is not the engine's doing. A machine that others
/// power on is no write: where that is wrong, the checks must say so.
fn written(event: &ForeignEvent) -> Option<(String, AcknowledgedWrite)> {
    match event {
        ForeignEvent::PowerOn(_)
        | ForeignEvent::Reboot(_)
        | ForeignEvent::BindRange(_)
        | ForeignEvent::Transaction(_)
        | ForeignEvent::SecondEngine(_) => None,
        ForeignEvent::UpgradeVcenter(upgrade) => {
            let node = Some(Node::config(upgrade.to.to_string()));
            Some((upgrade.after.clone(), AcknowledgedWrite { path: "cloud/version".to_owned(), node }))
        }
    }
}

/// A client's error as a phase's.
fn call(what: &str, error: &dyn std::error::Error) -> PhaseError {
    PhaseError::Call { what: format!("failed to {what}"), reason: crate::rehearsal::chain(error) }
}
