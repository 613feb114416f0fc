//! A small world: one vCenter, appliances, two vantage machines.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt as _;
use grenadier_clock::{Clock, Time};
use grenadier_events::{Actor, EventLog};
use grenadier_wire::{Answer, Answerer, Answering, Exchange, Failure, Wire};

use crate::testing::protocol::Names;
use crate::testing::vcenter::{Filter, Lease, Task};
use crate::testing::{CERTIFICATE, KEY, PASSWORD, TestClock, appliance, vcenter};

/// How long a machine takes to boot.
pub(super) const BOOT: Duration = Duration::from_secs(20);

/// How long a guest takes to shut down.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// A virtual machine.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) version: &'static str,
    /// Since when it is on.
    pub(crate) on: Option<Time>,
    /// When it goes off by itself.
    pub(crate) going_off: Option<Time>,
    pub(crate) cpus: u32,
    pub(crate) networks: Vec<&'static str>,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) extra_config: BTreeMap<String, String>,
    pub(crate) files: BTreeMap<String, String>,
    /// Services that were stopped or failed; the others run.
    pub(crate) down: Vec<String>,
    /// Services that run, but not with what their files say now.
    pub(crate) stale: Vec<String>,
    /// The certificate the API shows: it reads the file when it starts.
    pub(crate) shown: String,
    /// Whether its disk was uploaded.
    pub(crate) disk: bool,
}

/// Where the engine's process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// Before the effect of its call number so-and-so, from 1.
    Before(usize),
    /// After the effect, before the answer.
    After(usize),
}

/// How often what happened to machines, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) made: BTreeMap<String, u32>,
    pub(crate) removed: BTreeMap<String, u32>,
    pub(crate) turned_on: BTreeMap<String, u32>,
}

/// What tests turn.
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    pub(crate) vsphere: &'static str,
    pub(crate) missing_privilege: Option<&'static str>,
    pub(crate) free_memory_mib: u64,
    pub(crate) regenerates_certificates: bool,
    pub(crate) new_never_boots: bool,
    pub(crate) no_routes_on_new: bool,
    /// A session ends after so many calls.
    pub(crate) session_calls: u32,
    /// When somebody removes the old machine.
    pub(crate) vanishes: Option<Time>,
    /// Guests cannot be asked to shut down.
    pub(crate) deaf_guests: bool,
    /// Where the engine's process ends.
    pub(crate) crash: Option<Crash>,
}

pub(crate) struct State {
    pub(crate) knobs: Knobs,
    pub(crate) machines: BTreeMap<String, Machine>,
    pub(super) tasks: BTreeMap<String, Task>,
    pub(super) filters: BTreeMap<String, Filter>,
    pub(super) leases: BTreeMap<String, Lease>,
    pub(crate) session: Option<(String, u32)>,
    pub(super) next: u32,
    /// The engine's calls so far, since a crash was last set.
    served: usize,
    pub(crate) tally: Tally,
    /// Whether two appliances were ever on together.
    pub(crate) fought: bool,
    /// Every write a shell was asked for: path, content.
    pub(crate) writes: Vec<(String, String)>,
}

/// The world and the clock it runs by.
#[derive(Clone)]
pub(crate) struct FakeWorld {
    pub(crate) clock: TestClock,
    pub(crate) log: EventLog,
    state: Arc<Mutex<State>>,
}

const OLD_CONFIG: &str = "# _version=7
global
  maxconn 60000
  maxconn 50000
defaults
  mode tcp
userlist controller
  user client password x
frontend supervisor-shop
  bind 198.18.2.20:443
";

impl FakeWorld {
    pub(crate) fn new() -> FakeWorld {
        let files = [
            ("/etc/vmware-haproxy-release", "VERSION=v0.1.10\n"),
            ("/etc/haproxy/server.crt", CERTIFICATE),
            ("/etc/haproxy/server.key", KEY),
            ("/etc/haproxy/haproxy.cfg", OLD_CONFIG),
            ("/etc/haproxy/dataplaneapi.cfg", "TLS_HOST=198.18.0.10\n"),
        ];
        let properties = [
            ("appliance.root_pwd", ""),
            ("appliance.ca_cert", ""),
            ("appliance.ca_cert_key", ""),
            ("network.management_ip", "198.18.0.10/24"),
            ("loadbalance.service_ip_range", "198.18.2.16/28"),
            ("loadbalance.haproxy_user", "client"),
            ("loadbalance.haproxy_pwd", ""),
        ];
        let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let old = Machine {
            name: "haproxy".into(),
            version: "v0.1.10",
            on: Some(Time::ZERO),
            going_off: None,
            cpus: 4,
            networks: vec!["management", "workload", "frontend"],
            properties: owned(&properties),
            extra_config: BTreeMap::new(),
            files: owned(&files),
            down: Vec::new(),
            stale: Vec::new(),
            shown: CERTIFICATE.into(),
            disk: true,
        };
        let knobs = Knobs {
            vsphere: "7.0.0",
            missing_privilege: None,
            free_memory_mib: 16384,
            regenerates_certificates: false,
            new_never_boots: false,
            no_routes_on_new: false,
            session_calls: u32::MAX,
            vanishes: None,
            deaf_guests: false,
            crash: None,
        };
        let state = State {
            knobs,
            machines: BTreeMap::from([("vm-1".into(), old)]),
            tasks: BTreeMap::new(),
            filters: BTreeMap::new(),
            leases: BTreeMap::new(),
            session: None,
            next: 2,
            served: 0,
            tally: Tally::default(),
            fought: false,
            writes: Vec::new(),
        };
        let world =
            FakeWorld { clock: TestClock::default(), log: EventLog::default(), state: Arc::new(Mutex::new(state)) };
        // The old appliance has been up for long.
        world.clock.advance_to(Time::ZERO + Duration::from_secs(3600));
        world
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A wire with this world behind it.
    pub(crate) fn wire(&self) -> Wire {
        Wire::new(vec![Box::new(Names)], Arc::new(self.clock.clone()), self.log.clone())
            .connected(Arc::new(self.clone()))
    }

    /// Name and power of every machine.
    pub(crate) fn power(&self) -> Vec<(String, bool)> {
        let mut state = self.state();
        state.settle(self.clock.now());
        state.machines.values().map(|machine| (machine.name.clone(), machine.on.is_some())).collect()
    }

    /// Ends the engine's process at one of its next calls; with none, lets the next process live.
    pub(crate) fn crash(&self, crash: Option<Crash>) {
        self.clock.stop(false);
        let mut state = self.state();
        state.served = 0;
        state.knobs.crash = crash;
    }

    /// The addresses of the engine's calls so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        let events = self.log.events();
        let calls =
            events.into_iter().filter(|event| event.actor == Actor::Engine).filter_map(|event| match event.kind {
                grenadier_events::Kind::Call { address, .. } => Some(address),
                _ => None,
            });
        calls.collect()
    }
}

impl State {
    /// Brings about what is due by `now`.
    pub(super) fn settle(&mut self, now: Time) {
        if self.knobs.vanishes.is_some_and(|at| now >= at) {
            self.machines.remove("vm-1");
        }
        for machine in self.machines.values_mut() {
            if machine.going_off.is_some_and(|at| at <= now) {
                machine.on = None;
                machine.going_off = None;
            }
        }
        let due: Vec<String> =
            self.tasks.iter().filter(|(_, task)| task.is_due(now)).map(|(id, _)| id.clone()).collect();
        for id in due {
            vcenter::finish_task(self, &id, now);
        }
        let expired: Vec<String> = self
            .leases
            .iter()
            .filter(|(_, lease)| lease.state == "ready" && now >= lease.expires)
            .map(|(id, _)| id.clone())
            .collect();
        for id in expired {
            let lease = self.leases.remove(&id).unwrap();
            self.remove(&lease.machine);
        }
        self.fought |= self.machines.values().filter(|machine| machine.on.is_some()).count() > 1;
    }

    pub(super) fn remove(&mut self, id: &str) {
        if let Some(machine) = self.machines.remove(id) {
            *self.tally.removed.entry(machine.name).or_default() += 1;
        }
    }

    pub(super) fn id(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}-{}", self.next)
    }

    pub(super) fn shut_down(&mut self, id: &str, now: Time) {
        self.machines.get_mut(id).unwrap().going_off = Some(now + SHUTDOWN);
    }

    /// The appliance that answers at the management address: the one that is on and has booted.
    pub(super) fn serving(&mut self, now: Time) -> Option<&mut Machine> {
        self.settle(now);
        let never = self.knobs.new_never_boots;
        let booted = |machine: &Machine| {
            let stuck = never && machine.version != "v0.1.10";
            !stuck && machine.on.is_some_and(|since| now >= since + BOOT)
        };
        self.machines.values_mut().find(|machine| booted(machine))
    }
}

impl Answerer for FakeWorld {
    fn answer(&self, _actor: Actor, exchange: Exchange) -> Answering {
        let state = &mut *self.state();
        state.served += 1;
        let served = state.served;
        if state.knobs.crash == Some(Crash::Before(served)) {
            self.clock.stop(true);
            return Box::pin(std::future::pending());
        }
        state.settle(self.clock.now());
        let result: Result<Answer, Failure> = match &exchange {
            Exchange::Http(http) if http.endpoint.starts_with("vcenter.") => {
                Ok(vcenter::answer(state, &self.clock, http).into())
            }
            Exchange::Http(http) => appliance::api(state, self.clock.now(), http).map(Answer::from),
            Exchange::Shell(shell) if shell.host == "198.18.0.10" => {
                assert_eq!(shell.password.as_ref().map(|password| password.reveal()), Some(PASSWORD));
                appliance::shell(state, self.clock.now(), shell).map(Answer::from)
            }
            Exchange::Shell(shell) => Ok(appliance::curl(state, self.clock.now(), shell).into()),
        };
        if state.knobs.crash == Some(Crash::After(served)) {
            self.clock.stop(true);
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(result))
    }
}

/// Runs a future that may never end, as a process does that is killed.
pub(crate) fn run_or_crash<T>(future: impl Future<Output = T>) -> Option<T> {
    future.now_or_never()
}

/// Runs a future of which every part is ready when asked.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("everything answers at once, and sleeps jump")
}
