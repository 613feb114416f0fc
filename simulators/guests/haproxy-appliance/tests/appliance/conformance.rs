//! The table of the Data Plane API, run against the virtual appliance of each generation.

use std::time::Duration;

use grenadier_dataplane_conformance::{Answer, Password, Request, Subject, World, cases};
use grenadier_guest::Guest as _;
use rstest::rstest;
use serde_json::Value;

use crate::support::{Machine, VIP, facts, properties};

/// An appliance of a generation.
struct Virtual {
    haproxy: &'static str,
    machine: Machine,
}

impl Virtual {
    fn booted(haproxy: &'static str) -> Machine {
        let mut facts = facts("v0.2.0");
        facts.haproxy = haproxy.to_owned();
        facts.reload_delay_ms = 2_000;
        let mut machine = Machine::with("v0.2.0", &facts, &properties());
        machine.boot();
        machine
    }
}

impl Subject for Virtual {
    fn world(&self) -> World {
        World::Model
    }

    fn reset(&mut self) {
        self.machine = Virtual::booted(self.haproxy);
    }

    fn ask(&mut self, request: &Request) -> Answer {
        let password = match request.password {
            Password::Right => Some("operator-password"),
            Password::Wrong => Some("another"),
            Password::None => None,
        };
        Answer::of(&self.machine.request(request.method, &request.path, &request.body, password))
    }

    fn pass(&mut self) {
        self.machine.pass(Duration::from_millis(50));
    }

    fn read(&mut self, path: &str) -> Option<String> {
        self.machine.host.files.get(path).map(|content| String::from_utf8_lossy(content).into_owned())
    }

    fn write(&mut self, path: &str, content: &str) {
        self.machine.host.files.insert(path.to_owned(), content.to_owned().into());
    }

    fn state(&mut self) -> Value {
        self.machine.guest.state()
    }

    fn systemctl(&mut self, verb: &str, service: &str) {
        assert_eq!(self.machine.sh(&format!("systemctl {verb} {service}")).0, 0);
    }

    fn kill(&mut self, _master: bool) {
        // The model is one process.
        assert_eq!(self.machine.sh("pkill -KILL haproxy").0, 0);
        assert_eq!(self.state()["haproxy"]["running"], false);
    }

    fn vip(&self) -> String {
        VIP.to_owned()
    }

    fn foreign_address(&self) -> String {
        "198.18.9.9".to_owned()
    }
}

#[rstest]
fn the_virtual_appliance_conforms(#[values("2.2.9", "2.6.12", "3.0.11")] haproxy: &'static str) {
    let mut subject = Virtual { haproxy, machine: Virtual::booted(haproxy) };
    let mut wrong = Vec::new();
    for case in cases() {
        subject.reset();
        wrong.extend(case.run(&mut subject).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
