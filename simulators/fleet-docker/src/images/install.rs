//! Packages and commands on top of an image, in a container that lives as long as the build.

use super::apt::AptSetup;
use super::bootstrap::quote;
use super::recipe::ImageRecipe;
use crate::engine::has_status;
use crate::owner::Owner;
use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::StartExecResults;
use bollard::models::{ContainerCreateBody, ExecConfig, HostConfig};
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptions, StartContainerOptions};
use futures_util::StreamExt;

/// How long a build container lives at most, in seconds. It then ends and removes itself, so that even a build whose owner
/// was killed on another machine leaves nothing.
const LIFETIME_S: &str = "1800";

/// Directories that hold only what apt fetches: kept in memory, they never reach the image.
const SCRATCH: [&str; 4] = ["/tmp", "/run", "/var/cache/apt", "/var/lib/apt/lists"];

/// Installs `$PACKAGES` from `$ARCHIVE` and `$SUITE` with the options in `$APT_OPTIONS`.
///
/// The configuration lies in scratch memory and its variables belong to this one command, so neither ends in the image.
/// A policy file keeps services that come with packages from starting on the host's network.
const INSTALL: &str = r#"
umask 022
printf 'deb %s %s main\n' "$ARCHIVE" "$SUITE" > /tmp/sources.list
printf '%s\nAcquire::Languages "none";\n' "$APT_OPTIONS" > /tmp/apt.conf
export APT_CONFIG=/tmp/apt.conf DEBIAN_FRONTEND=noninteractive
from="-o Dir::Etc::SourceList=/tmp/sources.list -o Dir::Etc::SourceParts=/dev/null"
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get $from --quiet=2 update
apt-get $from --quiet=2 install --yes --no-install-recommends $PACKAGES
rm -f /usr/sbin/policy-rc.d /etc/apt/sources.list /etc/apt/sources.list.d/*
rm -rf /var/log/apt /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old /var/lib/dpkg/*-old
"#;

/// What went wrong in a build container.
#[derive(Debug, thiserror::Error)]
pub(super) enum InstallError {
    #[error("{what}")]
    Engine {
        what: &'static str,
        #[source]
        source: Error,
    },
    #[error("command ended with status {status}: {output}")]
    Command { status: i64, output: String },
}

/// A running build container. [`BuildContainer::remove`] ends it; without that its labels and its lifetime do.
pub(super) struct BuildContainer<'a> {
    docker: &'a Docker,
    pub(super) id: String,
}

impl<'a> BuildContainer<'a> {
    /// Starts a container of `parent` on the host's network, where mirrors and proxies of the host can be reached.
    pub(super) async fn start(docker: &'a Docker, parent: &str, owner: &Owner) -> Result<Self, InstallError> {
        let engine = |what| move |source| InstallError::Engine { what, source };
        let body = ContainerCreateBody {
            image: Some(parent.to_owned()),
            cmd: Some(vec!["sleep".to_owned(), LIFETIME_S.to_owned()]),
            labels: Some(owner.labels().into_iter().collect()),
            host_config: Some(HostConfig {
                network_mode: Some("host".to_owned()),
                auto_remove: Some(true),
                tmpfs: Some(SCRATCH.map(|path| (path.to_owned(), "exec".to_owned())).into()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let created = docker.create_container(None::<CreateContainerOptions>, body).await;
        let container = Self { docker, id: created.map_err(engine("create the build container"))?.id };
        match docker.start_container(&container.id, None::<StartContainerOptions>).await {
            Ok(()) => Ok(container),
            Err(source) => {
                // The first error is the one worth telling; what could not be removed carries labels.
                let _ = container.remove().await;
                Err(InstallError::Engine { what: "start the build container", source })
            }
        }
    }

    /// Installs the recipe's packages and runs its steps.
    pub(super) async fn apply(&self, recipe: &ImageRecipe, setup: &AptSetup) -> Result<(), InstallError> {
        if !recipe.packages.is_empty() {
            let mut environment = setup.environment.clone();
            environment.push(format!("ARCHIVE={}", setup.archive));
            environment.push(format!("SUITE={}", recipe.suite));
            environment.push(format!("APT_OPTIONS={}", setup.options.join("\n")));
            environment.push(format!("PACKAGES={}", recipe.packages.join(" ")));
            self.run(INSTALL, environment).await?;
        }
        for step in &recipe.steps {
            self.run(step, Vec::new()).await?;
        }
        Ok(())
    }

    /// Runs a script with `sh -e`.
    async fn run(&self, script: &str, environment: Vec<String>) -> Result<(), InstallError> {
        let engine = |what| move |source| InstallError::Engine { what, source };
        let exec = ExecConfig {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            env: Some(environment),
            cmd: Some(["sh", "-e", "-c", script].map(str::to_owned).into()),
            ..Default::default()
        };
        let exec = self.docker.create_exec(&self.id, exec).await.map_err(engine("prepare a command"))?;
        let started = self.docker.start_exec(&exec.id, None).await.map_err(engine("start a command"))?;
        let mut output = Vec::new();
        if let StartExecResults::Attached { output: mut pieces, .. } = started {
            while let Some(piece) = pieces.next().await {
                output.extend(LogOutput::into_bytes(piece.map_err(engine("read a command's output"))?));
            }
        }
        let ended = self.docker.inspect_exec(&exec.id).await.map_err(engine("ask how a command ended"))?;
        match ended.exit_code {
            Some(0) => Ok(()),
            status => {
                let output = quote(&String::from_utf8_lossy(&output));
                Err(InstallError::Command { status: status.unwrap_or(-1), output })
            }
        }
    }

    /// Ends the container; it may have removed itself already.
    pub(super) async fn remove(&self) -> Result<(), Error> {
        let options = RemoveContainerOptions { v: true, force: true, ..Default::default() };
        match self.docker.remove_container(&self.id, Some(options)).await {
            Err(error) if has_status(&error, 404) || has_status(&error, 409) => Ok(()),
            answer => answer,
        }
    }
}
