//! The simulator as a whole.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::{Ids, Stream, Time};
use grenadier_fleet::{Cloud, CloudHost, FleetEvent, GuestReport, MachineId, OperationId, Power};
use grenadier_wire::{FaultKind, ReplyTo, asked_of_simulator, http_response};
use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::call::{Call, Reply, dispatch};
use crate::config::VSphereConfig;
use crate::datastore::files::Files;
use crate::fault::Fault;
use crate::folder::Folder;
use crate::guest_operations::{GuestStep, GuestWork};
use crate::history::History;
use crate::http_nfc_lease::Lease;
use crate::inventory::{DATASTORE_NAME, Inventory};
use crate::moref::MoRef;
use crate::property_collector::Collectors;
use crate::service_instance::service_versions;
use crate::session_manager::{self, Sessions};
use crate::soap::tree::Tree;
use crate::soap::{decode, encode};
use crate::task::Tasks;
use crate::view_manager::View;
use crate::virtual_machine::record::Record;
use crate::{datastore, nfc};

/// A vCenter above a fleet.
///
/// It answers `/sdk` (SOAP), `/folder` (datastore files) and `/nfc` (uploads of an import). Machines are the fleet's: this
/// keeps its record of each *on* it, so that a snapshot brings the record back too.
#[derive(Debug)]
pub struct VSphere {
    pub(crate) version: String,
    pub(crate) instance_uuid: String,
    pub(crate) host_uuid: String,
    pub(crate) networks: Vec<String>,
    pub(crate) lease_timeout: Duration,
    pub(crate) upload_base: String,
    pub(crate) stored_bytes: u64,
    pub(crate) ids: Ids,
    pub(crate) uuids: Stream,
    pub(crate) sessions: Sessions,
    pub(crate) views: BTreeMap<u64, View>,
    pub(crate) collectors: Collectors,
    pub(crate) tasks: Tasks,
    pub(crate) leases: BTreeMap<u64, Lease>,
    pub(crate) files: Files,
    /// Folders for machines beside the datacenter's own, by id.
    pub(crate) folders: BTreeMap<String, Folder>,
    /// The folder of each machine that is not in the datacenter's own, by the machine's id. No snapshot brings it back.
    pub(crate) placed: BTreeMap<String, MoRef>,
    /// New names and descriptions of snapshots, by number.
    pub(crate) snapshot_names: BTreeMap<u32, (String, String)>,
    /// Where machines were found last, by reference: a hint, which is checked before it is believed.
    pub(crate) found: RefCell<BTreeMap<String, MachineId>>,
    /// What happened.
    pub(crate) history: History,
    /// What guests were asked to do.
    pub(crate) guest_work: GuestWork,
    /// Since when each machine that is on is on.
    pub(crate) powered_on: BTreeMap<MachineId, Time>,
    /// What `vmware.log` of each machine holds, by reference: it grows across reverts.
    pub(crate) logs: BTreeMap<String, String>,
    /// Whom the end of each operation is for.
    pub(crate) operations: BTreeMap<OperationId, Purpose>,
    alarms: BTreeMap<u64, Alarm>,
    next_alarm: u64,
}

/// What an operation of the fleet was submitted for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// A step of a task.
    Task(u64),
    /// A step of an import.
    Lease(u64),
    /// A method that is no task and whose caller waits until it is done: a guest's shutdown.
    Method {
        /// The caller.
        reply: ReplyTo,
        /// The method.
        method: &'static str,
        /// The machine.
        machine: MoRef,
    },
    /// Something a guest was asked to do.
    Guest(GuestStep),
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// A queued task's turn.
    TaskStarts(u64),
    /// The end of a task that is not the fleet's work.
    TaskEnds(u64),
    /// The moment at which a task that is made to fail does.
    TaskFails(u64),
    /// A long poll's time is up.
    WaitEnds(ReplyTo),
    /// A lease without progress since this count of signs of life.
    LeaseExpires { lease: u64, signs_of_life: u64 },
    /// The moment at which an import that is made to fail does.
    LeaseFails(u64),
}

impl VSphere {
    /// A vCenter with nothing in it but its networks.
    pub fn new(config: VSphereConfig) -> VSphere {
        let mut uuids = config.seed.stream("vsphere", "uuid");
        VSphere {
            version: config.version,
            instance_uuid: uuids.uuid(),
            host_uuid: uuids.uuid(),
            networks: config.networks,
            lease_timeout: config.lease_timeout,
            upload_base: config.upload_base,
            stored_bytes: config.stored_bytes,
            ids: Ids::default(),
            uuids,
            sessions: Sessions::new(config.users, config.session_timeout),
            views: BTreeMap::new(),
            collectors: Collectors::default(),
            tasks: Tasks::default(),
            leases: BTreeMap::new(),
            files: Files::default(),
            folders: BTreeMap::new(),
            placed: BTreeMap::new(),
            snapshot_names: BTreeMap::new(),
            found: RefCell::default(),
            history: History::default(),
            guest_work: GuestWork::default(),
            powered_on: BTreeMap::new(),
            logs: BTreeMap::new(),
            operations: BTreeMap::new(),
            alarms: BTreeMap::new(),
            next_alarm: 0,
        }
    }

    /// The release it says it is.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Makes it another release, as when the vCenter is upgraded around its machines. Every session ends, because the
    /// upgrade restarts the services; machines, tasks and files stay.
    pub fn set_version(&mut self, version: impl Into<String>, host: &mut dyn CloudHost) {
        self.version = version.into();
        for token in self.sessions.tokens() {
            self.end_session(&token, host);
        }
    }

    /// Everything at this moment, as the session sees it.
    pub(crate) fn inventory<'a>(&'a self, host: &'a mut dyn CloudHost, session: Option<&'a str>) -> Inventory<'a> {
        let now = host.now();
        Inventory { sim: self, fleet: host.fleet().view(), now, session }
    }

    /// Sets a timer.
    pub(crate) fn set_alarm(&mut self, alarm: Alarm, after: Duration, host: &mut dyn CloudHost) {
        self.next_alarm += 1;
        self.alarms.insert(self.next_alarm, alarm);
        host.timer(self.next_alarm, after);
    }

    /// Ends a session with all that belongs to it.
    pub(crate) fn end_session(&mut self, token: &str, host: &mut dyn CloudHost) {
        self.sessions.close(token);
        self.views.retain(|_, view| view.session() != token);
        self.history.close_session(token);
        self.forget_collectors(token, host);
    }

    fn end_idle_sessions(&mut self, host: &mut dyn CloudHost) {
        let idle = self.sessions.idle(host.now(), &|token| self.collectors.is_waiting(token));
        for token in idle {
            self.end_session(&token, host);
        }
    }

    /// The answer to a request; none where it comes later.
    fn route(
        &mut self,
        reply: ReplyTo,
        request: &http::Request<Bytes>,
        host: &mut dyn CloudHost,
    ) -> Option<Response<Bytes>> {
        self.end_idle_sessions(host);
        let token = session_manager::token(request.headers());
        if let Some(token) = token.as_deref().filter(|_| asked_of_simulator(request) == Some(FaultKind::Unauthorised)) {
            self.end_session(token, host);
        }
        let user = token.as_deref().and_then(|token| self.sessions.enter(token, host.now()));
        let session = token.filter(|_| user.is_some());
        let path = request.uri().path();
        let post = request.method() == Method::POST;
        if matches!(path, "/sdk" | "/sdk/" | "/sdk/vimService") {
            return if post { self.soap(reply, request, session, user.unwrap_or_default(), host) } else { only_post() };
        }
        if path == "/sdk/vimServiceVersions.xml" {
            let text = service_versions(&self.version);
            return Some(http_response(StatusCode::OK, "text/xml", text));
        }
        if path == "/folder" || path.starts_with("/folder/") {
            let Some(user) = user else { return Some(unauthorised()) };
            return Some(datastore::http::answer(self, &user, request, host));
        }
        if path.starts_with("/guestFile") {
            // The token in the query is the ticket, as for uploads of an import.
            return self.guest_file(reply, request, host);
        }
        if path.starts_with("/nfc/") {
            // The lease in the path is the ticket: real hosts ask for no cookie either.
            return Some(nfc::answer(self, request, host));
        }
        Some(http_response(StatusCode::NOT_FOUND, "text/plain", format!("nothing is at {path}\n")))
    }

    fn soap(
        &mut self,
        reply: ReplyTo,
        request: &http::Request<Bytes>,
        session: Option<String>,
        user: String,
        host: &mut dyn CloudHost,
    ) -> Option<Response<Bytes>> {
        let asked = asked_of_simulator(request);
        let text = match std::str::from_utf8(request.body()) {
            Ok(text) => text,
            Err(_) => return Some(fault_response(&Fault::invalid_request("the request is not UTF-8"))),
        };
        let tree = match Tree::parse(text) {
            Ok(tree) => tree,
            Err(error) => return Some(fault_response(&Fault::invalid_request(&error.to_string()))),
        };
        let outcome = decode::method(&tree).and_then(|args| {
            let method = args.name();
            let target = args.required_moref("_this")?;
            let mut call = Call { reply, method, target, args, session, user, asked };
            dispatch(self, &mut call, host).map(|reply| (method, reply))
        });
        let (method, outcome) = match outcome {
            Ok(done) => done,
            Err(fault) => return Some(fault_response(&fault)),
        };
        let mut cookie = None;
        let values = match outcome {
            Reply::Later => return None,
            Reply::Void => Vec::new(),
            Reply::One(value) => vec![value],
            Reply::Many(values) => values,
            Reply::LoggedIn { value, token } => {
                cookie = Some(format!("{}={token}; Path=/; HttpOnly", session_manager::COOKIE));
                vec![value]
            }
        };
        let mut response = xml_response(encode::result(method, &values));
        if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        Some(response)
    }

    fn operation_finished(
        &mut self,
        id: OperationId,
        result: &Result<grenadier_fleet::OperationOutput, grenadier_fleet::OperationError>,
        host: &mut dyn CloudHost,
    ) {
        match self.operations.remove(&id) {
            Some(Purpose::Task(number)) => self.task_operation(number, result, host),
            Some(Purpose::Lease(number)) => self.lease_operation(number, result, host),
            Some(Purpose::Guest(step)) => self.guest_operation(step, result, host),
            Some(Purpose::Method { reply, method, machine }) => {
                let response = match result {
                    Ok(_) => xml_response(encode::result(method, &[])),
                    Err(error) => fault_response(&Fault::of_operation(error, &machine, DATASTORE_NAME)),
                };
                host.reply(reply, response);
            }
            None => {}
        }
    }

    fn power_changed(&mut self, machine: MachineId, power: Power, host: &mut dyn CloudHost) {
        let now = host.now();
        match power {
            #[cfg(feature = "mutants")]
            Power::Off if !host.holds(&crate::mutants::POWER_STATE) => None,
            Power::On => self.powered_on.insert(machine, now),
            Power::Off => self.powered_on.remove(&machine),
        };
        let view = host.fleet().view();
        if let Some(id) = view.machines.get(&machine).and_then(Record::id) {
            let words = if power == Power::On { "PowerOn" } else { "PowerOff" };
            let line = format!("{} vmx| {words}\n", crate::moment::date_time(now));
            self.logs.entry(id.to_owned()).or_default().push_str(&line);
            let (kind, words) = if power == Power::On {
                ("VmPoweredOnEvent", "is powered on")
            } else {
                ("VmPoweredOffEvent", "is powered off")
            };
            let moref = MoRef::new("VirtualMachine", id.to_owned());
            let name = view.machines[&machine].spec.name.clone();
            self.history.note(now, kind, "", Some((moref, name.clone())), format!("{name} {words}"));
        }
    }
}

impl Cloud for VSphere {
    fn handle(&mut self, reply: ReplyTo, request: http::Request<Bytes>, host: &mut dyn CloudHost) {
        if let Some(response) = self.route(reply, &request, host) {
            host.reply(reply, response);
        }
        self.answer_waits(host);
    }

    fn fleet_event(&mut self, event: &FleetEvent, host: &mut dyn CloudHost) {
        match event {
            FleetEvent::OperationFinished { id, result } => self.operation_finished(*id, result, host),
            FleetEvent::PowerChanged { machine, power } => self.power_changed(*machine, *power, host),
            FleetEvent::Destroyed { machine, name } => {
                let now = host.now();
                self.found.get_mut().retain(|_, found| found != machine);
                self.history.note(now, "VmRemovedEvent", "", None, format!("Removed {name}"));
                self.powered_on.remove(machine);
            }
            FleetEvent::Guest { report: GuestReport::Service { .. }, .. }
            | FleetEvent::Guest { report: GuestReport::Log { .. }, .. }
            | FleetEvent::Guest { report: GuestReport::Operator { .. }, .. } => return,
            FleetEvent::Created { .. } | FleetEvent::Snapshot { .. } | FleetEvent::Guest { .. } => {}
            // Nothing of these is in any property.
            FleetEvent::AddressOwners { .. }
            | FleetEvent::Neighbour { .. }
            | FleetEvent::Watch { .. }
            | FleetEvent::Prober { .. } => {
                return;
            }
        }
        self.answer_waits(host);
    }

    fn timer(&mut self, key: u64, host: &mut dyn CloudHost) {
        match self.alarms.remove(&key) {
            Some(Alarm::TaskStarts(number)) => self.start_task(number, host),
            Some(Alarm::TaskEnds(number)) => self.complete_task(number, host),
            Some(Alarm::TaskFails(number)) => self.fail_task(number, host),
            Some(Alarm::WaitEnds(reply)) => self.time_out_wait(reply, host),
            Some(Alarm::LeaseExpires { lease, signs_of_life }) => self.expire_lease(lease, signs_of_life, host),
            Some(Alarm::LeaseFails(number)) => self.fail_lease(number, host),
            None => {}
        }
        self.answer_waits(host);
    }

    fn gave_up(&mut self, reply: ReplyTo, host: &mut dyn CloudHost) {
        self.forget_wait(reply, host);
    }

    /// Release, sessions by user, tasks, open leases, and files with size and hash. Nothing secret is in it.
    fn state(&self) -> serde_json::Value {
        let files: BTreeMap<String, serde_json::Value> = self
            .files
            .iter()
            .map(|(path, file)| {
                let hash = grenadier_fleet::sha256_hex(&file.content);
                (path.clone(), serde_json::json!({ "size": file.content.len(), "sha256": hash }))
            })
            .collect();
        let leases: Vec<serde_json::Value> = self.leases.iter().map(|(number, lease)| lease.state(*number)).collect();
        let mut state = serde_json::json!({
            "version": self.version,
            "networks": self.networks,
            "sessions": self.sessions.count_by_user(),
            "tasks": self.tasks.state(),
            "leases": leases,
            "files": files,
        });
        // Only what is there is told: a cloud nobody made folders in has none.
        let directories: Vec<&String> = self.files.directories().collect();
        if !directories.is_empty() {
            state["directories"] = serde_json::json!(directories);
        }
        if !self.folders.is_empty() {
            let folder =
                |(id, folder): (&String, &Folder)| (id.clone(), (folder.name.clone(), folder.parent.id.clone()));
            let folders: BTreeMap<String, (String, std::borrow::Cow<'static, str>)> =
                self.folders.iter().map(folder).collect();
            let placed: BTreeMap<&String, &str> = self.placed.iter().map(|(vm, folder)| (vm, &*folder.id)).collect();
            state["folders"] = serde_json::json!(folders);
            state["placed"] = serde_json::json!(placed);
        }
        state
    }
}

/// A SOAP result.
pub(crate) fn xml_response(body: Bytes) -> Response<Bytes> {
    http_response(StatusCode::OK, "text/xml; charset=utf-8", body)
}

/// A SOAP fault, which travels as status 500.
pub(crate) fn fault_response(fault: &Fault) -> Response<Bytes> {
    http_response(StatusCode::INTERNAL_SERVER_ERROR, "text/xml; charset=utf-8", encode::fault(fault))
}

fn unauthorised() -> Response<Bytes> {
    http_response(StatusCode::UNAUTHORIZED, "text/plain", "log in first\n")
}

fn only_post() -> Option<Response<Bytes>> {
    let mut response = http_response(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "only POST\n");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    Some(response)
}
