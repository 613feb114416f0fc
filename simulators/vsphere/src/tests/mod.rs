//! Tests of the whole simulator above the fleet in memory. What clients make of it is judged in `tests/pyvmomi`.

mod coverage;
mod failures;
mod imports;
mod sessions;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::{Clock, Seed, Sleep, Time};
use grenadier_events::{Actor, EventLog, Kind};
use grenadier_fleet::{Cloud, CloudHost, Fleet, Host, ImageHeader};
use grenadier_wire::{Exchange, FaultKind, FaultRule, HttpExchange, ReplyTo, Secret, Wire};
use http::{Method, Request, Response};

use crate::testing::{APPLIANCE_OVF, MemoryFleet, MemoryHost};
use crate::{User, VSphere, VSphereConfig, VSphereProtocol};

/// A vCenter, a fleet and one client.
pub(super) struct Lab {
    pub(super) sim: VSphere,
    pub(super) host: MemoryHost,
    pub(super) cookie: Option<String>,
    last_reply: u64,
}

/// What a call gave: the body, or the fault's type and message.
pub(super) type Answer = Result<String, (String, String)>;

impl Lab {
    /// A vCenter that nobody is logged in to.
    pub(super) fn fresh() -> Lab {
        let mut config = VSphereConfig::new("7.0.1", Seed(7));
        let password = Secret::new("hunter2");
        config.users = vec![User {
            name: "admin".to_owned(),
            password,
            role: Default::default(),
            missing_privileges: Default::default(),
        }];
        config.networks = ["management", "workload", "frontend"].map(str::to_owned).to_vec();
        let host = MemoryHost::new(MemoryFleet::new(Host { cpus: 8, memory_mib: 16_384, storage_mib: 50_000 }));
        Lab { sim: VSphere::new(config), host, cookie: None, last_reply: 0 }
    }

    /// One that a client is logged in to.
    pub(super) fn new() -> Lab {
        let mut lab = Lab::fresh();
        lab.login();
        lab
    }

    pub(super) fn login(&mut self) {
        let args = "<userName>admin</userName><password>hunter2</password>";
        let reply = self.send(soap("Login", "SessionManager", "SessionManager", args));
        let cookie = self.host.replies.remove(&reply).unwrap().headers()["set-cookie"].to_str().unwrap().to_owned();
        self.cookie = Some(cookie);
    }

    /// Sends a request; the answer, once there, is in the host.
    pub(super) fn send(&mut self, mut request: Request<Bytes>) -> ReplyTo {
        self.last_reply += 1;
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert("cookie", cookie.parse().unwrap());
        }
        self.sim.handle(ReplyTo(self.last_reply), request, &mut self.host);
        ReplyTo(self.last_reply)
    }

    /// Makes a call and waits for its answer.
    pub(super) fn call(&mut self, method: &str, id: &str, args: &str) -> Answer {
        let reply = self.send(soap(method, "ManagedObject", id, args));
        self.answer(reply)
    }

    /// The answer to a request, for which time may pass.
    pub(super) fn answer(&mut self, reply: ReplyTo) -> Answer {
        loop {
            if let Some(response) = self.host.replies.remove(&reply) {
                return read(&response);
            }
            let at = self.host.next_at().expect("an answer that never comes");
            self.host.advance(&mut self.sim, at);
        }
    }

    /// An HTTP request and its status.
    pub(super) fn http(&mut self, method: Method, path: &str, body: impl Into<Bytes>) -> u16 {
        let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
        let reply = self.send(request);
        self.host.replies.remove(&reply).unwrap().status().as_u16()
    }

    pub(super) fn pass(&mut self, length: Duration) {
        let until = self.host.now + length;
        self.host.advance(&mut self.sim, until);
    }

    /// Begins a task and says how it ended: `success`, or the fault's type.
    pub(super) fn task(&mut self, method: &str, id: &str, args: &str) -> String {
        let task = text_in(&self.call(method, id, args).unwrap(), "returnval");
        self.end_of(&task)
    }

    /// How a task ended.
    pub(super) fn end_of(&mut self, task: &str) -> String {
        loop {
            let info = self.call("Fetch", task, "<prop>info</prop>").unwrap();
            match text_in(&info, "state").as_str() {
                "success" => return "success".to_owned(),
                "error" => {
                    return info.split("<fault xsi:type=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
                }
                _ => self.pass(Duration::from_millis(10)),
            }
        }
    }

    /// A property's value as text; empty where it is unset.
    pub(super) fn property(&mut self, id: &str, path: &str) -> String {
        let body = self.call("Fetch", id, &format!("<prop>{path}</prop>")).unwrap();
        if body.contains("<returnval") { text_in(&body, "returnval") } else { String::new() }
    }

    /// Imports a machine as far as a ready lease; the lease's id.
    pub(super) fn start_import(&mut self, name: &str) -> String {
        let spec = self.import_spec(name);
        let lease = text_in(&self.call("ImportVApp", "resgroup-8", &spec).unwrap(), "returnval");
        while self.property(&lease, "state") == "initializing" {
            self.pass(Duration::from_millis(10));
        }
        lease
    }

    /// The arguments of `ImportVApp` for the appliance.
    pub(super) fn import_spec(&mut self, name: &str) -> String {
        let descriptor = APPLIANCE_OVF.replace('&', "&amp;").replace('<', "&lt;");
        let args = format!(
            "<ovfDescriptor>{descriptor}</ovfDescriptor><resourcePool type=\"ResourcePool\">resgroup-8</resourcePool>\
             <datastore type=\"Datastore\">datastore-10</datastore><cisp><locale/><deploymentOption/>\
             <entityName>{name}</entityName>\
             <networkMapping><name>Management</name><network type=\"Network\">network-11</network></networkMapping>\
             <networkMapping><name>Workload</name><network type=\"Network\">network-12</network></networkMapping>\
             <propertyMapping><key>appliance.root_pwd</key><value>swordfish</value></propertyMapping></cisp>"
        );
        let result = self.call("CreateImportSpec", "OvfManager", &args).unwrap();
        let from = result.find("<importSpec").expect("a specification");
        let to = result.find("</importSpec>").unwrap();
        let spec = &result[from..to];
        format!("{}</spec>", spec.replacen("<importSpec", "<spec", 1))
    }

    /// The address of a lease's upload, without host.
    pub(super) fn upload_path(&mut self, lease: &str) -> String {
        let info = self.call("Fetch", lease, "<prop>info</prop>").unwrap();
        text_in(&info, "url").replace("https://*", "")
    }

    /// Imports a machine with its disk; its reference.
    pub(super) fn deploy(&mut self, name: &str) -> String {
        let lease = self.start_import(name);
        let path = self.upload_path(&lease);
        assert_eq!(self.http(Method::POST, &path, image()), 201);
        self.call("HttpNfcLeaseComplete", &lease, "").unwrap();
        self.find(name).unwrap()
    }

    /// The machine of this name.
    pub(super) fn find(&mut self, name: &str) -> Option<String> {
        let args = format!("<inventoryPath>DC0/vm/{name}</inventoryPath>");
        let body = self.call("FindByInventoryPath", "SearchIndex", &args).unwrap();
        body.contains("<returnval").then(|| text_in(&body, "returnval"))
    }

    /// How many machines the fleet has.
    pub(super) fn machines(&self) -> usize {
        self.host.fleet.view().machines.len()
    }

    /// A request that the wire marked: the task that it begins is to fail.
    pub(super) fn failing(request: Request<Bytes>) -> Request<Bytes> {
        Lab::marked(request, FaultKind::TaskFails)
    }

    /// A request that the wire marked: the simulator is to do this about it.
    pub(super) fn marked(request: Request<Bytes>, fault: FaultKind) -> Request<Bytes> {
        struct Still;
        impl Clock for Still {
            fn now(&self) -> Time {
                Time::ZERO
            }
            fn sleep(&self, _: Duration) -> Sleep {
                Box::pin(std::future::pending())
            }
        }
        let wire = Wire::new(vec![Box::new(VSphereProtocol)], Arc::new(Still), EventLog::default());
        let endpoint = "vcenter.example:443".to_owned();
        let http = HttpExchange { endpoint, tls: None, request, timeout: Duration::from_secs(1) };
        let mut exchange = Exchange::Http(http);
        let address = wire.begin(Actor::Runner, &mut exchange).address;
        wire.add_rule(FaultRule::new(address, fault));
        assert_eq!(wire.begin(Actor::Engine, &mut exchange).fault, Some(fault));
        let Exchange::Http(http) = exchange else { unreachable!("it was HTTP a moment ago") };
        http.request
    }

    /// The states that a method's tasks went through.
    pub(super) fn task_states(&self, wanted: &str) -> Vec<String> {
        let state = |kind: &Kind| match kind {
            Kind::Task { method, state, .. } if method == wanted => Some(state.clone()),
            _ => None,
        };
        self.host.events.iter().filter_map(state).collect()
    }
}

/// A SOAP request.
pub(super) fn soap(method: &str, kind: &str, id: &str, args: &str) -> Request<Bytes> {
    let body = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><s:Body>\
         <{method} xmlns=\"urn:vim25\"><_this type=\"{kind}\">{id}</_this>{args}</{method}></s:Body></s:Envelope>"
    );
    Request::builder().method(Method::POST).uri("/sdk").body(body.into()).unwrap()
}

/// A disk image of the appliance.
pub(super) fn image() -> Bytes {
    let header = ImageHeader {
        product: "haproxy-appliance".into(),
        version: "v0.2.0".into(),
        container: "example/haproxy-appliance:bookworm".into(),
        facts: Default::default(),
        payload_bytes: 64,
    };
    header.encode()
}

fn read(response: &Response<Bytes>) -> Answer {
    let body = std::str::from_utf8(response.body()).unwrap().to_owned();
    roxmltree::Document::parse(&body).expect("every answer is well-formed");
    match response.status().as_u16() {
        200 => Ok(body),
        500 => {
            let kind = body.split("<detail><").nth(1).unwrap().split("Fault ").next().unwrap().to_owned();
            Err((kind, text_in(&body, "faultstring")))
        }
        other => panic!("{other}: {body}"),
    }
}

/// The text of the first element called `name`.
pub(super) fn text_in(body: &str, name: &str) -> String {
    let document = roxmltree::Document::parse(body).unwrap();
    let found = document.descendants().find(|node| node.tag_name().name() == name);
    let node = found.unwrap_or_else(|| panic!("no {name} in {body}"));
    node.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).collect()
}

/// The type of the fault that a call ended with.
pub(super) fn fault(answer: Answer) -> String {
    answer.unwrap_err().0
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let run = || {
        let mut lab = Lab::new();
        let vm = lab.deploy("haproxy");
        lab.task("PowerOnVM_Task", &vm, "");
        let info = lab.call("Fetch", &vm, "<prop>summary</prop>").unwrap();
        (info, lab.cookie, lab.host.events, lab.sim.state().to_string())
    };
    assert_eq!(run(), run());
}

#[test]
fn what_is_captured_holds_no_secret() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    lab.task("PowerOnVM_Task", &vm, "");
    let lease = lab.start_import("second");
    let ticket = lab.upload_path(&lease).split('/').nth(2).unwrap().to_owned();
    let token = lab.cookie.clone().unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
    let captured = format!("{} {:?}", lab.sim.state(), lab.host.events);
    for secret in ["hunter2", "swordfish", &token, &ticket] {
        assert!(!captured.contains(secret), "{secret} in {captured}");
    }
    // The guest is where the password may be.
    assert!(lab.property(&vm, "config.extraConfig[\"guestinfo.ovfEnv\"].value").contains("swordfish"));
}

#[test]
fn time_passes_in_the_order_of_its_events() {
    let mut lab = Lab::new();
    let vm = lab.deploy("haproxy");
    assert_eq!(lab.task("PowerOnVM_Task", &vm, ""), "success");
    assert_eq!(lab.task_states("PowerOnVM_Task"), ["queued", "running", "success"]);
    let before = lab.host.now();
    lab.pass(Duration::from_secs(5));
    assert_eq!(lab.host.now() - before, Duration::from_secs(5));
    assert_eq!(lab.property(&vm, "summary.quickStats.uptimeSeconds"), "5");
}
