//! The built-in engine as a process of its own.

use std::io;
use std::path::{Path, PathBuf};

use grenadier_catalog::{Named, Outcome};
use grenadier_checks::{Advice, EngineEnd, Verb};
use grenadier_engine::procedures::haproxy_appliance::{Deadlines, Parameters};
use grenadier_engine_process::host::{Ended, EngineProcess};
use grenadier_engine_process::parameters::{
    ApplianceForm, DeadlinesForm, Fingerprint, ImageForm, Length, ParametersFile, SecretForm, TargetForm, Url,
    VantageForm, VcenterForm,
};
use grenadier_wire::{Secret, TlsTrust};

use crate::options::EngineProgram;
use crate::stage::Stage;

/// Where the process finds its secrets: the run's folder must hold none.
const VCENTER_PASSWORD: &str = "GRENADIER_VCENTER_PASSWORD";
const ROOT_PASSWORD: &str = "GRENADIER_ROOT_PASSWORD";
const HAPROXY_PASSWORD: &str = "GRENADIER_HAPROXY_PASSWORD";

/// Has a new process perform `verb`. An upgrade begins a new journal.
///
/// Where this is dropped, the process is killed with SIGKILL.
pub(super) async fn call(
    program: &EngineProgram,
    stage: &dyn Stage,
    procedure: &str,
    parameters: Parameters,
    verb: Verb,
) -> EngineEnd {
    let ended = match prepare(program, procedure, &parameters, verb) {
        Ok(process) if stage.time_is_virtual() => process.run_in_virtual_time(stage.wire()).await,
        Ok(process) => process.run(stage.wire()).await,
        Err(error) => Err(error),
    };
    let mut end = match ended {
        Ok(ended) => end(&ended),
        Err(error) => failed(1, format!("the engine's process could not be run: {error}")),
    };
    end.at_ns = stage.clock().now();
    end
}

fn prepare(program: &EngineProgram, procedure: &str, parameters: &Parameters, verb: Verb) -> io::Result<EngineProcess> {
    let folder = program.folder.as_path();
    std::fs::create_dir_all(folder)?;
    let journal = folder.join("journal.sqlite");
    if verb == Verb::Upgrade {
        for stale in [journal.clone(), folder.join("journal.sqlite-journal"), folder.join("output.log")] {
            match std::fs::remove_file(stale) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    let (file, secrets) = write(folder, parameters)?;
    Ok(EngineProcess {
        program: program.program.clone(),
        verb: verb.name().to_owned(),
        procedure: format!("haproxy-appliance/{procedure}"),
        journal,
        parameters: file,
        secrets,
        output: folder.join("output.log"),
    })
}

/// Writes the parameters as a file, and says which variables hold its secrets.
fn write(folder: &Path, parameters: &Parameters) -> io::Result<(PathBuf, Vec<(String, Secret)>)> {
    std::fs::write(folder.join("target.ovf"), &parameters.ova.descriptor)?;
    std::fs::write(folder.join("target-disk.vmdk"), &parameters.ova.disk)?;
    // In the virtual world nobody shows a certificate, and nobody looks at one.
    let pin = match &parameters.vcenter.tls {
        Some(TlsTrust::Pinned(pin)) => pin.clone(),
        Some(TlsTrust::Anyone) | None => "0".repeat(64),
    };
    let form = ParametersFile {
        vcenter: VcenterForm {
            url: Url { endpoint: parameters.vcenter.endpoint.clone() },
            fingerprint: Fingerprint(pin),
            user: parameters.vcenter.user.clone(),
            password: SecretForm::Env(VCENTER_PASSWORD.to_owned()),
        },
        datacenter: parameters.datacenter.clone(),
        old: parameters.old_name.clone(),
        new: parameters.new_name.clone(),
        from: parameters.base.clone(),
        to: parameters.target.clone(),
        image: ImageForm {
            descriptor: "target.ovf".into(),
            disk: "target-disk.vmdk".into(),
            regenerates_certificates: parameters.target_regenerates_certificates,
        },
        appliance: ApplianceForm {
            root_password: SecretForm::Env(ROOT_PASSWORD.to_owned()),
            user: parameters.haproxy_user.clone(),
            password: SecretForm::Env(HAPROXY_PASSWORD.to_owned()),
        },
        vantages: parameters
            .vantages
            .iter()
            .map(|vantage| VantageForm {
                cluster: vantage.cluster.clone(),
                host: vantage.host.clone(),
                user: vantage.user.clone(),
                password: None,
                targets: vantage.targets.clone(),
            })
            .collect(),
        target: parameters
            .target_networks
            .clone()
            .zip(parameters.target_service_ranges.clone())
            .map(|(networks, service_ranges)| TargetForm { networks, service_ranges }),
        vsphere_after: parameters.vsphere_after.clone(),
        remove_old: parameters.remove_old,
        keep_new_after_rollback: parameters.keep_new_after_rollback,
        run: parameters.run.clone(),
        deadlines: deadlines(&parameters.deadlines),
        ssh_options: Vec::new(),
    };
    let file = folder.join("parameters.json");
    std::fs::write(&file, serde_json::to_string_pretty(&form).map_err(io::Error::other)? + "\n")?;
    let secrets = [
        (VCENTER_PASSWORD, &parameters.vcenter.password),
        (ROOT_PASSWORD, &parameters.root_password),
        (HAPROXY_PASSWORD, &parameters.haproxy_password),
    ];
    Ok((file, secrets.map(|(name, secret)| (name.to_owned(), secret.clone())).into()))
}

fn deadlines(deadlines: &Deadlines) -> DeadlinesForm {
    let Deadlines { task, shutdown, services, addresses, routes, poll } = *deadlines;
    let [task, shutdown, services, addresses, routes, poll] =
        [task, shutdown, services, addresses, routes, poll].map(|length| Some(Length(length)));
    DeadlinesForm { task, shutdown, services, addresses, routes, poll }
}

fn end(ended: &Ended) -> EngineEnd {
    let exit_code = ended.exit_code();
    let Some(result) = &ended.result else {
        let how = match exit_code {
            killed if killed < 0 => format!("was killed by signal {}", -killed),
            code => format!("ended with exit code {code} and without a result"),
        };
        return failed(exit_code, format!("the engine's process {how}"));
    };
    EngineEnd {
        outcome: Outcome::ALL.iter().copied().find(|outcome| outcome.name() == result.result),
        rule: result.rule.clone(),
        message: result.message.clone(),
        advice: result.advice.clone().map(|advice| Advice { left: advice.left, next: advice.next }),
        ..failed(exit_code, String::new())
    }
}

/// An engine that claims nothing.
fn failed(exit_code: i32, message: String) -> EngineEnd {
    EngineEnd { at_ns: grenadier_clock::Time::ZERO, exit_code, outcome: None, rule: None, message, advice: None }
}
