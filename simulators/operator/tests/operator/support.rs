//! Operators and an appliance, each on a test host, with a wire between them.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_clock::{Seed, Time};
use grenadier_dataplane::Generation;
use grenadier_fleet::GuestReport;
use grenadier_guest::testing::TestHost;
use grenadier_guest::{Guest, Input, ReplyTo};
use grenadier_haproxy_appliance::{Appliance, BootTiming, Facts, ModelHaproxy, RulesOnStop, fingerprint_of_pem};
use grenadier_operator::Operator;
use grenadier_wire::{Answer, Exchange, Failure, HttpExchange, TlsTrust};
use serde_json::{Value, json};

pub(crate) const ENDPOINT: &str = "198.18.0.10:5556";

/// What the wire does to a call: none lets it through.
pub(crate) type Rule = Box<dyn FnMut(&HttpExchange) -> Option<Failure>>;

/// A cluster's operator.
pub(crate) struct Cluster {
    pub(crate) guest: Operator,
    pub(crate) host: TestHost,
    /// Method and path of every call, with its status or failure.
    pub(crate) calls: Vec<String>,
}

/// All of them, at one time.
pub(crate) struct World {
    pub(crate) appliance: Appliance<ModelHaproxy>,
    pub(crate) appliance_host: TestHost,
    pub(crate) clusters: BTreeMap<String, Cluster>,
    pub(crate) rule: Rule,
    pub(crate) now: Time,
}

fn properties() -> [(&'static str, &'static str); 7] {
    [
        ("appliance.root_pwd", "root-password"),
        ("network.management_ip", "198.18.0.10/24"),
        ("network.workload_ip", "198.18.1.10/24"),
        ("network.frontend_ip", "198.18.2.10/24"),
        ("loadbalance.service_ip_range", "198.18.2.16/28"),
        ("loadbalance.haproxy_user", "operator"),
        ("loadbalance.haproxy_pwd", "operator-password"),
    ]
}

impl World {
    /// An appliance that is up, without operators.
    pub(crate) fn new() -> World {
        let facts = Facts {
            haproxy: "2.2.9".into(),
            dataplane_generation: Generation::APPLIANCE,
            regenerates_certificates: false,
            link_scoped_routes: true,
            route_rules_on_stop: RulesOnStop::DeletesOne,
            additional_workload_networks: false,
            reload_delay_ms: 30_000,
        };
        let haproxy = ModelHaproxy::new("2.2.9");
        let appliance = Appliance::new("v0.1.10", facts, Seed(7), BootTiming::reference(), haproxy);
        let mut appliance_host = TestHost::default();
        for (key, segment) in [(4000, "management"), (4001, "workload"), (4002, "frontend")] {
            appliance_host.nics.push((key, segment.to_owned(), true));
        }
        let lines: String =
            properties().iter().map(|(key, value)| format!("<Property key=\"{key}\" value=\"{value}\"/>")).collect();
        let environment = format!("<Environment><PropertySection>{lines}</PropertySection></Environment>");
        appliance_host.config.insert("guestinfo.ovfEnv".to_owned(), environment);
        let mut world =
            World { appliance, appliance_host, clusters: BTreeMap::new(), rule: Box::new(|_| None), now: Time::ZERO };
        world.appliance.handle(Input::Boot, &mut world.appliance_host);
        world.pass(Duration::from_secs(20));
        world
    }

    /// The fingerprint an operator should pin.
    pub(crate) fn pin(&self) -> String {
        fingerprint_of_pem(std::str::from_utf8(&self.appliance_host.files["/etc/haproxy/server.crt"]).unwrap()).unwrap()
    }

    /// An operator's configuration with load balancers: name, last number of the address.
    pub(crate) fn config(&self, cluster: &str, balancers: &[(&str, u8)]) -> Value {
        let balancer = |(name, number): &(&str, u8)| json!({"name": name, "vip": format!("198.18.2.{number}"), "port": 443, "backends": ["198.18.1.40:8080", "198.18.1.41:8080"]});
        json!({
            "cluster": cluster, "addresses": ["198.18.0.50/24", "198.18.1.50/24"], "endpoint": ENDPOINT, "user": "operator",
            "password": "operator-password", "pin": self.pin(), "backoff-initial-ms": 1_000, "backoff-max-ms": 300_000,
            "resync-ms": 30_000, "load-balancers": balancers.iter().map(balancer).collect::<Vec<_>>(),
        })
    }

    /// Boots an operator. Its first call is on the way then.
    pub(crate) fn add(&mut self, cluster: &str, config: &Value) {
        let mut host = TestHost::default();
        host.now = self.now;
        host.nics.extend([(4000, "management".to_owned(), true), (4001, "workload".to_owned(), true)]);
        host.config.insert("guestinfo.operator".to_owned(), config.to_string());
        let mut guest = Operator::new();
        guest.handle(Input::Boot, &mut host);
        assert!(host.reports.contains(&GuestReport::Up), "{:?}", host.reports);
        self.clusters.insert(cluster.to_owned(), Cluster { guest, host, calls: Vec::new() });
    }

    pub(crate) fn reconfigure(&mut self, cluster: &str, config: &Value) {
        let cluster = self.clusters.get_mut(cluster).unwrap();
        cluster.host.config.insert("guestinfo.operator".to_owned(), config.to_string());
        cluster.guest.handle(Input::Reconfigured, &mut cluster.host);
    }

    /// Delivers one call of one operator, if it has one on the way; whether it had.
    pub(crate) fn deliver(&mut self, name: &str) -> bool {
        let cluster = self.clusters.get_mut(name).unwrap();
        let Some((key, Exchange::Http(http))) = cluster.host.calls.pop() else { return false };
        let call = format!("{} {}", http.request.method(), http.request.uri());
        let call = call.replace("/v2/services/haproxy/", "");
        let endpoint = http.endpoint.clone();
        let shown = self.appliance_host.listeners.iter().find(|listener| listener.port == 5556);
        let shown = shown.and_then(|listener| listener.certificate.clone());
        let failure = match ((self.rule)(&http), shown, &http.tls) {
            (Some(failure), _, _) => Some(failure),
            (None, None, _) => Some(Failure::Refused { endpoint }),
            (None, Some(shown), Some(TlsTrust::Pinned(pin))) if shown == *pin => None,
            (None, Some(_), _) => Some(Failure::Untrusted { endpoint, reason: "another certificate".into() }),
        };
        let result = match failure {
            Some(failure) => Err(failure),
            None => {
                let input = Input::Http { reply: ReplyTo(1), port: 5556, request: http.request };
                self.appliance.handle(input, &mut self.appliance_host);
                Ok(self.appliance_host.replies.pop().unwrap().1)
            }
        };
        let ended = result.as_ref().map_or_else(ToString::to_string, Answer::summary);
        let cluster = self.clusters.get_mut(name).unwrap();
        cluster.calls.push(format!("{call} {ended}"));
        cluster.guest.handle(Input::Called { key, result }, &mut cluster.host);
        true
    }

    /// Delivers calls until none is on the way.
    pub(crate) fn settle(&mut self) {
        let names: Vec<String> = self.clusters.keys().cloned().collect();
        // One call of each in turn, so that operators come between one another.
        while names.iter().filter(|name| self.deliver(name)).count() > 0 {}
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, length: Duration) {
        let until = self.now + length;
        loop {
            self.settle();
            let hosts =
                std::iter::once(&self.appliance_host).chain(self.clusters.values().map(|cluster| &cluster.host));
            let next = hosts.flat_map(|host| host.timers.values().copied()).min().filter(|at| *at <= until);
            self.now = next.unwrap_or(until);
            self.appliance_host.now = self.now;
            self.appliance_host.step(&mut self.appliance, self.now);
            for cluster in self.clusters.values_mut() {
                cluster.host.now = self.now;
                cluster.host.step(&mut cluster.guest, self.now);
            }
            if next.is_none() {
                return self.settle();
            }
        }
    }

    /// What an operator told: state, attempt, detail.
    pub(crate) fn told(&self, cluster: &str) -> Vec<(String, u32, String)> {
        let of = |report: &GuestReport| match report {
            GuestReport::Operator { state, attempt, detail, .. } => Some((state.clone(), *attempt, detail.clone())),
            _ => None,
        };
        self.clusters[cluster].host.reports.iter().filter_map(of).collect()
    }

    pub(crate) fn states(&self, cluster: &str) -> Vec<String> {
        self.told(cluster).into_iter().map(|(state, _, _)| state).collect()
    }

    pub(crate) fn configuration(&self) -> String {
        String::from_utf8(self.appliance_host.files["/etc/haproxy/haproxy.cfg"].to_vec()).unwrap()
    }

    /// The appliance's open transactions.
    pub(crate) fn transactions(&self) -> usize {
        self.appliance.state()["dataplaneapi"]["transactions"].as_array().unwrap().len()
    }

    pub(crate) fn serves(&self, number: u8) -> bool {
        self.appliance_host.listens(format!("198.18.2.{number}").parse().unwrap(), 443)
    }
}
