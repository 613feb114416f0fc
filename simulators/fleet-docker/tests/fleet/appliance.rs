//! The appliance in a container: real HAProxy, our Data Plane API, an operator that programs it, backends behind it.

use std::time::Duration;

use bollard::Docker;
use bytes::Bytes;
use grenadier_fleet::{FleetEvent, GuestReport, MachineId, MachineSpec, Operation, OperationOutput};
use grenadier_wire::{Answer, Failure, HttpExchange, TlsTrust};
use serde_json::{Value, json};

use crate::world::{NODE_IMAGE, World};

pub(crate) const SEGMENTS: [&str; 3] = ["management", "workload", "frontend"];

pub(crate) async fn bullseye(docker: Docker) {
    serves_routes(docker, "grenadier/haproxy-appliance:bullseye", "v0.1.10", "2.2.9").await;
}

pub(crate) async fn bookworm(docker: Docker) {
    serves_routes(docker, "grenadier/haproxy-appliance:bookworm", "v0.2.0", "2.6.12").await;
}

pub(crate) async fn trixie(docker: Docker) {
    serves_routes(docker, "grenadier/haproxy-appliance:trixie", "v0.3.0", "3.0.11").await;
}

/// The appliance's machine with its OVF environment.
pub(crate) fn appliance(
    world: &mut World,
    container: &str,
    version: &str,
    haproxy: &str,
    reload_delay: Duration,
) -> MachineSpec {
    let mut spec = world.spec("haproxy", container, "haproxy-appliance", &SEGMENTS);
    let new = version != "v0.1.10";
    let facts = json!({
        "haproxy": haproxy,
        "dataplane-generation": "2.1",
        "regenerates-certificates": false,
        "link-scoped-routes": true,
        "route-rules-on-stop": if new { "deletes-none" } else { "deletes-one" },
        "additional-workload-networks": new,
        "reload-delay-ms": u64::try_from(reload_delay.as_millis()).expect("some seconds"),
    });
    let image = std::sync::Arc::make_mut(spec.disks[0].image.as_mut().expect("it has one"));
    image.header.version = version.to_owned();
    image.header.facts = serde_json::from_value(facts).expect("an object");
    let properties = [
        ("appliance.root_pwd", "root-password".to_owned()),
        ("network.management_ip", world.net(0, 10, 24).to_string()),
        ("network.workload_ip", world.net(1, 10, 24).to_string()),
        ("network.frontend_ip", world.net(2, 10, 24).to_string()),
        ("loadbalance.service_ip_range", world.net(2, 64, 28).to_string()),
        ("loadbalance.haproxy_user", "operator".to_owned()),
        ("loadbalance.haproxy_pwd", "operator-password".to_owned()),
    ];
    let properties =
        properties.map(|(key, value)| format!("<Property oe:key=\"{key}\" oe:value=\"{value}\"/>")).concat();
    let environment = format!(
        "<Environment xmlns:oe=\"http://schemas.dmtf.org/ovf/environment/1\"><PropertySection>{properties}\
         </PropertySection></Environment>"
    );
    spec.config.insert("guestinfo.ovfEnv".into(), environment);
    spec
}

async fn serves_routes(docker: Docker, container: &str, version: &str, haproxy: &str) {
    let mut world = World::new(docker, &SEGMENTS).await;
    let mut backend = world.spec("shop-1", NODE_IMAGE, "backend", &["workload"]);
    let address = world.net(1, 40, 24);
    let config = json!({"name": "shop-1", "address": address, "port": 8080});
    backend.config.insert("guestinfo.backend".into(), config.to_string());
    let backend = world.create(backend).await;
    let spec = appliance(&mut world, container, version, haproxy, Duration::from_millis(200));
    let appliance = world.create(spec).await;
    world.boot(backend).await;
    world.boot(appliance).await;

    let endpoint = format!("{}:5556", world.address(0, 10));
    let pin = fingerprint(&mut world, appliance).await;
    let wrong = info(&world, &endpoint, &"00".repeat(32)).await;
    assert!(matches!(wrong, Err(Failure::Untrusted { .. })), "{wrong:?}");
    let answer = info(&world, &endpoint, &pin).await;
    assert_eq!(answer, Ok(200), "the Data Plane API answers over TLS with the pinned certificate");

    let restart = as_root(&world, &world.address(0, 10), "systemctl restart dataplaneapi").await;
    assert_eq!(restart.exit_code, 0, "{restart:?}");
    // Its socket was closed and opened in one go; the new one listens a moment later.
    let began = std::time::Instant::now();
    while info(&world, &endpoint, &pin).await != Ok(200) {
        assert!(began.elapsed() < Duration::from_secs(10), "nobody listens after the restart:\n{}", logs(&world));
    }

    let mut operator = world.spec("supervisor", NODE_IMAGE, "operator", &["management", "frontend"]);
    let vip = world.address(2, 70);
    let config = json!({
        "cluster": "supervisor",
        "addresses": [world.net(0, 50, 24), world.net(2, 50, 24)],
        "endpoint": endpoint,
        "user": "operator",
        "password": "operator-password",
        "pin": pin,
        "backoff-initial-ms": 200,
        "backoff-max-ms": 5000,
        "resync-ms": 1000,
        "load-balancers": [
            {"name": "shop", "vip": vip, "port": 80, "backends": [format!("{}:8080", world.address(1, 40))]},
        ],
    });
    operator.config.insert("guestinfo.operator".into(), config.to_string());
    let operator = world.create(operator).await;
    let from = world.events.len();
    world.boot(operator).await;
    let programmed = |event: &FleetEvent| matches!(event, FleetEvent::Guest { report: GuestReport::Operator { state, .. }, .. } if state == "in-sync" || state == "programmed");
    world.event(from, "the operator to program its routes", programmed).await;
    let served = routes(&mut world, appliance, |routes| routes.len() == 1).await;
    assert_eq!(served["routes"][0]["address"], json!(vip));
    assert_eq!(world.get(&format!("{vip}:80")).await, Ok("shop-1".into()), "through the real HAProxy");
    let host = world.address(0, 10);
    let said = world.sh("haproxy", "ps -C haproxy -o args= | head -1").await;
    assert!(said.contains("-Ws -f /etc/haproxy/haproxy.cfg -S"), "{said}");

    // 2.2.9 does not survive a reload that cannot bind while a worker of the one before is still on its way out, and that
    // one answers at the socket of the file.
    let began = std::time::Instant::now();
    while world.sh("haproxy", "ps -C haproxy -o pid= | wc -l").await.trim() != "2" {
        assert!(began.elapsed() < Duration::from_secs(10), "a master and one worker:\n{}", logs(&world));
    }

    state_is_that_of_the_process(&mut world, appliance).await;

    // What the running workers have is told apart from what the file says: a bind that cannot work leaves the old ones.
    let loaded = served["config"].clone();
    let far = "\\nfrontend far\\n  bind 198.18.250.1:80\\n";
    world.sh("haproxy", &format!("printf '{far}' >> /etc/haproxy/haproxy.cfg; true")).await;
    let from = world.events.len();
    let state = |event: &FleetEvent| {
        matches!(event, FleetEvent::Guest { report: GuestReport::Log { service, line }, .. }
            if service == "haproxy" && line.contains("the old workers go on"))
    };
    let reload = as_root(&world, &host, "systemctl reload haproxy").await;
    assert_eq!(reload.exit_code, 0, "the check passes, the bind does not: {reload:?}");
    world.event(from, "the reload to fail", state).await;
    let after = routes(&mut world, appliance, |routes| routes.len() == 1).await;
    assert_eq!(after["config"], loaded);

    // Off and on again: files are kept, the real HAProxy starts from them, and dies of that bind [vmware-haproxy #36].
    world.must(Operation::PowerOff { machine: appliance }).await;
    world.boot(appliance).await;
    let state = state_of(&mut world, appliance).await;
    assert_eq!(
        (&state["services"]["haproxy"], &state["haproxy"]),
        (&json!("failed"), &json!({"running": false})),
        "{state}"
    );
    world.end().await;
}

/// What is captured is what the running worker has, not what its file says: a change of the file alone does not show, one
/// of the process alone does.
async fn state_is_that_of_the_process(world: &mut World, appliance: MachineId) {
    let before = state_of(world, appliance).await["haproxy"].take();
    let backend = before["routes"][0]["backend"].as_str().expect("the route has a backend").to_owned();
    let servers = before["servers"][&backend].as_object().expect("it has servers").clone();
    let (server, told) = servers.iter().next().expect("one server");
    assert_eq!((&told["state"], &told["address"]), (&json!("up"), &before["routes"][0]["servers"][0]), "{before}");

    let edited = "cd /etc/haproxy; cp haproxy.cfg /run/kept.cfg; sed -i 's/ check$/ disabled/; s/ name / id 77 name /' haproxy.cfg";
    world.sh("haproxy", edited).await;
    let after = state_of(world, appliance).await["haproxy"].take();
    world.sh("haproxy", "cp /run/kept.cfg /etc/haproxy/haproxy.cfg").await;
    assert_eq!(after, before, "the process knows nothing of the new file");

    for (order, expected) in [("maint", "maintenance"), ("drain", "drain"), ("ready", "up")] {
        command(world, &format!("set server {backend}/{server} state {order}")).await;
        let now = state_of(world, appliance).await["haproxy"].take();
        assert_eq!(now["servers"][&backend][server]["state"], expected, "{now}");
        let gets_connections = now["routes"][0]["servers"].as_array().expect("a list").len();
        assert_eq!(gets_connections, usize::from(expected == "up"), "{now}");
    }
    let frontend = before["routes"][0]["frontend"].as_str().expect("a name");
    command(world, &format!("disable frontend {frontend}")).await;
    assert_eq!(state_of(world, appliance).await["haproxy"]["paused"], json!(true));
    command(world, &format!("enable frontend {frontend}")).await;
    assert_eq!(state_of(world, appliance).await["haproxy"].take(), before, "all is as it was");
}

/// Gives a command to HAProxy at the socket that its own file opens.
async fn command(world: &World, command: &str) {
    let script = "my $s = IO::Socket::UNIX->new(q(/run/haproxy.sock)) or die $!; print $s qq($ARGV[0]\\n); print <$s>";
    let said = world.sh("haproxy", &format!("perl -MIO::Socket::UNIX -e '{script}' '{command}'")).await;
    assert_eq!(said.trim(), "", "{command}");
}

/// Runs a command as root, with the password of the OVF.
pub(crate) async fn as_root(world: &World, host: &str, command: &str) -> grenadier_wire::ShellOutput {
    let shell = grenadier_wire::ShellExchange {
        host: host.to_owned(),
        user: "root".to_owned(),
        password: Some(grenadier_wire::Secret::new("root-password")),
        command: command.to_owned(),
        stdin: Bytes::new(),
        timeout: Duration::from_secs(20),
    };
    match world.fleet.handle().guest_shell(shell).await {
        Ok(Answer::Shell(output)) => output,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn fingerprint(world: &mut World, appliance: MachineId) -> String {
    let files = world.files(appliance).await;
    let pem = String::from_utf8_lossy(&files["/etc/haproxy/server.crt"]).into_owned();
    grenadier_haproxy_appliance::fingerprint_of_pem(&pem).expect("it is a certificate")
}

async fn info(world: &World, endpoint: &str, pin: &str) -> Result<u16, Failure> {
    // user operator, password operator-password
    let request = http::Request::get("/v2/info").header("Authorization", "Basic b3BlcmF0b3I6b3BlcmF0b3ItcGFzc3dvcmQ=");
    let http = HttpExchange {
        endpoint: endpoint.to_owned(),
        tls: Some(TlsTrust::Pinned(pin.to_owned())),
        request: request.body(Bytes::new()).expect("a well-formed request"),
        timeout: Duration::from_secs(5),
    };
    match world.fleet.handle().guest_http(http).await? {
        Answer::Http(response) => Ok(response.status().as_u16()),
        Answer::Shell(output) => panic!("{output:?}"),
    }
}

pub(crate) async fn state_of(world: &mut World, machine: MachineId) -> Value {
    match world.must(Operation::ReadState { machine }).await {
        OperationOutput::State(state) => state,
        other => panic!("{other:?}"),
    }
}

/// What the machines have logged and told of their services.
fn logs(world: &World) -> String {
    let line = |event: &FleetEvent| match event {
        FleetEvent::Guest { report: GuestReport::Log { service, line }, .. } => Some(format!("{service}: {line}\n")),
        FleetEvent::Guest { report: GuestReport::Service { service, state, detail }, .. } => {
            Some(format!("{service} is {state}: {detail}\n"))
        }
        _ => None,
    };
    world.events.iter().filter_map(line).collect()
}

/// Waits until the running HAProxy serves what is wanted; what it says of itself.
async fn routes(world: &mut World, machine: MachineId, wanted: impl Fn(&[Value]) -> bool) -> Value {
    let began = std::time::Instant::now();
    loop {
        let haproxy = state_of(world, machine).await["haproxy"].take();
        if haproxy["routes"].as_array().is_some_and(|routes| wanted(routes)) {
            return haproxy;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "HAProxy serves {haproxy}:\n{}", logs(world));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
