//! An appliance on a test host, and a client of its Data Plane API and shell.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use grenadier_clock::{Seed, Time};
use grenadier_dataplane::Generation;
use grenadier_fleet::{GuestReport, ImageHeader};
use grenadier_guest::testing::TestHost;
use grenadier_guest::{Guest, Input, ReplyTo};
use grenadier_haproxy_appliance::{Appliance, BootTiming, Facts, ModelHaproxy, RulesOnStop, ova};
use grenadier_wire::{Answer, Secret, ShellExchange};
use http::Method;
use serde_json::{Value, json};

pub(crate) const HAPROXY_CFG: &str = "/etc/haproxy/haproxy.cfg";
pub(crate) const SERVER_CRT: &str = "/etc/haproxy/server.crt";
pub(crate) const SERVER_KEY: &str = "/etc/haproxy/server.key";
pub(crate) const ANYIP_CFG: &str = "/etc/vmware/anyip-routes.cfg";

pub(crate) const ROOT_PASSWORD: &str = "root-password";
pub(crate) const VIP: &str = "198.18.2.20";

/// The facts of a release.
pub(crate) fn facts(version: &str) -> Facts {
    let new = version == "v0.2.0";
    Facts {
        haproxy: if new { "2.6.12" } else { "2.2.9" }.to_owned(),
        dataplane_generation: Generation::APPLIANCE,
        regenerates_certificates: matches!(version, "v0.1.8" | "v0.1.9"),
        link_scoped_routes: version != "v0.1.8",
        route_rules_on_stop: if new { RulesOnStop::DeletesNone } else { RulesOnStop::DeletesOne },
        additional_workload_networks: new,
        reload_delay_ms: 30_000,
    }
}

/// The properties of an appliance in topology `frontend`.
pub(crate) fn properties() -> BTreeMap<String, String> {
    let pairs = [
        ("appliance.root_pwd", ROOT_PASSWORD),
        ("network.management_ip", "198.18.0.10/24"),
        ("network.management_gateway", "198.18.0.1"),
        ("network.workload_ip", "198.18.1.10/24"),
        ("network.workload_gateway", "198.18.1.1"),
        ("network.additional_workload_networks", "198.18.8.0/24"),
        ("network.frontend_ip", "198.18.2.10/24"),
        ("network.frontend_gateway", "198.18.2.1"),
        ("loadbalance.service_ip_range", "198.18.2.16/28"),
        ("loadbalance.haproxy_user", "operator"),
        ("loadbalance.haproxy_pwd", "operator-password"),
    ];
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// The OVF environment that vSphere delivers for properties.
pub(crate) fn environment(properties: &BTreeMap<String, String>) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('\n', "&#10;");
    let lines: String = properties
        .iter()
        .map(|(key, value)| format!("<Property oe:key=\"{key}\" oe:value=\"{}\"/>", escape(value)))
        .collect();
    format!(
        "<Environment xmlns=\"http://schemas.dmtf.org/ovf/environment/1\" \
         xmlns:oe=\"http://schemas.dmtf.org/ovf/environment/1\"><PropertySection>{lines}</PropertySection></Environment>"
    )
}

/// An appliance and its host.
pub(crate) struct Machine {
    pub(crate) guest: Appliance<ModelHaproxy>,
    pub(crate) host: TestHost,
    replies: u64,
}

impl Machine {
    /// A deployed one, off.
    pub(crate) fn new(version: &str) -> Machine {
        Machine::with(version, &facts(version), &properties())
    }

    pub(crate) fn with(version: &str, facts: &Facts, properties: &BTreeMap<String, String>) -> Machine {
        let image = ImageHeader::decode(&ova(version, "image:tag", facts).disk).unwrap();
        let guest = Appliance::from_image(&image, Seed(7), BootTiming::reference()).unwrap();
        let mut host = TestHost::default();
        for (key, segment) in [(4000, "management"), (4001, "workload"), (4002, "frontend")] {
            host.nics.push((key, segment.to_owned(), true));
        }
        host.config.insert("guestinfo.ovfEnv".to_owned(), environment(properties));
        Machine { guest, host, replies: 0 }
    }

    /// A running one.
    pub(crate) fn booted(version: &str) -> Machine {
        let mut machine = Machine::new(version);
        machine.boot();
        machine
    }

    pub(crate) fn tell(&mut self, input: Input) {
        self.guest.handle(input, &mut self.host);
    }

    pub(crate) fn pass(&mut self, length: Duration) {
        self.host.run(&mut self.guest, length);
    }

    /// Power on, and time enough.
    pub(crate) fn boot(&mut self) {
        self.tell(Input::Boot);
        self.pass(Duration::from_secs(20));
    }

    /// Power off and on: memory and kernel state are lost, files stay.
    pub(crate) fn power_cycle(&mut self) {
        let host = &mut self.host;
        (host.timers, host.addresses, host.local_routes) = Default::default();
        (host.rules, host.listeners, host.reports) = Default::default();
        self.boot();
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let content = self.host.files.get(path).unwrap_or_else(|| panic!("{path} is missing"));
        String::from_utf8(content.to_vec()).unwrap()
    }

    pub(crate) fn listens(&self, address: &str, port: u16) -> bool {
        self.host.listens(address.parse().unwrap(), port)
    }

    pub(crate) fn was_told(&self, report: &GuestReport) -> bool {
        self.host.reports.contains(report)
    }

    pub(crate) fn states_of(&self, name: &str) -> Vec<&str> {
        let mut states = Vec::new();
        for report in &self.host.reports {
            if let GuestReport::Service { service, state, .. } = report
                && service == name
            {
                states.push(state.as_str());
            }
        }
        states
    }

    fn answer(&mut self, input: impl FnOnce(ReplyTo) -> Input) -> Answer {
        self.replies += 1;
        let reply = ReplyTo(self.replies);
        self.tell(input(reply));
        let (to, answer) = self.host.replies.pop().expect("an answer at once");
        assert_eq!(to, reply);
        answer
    }

    pub(crate) fn sh_as(&mut self, user: &str, password: Option<&str>, command: &str) -> (i32, String, String) {
        let command = ShellExchange {
            host: "198.18.0.10".into(),
            user: user.into(),
            password: password.map(Secret::new),
            command: command.into(),
            stdin: Bytes::new(),
            timeout: Duration::from_secs(10),
        };
        let Answer::Shell(output) = self.answer(|reply| Input::Shell { reply, command }) else {
            panic!("a shell answer")
        };
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        (output.exit_code, text(output.stdout), text(output.stderr))
    }

    pub(crate) fn sh(&mut self, command: &str) -> (i32, String, String) {
        self.sh_as("root", Some(ROOT_PASSWORD), command)
    }

    /// A request to the Data Plane API; the path is below `/v2/services/haproxy` unless it names a generation itself.
    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
        password: Option<&str>,
    ) -> http::Response<Bytes> {
        let below = if path.starts_with("/v") { "" } else { "/v2/services/haproxy" };
        let mut request = http::Request::builder().method(method).uri(format!("{below}{path}"));
        if let Some(password) = password {
            let credentials = STANDARD.encode(format!("operator:{password}"));
            request = request.header("authorization", format!("Basic {credentials}"));
        }
        let request = request.body(Bytes::from(body.to_owned())).unwrap();
        match self.answer(|reply| Input::Http { reply, port: 5556, request }) {
            Answer::Http(response) => response,
            other => panic!("an HTTP answer, not {other:?}"),
        }
    }

    pub(crate) fn api(&mut self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let response = self.request(method.as_str(), &format!("/{path}"), &body, Some("operator-password"));
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    /// Programs a load balancer with one server and waits for the reload.
    pub(crate) fn program(&mut self, name: &str, vip: &str, port: u16) {
        let (_, body) = self.api(Method::GET, "configuration/frontends", None);
        let (status, body) = self.api(Method::POST, &format!("transactions?version={}", body["_version"]), None);
        assert_eq!(status, 201, "{body}");
        let id = body["id"].as_str().unwrap().to_owned();
        let calls = [
            ("backends?".to_owned(), json!({"name": name, "mode": "tcp"})),
            (format!("servers?backend={name}&"), json!({"name": "s1", "address": "198.18.1.40", "port": 8080})),
            ("frontends?".to_owned(), json!({"name": name, "mode": "tcp", "default_backend": name})),
            (format!("binds?frontend={name}&"), json!({"name": name, "address": vip, "port": port})),
        ];
        for (path, body) in calls {
            let (status, answer) =
                self.api(Method::POST, &format!("configuration/{path}transaction_id={id}"), Some(body));
            assert_eq!(status, 202, "{answer}");
        }
        assert_eq!(self.api(Method::PUT, &format!("transactions/{id}"), None).0, 202);
        self.pass(Duration::from_secs(30));
    }

    pub(crate) fn now(&self) -> Time {
        self.host.now
    }
}
