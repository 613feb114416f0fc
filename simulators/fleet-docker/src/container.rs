//! One machine as a container.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{
    ContainerConfig, ContainerCreateBody, ContainerStateStatusEnum, EndpointSettings, HostConfig, HostConfigLogConfig,
    Mount, MountType, NetworkConnectRequest, NetworkDisconnectRequest, NetworkingConfig,
};
use bollard::query_parameters::{
    CommitContainerOptions, CreateContainerOptions, DownloadFromContainerOptions, KillContainerOptions,
    RemoveContainerOptions, StartContainerOptions, UploadToContainerOptions,
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use grenadier_agent::NicRecord;
use grenadier_agent::protocol::{AnswerForm, Boot, BootMishaps, GuestRecord, ToAgent};
use grenadier_fleet::{ImageHeader, Machine, Nic, OperationError};

use crate::archive;
use crate::engine::has_status;
use crate::segments::network_name;
use crate::session::{Session, Told};
use crate::shared::Shared;

/// Where the agent's program is mounted.
pub(crate) const PROGRAM_DIRECTORY: &str = "/grenadier";
/// Its name there.
pub(crate) const PROGRAM: &str = "agent";

/// What a capture reads of a machine's disk.
const CAPTURED: [&str; 4] = ["/etc/haproxy", "/etc/vmware", "/etc/vmware-haproxy-release", "/var/log/grenadier"];

/// How long an agent may take for what needs no waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the engine has of a machine, under a lock that serialises work on it.
#[derive(Debug, Default)]
pub(crate) struct Container {
    id: Option<String>,
    /// Its name there.
    name: String,
    /// The networks it is plugged into.
    segments: Vec<String>,
    /// The image it is created from in place of its disk's: a snapshot that was reverted to.
    base: Option<String>,
    /// Files that were removed while it was off, and the agent has yet to remove.
    removed: BTreeSet<String>,
    session: Option<Session>,
    /// The number of the life that was started last.
    epoch: u64,
    /// What has happened to the machine and still counts.
    pub(crate) mishaps: BootMishaps,
    /// It stands still in this life because it was told to.
    pub(crate) paused: bool,
    /// What somebody outside has done to it in this life, in a sentence.
    interference: Option<String>,
}

/// An error of the engine as an operation's.
pub(crate) fn refused(what: &str, error: Error) -> OperationError {
    let hint = if has_status(&error, 404) && error.to_string().contains("No such image") {
        " (`grenadier images` makes it)"
    } else {
        ""
    };
    OperationError::Engine(format!("{what}: {error}{hint}"))
}

/// The header of the image that a machine boots from.
fn header(machine: &Machine) -> Option<&ImageHeader> {
    machine.spec.disks.first()?.image.as_ref().map(|image| &image.header)
}

/// What every container of a run has in common: the agent as process 1, and nothing left of it but labels.
pub(crate) fn body(shared: &Shared, image: String, segments: &[String], program_writable: bool) -> ContainerCreateBody {
    let first = segments.first().map(|segment| network_name(shared.run(), segment));
    let endpoints = first.clone().map(|network| [(network, EndpointSettings::default())].into());
    ContainerCreateBody {
        image: Some(image),
        entrypoint: Some(vec![format!("{PROGRAM_DIRECTORY}/{PROGRAM}"), "agent".to_owned()]),
        cmd: Some(Vec::new()),
        labels: Some(shared.owner.labels().into_iter().collect()),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        // When our end goes away, the agent's input ends, and it turns its machine off.
        stdin_once: Some(true),
        host_config: Some(HostConfig {
            network_mode: Some(first.unwrap_or_else(|| "none".to_owned())),
            cap_add: Some(vec!["NET_ADMIN".to_owned()]),
            // As on a real machine, sockets and pid files do not outlive a power-off; one that does keeps HAProxy from starting.
            tmpfs: Some([("/run".to_owned(), "rw,mode=755".to_owned())].into()),
            // Output is the protocol; nobody reads it a second time.
            log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
            mounts: Some(vec![Mount {
                typ: Some(MountType::VOLUME),
                source: Some(shared.program_volume()),
                target: Some(PROGRAM_DIRECTORY.to_owned()),
                read_only: Some(!program_writable),
                ..Default::default()
            }]),
            ..Default::default()
        }),
        networking_config: Some(NetworkingConfig { endpoints_config: endpoints }),
        ..Default::default()
    }
}

/// Creates a container and plugs it into its segments. Engines before API 1.44 take only one network at creation.
pub(crate) async fn create(
    shared: &Shared,
    name: String,
    body: ContainerCreateBody,
    segments: &[String],
) -> Result<String, OperationError> {
    let options = CreateContainerOptions { name: Some(name), ..Default::default() };
    let created = shared.docker.create_container(Some(options), body).await;
    let id = created.map_err(|error| refused("create the container", error))?.id;
    for segment in segments.iter().skip(1) {
        if let Err(error) = plug(shared, &id, segment).await {
            // What was created carries labels; the error of the connection is the one worth telling.
            let _ = remove(shared, &id, segments).await;
            return Err(refused(PLUG, error));
        }
    }
    Ok(id)
}

/// What [`plug`] does, as its errors say it.
const PLUG: &str = "plug the container into its network";

async fn plug(shared: &Shared, container: &str, segment: &str) -> Result<(), Error> {
    let request = NetworkConnectRequest { container: container.to_owned(), endpoint_config: None };
    let _plugging = shared.plugging(&[segment.to_owned()]).await;
    shared.docker.connect_network(&network_name(shared.run(), segment), request).await
}

async fn remove(shared: &Shared, container: &str, segments: &[String]) -> Result<(), OperationError> {
    let options = RemoveContainerOptions { v: true, force: true, ..Default::default() };
    let _plugging = shared.plugging(segments).await;
    match shared.docker.remove_container(container, Some(options)).await {
        Err(error) if !has_status(&error, 404) => Err(refused("remove the container", error)),
        _ => Ok(()),
    }
}

/// The segments of some cards, each once, in order of the cards.
pub(crate) fn segments_of(nics: &[Nic]) -> Vec<String> {
    nics.iter().map(|nic| nic.segment.clone()).collect()
}

/// Cards as the agent has to know them.
pub(crate) fn nic_records(shared: &Shared, nics: &[Nic]) -> Vec<NicRecord> {
    let record = |nic: &Nic| {
        let subnet = shared.segments.get(&nic.segment)?.subnet;
        Some(NicRecord { key: nic.key, segment: nic.segment.clone(), mac: nic.mac, connected: nic.connected, subnet })
    };
    nics.iter().filter_map(record).collect()
}

impl Container {
    /// The live conversation with its agent.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Starts the machine. What its agent tells comes back through the channel, which ends with the container.
    pub(crate) async fn power_on(
        &mut self,
        shared: &Shared,
        machine: &Machine,
        epoch: u64,
    ) -> Result<(Session, Told), OperationError> {
        let id = self.ensure(shared, machine).await?;
        // A machine without an image boots as one does whose disk is empty: it comes on, and finds nothing.
        let guest = header(machine).map_or_else(
            || GuestRecord { product: String::new(), version: String::new(), facts: BTreeMap::new() },
            |header| GuestRecord {
                product: header.product.clone(),
                version: header.version.clone(),
                facts: header.facts.clone(),
            },
        );
        let boot = Boot {
            machine: machine.spec.name.clone(),
            seed: shared.seed,
            nics: nic_records(shared, &machine.spec.nics),
            config: machine.spec.config.clone(),
            remove: self.removed.iter().cloned().collect(),
            guest: Some(guest),
            mishaps: self.mishaps,
        };
        let opened = Session::open(&shared.docker, shared.clock.clone(), &id, boot).await;
        let (session, told) = match opened {
            Ok(opened) => opened,
            Err(error) => return Err(self.refused(shared, "attach to the container", error).await),
        };
        let plugging = shared.plugging(&self.segments).await;
        let started = shared.docker.start_container(&id, None::<StartContainerOptions>).await;
        drop(plugging);
        if let Err(error) = started {
            return Err(self.refused(shared, "start the container", error).await);
        }
        self.removed.clear();
        self.has_booted();
        self.interference = None;
        (self.session, self.epoch) = (Some(session.clone()), epoch);
        Ok((session, told))
    }

    /// Pulls the plug.
    pub(crate) async fn power_off(&mut self, shared: &Shared) -> Result<(), OperationError> {
        self.session = None;
        self.paused = false;
        let Some(id) = &self.id else { return Ok(()) };
        let options = KillContainerOptions { signal: "KILL".to_owned() };
        let _plugging = shared.plugging(&self.segments).await;
        match shared.docker.kill_container(id, Some(options)).await {
            // It went off by itself a moment before, or somebody removed it while it was on.
            Err(error) if has_status(&error, 409) || has_status(&error, 404) => Ok(()),
            Err(error) => Err(refused("kill the container", error)),
            Ok(()) => Ok(()),
        }
    }

    /// How a life whose agent does not talk any more has ended. One that still runs is killed: a machine that can be neither
    /// reached nor told to go off is none.
    pub(crate) async fn how_it_ended(&mut self, shared: &Shared, epoch: u64) -> String {
        if self.epoch != epoch || self.session.is_none() {
            return "it was switched off".to_owned();
        }
        self.session = None;
        if let Some(interference) = self.interference.take() {
            return interference;
        }
        let Some(id) = self.id.clone() else { return "it is gone".to_owned() };
        let state = match shared.docker.inspect_container(&id, None).await {
            Err(error) if has_status(&error, 404) => return self.removed_by_somebody(),
            Err(error) => return format!("its container cannot be looked at: {error}"),
            Ok(container) => container.state.unwrap_or_default(),
        };
        // An engine that is told to remove what runs marks it so before it kills it.
        if state.dead == Some(true) || state.status == Some(ContainerStateStatusEnum::REMOVING) {
            return self.removed_by_somebody();
        }
        if state.running == Some(true) {
            // Attached output ends a moment before the engine notes the end; killing what has ended changes nothing.
            if let Err(error) = self.power_off(shared).await {
                return error.to_string();
            }
        }
        let killed = if state.oom_killed == Some(true) { ", out of memory" } else { "" };
        format!("process 1 ended with {}{killed}", state.exit_code.unwrap_or(-1))
    }

    /// Removes the container, and with it what is on the disk.
    pub(crate) async fn clear(&mut self, shared: &Shared) -> Result<(), OperationError> {
        self.removed.clear();
        self.session = None;
        match self.id.take() {
            Some(id) => remove(shared, &id, &self.segments).await,
            None => Ok(()),
        }
    }

    /// From now on the disk is what a snapshot holds; without one, what the disk's image says.
    pub(crate) async fn rebase(&mut self, shared: &Shared, base: Option<String>) -> Result<(), OperationError> {
        self.clear(shared).await?;
        self.base = base;
        Ok(())
    }

    /// Keeps the disk as an image; none where nothing was written to it yet. Commit pauses a running machine for the moment,
    /// so that the files of one instant are kept, as a hypervisor does.
    pub(crate) async fn commit(&self, shared: &Shared) -> Result<Option<String>, OperationError> {
        let Some(id) = &self.id else { return Ok(self.base.clone()) };
        let options = CommitContainerOptions { container: Some(id.clone()), pause: true, ..Default::default() };
        match shared.docker.commit_container(options, ContainerConfig::default()).await {
            Ok(image) => Ok(Some(image.id)),
            Err(error) => Err(self.refused(shared, "commit the container", error).await),
        }
    }

    /// Changes the networks that a container is plugged into.
    pub(crate) async fn replug(
        &mut self,
        shared: &Shared,
        before: &[Nic],
        after: &[Nic],
    ) -> Result<(), OperationError> {
        let Some(id) = &self.id else { return Ok(()) };
        let (before, after) = (segments_of(before), segments_of(after));
        // Where it fails on the way, it may be plugged into any of them.
        self.segments = [before.clone(), after.clone()].concat();
        for segment in before.iter().filter(|segment| !after.contains(segment)) {
            let request = NetworkDisconnectRequest { container: id.clone(), force: Some(true) };
            let _plugging = shared.plugging(std::slice::from_ref(segment)).await;
            let done = shared.docker.disconnect_network(&network_name(shared.run(), segment), request).await;
            if let Err(error) = done {
                return Err(self.refused(shared, "unplug the container from its network", error).await);
            }
        }
        for segment in after.iter().filter(|segment| !before.contains(segment)) {
            if let Err(error) = plug(shared, id, segment).await {
                return Err(self.refused(shared, PLUG, error).await);
            }
        }
        self.segments = after;
        Ok(())
    }

    /// The files that captures look at: none where nothing was written to the disk yet.
    pub(crate) async fn read_files(
        &mut self,
        shared: &Shared,
        machine: &Machine,
    ) -> Result<BTreeMap<String, Bytes>, OperationError> {
        let mut files = BTreeMap::new();
        if self.id.is_none() && self.base.is_none() {
            return Ok(files);
        }
        // What a snapshot holds can be read of a container alone.
        let id = self.ensure(shared, machine).await?;
        for path in CAPTURED {
            let options = DownloadFromContainerOptions { path: path.to_owned() };
            let pieces = shared.docker.download_from_container(&id, Some(options));
            let archive = pieces.try_fold(Vec::new(), |mut archive, piece| async move {
                archive.extend_from_slice(&piece);
                Ok(archive)
            });
            match archive.await {
                Ok(archive) => {
                    let unpacked = archive::unpack(path, &archive);
                    files.extend(unpacked.map_err(|error| OperationError::Engine(format!("read {path}: {error}")))?);
                }
                // There is no such file, unless there is no such container.
                Err(error) if has_status(&error, 404) && !self.is_lost(shared).await => {}
                Err(error) => return Err(self.refused(shared, "read the container's files", error).await),
            }
        }
        files.retain(|path, _| !self.removed.contains(path));
        Ok(files)
    }

    /// Writes or removes a file without the guest's help.
    pub(crate) async fn write_file(
        &mut self,
        shared: &Shared,
        machine: &Machine,
        path: String,
        content: Option<Bytes>,
    ) -> Result<(), OperationError> {
        match content {
            Some(content) => {
                let id = self.ensure(shared, machine).await?;
                if let Err(error) = upload(shared, &id, "/", &path, &content, 0o644).await {
                    return Err(if self.is_lost(shared).await { self.lost() } else { error });
                }
                self.removed.remove(&path);
            }
            None => match &self.session {
                None => {
                    self.removed.insert(path);
                }
                Some(session) => {
                    let answer = session.ask(PATIENCE, |request| ToAgent::Remove { request, path }).await;
                    if !matches!(answer, Some(AnswerForm::Shell { .. })) {
                        return Err(OperationError::NoGuest);
                    }
                }
            },
        }
        Ok(())
    }

    /// The engine's id of it; none where there is none yet.
    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether somebody has removed it from the engine.
    async fn is_lost(&self, shared: &Shared) -> bool {
        let Some(id) = &self.id else { return false };
        shared.docker.inspect_container(id, None).await.is_err_and(|error| has_status(&error, 404))
    }

    fn removed_by_somebody(&self) -> String {
        format!("somebody has removed its container {}", self.name)
    }

    fn lost(&self) -> OperationError {
        let name = &self.name;
        OperationError::Engine(format!(
            "somebody has removed the container {name}, and the machine's disk with it: destroy the machine, or revert it to a snapshot"
        ))
    }

    /// An error of the engine as an operation's, where it may be that there is nothing any more that it could work on.
    pub(crate) async fn refused(&self, shared: &Shared, what: &str, error: Error) -> OperationError {
        if self.is_lost(shared).await { self.lost() } else { refused(what, error) }
    }

    /// Somebody has paused the container: it holds its power and its connections, and neither answers nor can be asked. The
    /// contract knows machines that are on and machines that are off, so it goes off, and the log says why. Keeping a disk as an
    /// image pauses it too, under the lock that the caller has waited for.
    pub(crate) async fn was_paused(&mut self, shared: &Shared) {
        let Some(id) = self.id.clone() else { return };
        let state = shared.docker.inspect_container(&id, None).await.ok().and_then(|container| container.state);
        if self.paused || state.is_none_or(|state| state.paused != Some(true)) {
            return;
        }
        self.interference = Some(format!("somebody has paused its container {}, so it was killed", self.name));
        // Signals reach what is paused once it goes on, which engines see to.
        let options = KillContainerOptions { signal: "KILL".to_owned() };
        let _plugging = shared.plugging(&self.segments).await;
        if let Err(error) = shared.docker.kill_container(&id, Some(options)).await {
            self.interference = Some(format!("somebody has paused its container {}: {error}", self.name));
        }
    }

    /// The container, created where there is none yet.
    async fn ensure(&mut self, shared: &Shared, machine: &Machine) -> Result<String, OperationError> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        let segments = segments_of(&machine.spec.nics);
        let image = self.base.clone().or_else(|| header(machine).map(|header| header.container.clone()));
        let mut body = body(shared, image.unwrap_or_else(|| shared.node_image.clone()), &segments, false);
        body.hostname = Some(machine.spec.name.clone());
        let name = format!("grenadier-{}-{}-{}", shared.run(), machine.id, engine_name(&machine.spec.name));
        let id = create(shared, name.clone(), body, &segments).await?;
        (self.id, self.name, self.segments) = (Some(id.clone()), name, segments);
        Ok(id)
    }
}

/// Puts one file into a container that need not run.
pub(crate) async fn upload(
    shared: &Shared,
    container: &str,
    directory: &str,
    path: &str,
    content: &[u8],
    mode: u32,
) -> Result<(), OperationError> {
    let archive =
        archive::pack(path, content, mode).map_err(|error| OperationError::Engine(format!("pack {path}: {error}")))?;
    let options = UploadToContainerOptions { path: directory.to_owned(), ..Default::default() };
    let done = shared.docker.upload_to_container(container, Some(options), bollard::body_full(archive)).await;
    done.map_err(|error| refused("write into the container", error))
}

/// A name as engines allow it: letters, digits, `_`, `.` and `-`.
fn engine_name(name: &str) -> String {
    name.chars().map(|char| if char.is_ascii_alphanumeric() || "_.-".contains(char) { char } else { '-' }).collect()
}
