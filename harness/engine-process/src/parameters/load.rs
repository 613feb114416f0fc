//! From the file to the procedure's parameters.

use std::path::{Path, PathBuf};

use grenadier_engine::procedures::haproxy_appliance::{Deadlines, Ova, Parameters, Vantage};
use grenadier_engine::vsphere::VSphereAccess;
use grenadier_wire::{Secret, TlsTrust};
use thiserror::Error;

use super::file::{ParametersFile, SecretForm};

/// The parameters cannot be used: the input is wrong.
#[derive(Debug, Error)]
pub enum ParametersError {
    /// The file cannot be read.
    #[error("read the parameters {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file does not say what it must. The message has line, column and the text around it.
    #[error("{}: {message}", file.display())]
    Form {
        /// The file.
        file: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// A file that the parameters name cannot be read.
    #[error("{}: `{key}` names {}, which cannot be read", file.display(), named.display())]
    File {
        /// The parameters.
        file: PathBuf,
        /// The key, with those around it: `image.disk`.
        key: &'static str,
        /// The file it names.
        named: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A variable that the parameters name is not set.
    #[error("{}: `{key}` names the variable {variable}, which is not set or is no text", file.display())]
    Variable {
        /// The parameters.
        file: PathBuf,
        /// The key.
        key: &'static str,
        /// The variable.
        variable: String,
    },
    /// A secret is there and empty.
    #[error("{}: the secret that `{key}` names is empty", file.display())]
    Empty {
        /// The parameters.
        file: PathBuf,
        /// The key.
        key: &'static str,
    },
}

impl ParametersError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ParametersError::Unreadable { .. } | ParametersError::File { .. } => {
                "paths are relative to the folder of the parameters; check that it is there and may be read by this user"
            }
            ParametersError::Form { .. } => "`grenadier engine --help` shows the whole form with an example",
            ParametersError::Variable { .. } => "export it before calling the engine, or name a file: `{file: PATH}`",
            ParametersError::Empty { .. } => "write the secret there; a line break at its end is not part of it",
        }
    }
}

impl ParametersFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or has another form.
    pub fn read(file: &Path) -> Result<ParametersFile, ParametersError> {
        let unreadable = |source| ParametersError::Unreadable { file: file.to_owned(), source };
        let text = std::fs::read_to_string(file).map_err(unreadable)?;
        let form =
            |error: serde_saphyr::Error| ParametersError::Form { file: file.to_owned(), message: error.to_string() };
        serde_saphyr::from_str(&text).map_err(form)
    }

    /// The procedure's parameters, with everything read that the file names. `file` is where it was read from.
    ///
    /// # Errors
    /// Something it names is not there.
    pub fn resolve(&self, file: &Path) -> Result<Parameters, ParametersError> {
        let files = Files { file, folder: file.parent().unwrap_or(Path::new("")) };
        let descriptor = files.read("image.descriptor", &self.image.descriptor)?;
        let descriptor = String::from_utf8(descriptor).map_err(|error| ParametersError::File {
            file: file.to_owned(),
            key: "image.descriptor",
            named: self.image.descriptor.clone(),
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, error),
        })?;
        let disk = files.read("image.disk", &self.image.disk)?.into();
        let mut vantages = Vec::new();
        for vantage in &self.vantages {
            let password = vantage.password.as_ref().map(|secret| files.secret("vantages.password", secret));
            vantages.push(Vantage {
                cluster: vantage.cluster.clone(),
                host: vantage.host.clone(),
                user: vantage.user.clone(),
                password: password.transpose()?,
                targets: vantage.targets.clone(),
            });
        }
        Ok(Parameters {
            vcenter: VSphereAccess {
                endpoint: self.vcenter.url.endpoint.clone(),
                tls: Some(TlsTrust::Pinned(self.vcenter.fingerprint.0.clone())),
                user: self.vcenter.user.clone(),
                password: files.secret("vcenter.password", &self.vcenter.password)?,
            },
            datacenter: self.datacenter.clone(),
            old_name: self.old.clone(),
            new_name: self.new.clone(),
            base: self.from.clone(),
            target: self.to.clone(),
            target_regenerates_certificates: self.image.regenerates_certificates,
            vsphere_after: self.vsphere_after.clone(),
            ova: Ova { descriptor, disk },
            target_networks: self.target.as_ref().map(|target| target.networks.clone()),
            target_service_ranges: self.target.as_ref().map(|target| target.service_ranges.clone()),
            root_password: files.secret("appliance.root-password", &self.appliance.root_password)?,
            haproxy_user: self.appliance.user.clone(),
            haproxy_password: files.secret("appliance.password", &self.appliance.password)?,
            vantages,
            remove_old: self.remove_old,
            keep_new_after_rollback: self.keep_new_after_rollback,
            run: self.run.clone(),
            deadlines: self.deadlines(),
        })
    }

    fn deadlines(&self) -> Deadlines {
        let (own, said) = (Deadlines::default(), &self.deadlines);
        let or = |said: Option<super::scalars::Length>, own| said.map_or(own, |length| length.0);
        Deadlines {
            task: or(said.task, own.task),
            shutdown: or(said.shutdown, own.shutdown),
            services: or(said.services, own.services),
            addresses: or(said.addresses, own.addresses),
            routes: or(said.routes, own.routes),
            poll: or(said.poll, own.poll),
        }
    }
}

/// What the parameters name.
struct Files<'a> {
    file: &'a Path,
    folder: &'a Path,
}

impl Files<'_> {
    fn read(&self, key: &'static str, named: &Path) -> Result<Vec<u8>, ParametersError> {
        let named = self.folder.join(named);
        std::fs::read(&named).map_err(|source| ParametersError::File { file: self.file.to_owned(), key, named, source })
    }

    fn secret(&self, key: &'static str, secret: &SecretForm) -> Result<Secret, ParametersError> {
        let text = match secret {
            SecretForm::File(named) => {
                let text = String::from_utf8_lossy(&self.read(key, named)?).into_owned();
                text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text).to_owned()).unwrap_or(text)
            }
            SecretForm::Env(variable) => std::env::var(variable).map_err(|_| ParametersError::Variable {
                file: self.file.to_owned(),
                key,
                variable: variable.clone(),
            })?,
        };
        if text.is_empty() {
            return Err(ParametersError::Empty { file: self.file.to_owned(), key });
        }
        Ok(Secret::new(text))
    }
}
