//! The standard images, made and used on a real engine. Where there is none, the tests say so and pass.
#![allow(clippy::disallowed_methods, reason = "these tests drive real containers")]

mod common;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    AttachContainerOptions, CreateContainerOptions, RemoveContainerOptions, StartContainerOptions,
};
use futures_util::StreamExt;
use grenadier_fleet_docker::images::{
    ImageRecipe, ImagesError, Origin, Parent, Progress, RECIPE, Silent, Stage, Suite, ensure, standard,
};
use grenadier_fleet_docker::owner::Owner;

/// Prints stages, for whoever runs the tests with `--nocapture`.
struct Print;

impl Progress for Print {
    fn stage(&mut self, image: &str, stage: &Stage) {
        println!("{image}: {stage:?}");
    }
}

/// Remembers stages.
#[derive(Default)]
struct Remember(Vec<Stage>);

impl Progress for Remember {
    fn stage(&mut self, _image: &str, stage: &Stage) {
        self.0.push(stage.clone());
    }
}

/// Runs a shell command in a throwaway container without any network and gives what it prints.
async fn output_of(docker: &Docker, image: &str, command: &str) -> String {
    let owner = Owner::this_process(&format!("images-test-{}", std::process::id())).expect("/proc is readable");
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(["sh", "-c", command].map(str::to_owned).into()),
        labels: Some(owner.labels().into_iter().collect()),
        host_config: Some(HostConfig { network_mode: Some("none".to_owned()), ..Default::default() }),
        ..Default::default()
    };
    let id = docker.create_container(None::<CreateContainerOptions>, body).await.expect("the image is there").id;
    let attach = AttachContainerOptions { stdout: true, stderr: true, stream: true, ..Default::default() };
    let mut attached =
        docker.attach_container(&id, Some(attach)).await.expect("a created container can be attached to");
    docker.start_container(&id, None::<StartContainerOptions>).await.expect("the container starts");
    let mut output = Vec::new();
    while let Some(piece) = attached.output.next().await {
        output.extend(LogOutput::into_bytes(piece.expect("the output can be read")));
    }
    let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
    docker.remove_container(&id, Some(options)).await.expect("the container can be removed");
    String::from_utf8_lossy(&output).into_owned()
}

#[tokio::test]
async fn standard_images_have_what_machines_need() {
    let Some(docker) = common::engine().await else { return };
    let reports = match ensure(&docker, &standard(), &mut Print).await {
        Err(ImagesError::NoSource { .. }) => {
            println!("not covered: no registry and no mmdebstrap to make images with");
            return;
        }
        reports => reports.unwrap_or_else(|error| panic!("failed to {error}")),
    };
    for report in &reports {
        println!(
            "{} {:?} {} MB in {} ms",
            report.name,
            report.origin,
            report.size / 1_000_000,
            report.took.as_millis()
        );
        let image = docker.inspect_image(&report.name).await.expect("the image is there");
        let labels = image.config.and_then(|config| config.labels).unwrap_or_default();
        let labels: Vec<_> = labels.into_keys().collect();
        assert_eq!(labels, [RECIPE], "a container of {} inherits its labels, so it must have no owner's", report.name);
        let leftovers = "find /tmp /run /var/cache/apt /var/lib/apt/lists /etc/apt/sources.list* -type f ! -name lock \
                         2>/dev/null; ls /usr/sbin/policy-rc.d 2>/dev/null; grep -rIiE 'proxy|http:|check-' /etc/apt; true";
        assert_eq!(output_of(&docker, &report.name, leftovers).await, "", "what building {} left in it", report.name);
    }
    let again = ensure(&docker, &standard(), &mut Silent).await.expect("the images are there");
    assert!(again.iter().all(|report| report.origin == Origin::Cached), "{again:?}");

    for (suite, version) in [(Suite::Bullseye, "2.2.9"), (Suite::Bookworm, "2.6.12"), (Suite::Trixie, "3.0.11")] {
        let image = ImageRecipe::haproxy_appliance(suite).name;
        let said = output_of(&docker, &image, "haproxy -v; ls /etc/haproxy/haproxy.cfg").await;
        assert!(said.contains(&format!("version {version}")), "{image}: {said}");
        assert!(said.contains("No such file"), "{image} still has Debian's configuration: {said}");
    }
    for recipe in standard().iter().filter(|recipe| recipe.packages.iter().any(|package| package == "iproute2")) {
        let said = output_of(&docker, &recipe.name, "ip -V; command -v arping; command -v ps").await;
        assert!(
            said.contains("iproute2") && said.contains("/arping") && said.contains("/ps"),
            "{}: {said}",
            recipe.name
        );
    }
}

#[tokio::test]
async fn a_changed_recipe_is_made_again_and_a_failing_one_leaves_no_container() {
    let Some(docker) = common::engine().await else { return };
    let node = ImageRecipe::node(Suite::Bookworm);
    if docker.inspect_image(&node.name).await.is_err() {
        println!("not covered: the standard images are not there yet");
        return;
    }
    let name = format!("grenadier/test-{}:bookworm", std::process::id());
    let recipe = |step: &str| ImageRecipe {
        name: name.clone(),
        suite: Suite::Bookworm,
        parent: Parent::Image(Box::new(node.clone())),
        packages: Vec::new(),
        steps: vec![step.to_owned()],
    };
    let made = ensure(&docker, &[recipe("echo one > /one")], &mut Silent).await.expect("the recipe works");
    assert_eq!(made[0].origin, Origin::Derived);
    let mut stages = Remember::default();
    let changed = ensure(&docker, &[recipe("echo two > /two")], &mut stages).await.expect("the recipe works");
    assert_ne!(changed[0].id, made[0].id);
    let install = Stage::Install { packages: Vec::new() };
    assert_eq!(stages.0, [install, Stage::Pack, Stage::Ready(Origin::Derived)]);
    assert_eq!(output_of(&docker, &name, "cat /two; ls /one 2>/dev/null").await, "two\n");
    assert!(docker.inspect_image(&made[0].id).await.is_err(), "the image that lost its name is still there");

    let failed = ensure(&docker, &[recipe("echo no such luck >&2; exit 7")], &mut Silent).await;
    let error = failed.expect_err("the step fails");
    assert!(error.to_string().contains("status 7: no such luck"), "{error}");

    docker.remove_image(&name, None::<bollard::query_parameters::RemoveImageOptions>, None).await.expect("ours");
    let here = grenadier_fleet_docker::owner::RUN;
    let filters = Some([("label".to_owned(), vec![format!("{here}=images-{}", std::process::id())])].into());
    let options = bollard::query_parameters::ListContainersOptions { all: true, filters, ..Default::default() };
    // The other test of this process may be building meanwhile, but only from mmdebstrap or other parents.
    let left = docker.list_containers(Some(options)).await.expect("the engine answers");
    let left: Vec<_> = left.iter().filter(|c| c.image.as_deref() == Some(&node.name)).collect();
    assert!(left.is_empty(), "{left:?}");
}
