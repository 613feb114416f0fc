//! The table of the Data Plane API, run in a container in front of the real HAProxy of each generation.

use std::future::Future;
use std::time::{Duration, Instant};

use bollard::Docker;
use bytes::Bytes;
use grenadier_dataplane_conformance::{Answer, Password, Request, Subject, World as Kind, cases};
use grenadier_fleet::MachineId;
use grenadier_wire::{Failure, HttpExchange, TlsTrust};
use serde_json::Value;

use crate::appliance::{SEGMENTS, appliance, as_root, fingerprint, state_of};
use crate::world::World;

pub(crate) async fn bullseye(docker: Docker) {
    conforms(docker, "grenadier/haproxy-appliance:bullseye", "2.2.9").await;
}

pub(crate) async fn bookworm(docker: Docker) {
    conforms(docker, "grenadier/haproxy-appliance:bookworm", "2.6.12").await;
}

pub(crate) async fn trixie(docker: Docker) {
    conforms(docker, "grenadier/haproxy-appliance:trixie", "3.0.11").await;
}

const CONFIG: &str = "/etc/haproxy/haproxy.cfg";
/// Two changes right after a start are in one window of this length, also where others use the machine.
const RELOAD_DELAY: Duration = Duration::from_secs(3);
/// How long something may take that the table does not wait for itself.
const DEADLINE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

async fn conforms(docker: Docker, container: &str, haproxy: &str) {
    let mut world = World::new(docker, &SEGMENTS).await;
    let spec = appliance(&mut world, container, "v0.2.0", haproxy, RELOAD_DELAY);
    let machine = world.create(spec).await;
    world.boot(machine).await;
    let pin = fingerprint(&mut world, machine).await;
    let mut real = Real { world, machine, pin, initial: String::new() };
    real.initial = real.read(CONFIG).expect("a first boot writes the configuration");
    let mut wrong = Vec::new();
    for case in cases() {
        real.reset();
        wrong.extend(case.run(&mut real).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    real.world.end().await;
}

/// The appliance in a container. The table is not asynchronous: each of its steps waits here.
struct Real {
    world: World,
    machine: MachineId,
    pin: String,
    /// The configuration as the first boot left it.
    initial: String,
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

/// Looks until there is something.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < DEADLINE, "waited {} s for {what}", DEADLINE.as_secs());
        std::thread::sleep(LOOK);
    }
}

impl Real {
    /// Runs a command in the container's real shell, which alone knows `&&`.
    fn sh(&self, command: &str) -> String {
        wait(self.world.sh("haproxy", &format!("true && {command}")))
    }

    /// The processes of HAProxy that live, oldest first. What outlived its master may be left as an entry that nobody reaps.
    fn processes(&self) -> Vec<u32> {
        let listed = self.sh("ps -C haproxy -o pid=,stat= --sort=start_time,pid; true");
        let alive = listed.lines().filter(|line| !line.contains('Z'));
        alive.filter_map(|line| line.split_ascii_whitespace().next()?.parse().ok()).collect()
    }

    /// Waits until there is a master that answers, with one worker: 2.2.9 does not survive a reload while another one is under
    /// way. A master that loads a file answers when it is done.
    fn settle(&self) {
        let ask = "my $s = IO::Socket::UNIX->new(q(/run/grenadier-haproxy-master)) or exit 1; print $s qq(show proc\\n); <$s>";
        let command = format!("true && perl -MIO::Socket::UNIX -e '{ask} or exit 1'");
        until("the master to answer", || {
            let asked = wait(self.world.shell("haproxy", &command)).expect("the machine is there");
            (asked.exit_code == 0).then_some(())
        });
        until("a master and one worker", || (self.processes().len() == 2).then_some(()));
    }

    fn send(&self, request: &Request) -> Result<http::Response<Bytes>, Failure> {
        // `operator:operator-password` and `operator:wrong`.
        let credentials = match request.password {
            Password::Right => Some("Basic b3BlcmF0b3I6b3BlcmF0b3ItcGFzc3dvcmQ="),
            Password::Wrong => Some("Basic b3BlcmF0b3I6d3Jvbmc="),
            Password::None => None,
        };
        let below = if request.path.starts_with("/v") { "" } else { "/v2/services/haproxy" };
        let mut built = http::Request::builder().method(request.method).uri(format!("{below}{}", request.path));
        if let Some(credentials) = credentials {
            built = built.header("Authorization", credentials);
        }
        let http = HttpExchange {
            endpoint: format!("{}:5556", self.world.address(0, 10)),
            tls: Some(TlsTrust::Pinned(self.pin.clone())),
            request: built.body(Bytes::from(request.body.clone())).expect("a well-formed request"),
            timeout: Duration::from_secs(20),
        };
        match wait(self.world.fleet.handle().guest_http(http))? {
            grenadier_wire::Answer::Http(response) => Ok(response),
            grenadier_wire::Answer::Shell(output) => panic!("{output:?}"),
        }
    }
}

impl Subject for Real {
    fn world(&self) -> Kind {
        Kind::Real
    }

    fn reset(&mut self) {
        self.systemctl("stop", "dataplaneapi");
        self.sh("rm -rf /tmp/haproxy /etc/haproxy/haproxy.cfg.*");
        let initial = self.initial.clone();
        self.write(CONFIG, &initial);
        self.systemctl("restart", "haproxy");
        self.systemctl("start", "dataplaneapi");
    }

    fn ask(&mut self, request: &Request) -> Answer {
        if request.path.contains("force_reload=true") {
            self.settle();
        }
        // A socket that was closed and opened in one go listens a moment later. Nothing was done by a request that was refused.
        let response = until("an answer", || match self.send(request) {
            Err(Failure::Refused { .. }) => None,
            answered => Some(answered.unwrap_or_else(|failure| panic!("{request:?}: {failure}"))),
        });
        Answer::of(&response)
    }

    fn pass(&mut self) {
        std::thread::sleep(LOOK);
    }

    fn read(&mut self, path: &str) -> Option<String> {
        let output = wait(self.world.shell("haproxy", &format!("cat '{path}'"))).expect("the machine is there");
        (output.exit_code == 0).then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn write(&mut self, path: &str, content: &str) {
        let bytes: String = content.bytes().map(|byte| format!("\\0{byte:03o}")).collect();
        self.sh(&format!("printf '%b' '{bytes}' > '{path}'"));
    }

    fn state(&mut self) -> Value {
        wait(state_of(&mut self.world, self.machine))
    }

    fn systemctl(&mut self, verb: &str, service: &str) {
        let host = self.world.address(0, 10);
        let output = wait(as_root(&self.world, &host, &format!("systemctl {verb} {service}")));
        assert_eq!(output.exit_code, 0, "{verb} {service}: {output:?}");
    }

    fn kill(&mut self, master: bool) {
        self.settle();
        let before = self.processes();
        let victim = if master { before[0] } else { before[1] };
        self.sh(&format!("kill -KILL {victim}"));
        let is_new = |now: &[u32]| now.len() == 2 && now.iter().all(|id| !before.contains(id));
        until("another master with another worker", || is_new(&self.processes()).then_some(()));
    }

    fn vip(&self) -> String {
        self.world.address(2, 70)
    }

    fn foreign_address(&self) -> String {
        "198.18.250.1".to_owned()
    }
}
