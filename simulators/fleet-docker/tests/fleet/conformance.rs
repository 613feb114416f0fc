//! One table of inputs for two hosts: the test host that guests are developed with, and the agent's real one in a container.

use std::process::ExitCode;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    AttachContainerOptions, CreateContainerOptions, RemoveContainerOptions, StartContainerOptions,
    UploadToContainerOptions,
};
use futures_util::StreamExt;
use grenadier_agent::{Disk, HostParts, Network, Outbox, RealHost, TimeBase};
use grenadier_clock::Seed;
use grenadier_fleet_docker::owner::Owner;
use grenadier_guest::testing::TestHost;
use grenadier_guest::{Host, RouteRule};
use ipnet::IpNet;

use crate::world::NODE_IMAGE;

fn net(text: &str) -> IpNet {
    text.parse().expect("a range")
}

fn rule(from: &str, to: Option<&str>, table: &str) -> RouteRule {
    RouteRule { from: net(from), to: to.map(net), table: table.to_owned() }
}

/// Does things to a host and writes down what it answers.
fn story(host: &mut dyn Host) -> Vec<String> {
    let mut told = Vec::new();
    let mut tell = |what: &str, answer: &dyn std::fmt::Debug| told.push(format!("{what}: {answer:?}"));

    tell("a missing file", &host.read("/etc/story/a"));
    tell("write", &host.write("/etc/story/a", "one".into()));
    tell("write below", &host.write("/etc/story/below/b", "two".into()));
    tell("write beside", &host.write("/etc/story2/c", "three".into()));
    tell("read", &host.read("/etc/story/a"));
    tell("write again", &host.write("/etc/story/a", "uno".into()));
    tell("read again", &host.read("/etc/story/a"));
    tell("list", &host.list("/etc/story"));
    tell("list with a slash", &host.list("/etc/story/"));
    tell("list nothing", &host.list("/etc/nothing"));
    tell("remove", &host.remove("/etc/story/a"));
    tell("remove again", &host.remove("/etc/story/a"));
    tell("list after", &host.list("/etc/story"));

    tell("config", &host.config("key"));
    host.set_config("key", "value");
    tell("config set", &host.config("key"));

    let address = |text: &str| text.parse().expect("an address");
    tell("nobody's", &host.is_local(address("198.18.9.5")));
    host.add_local_route(net("198.18.9.0/28"));
    host.add_local_route(net("198.18.9.0/28"));
    tell("in the range", &host.is_local(address("198.18.9.5")));
    tell("outside", &host.is_local(address("198.18.9.16")));
    tell("remove the range", &host.remove_local_route(net("198.18.9.0/28")));
    tell("remove it again", &host.remove_local_route(net("198.18.9.0/28")));
    tell("nobody's again", &host.is_local(address("198.18.9.5")));

    let (frontend, wide) =
        (rule("198.18.2.0/24", None, "frontend"), rule("0.0.0.0/0", Some("198.18.3.0/24"), "workload"));
    host.add_route_rule(frontend.clone());
    host.add_route_rule(wide.clone());
    host.add_route_rule(frontend.clone());
    tell("rules pile up", &host.route_rules());
    tell("remove one", &host.remove_route_rule(&frontend));
    tell("one copy is left", &host.route_rules());
    tell("remove the other", &host.remove_route_rule(&frontend));
    tell("there is none", &host.remove_route_rule(&frontend));
    tell("the end", &host.route_rules());
    told
}

/// The kernel's own word after a part of the story: what the real host only books would not show here.
fn kernel(host: &mut dyn Host) -> Vec<String> {
    let ip = |arguments: &[&str]| {
        let output = std::process::Command::new("ip").args(arguments).output().expect("ip is in the image");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let mut told = Vec::new();
    let mut tell = |what: &str, answer: bool| told.push(format!("{what}: {answer}"));
    host.add_local_route(net("198.18.9.0/28"));
    let frontend = rule("198.18.2.0/24", None, "frontend");
    host.add_route_rule(frontend.clone());
    host.add_route_rule(frontend.clone());
    tell("local route", ip(&["route", "show", "table", "local"]).contains("local 198.18.9.0/28 dev lo"));
    let rules = |text: &str| text.matches("from 198.18.2.0/24 lookup frontend").count();
    tell("two rules", rules(&ip(&["rule", "show"])) == 2);
    let bound = std::net::TcpListener::bind("198.18.9.7:8080");
    tell("an address of the range can be bound", bound.is_ok());
    host.remove_route_rule(&frontend);
    host.remove_local_route(net("198.18.9.0/28"));
    tell("one rule", rules(&ip(&["rule", "show"])) == 1);
    tell("no local route", !ip(&["route", "show", "table", "local"]).contains("198.18.9.0/28"));
    told
}

/// Plays the story on the real host: the part of this test that runs in a container.
pub(crate) fn in_container() -> ExitCode {
    let (outbox, writer) = Outbox::new(std::io::stderr());
    let mut host = RealHost::detached(HostParts {
        machine: "test-machine".to_owned(),
        root: "/".into(),
        time: TimeBase::default(),
        random: Seed(1).stream("test", "guest"),
        config: Default::default(),
        network: Network::new(None),
        disk: Disk::default(),
        no_address: false,
        outbox,
    });
    for line in story(&mut host).into_iter().chain(kernel(&mut host)) {
        println!("{line}");
    }
    drop(host);
    writer.finish();
    ExitCode::SUCCESS
}

pub(crate) async fn same_effects(docker: Docker) {
    let owner = Owner::this_process(&format!("test-{}-conformance", std::process::id())).expect("/proc is readable");
    let body = ContainerCreateBody {
        image: Some(NODE_IMAGE.to_owned()),
        entrypoint: Some(vec!["/story".to_owned(), "conformance".to_owned()]),
        labels: Some(owner.labels().into_iter().collect()),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            cap_add: Some(vec!["NET_ADMIN".to_owned()]),
            ..Default::default()
        }),
        ..Default::default()
    };
    let id = docker.create_container(None::<CreateContainerOptions>, body).await.expect("the image is there").id;
    let mut header = tar::Header::new_gnu();
    let program = std::fs::read("/proc/self/exe").expect("this program can be read");
    header.set_size(program.len() as u64);
    header.set_mode(0o755);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, "story", &program[..]).expect("memory is writable");
    let archive = bollard::body_full(archive.into_inner().expect("memory is writable").into());
    let options = UploadToContainerOptions { path: "/".to_owned(), ..Default::default() };
    docker.upload_to_container(&id, Some(options), archive).await.expect("it can be written to");
    let attach = AttachContainerOptions { stdout: true, stderr: true, stream: true, ..Default::default() };
    let mut attached = docker.attach_container(&id, Some(attach)).await.expect("it can be attached to");
    docker.start_container(&id, None::<StartContainerOptions>).await.expect("it starts");
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some(piece) = attached.output.next().await {
        match piece.expect("the output can be read") {
            LogOutput::StdErr { message } => stderr.extend(message),
            other => stdout.extend(other.into_bytes()),
        }
    }
    let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
    docker.remove_container(&id, Some(options)).await.expect("it is ours");

    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(!stderr.contains("failed to"), "the real host complains: {stderr}");
    let expected = story(&mut TestHost::default());
    let real: Vec<&str> = stdout.lines().collect();
    assert!(real.len() > expected.len(), "{stdout}{stderr}");
    for (real, expected) in real.iter().zip(&expected) {
        assert_eq!(real, expected);
    }
    for line in &real[expected.len()..] {
        assert!(line.ends_with(": true"), "the kernel: {line}");
    }
}
