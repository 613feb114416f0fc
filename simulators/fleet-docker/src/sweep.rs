//! Removes what runs left on the engine.
//!
//! A run sweeps itself at its end; every run first sweeps what dead owners left; `grenadier clean` does the same by hand.
//! The order is fixed by the engine: containers hold networks, volumes and images.

use crate::engine::has_status;
use crate::owner::{Liveness, Owner, Place, RUN};
use bollard::Docker;
use bollard::errors::Error;
use bollard::models::NetworkDisconnectRequest;
use bollard::query_parameters::{
    InspectNetworkOptions, ListContainersOptions, ListImagesOptions, ListNetworksOptions, ListVolumesOptions,
    RemoveContainerOptions, RemoveImageOptions, RemoveVolumeOptions,
};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How long the engine has to let go of an object that another removal still holds.
const RELEASE_DEADLINE: Duration = Duration::from_secs(3);
/// How often it is asked meanwhile.
const RELEASE_POLL: Duration = Duration::from_millis(100);

/// How many containers that are plugged into nothing are removed at once.
const CONTAINERS_AT_ONCE: usize = 4;

/// What helps where a network is kept although nothing is plugged into it.
const LOST_COUNT: &str = "; where no container is plugged into it, the engine has lost count and needs a restart";

/// What a sweep removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything whose owner has ended. Owners on other machines are left alone: they cannot be seen from here.
    OwnerGone,
    /// Everything of one run, whether its owner lives or not.
    Run(String),
    /// Everything of every run (`grenadier clean --all`).
    All,
}

/// A kind of object on the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A container.
    Container,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// An image that a run made (a snapshot). The cached images of [`crate::images`] belong to no run.
    Image,
}

/// An object that a sweep met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its name, or its id where it has none.
    pub name: String,
    /// The run that made it.
    pub run: String,
}

/// What a sweep did.
#[derive(Debug, Default)]
pub struct SweepReport {
    /// Removed, in the order of removal.
    pub removed: Vec<Object>,
    /// Left, because the owner still runs.
    pub alive: Vec<Object>,
    /// Left, because the owner is out of sight or the labels do not say who it is; `Scope::All` removes these.
    pub out_of_sight: Vec<Object>,
    /// What the engine refused, one sentence fragment each ("remove network x: …").
    pub failures: Vec<String>,
}

impl SweepReport {
    /// Whether everything in scope is gone.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Container => "container",
            Kind::Network => "network",
            Kind::Volume => "volume",
            Kind::Image => "image",
        })
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of run {}", self.kind, self.name, self.run)
    }
}

/// Removes the containers, networks, volumes and run images in `scope`.
///
/// It goes on past what the engine refuses, so that one stuck object leaves the rest clean; the refusals are in the report.
/// An object that somebody else removed meanwhile counts as removed.
pub async fn sweep(docker: &Docker, scope: Scope) -> SweepReport {
    let mut report = SweepReport::default();
    let here = match Place::here() {
        Ok(here) => here,
        Err(error) => {
            report.failures.push(error.to_string());
            return report;
        }
    };
    unplug(docker, &scope, &here).await;
    for kind in [Kind::Container, Kind::Network, Kind::Volume, Kind::Image] {
        let found = match list(docker, kind).await {
            Ok(found) => found,
            Err(error) => {
                report.failures.push(format!("list {kind}s: {error}"));
                continue;
            }
        };
        let mut ours = Vec::new();
        for Found { id, object, owner } in found {
            match verdict(&scope, &object, owner.as_ref(), &here) {
                Verdict::Remove => ours.push((id, object)),
                Verdict::Alive => report.alive.push(object),
                Verdict::OutOfSight => report.out_of_sight.push(object),
                Verdict::OutOfScope => {}
            }
        }
        let at_once = if kind == Kind::Container { CONTAINERS_AT_ONCE } else { 1 };
        let removals = ours.into_iter().map(async |(id, object)| (remove(docker, kind, &id).await, object));
        let mut removals = stream::iter(removals).buffered(at_once);
        while let Some((removed, object)) = removals.next().await {
            match removed {
                Ok(()) => report.removed.push(object),
                Err(error) => {
                    let hint = if kind == Kind::Network && has_status(&error, 403) { LOST_COUNT } else { "" };
                    report.failures.push(format!("remove {object}: {error}{hint}"));
                }
            }
        }
    }
    report
}

/// Unplugs whatever is plugged into the networks in scope: one container at a time from each network, because an engine that takes
/// two endpoints of a network down at once may lose count of them, and the networks side by side, because that is most of what
/// removing a container takes. What does not come off here comes off with its container.
async fn unplug(docker: &Docker, scope: &Scope, here: &Place) {
    let networks = list(docker, Kind::Network).await.unwrap_or_default();
    let ours = networks
        .into_iter()
        .filter(|found| matches!(verdict(scope, &found.object, found.owner.as_ref(), here), Verdict::Remove));
    let unplugged = ours.map(async |Found { id, .. }| {
        let network = docker.inspect_network(&id, None::<InspectNetworkOptions>).await;
        let plugged = network.ok().and_then(|network| network.containers).unwrap_or_default();
        for container in plugged.into_keys() {
            let request = NetworkDisconnectRequest { container, force: Some(true) };
            let _not_there_any_more = docker.disconnect_network(&id, request).await;
        }
    });
    join_all(unplugged).await;
}

/// What is there of runs whose owner has ended: what a sweep would remove.
///
/// # Errors
/// What the engine answers instead of a list.
pub async fn leftovers(docker: &Docker) -> Result<Vec<Object>, Error> {
    let Ok(here) = Place::here() else { return Ok(Vec::new()) };
    let mut left = Vec::new();
    for kind in [Kind::Container, Kind::Network, Kind::Volume, Kind::Image] {
        for Found { object, owner, .. } in list(docker, kind).await? {
            if matches!(verdict(&Scope::OwnerGone, &object, owner.as_ref(), &here), Verdict::Remove) {
                left.push(object);
            }
        }
    }
    Ok(left)
}

/// An object as listed.
struct Found {
    id: String,
    object: Object,
    owner: Option<Owner>,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Remove,
    Alive,
    OutOfSight,
    OutOfScope,
}

fn verdict(scope: &Scope, object: &Object, owner: Option<&Owner>, here: &Place) -> Verdict {
    match scope {
        Scope::All => Verdict::Remove,
        Scope::Run(run) if *run == object.run => Verdict::Remove,
        Scope::Run(_) => Verdict::OutOfScope,
        Scope::OwnerGone => match owner.map(|owner| owner.liveness(here)) {
            Some(Liveness::Gone) => Verdict::Remove,
            Some(Liveness::Alive) => Verdict::Alive,
            Some(Liveness::OutOfSight) | None => Verdict::OutOfSight,
        },
    }
}

/// Lists the objects of one kind that carry a run label, the youngest image first: an image holds the one it was made from.
async fn list(docker: &Docker, kind: Kind) -> Result<Vec<Found>, Error> {
    let filters = Some([("label".to_owned(), vec![RUN.to_owned()])].into());
    let mut found = Vec::new();
    match kind {
        Kind::Container => {
            let options = ListContainersOptions { all: true, filters, ..Default::default() };
            for container in docker.list_containers(Some(options)).await? {
                let Some(id) = container.id else { continue };
                let name = container.names.unwrap_or_default().into_iter().next();
                let name = name.map_or_else(|| id.clone(), |name| name.trim_start_matches('/').to_owned());
                found.push(Found::new(kind, id, name, container.labels.unwrap_or_default()));
            }
        }
        Kind::Network => {
            for network in docker.list_networks(Some(ListNetworksOptions { filters })).await? {
                let Some(id) = network.id else { continue };
                let name = network.name.unwrap_or_else(|| id.clone());
                found.push(Found::new(kind, id, name, network.labels.unwrap_or_default()));
            }
        }
        Kind::Volume => {
            let volumes = docker.list_volumes(Some(ListVolumesOptions { filters })).await?;
            for volume in volumes.volumes.unwrap_or_default() {
                found.push(Found::new(kind, volume.name.clone(), volume.name, volume.labels));
            }
        }
        Kind::Image => {
            let options = ListImagesOptions { filters, ..Default::default() };
            let mut images = docker.list_images(Some(options)).await?;
            images.sort_by_key(|image| std::cmp::Reverse(image.created));
            for image in images {
                let name = image.repo_tags.into_iter().next().unwrap_or_else(|| image.id.clone());
                found.push(Found::new(kind, image.id, name, image.labels));
            }
        }
    }
    Ok(found)
}

impl Found {
    fn new(kind: Kind, id: String, name: String, labels: impl IntoIterator<Item = (String, String)>) -> Self {
        let labels: BTreeMap<_, _> = labels.into_iter().collect();
        let owner = Owner::from_labels(|label| labels.get(label).map(String::as_str));
        let run = labels.get(RUN).cloned().unwrap_or_default();
        Self { id, object: Object { kind, name, run }, owner }
    }
}

/// Removes one object and waits until the engine lets go of it.
///
/// Two sweeps may meet, and a container that removes itself may be half gone: the engine then answers 409 (conflict), or
/// 403 (a network whose endpoints are just being taken down), which a moment later is a 404.
async fn remove(docker: &Docker, kind: Kind, id: &str) -> Result<(), Error> {
    let attempts = RELEASE_DEADLINE.as_millis() / RELEASE_POLL.as_millis();
    for _ in 1..attempts {
        match remove_once(docker, kind, id).await {
            Err(error) if has_status(&error, 409) || has_status(&error, 403) => tokio::time::sleep(RELEASE_POLL).await,
            Err(error) if has_status(&error, 404) => return Ok(()),
            answer => return answer,
        }
    }
    remove_once(docker, kind, id).await
}

async fn remove_once(docker: &Docker, kind: Kind, id: &str) -> Result<(), Error> {
    match kind {
        Kind::Container => {
            let options = RemoveContainerOptions { v: true, force: true, ..Default::default() };
            docker.remove_container(id, Some(options)).await
        }
        Kind::Network => docker.remove_network(id).await,
        Kind::Volume => docker.remove_volume(id, Some(RemoveVolumeOptions { force: true })).await,
        Kind::Image => {
            let options = RemoveImageOptions { force: true, ..Default::default() };
            docker.remove_image(id, Some(options), None).await.map(|_| ())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(run: &str) -> Object {
        Object { kind: Kind::Container, name: "c".to_owned(), run: run.to_owned() }
    }

    #[test]
    fn scopes_reach_as_far_as_they_say() {
        let here = Place::here().expect("/proc is readable");
        let alive = Owner::this_process("r1").expect("/proc is readable");
        let gone = Owner { start_ticks: alive.start_ticks + 1, ..alive.clone() };
        let judge = |scope: Scope, owner: Option<&Owner>| verdict(&scope, &object("r1"), owner, &here);

        assert_eq!(judge(Scope::OwnerGone, Some(&alive)), Verdict::Alive);
        assert_eq!(judge(Scope::OwnerGone, Some(&gone)), Verdict::Remove);
        assert_eq!(judge(Scope::OwnerGone, None), Verdict::OutOfSight);
        assert_eq!(judge(Scope::Run("r1".to_owned()), Some(&alive)), Verdict::Remove);
        assert_eq!(judge(Scope::Run("r2".to_owned()), Some(&gone)), Verdict::OutOfScope);
        assert_eq!(judge(Scope::All, None), Verdict::Remove);
    }
}
