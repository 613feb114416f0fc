//! GuestOperationsManager: programs and files in a machine's guest, through its tools.
//!
//! Commands run in the guest's own shell and are over when they answer, so every process that is listed has ended. Files are
//! those of the guest's disk. Credentials are the guest's; who names none is refused (assumed: any others are taken).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::Time;
use grenadier_fleet::{CloudHost, Machine, MachineId, Operation, OperationError, OperationOutput};
use grenadier_wire::{ReplyTo, Secret, ShellExchange, http_response};
use http::{Method, Response, StatusCode};

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::fault::{Fault, tools_unavailable};
use crate::inventory::{DATASTORE_NAME, GUEST_FILES, GUEST_PROCESSES};
use crate::moref::MoRef;
use crate::soap::encode;
use crate::value::{Data, Value, int, long};
use crate::virtual_machine::tools_run;
use crate::vsphere::{Purpose, fault_response, xml_response};

pub(crate) const PROPERTIES: &[&str] =
    &["authManager", "fileManager", "processManager", "guestWindowsRegistryManager", "aliasManager"];

/// How many ended processes are remembered, all machines together. vSphere forgets one five minutes after its end.
const MOST_PROCESSES: usize = 1_000;
/// How many file transfers can be open.
const MOST_TRANSFERS: usize = 1_000;

/// What guests were asked to do.
#[derive(Debug, Default)]
pub(crate) struct GuestWork {
    processes: VecDeque<Process>,
    last_process: i64,
    transfers: BTreeMap<String, Transfer>,
}

#[derive(Clone, Debug)]
struct Process {
    machine: MachineId,
    pid: i64,
    name: String,
    owner: String,
    line: String,
    started: Time,
    ended: Option<(Time, i32)>,
}

/// A file that a client may upload or download.
#[derive(Clone, Debug)]
struct Transfer {
    machine: MachineId,
    path: String,
    upload: bool,
}

/// What an operation of the fleet was submitted for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum GuestStep {
    /// A program that was started.
    Program(i64),
    /// A question about the guest's files, with its caller.
    Look { reply: ReplyTo, method: &'static str, path: String, machine: MachineId, entity: MoRef },
    /// A file that is downloaded.
    Download { reply: ReplyTo, path: String },
    /// A file that is uploaded.
    Upload { reply: ReplyTo },
    /// A change that is over when it is made.
    Change { reply: ReplyTo, method: &'static str, entity: MoRef },
}

pub(crate) fn property(name: &str) -> Option<Value> {
    match name {
        "fileManager" => Some(GUEST_FILES.into()),
        "processManager" => Some(GUEST_PROCESSES.into()),
        _ => None,
    }
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match (&*call.target.kind, call.method) {
        ("GuestProcessManager", "StartProgramInGuest") => start(sim, call, host),
        ("GuestProcessManager", "ListProcessesInGuest") => list_processes(sim, call, host),
        ("GuestProcessManager", "TerminateProcessInGuest") => terminate(sim, call, host),
        ("GuestProcessManager", "ReadEnvironmentVariableInGuest") => environment(sim, call, host),
        ("GuestFileManager", "ListFilesInGuest") => look(sim, call, host, "ListFilesInGuest"),
        ("GuestFileManager", "InitiateFileTransferFromGuest") => look(sim, call, host, "InitiateFileTransferFromGuest"),
        ("GuestFileManager", "DeleteFileInGuest") => look(sim, call, host, "DeleteFileInGuest"),
        ("GuestFileManager", "InitiateFileTransferToGuest") => upload(sim, call, host),
        _ => return None,
    })
}

/// The machine whose guest is meant, and who asks it. Its tools run.
fn guest(sim: &VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Result<(MoRef, Machine, String, Secret), Fault> {
    let asked = call.args.required_moref("vm")?;
    let inventory = sim.inventory(host, call.session.as_deref());
    let machine = inventory.machine(&asked.id).ok_or_else(|| Fault::not_found(&asked))?;
    if machine.power == grenadier_fleet::Power::Off {
        return Err(Fault::power_state(Some("poweredOn"), "poweredOff"));
    }
    if !tools_run(machine) {
        let message = "The guest operations agent could not be contacted.";
        return Err(Fault::new("GuestOperationsUnavailable", message));
    }
    let auth = call.args.required_child("auth")?;
    let (user, password) =
        (auth.owned_of("username").unwrap_or_default(), auth.owned_of("password").unwrap_or_default());
    if user.is_empty() {
        return Err(Fault::new("InvalidGuestLogin", "Failed to authenticate with the guest operating system."));
    }
    Ok((MoRef::new("VirtualMachine", asked.id.into_owned()), machine.clone(), user, Secret::new(password)))
}

fn start(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let (_, machine, user, password) = guest(sim, call, host)?;
    let spec = call.args.required_child("spec")?;
    let program = spec.required("programPath")?;
    let arguments = spec.text_of("arguments").unwrap_or_default();
    let line = format!("{program} {arguments}").trim().to_owned();
    let name = program.rsplit('/').next().unwrap_or(program).to_owned();
    let command = ShellExchange {
        host: machine.spec.name.clone(),
        user: user.clone(),
        password: Some(password),
        // Our shell finds programs by name: a path to one of them means that.
        command: format!("{name} {arguments}"),
        stdin: Bytes::new(),
        timeout: Duration::from_secs(3_600),
    };
    sim.guest_work.last_process += 1;
    let pid = 1_000 + sim.guest_work.last_process;
    let started = host.now();
    let process = Process { machine: machine.id, pid, name, owner: user, line, started, ended: None };
    sim.guest_work.processes.push_back(process);
    if sim.guest_work.processes.len() > MOST_PROCESSES {
        sim.guest_work.processes.pop_front();
    }
    let id = host.fleet().submit_shell(machine.id, command).ok_or_else(tools_unavailable)?;
    sim.operations.insert(id, Purpose::Guest(GuestStep::Program(pid)));
    Ok(Reply::One(long(pid)))
}

fn list_processes(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let (_, machine, ..) = guest(sim, call, host)?;
    let pids = call.args.texts_of("pids");
    let own = sim.guest_work.processes.iter().filter(|process| process.machine == machine.id);
    let own = own.filter(|process| pids.is_empty() || pids.contains(&process.pid.to_string()));
    let data = own.map(|process| {
        Data::new("GuestProcessInfo")
            .with("name", process.name.as_str())
            .with("pid", long(process.pid))
            .with("owner", process.owner.as_str())
            .with("cmdLine", process.line.as_str())
            .with("startTime", process.started)
            .maybe("endTime", process.ended.map(|(at, _)| at))
            .maybe("exitCode", process.ended.map(|(_, code)| code))
            .into()
    });
    Ok(Reply::Many(data.collect()))
}

/// A process that is listed has ended, so there is nothing to terminate.
fn terminate(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    guest(sim, call, host)?;
    let pid: i64 = call.args.number_of("pid")?.unwrap_or_default();
    Err(Fault::new("GuestProcessNotFound", format!("Process {pid} was not found.")).with("pid", long(pid)))
}

/// The variables that a login has, as `NAME=value`.
fn environment(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let (_, _, user, _) = guest(sim, call, host)?;
    let home = if user == "root" { "/root".to_owned() } else { format!("/home/{user}") };
    let all = [
        ("HOME", home.as_str()),
        ("LANG", "C.UTF-8"),
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("SHELL", "/bin/sh"),
        ("USER", &user),
    ];
    let asked = call.args.texts_of("names");
    let wanted = all.iter().filter(|(name, _)| asked.is_empty() || asked.iter().any(|own| own == name));
    Ok(Reply::Many(wanted.map(|(name, value)| format!("{name}={value}").into()).collect()))
}

/// What needs to know which files there are.
fn look(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost, method: &'static str) -> Outcome {
    let (entity, machine, ..) = guest(sim, call, host)?;
    let argument = if method == "InitiateFileTransferFromGuest" { "guestFilePath" } else { "filePath" };
    let path = absolute(call.args.required(argument)?, argument)?;
    let id = host.fleet().submit(Operation::ReadFiles { machine: machine.id });
    let step = GuestStep::Look { reply: call.reply, method, path, machine: machine.id, entity };
    sim.operations.insert(id, Purpose::Guest(step));
    Ok(Reply::Later)
}

fn absolute(path: &str, argument: &'static str) -> Result<String, Fault> {
    if path.starts_with('/') && !path.split('/').any(|part| part == "..") {
        return Ok(if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path.to_owned() });
    }
    Err(Fault::invalid_argument(argument, "an absolute path that does not climb is wanted"))
}

fn upload(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let (_, machine, ..) = guest(sim, call, host)?;
    let path = absolute(call.args.required("guestFilePath")?, "guestFilePath")?;
    let url = sim.open_transfer(Transfer { machine: machine.id, path, upload: true });
    Ok(Reply::One(url.into()))
}

impl VSphere {
    /// Opens a transfer; gives its URL.
    fn open_transfer(&mut self, transfer: Transfer) -> String {
        let token = self.uuids.uuid();
        let url = format!("{}/guestFile?id={}&token={token}", self.upload_base, transfer.machine.0);
        if self.guest_work.transfers.len() >= MOST_TRANSFERS {
            self.guest_work.transfers.pop_first();
        }
        self.guest_work.transfers.insert(token, transfer);
        url
    }

    /// Answers `/guestFile`: the content goes to the guest's disk or comes from it.
    pub(crate) fn guest_file(
        &mut self,
        reply: ReplyTo,
        request: &http::Request<Bytes>,
        host: &mut dyn CloudHost,
    ) -> Option<Response<Bytes>> {
        let query = request.uri().query().unwrap_or_default();
        let token = query.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default();
        let Some(transfer) = self.guest_work.transfers.get(token).cloned() else {
            return Some(http_response(StatusCode::NOT_FOUND, "text/plain", "no such transfer\n"));
        };
        let (step, operation) = match (request.method(), transfer.upload) {
            (&Method::PUT, true) => {
                let content = Some(request.body().clone());
                let operation = Operation::WriteFile { machine: transfer.machine, path: transfer.path, content };
                (GuestStep::Upload { reply }, operation)
            }
            (&Method::GET, false) => {
                let operation = Operation::ReadFiles { machine: transfer.machine };
                (GuestStep::Download { reply, path: transfer.path }, operation)
            }
            _ => return Some(http_response(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "PUT up, GET down\n")),
        };
        let id = host.fleet().submit(operation);
        self.operations.insert(id, Purpose::Guest(step));
        None
    }

    /// An operation on a guest has ended.
    pub(crate) fn guest_operation(
        &mut self,
        step: GuestStep,
        result: &Result<OperationOutput, OperationError>,
        host: &mut dyn CloudHost,
    ) {
        match step {
            GuestStep::Program(pid) => {
                let code = match result {
                    Ok(OperationOutput::Shell(output)) => output.exit_code,
                    _ => -1,
                };
                let now = host.now();
                let process = self.guest_work.processes.iter_mut().find(|process| process.pid == pid);
                if let Some(process) = process {
                    process.ended = Some((now, code));
                }
            }
            GuestStep::Look { reply, method, path, machine, entity } => {
                let answer = match result {
                    Ok(OperationOutput::Files(files)) => {
                        self.looked(reply, method, path, machine, &entity, files, host)
                    }
                    Ok(_) => Err(Fault::system("the guest answered something else")),
                    Err(error) => Err(Fault::of_operation(error, &entity, DATASTORE_NAME)),
                };
                match answer {
                    Ok(None) => {}
                    Ok(Some(values)) => host.reply(reply, xml_response(encode::result(method, &values))),
                    Err(fault) => host.reply(reply, fault_response(&fault)),
                }
            }
            GuestStep::Change { reply, method, entity } => {
                let response = match result {
                    Ok(_) => xml_response(encode::result(method, &[])),
                    Err(error) => fault_response(&Fault::of_operation(error, &entity, DATASTORE_NAME)),
                };
                host.reply(reply, response);
            }
            GuestStep::Download { reply, path } => {
                let content = match result {
                    Ok(OperationOutput::Files(files)) => files.get(&path).cloned(),
                    _ => None,
                };
                host.reply(
                    reply,
                    match content {
                        Some(content) => http_response(StatusCode::OK, "application/octet-stream", content),
                        None => http_response(StatusCode::NOT_FOUND, "text/plain", "the file is gone\n"),
                    },
                );
            }
            GuestStep::Upload { reply } => {
                let status = if result.is_ok() { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
                host.reply(reply, http_response(status, "text/plain", ""));
            }
        }
    }

    /// Goes on with a question, now that the guest's files are known. Values to answer with; none where that comes later.
    #[allow(clippy::too_many_arguments, reason = "the parts of one question, which are nothing together")]
    fn looked(
        &mut self,
        reply: ReplyTo,
        method: &'static str,
        path: String,
        machine: MachineId,
        entity: &MoRef,
        files: &BTreeMap<String, Bytes>,
        host: &mut dyn CloudHost,
    ) -> Result<Option<Vec<Value>>, Fault> {
        match method {
            "ListFilesInGuest" => Ok(Some(vec![listing(&path, files)?.into()])),
            "InitiateFileTransferFromGuest" => {
                let content = files.get(&path).ok_or_else(|| Fault::file_not_found(&path))?;
                let size = long(content.len());
                let url = self.open_transfer(Transfer { machine, path, upload: false });
                let data = Data::new("FileTransferInformation")
                    .with("attributes", Data::new("GuestFileAttributes"))
                    .with("size", size)
                    .with("url", url);
                Ok(Some(vec![data.into()]))
            }
            _ => {
                if !files.contains_key(&path) {
                    return Err(Fault::file_not_found(&path));
                }
                let id = host.fleet().submit(Operation::WriteFile { machine, path, content: None });
                let step = GuestStep::Change { reply, method, entity: entity.clone() };
                self.operations.insert(id, Purpose::Guest(step));
                Ok(None)
            }
        }
    }
}

/// `GuestListFileInfo` of a file, or of what is in a directory.
fn listing(path: &str, files: &BTreeMap<String, Bytes>) -> Result<Data, Fault> {
    let entry = |name: &str, kind: &str, size: usize| {
        Data::new("GuestFileInfo")
            .with("path", name)
            .with("type", kind)
            .with("size", long(size))
            .with("attributes", Data::new("GuestFileAttributes"))
    };
    let mut entries: BTreeMap<String, Data> = BTreeMap::new();
    if let Some(content) = files.get(path) {
        entries.insert(path.to_owned(), entry(path, "file", content.len()));
    } else {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        for (file, content) in files {
            let Some(rest) = file.strip_prefix(&prefix) else { continue };
            match rest.split_once('/') {
                Some((directory, _)) => entries.insert(directory.to_owned(), entry(directory, "directory", 0)),
                None => entries.insert(rest.to_owned(), entry(rest, "file", content.len())),
            };
        }
        if entries.is_empty() {
            return Err(Fault::file_not_found(path));
        }
    }
    Ok(Data::new("GuestListFileInfo")
        .with("files", Value::list("GuestFileInfo", entries.into_values()))
        .with("remaining", int(0)))
}
