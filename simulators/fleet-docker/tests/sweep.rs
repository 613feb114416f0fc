//! Sweeping on a real engine. Where there is none, the tests say so and pass.
#![allow(clippy::disallowed_methods, reason = "these tests drive real containers")]

mod common;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{ContainerConfig, ContainerCreateBody, HostConfig, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    CommitContainerOptions, CreateContainerOptions, CreateImageOptions, RemoveImageOptions, StartContainerOptions,
};
use futures_util::TryStreamExt;
use grenadier_fleet_docker::owner::Owner;
use grenadier_fleet_docker::sweep::{Kind, Object, Scope, SweepReport, sweep};

/// Names of one container, network, volume and snapshot image that belong to `owner`.
struct Leftovers {
    name: String,
    owner: Owner,
}

impl Leftovers {
    /// Makes one of each kind; the container runs on nothing but an empty image, so it is only created.
    async fn make(docker: &Docker, image: &str, owner: Owner) -> Result<Self, Error> {
        let name = owner.run.clone();
        let labels = || Some(owner.labels().into_iter().collect());
        let network =
            NetworkCreateRequest { name: name.clone(), internal: Some(true), labels: labels(), ..Default::default() };
        docker.create_network(network).await?;
        let volume = VolumeCreateRequest { name: Some(name.clone()), labels: labels(), ..Default::default() };
        docker.create_volume(volume).await?;
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            cmd: Some(vec!["/nothing".to_owned()]),
            labels: labels(),
            host_config: Some(HostConfig {
                network_mode: Some(name.clone()),
                binds: Some(vec![format!("{name}:/data")]),
                ..Default::default()
            }),
            ..Default::default()
        };
        let options = CreateContainerOptions { name: Some(name.clone()), ..Default::default() };
        docker.create_container(Some(options), body).await?;
        let commit = CommitContainerOptions {
            container: Some(name.clone()),
            repo: Some(format!("grenadier/{name}")),
            tag: Some("snapshot".to_owned()),
            ..Default::default()
        };
        docker.commit_container(commit, ContainerConfig::default()).await?;
        Ok(Self { name, owner })
    }

    fn objects(&self) -> Vec<Object> {
        let object = |kind, name| Object { kind, name, run: self.owner.run.clone() };
        vec![
            object(Kind::Container, self.name.clone()),
            object(Kind::Network, self.name.clone()),
            object(Kind::Volume, self.name.clone()),
            object(Kind::Image, format!("grenadier/{}:snapshot", self.name)),
        ]
    }

    async fn exist(&self, docker: &Docker) -> [bool; 4] {
        [
            docker.inspect_container(&self.name, None).await.is_ok(),
            docker.inspect_network(&self.name, None).await.is_ok(),
            docker.inspect_volume(&self.name).await.is_ok(),
            docker.inspect_image(&format!("grenadier/{}:snapshot", self.name)).await.is_ok(),
        ]
    }
}

/// Those of `objects` that belong to one of `runs`: other runs on this engine are none of our business.
fn of_runs(objects: &[Object], runs: &[&Leftovers]) -> Vec<Object> {
    let ours = |object: &&Object| runs.iter().any(|run| run.owner.run == object.run);
    objects.iter().filter(ours).cloned().collect()
}

fn assert_clean(report: &SweepReport) {
    assert!(report.is_clean(), "{:?}", report.failures);
}

#[tokio::test]
async fn a_sweep_takes_what_its_scope_says_and_nothing_else() {
    let Some(docker) = common::engine().await else { return };
    let id = std::process::id();
    let image = format!("grenadier/sweep-test-{id}:empty");
    let (repository, tag) = image.split_once(':').expect("written with a tag");
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        repo: Some(repository.to_owned()),
        tag: Some(tag.to_owned()),
        ..Default::default()
    };
    // Two blocks of zeros are an archive without any file.
    let empty = bollard::body_full(vec![0; 1024].into());
    docker.create_image(Some(options), Some(empty), None).try_collect::<Vec<_>>().await.expect("an empty image");

    let alive = Owner::this_process(&format!("sweep-test-{id}-alive")).expect("/proc is readable");
    let gone =
        Owner { run: format!("sweep-test-{id}-gone"), start_ticks: alive.start_ticks.wrapping_sub(1), ..alive.clone() };
    let alive = Leftovers::make(&docker, &image, alive).await.expect("the engine makes objects");
    let gone = Leftovers::make(&docker, &image, gone).await.expect("the engine makes objects");

    let report = sweep(&docker, Scope::OwnerGone).await;
    // What dead runs of others have left and the engine does not give up is not this test's business.
    let ours = |failure: &&String| failure.contains(&format!("sweep-test-{id}"));
    assert_eq!(report.failures.iter().find(ours), None);
    assert_eq!(of_runs(&report.removed, &[&alive, &gone]), gone.objects());
    assert_eq!(of_runs(&report.alive, &[&alive, &gone]), alive.objects());
    assert_eq!(gone.exist(&docker).await, [false; 4]);
    assert_eq!(alive.exist(&docker).await, [true; 4]);

    let report = sweep(&docker, Scope::Run(alive.owner.run.clone())).await;
    assert_clean(&report);
    assert_eq!(report.removed, alive.objects());
    assert_eq!(alive.exist(&docker).await, [false; 4]);

    docker.remove_image(&image, None::<RemoveImageOptions>, None).await.expect("ours");
}

/// Two sweeps of one run at once, as when a run ends while its supervisor wakes: both report a clean engine.
#[tokio::test]
async fn two_sweeps_at_once_do_not_disturb_each_other() {
    let Some(docker) = common::engine().await else { return };
    let Ok(_) = docker.inspect_image("grenadier/node:bookworm").await else {
        println!("not covered: the standard images are not there yet");
        return;
    };
    let run = format!("sweep-test-{}-twice", std::process::id());
    let owner = Owner::this_process(&run).expect("/proc is readable");
    for number in 0..3 {
        let body = ContainerCreateBody {
            image: Some("grenadier/node:bookworm".to_owned()),
            cmd: Some(vec!["sleep".to_owned(), "60".to_owned()]),
            labels: Some(owner.labels().into_iter().collect()),
            host_config: Some(HostConfig { network_mode: Some("none".to_owned()), ..Default::default() }),
            ..Default::default()
        };
        let options = CreateContainerOptions { name: Some(format!("{run}-{number}")), ..Default::default() };
        let id = docker.create_container(Some(options), body).await.expect("the image is there").id;
        docker.start_container(&id, None::<StartContainerOptions>).await.expect("the container starts");
    }
    let scope = || Scope::Run(run.clone());
    let (first, second) = tokio::join!(sweep(&docker, scope()), sweep(&docker, scope()));
    assert_clean(&first);
    assert_clean(&second);
    assert!(sweep(&docker, scope()).await.removed.is_empty());
}
