//! The appliance as a guest.

use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::{Seed, Time};
use grenadier_dataplane::DataPlaneApi;
use grenadier_fleet::{GuestReport, ImageHeader};
use grenadier_guest::{Answering, Guest, Host, Input, Listener, RouteRule, TimerKey};
use grenadier_wire::{Answer, http_response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::anyip::{self, AnyIp};
use crate::boot::{self, BootTiming, Stage};
use crate::dataplaneapi::{self, ApplianceEnvironment, ServiceConfig};
use crate::metadata::Metadata;
use crate::route_tables::{self, RouteTables};
use crate::services::{self, Services, State};
use crate::{Facts, FactsError, HaproxyProcess, ModelHaproxy, certificates, fidelity, journal, paths};

const BOOT_TIMER: TimerKey = "boot";
const POWER_OFF_TIMER: TimerKey = "power-off";
const RESTART_TIMER: TimerKey = "haproxy-restart";

/// How long systemd waits before it starts a service again that died: `RestartSec`, unless the unit says otherwise
/// (systemd.service(5)). HAProxy's unit says `Restart=always` and nothing about it.
const RESTART_AFTER: Duration = Duration::from_millis(100);
/// Within this time systemd starts a service so often at most (systemd-system.conf(5): `DefaultStartLimitIntervalSec`,
/// `DefaultStartLimitBurst`).
const START_LIMIT: (Duration, usize) = (Duration::from_secs(10), 5);

/// The appliance: one HAProxy, one Data Plane API, AnyIP and policy routes.
#[derive(Clone)]
pub struct Appliance<P> {
    version: String,
    facts: Facts,
    seed: Seed,
    /// How long a boot takes as this machine was told …
    told: BootTiming,
    /// … and as it does.
    timing: BootTiming,
    stopped: P,
    memory: Memory<P>,
}

/// What a power-off loses.
#[derive(Clone)]
struct Memory<P> {
    stage: Stage,
    services: Services,
    haproxy: P,
    /// When systemd has started HAProxy again, the last times.
    restarts: Vec<Time>,
    api: Option<(DataPlaneApi, ServiceConfig)>,
    anyip: AnyIp,
    route_tables: RouteTables,
    /// `route-tables.cfg` when the service last looked at it.
    route_tables_seen: Option<Bytes>,
    rules: Vec<RouteRule>,
}

impl<P: HaproxyProcess> Memory<P> {
    fn empty(haproxy: P) -> Memory<P> {
        Memory {
            stage: Stage::Off,
            services: Services::default(),
            haproxy,
            restarts: Vec::new(),
            api: None,
            anyip: AnyIp::default(),
            route_tables: RouteTables::default(),
            route_tables_seen: None,
            rules: Vec::new(),
        }
    }
}

impl Appliance<ModelHaproxy> {
    /// The appliance that boots from an image in the virtual world.
    ///
    /// # Errors
    /// The image's header does not say what the appliance needs to know.
    pub fn from_image(image: &ImageHeader, seed: Seed, timing: BootTiming) -> Result<Self, FactsError> {
        let facts = Facts::from_header(&image.facts)?;
        let haproxy = ModelHaproxy::new(facts.haproxy.clone());
        Ok(Appliance::new(&image.version, facts, seed, timing, haproxy))
    }
}

impl<P: HaproxyProcess> Appliance<P> {
    /// An appliance with this HAProxy, which does not run yet. Keys follow from the seed and the machine's name.
    pub fn new(version: &str, facts: Facts, seed: Seed, timing: BootTiming, haproxy: P) -> Appliance<P> {
        let memory = Memory::empty(haproxy.clone());
        Appliance { version: version.to_owned(), facts, seed, told: timing, timing, stopped: haproxy, memory }
    }

    /// Its HAProxy.
    pub fn haproxy(&self) -> &P {
        &self.memory.haproxy
    }

    fn boot(&mut self, host: &mut dyn Host) {
        self.memory = Memory::empty(self.stopped.clone());
        // /tmp is in memory on the real one.
        if host.holds(&fidelity::TEMPORARY) {
            for path in host.list(paths::TEMPORARY) {
                host.remove(&path);
            }
        }
        self.timing = if host.holds(&fidelity::BOOT_TIMES) { self.told } else { self.told.slower(3) };
        let first = boot::is_first_boot(host);
        let after = if first { self.timing.cloud_init_first } else { self.timing.cloud_init_later };
        host.service("cloud-init", "starting", if first { "first boot" } else { "" });
        self.memory.stage = Stage::CloudInit;
        host.timer(BOOT_TIMER, after);
    }

    /// The present stage's time is over: do its work, begin the next.
    fn next_stage(&mut self, host: &mut dyn Host) {
        let (stage, after) = match self.memory.stage {
            Stage::CloudInit => {
                if let Err(reason) = self.cloud_init(host) {
                    return self.fail_boot(reason, host);
                }
                host.service("cloud-init", "running", "");
                (Stage::Network, self.timing.network)
            }
            Stage::Network => {
                match Metadata::read(host) {
                    Ok(metadata) => metadata.apply(host),
                    Err(reason) => return self.fail_boot(reason, host),
                }
                for service in [route_tables::SERVICE, anyip::SERVICE] {
                    self.try_start(service, host);
                }
                host.service(services::HAPROXY, "starting", "");
                (Stage::Haproxy, self.timing.haproxy)
            }
            Stage::Haproxy => {
                self.try_start(services::HAPROXY, host);
                host.service(dataplaneapi::SERVICE, "starting", "");
                (Stage::DataPlaneApi, self.timing.dataplaneapi)
            }
            Stage::DataPlaneApi => {
                self.try_start(dataplaneapi::SERVICE, host);
                self.memory.stage = Stage::Up;
                return host.report(GuestReport::Up);
            }
            Stage::Off | Stage::Up | Stage::Failed | Stage::ShuttingDown => return,
        };
        self.memory.stage = stage;
        host.timer(BOOT_TIMER, after);
    }

    fn cloud_init(&mut self, host: &mut dyn Host) -> Result<(), String> {
        if boot::is_first_boot(host) {
            let salt = self.salt(host.machine());
            boot::take_over(&self.version, &self.facts, &salt, host)?;
        }
        certificates::ensure(self.seed, &self.facts, &Metadata::read(host)?, host)
    }

    /// The salt of the operator's password: eight characters that follow from the seed.
    fn salt(&self, machine: &str) -> String {
        let bytes = self.seed.bytes(machine, "password salt");
        bytes[..8].iter().map(|byte| char::from(b'a' + byte % 26)).collect()
    }

    fn fail_boot(&mut self, reason: String, host: &mut dyn Host) {
        journal::log(host, "cloud-init", &reason);
        host.service("cloud-init", "failed", reason.clone());
        self.memory.stage = Stage::Failed;
        host.report(GuestReport::BootFailed(reason));
    }

    /// Starts a service during boot; that one fails stops no other.
    fn try_start(&mut self, service: &'static str, host: &mut dyn Host) {
        if let Err(message) = self.start_service(service, host) {
            journal::log(host, "systemd", &message);
        }
    }

    pub(crate) fn service_state(&self, service: &str) -> State {
        self.memory.services.state(service)
    }

    /// `systemctl start`.
    pub(crate) fn start_service(&mut self, service: &'static str, host: &mut dyn Host) -> Result<(), String> {
        let memory = &mut self.memory;
        if memory.services.is_active(service) {
            return Ok(());
        }
        match service {
            services::HAPROXY
                if matches!(memory.services.state(route_tables::SERVICE), State::Failed(_))
                    && host.holds(&fidelity::REQUIRES_ROUTES) =>
            {
                let reason = format!("Dependency failed for {service}.service: {}.service", route_tables::SERVICE);
                memory.services.set(service, State::Failed(reason.clone()), host);
                return Err(reason);
            }
            services::HAPROXY => {
                return dataplaneapi::start_haproxy(&mut memory.haproxy, &mut memory.services, host);
            }
            dataplaneapi::SERVICE => {
                if let Err(reason) = self.start_api(host) {
                    journal::log(host, service, &reason);
                    self.memory.services.set(service, State::Failed(reason), host);
                    return Err(format!("Job for {service}.service failed. See \"systemctl status {service}\"."));
                }
            }
            anyip::SERVICE => memory.anyip.up(host),
            route_tables::SERVICE => {
                memory.route_tables_seen = host.read(paths::ROUTE_TABLES_CFG);
                if let Err(reason) = memory.route_tables.up(&self.facts, host) {
                    memory.services.set(service, State::Failed(reason), host);
                    return Err(format!("Job for {service}.service failed. See \"systemctl status {service}\"."));
                }
            }
            other => unreachable!("{other} is none of the appliance's services"),
        }
        self.memory.services.set(service, State::Active, host);
        Ok(())
    }

    /// SIGKILL for every process of HAProxy.
    pub(crate) fn kill_haproxy(&mut self, host: &mut dyn Host) {
        self.memory.haproxy.kill(host);
        self.look_after_haproxy(host);
    }

    /// What systemd does when HAProxy has ended by itself: it starts it again, unless that happens all the time.
    fn look_after_haproxy(&mut self, host: &mut dyn Host) {
        let memory = &mut self.memory;
        if !memory.services.is_active(services::HAPROXY) || memory.haproxy.running() {
            return;
        }
        let (interval, most) = START_LIMIT;
        let now = host.now();
        memory.restarts.retain(|at| now.since(*at) < interval);
        let restarts = host.holds(&fidelity::RESTARTS) && memory.restarts.len() < most;
        let reason = if restarts { "the main process has ended" } else { "start request repeated too quickly" };
        journal::log(host, "systemd", &format!("haproxy.service: {reason}"));
        memory.services.set(services::HAPROXY, State::Failed(reason.to_owned()), host);
        if restarts {
            memory.restarts.push(now);
            host.timer(RESTART_TIMER, RESTART_AFTER);
        }
    }

    /// `systemctl stop`.
    pub(crate) fn stop_service(&mut self, service: &'static str, host: &mut dyn Host) {
        if service == services::HAPROXY {
            host.cancel(RESTART_TIMER);
        }
        let memory = &mut self.memory;
        if !memory.services.is_active(service) {
            return;
        }
        match service {
            services::HAPROXY => {
                return dataplaneapi::stop_haproxy(&mut memory.haproxy, &mut memory.services, host);
            }
            dataplaneapi::SERVICE => {
                host.cancel(dataplaneapi::RELOAD_TIMER);
                if let Some((_, config)) = memory.api.take() {
                    host.close(config.address, config.port);
                }
            }
            anyip::SERVICE => memory.anyip.down(host),
            route_tables::SERVICE => memory.route_tables.down(&self.facts, host),
            other => unreachable!("{other} is none of the appliance's services"),
        }
        memory.services.set(service, State::Inactive, host);
    }

    /// `systemctl reload`: HAProxy alone can.
    pub(crate) fn reload_service(&mut self, service: &'static str, host: &mut dyn Host) -> Result<(), String> {
        if service != services::HAPROXY {
            return Err(format!("Failed to reload {service}.service: Job type reload is not applicable."));
        }
        dataplaneapi::reload_haproxy(&mut self.memory.haproxy, &mut self.memory.services, host)
    }

    fn start_api(&mut self, host: &mut dyn Host) -> Result<(), String> {
        let config = ServiceConfig::read(&self.facts, host)?;
        let now = host.now();
        let mut environment = self.memory.environment(config.restarts, host);
        let api =
            DataPlaneApi::start(config.settings.clone(), now, &mut environment).map_err(|error| error.to_string())?;
        host.listen(Listener {
            address: config.address,
            port: config.port,
            certificate: Some(config.certificate.clone()),
            answering: Answering::Guest,
        });
        self.memory.api = Some((api, config));
        Ok(())
    }

    /// What inotify tells the two services that watch their files. Only the shell changes those.
    pub(crate) fn look_at_watched_files(&mut self, host: &mut dyn Host) {
        let memory = &mut self.memory;
        if memory.services.is_active(anyip::SERVICE) && memory.anyip.changed(host) {
            memory.anyip.up(host);
        }
        let seen = host.read(paths::ROUTE_TABLES_CFG);
        if memory.services.is_active(route_tables::SERVICE) && memory.route_tables_seen != seen {
            memory.route_tables_seen = seen;
            // The watch goes on whatever came of it; the log tells.
            let _logged = memory.route_tables.up(&self.facts, host);
        }
    }

    /// `ip route add local RANGE dev lo`.
    pub(crate) fn bind_range(&mut self, range: ipnet::IpNet, host: &mut dyn Host) -> bool {
        self.memory.anyip.bind(range, host)
    }

    /// `ip route show table all`.
    pub(crate) fn show_routes(&self) -> String {
        self.memory.route_tables.show()
    }

    fn shut_down(&mut self, host: &mut dyn Host) {
        host.cancel(BOOT_TIMER);
        self.memory.stage = Stage::ShuttingDown;
        for service in services::ALL.into_iter().rev() {
            self.stop_service(service, host);
        }
        host.timer(POWER_OFF_TIMER, self.timing.shutdown);
    }

    fn answer_http(&mut self, port: u16, request: &http::Request<Bytes>, host: &mut dyn Host) -> http::Response<Bytes> {
        let now = host.now();
        match self.memory.api.take() {
            Some((mut api, config)) if config.port == port => {
                let response = api.handle(now, request, &mut self.memory.environment(config.restarts, host));
                self.memory.api = Some((api, config));
                response
            }
            other => {
                self.memory.api = other;
                http_response(StatusCode::BAD_GATEWAY, "text/plain", "nothing answers at this port\n")
            }
        }
    }

    fn reload_window_ends(&mut self, host: &mut dyn Host) {
        let now = host.now();
        if let Some((mut api, config)) = self.memory.api.take() {
            api.timer(now, &mut self.memory.environment(config.restarts, host));
            self.memory.api = Some((api, config));
        }
    }
}

impl<P: HaproxyProcess> Memory<P> {
    fn environment<'a>(&'a mut self, restarts: bool, host: &'a mut dyn Host) -> ApplianceEnvironment<'a, P> {
        ApplianceEnvironment { host, haproxy: &mut self.haproxy, services: &mut self.services, restarts }
    }
}

impl<P: HaproxyProcess> Guest for Appliance<P> {
    fn handle(&mut self, input: Input, host: &mut dyn Host) {
        // A request to the Data Plane API is the one frequent input, and none changes the rules.
        let may_change_rules = !matches!(input, Input::Http { .. });
        match input {
            Input::Boot => self.boot(host),
            Input::Timer(BOOT_TIMER) => self.next_stage(host),
            Input::Timer(POWER_OFF_TIMER) => host.power_off(),
            Input::Timer(dataplaneapi::RELOAD_TIMER) => self.reload_window_ends(host),
            Input::Timer(RESTART_TIMER) => self.try_start(services::HAPROXY, host),
            Input::Timer(key) => {
                self.memory.haproxy.timer(key, host);
                self.look_after_haproxy(host);
            }
            Input::Http { reply, port, request } => {
                let response = self.answer_http(port, &request, host);
                host.reply(reply, Answer::Http(response));
            }
            Input::Shell { reply, command } => {
                let output = self.run_command(&command, host);
                host.reply(reply, Answer::Shell(output));
            }
            Input::Shutdown => self.shut_down(host),
            // It calls nobody, and reads its properties at the first boot alone.
            Input::Called { .. } | Input::Reconfigured => {}
        }
        if may_change_rules {
            self.memory.rules = host.route_rules();
        }
    }

    fn state(&self) -> Value {
        let memory = &self.memory;
        json!({
            "version": self.version,
            "boot": memory.stage.name(),
            "services": memory.services.json(),
            "haproxy": memory.haproxy.state(),
            "dataplaneapi": memory.api.as_ref().map(|(api, _)| api.state()),
            "local_routes": memory.anyip.routes(),
            "table_routes": memory.route_tables.routes(),
            "rules": memory.rules,
        })
    }

    fn boxed_clone(&self) -> Box<dyn Guest> {
        Box::new(self.clone())
    }
}
