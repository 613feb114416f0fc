//! What others do to the appliance while the engine works, and what they did to it before.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use grenadier_catalog::{Machine, Named, Segment};
use grenadier_engine::shell::{Shell, ShellAccess};
use grenadier_engine::{Engine, Journal};
use grenadier_events::{Actor, EventLog};
use grenadier_fleet::Operation;
use grenadier_scenario::{ForeignEvent, SymbolicRange};
use grenadier_wire::{Answer, Exchange, HttpExchange, TlsTrust};
use http::{Method, header};
use serde_json::{Value, json};

use super::engine::procedure;
use super::{HaproxyAppliance, call, layout};
use crate::rehearsal::administrator;
use crate::setting::HAPROXY_USER;
use crate::stage::Stage;
use crate::systems::{ForeignAction, PhaseError, Work};

/// Where the service ranges are that AnyIP answers for.
const ANYIP: &str = "/etc/vmware/anyip-routes.cfg";
/// Where the networks are that the route service sets up.
const ROUTE_TABLES: &str = "/etc/vmware/route-tables.cfg";

impl HaproxyAppliance {
    /// What others do, each with the step after which they do it.
    pub(super) fn foreign_actions(&self, event: &ForeignEvent, stage: &dyn Stage) -> Vec<(String, ForeignAction)> {
        let action = match event {
            ForeignEvent::PowerOn(event) => ForeignAction::PowerOn(self.machine_name(event.machine)),
            ForeignEvent::UpgradeVcenter(event) => ForeignAction::UpgradeCloud(event.to.to_string()),
            ForeignEvent::Reboot(event) => ForeignAction::Work(reset(self.machine_name(event.machine))),
            ForeignEvent::BindRange(event) => ForeignAction::Work(self.bind(event.range, stage)),
            ForeignEvent::SecondEngine(_) => ForeignAction::Work(self.second_engine(stage)),
            ForeignEvent::Transaction(event) => {
                let name = format!("{}-half-done", event.cluster.name());
                let client = Arc::new(Client { name, access: self.dataplane_access(), begun: Mutex::default() });
                let (begins, commits) = (Arc::clone(&client), client);
                let begin: Work = Box::new(move |stage| Box::pin(async move { begins.begin(stage).await }));
                let commit: Work = Box::new(move |stage| Box::pin(async move { commits.commit(stage).await }));
                let mut actions = vec![(event.after.clone(), ForeignAction::Work(begin))];
                actions.extend(event.committed_after.clone().map(|after| (after, ForeignAction::Work(commit))));
                return actions;
            }
        };
        vec![(event.after().to_owned(), action)]
    }

    fn machine_name(&self, machine: Machine) -> String {
        match machine {
            Machine::OldAppliance => self.old_name(),
            Machine::NewAppliance => self.new_name(),
        }
    }

    /// Somebody gives the appliance that is on a range in its kernel.
    fn bind(&self, range: SymbolicRange, stage: &dyn Stage) -> Work {
        let range = layout::ranges(&[range], stage.blocks())[0];
        let access = ShellAccess {
            host: self.layout().management().to_string(),
            user: "root".to_owned(),
            password: Some(self.secrets.appliance_root.clone()),
        };
        Box::new(move |stage| {
            Box::pin(async move {
                let shell = Shell::new(stage.wire(), Actor::Administrator, access);
                let command = format!("ip route add local {range} dev lo");
                let line = match shell.run(&command, Bytes::new()).await {
                    Ok(output) if output.exit_code == 0 => command,
                    Ok(output) => format!("{command}: {}", String::from_utf8_lossy(&output.stderr).trim()),
                    Err(error) => format!("{command}: {error}"),
                };
                administrator(stage, "appliance", line);
            })
        })
    }

    /// Somebody starts the same upgrade, with a journal of their own. What that engine does to the world is in the log; its calls
    /// and steps are not, because the log tells of the engine under test.
    fn second_engine(&self, stage: &dyn Stage) -> Work {
        let mut parameters = self.parameters(stage);
        parameters.run = "2".to_owned();
        // The document leaves the name to whoever deploys. The hardened procedure takes it from the version, so that vSphere itself
        // lets one of two engines through.
        if self.scenario.engine.procedure == "documented" {
            parameters.new_name.push_str("-2");
        }
        let wire = stage.wire().beside(EventLog::default());
        let mut second = procedure(&self.scenario, wire.clone(), parameters);
        Box::new(move |stage| {
            Box::pin(async move {
                administrator(stage, "engine-2", "started the same upgrade once more".to_owned());
                let report = Engine::new(wire).upgrade(&mut second, &mut Journal::in_memory()).await;
                administrator(stage, "engine-2", format!("ended with exit {}: {}", report.exit_code, report.message));
            })
        })
    }

    fn dataplane_access(&self) -> Access {
        let credentials = STANDARD.encode(format!("{HAPROXY_USER}:{}", self.secrets.haproxy.reveal()));
        Access {
            endpoint: self.layout().dataplane(),
            authorization: format!("Basic {credentials}"),
            tls: TlsTrust::Pinned(self.pin.clone()),
        }
    }

    /// Somebody adds a service range to the appliance's file. AnyIP, which watches it, takes it over.
    pub(super) async fn add_range(&self, stage: &dyn Stage, range: SymbolicRange) -> Result<(), PhaseError> {
        let range = layout::ranges(&[range], stage.blocks())[0];
        self.edit(stage, ANYIP, |text| format!("{text}{range}\n")).await
    }

    /// Somebody adds a network's line to the route service's file a second time.
    pub(super) async fn duplicate_route(&self, stage: &dyn Stage, network: Segment) -> Result<(), PhaseError> {
        self.edit(stage, ROUTE_TABLES, |text| {
            let line = text.lines().find(|line| is_of(line, network, 5)).unwrap_or_default();
            format!("{text}{line}\n")
        })
        .await
    }

    /// Somebody takes a network's link-scoped route out of the file and restarts the route service.
    pub(super) async fn leave_link_route(&self, stage: &dyn Stage, network: Segment) -> Result<(), PhaseError> {
        let without = |text: &str| {
            let lines = text.lines().filter(|line| !is_of(line, network, 4));
            lines.map(|line| format!("{line}\n")).collect()
        };
        self.edit(stage, ROUTE_TABLES, without).await?;
        let restarted = self.appliance_shell(stage).systemctl("restart", "route-tables").await;
        restarted.map_err(|error| call("restart the route service", &error))
    }

    /// Somebody stops the Data Plane API for so long.
    pub(super) async fn stop_api(&self, stage: &dyn Stage, length: Duration) -> Result<(), PhaseError> {
        let shell = self.appliance_shell(stage);
        let stopped = shell.systemctl("stop", "dataplaneapi").await;
        stopped.map_err(|error| call("stop the Data Plane API", &error))?;
        stage.clock().sleep(length).await;
        let started = shell.systemctl("start", "dataplaneapi").await;
        started.map_err(|error| call("start the Data Plane API again", &error))
    }

    async fn edit(&self, stage: &dyn Stage, path: &str, edit: impl FnOnce(&str) -> String) -> Result<(), PhaseError> {
        let shell = self.appliance_shell(stage);
        let failed = |error| call(&format!("edit {path}"), &error);
        let text = shell.read(path).await.map_err(failed)?.unwrap_or_default();
        shell.write(path, edit(&text)).await.map_err(failed)
    }
}

/// Whether a line of `route-tables.cfg` is a network's, with so many fields: five with a gateway, four where it is link-scoped.
fn is_of(line: &str, network: Segment, fields: usize) -> bool {
    let parts: Vec<&str> = line.split(',').map(str::trim).collect();
    !line.trim_start().starts_with('#') && parts.len() == fields && parts[1] == network.name()
}

/// Somebody resets a machine.
fn reset(name: String) -> Work {
    Box::new(move |stage| {
        Box::pin(async move {
            let Some(machine) = stage.machine(&name) else { return };
            for operation in [Operation::PowerOff { machine }, Operation::PowerOn { machine }] {
                if let Err(error) = stage.perform(operation).await {
                    return administrator(stage, &name, format!("could not reset {name}: {error}"));
                }
            }
            administrator(stage, &name, format!("reset {name}"));
        })
    })
}

struct Access {
    endpoint: String,
    authorization: String,
    tls: TlsTrust,
}

/// A client of the Data Plane API that is slow, or is killed.
struct Client {
    /// The backend that it makes.
    name: String,
    access: Access,
    /// Its transaction.
    begun: Mutex<Option<String>>,
}

impl Client {
    async fn begin(&self, stage: &dyn Stage) {
        let line = match self.try_begin(stage).await {
            Ok(id) => {
                let line = format!("began transaction {id}");
                *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
                line
            }
            Err(error) => format!("could not begin a transaction: {error}"),
        };
        administrator(stage, "dataplane-client", line);
    }

    async fn try_begin(&self, stage: &dyn Stage) -> Result<String, String> {
        let listed = self.call(stage, Method::GET, "configuration/frontends", None).await?;
        let version = &listed["_version"];
        let begun = self.call(stage, Method::POST, &format!("transactions?version={version}"), None).await?;
        let id = begun["id"].as_str().ok_or("the transaction has no id")?.to_owned();
        let path = format!("configuration/backends?transaction_id={id}");
        self.call(stage, Method::POST, &path, Some(json!({"name": self.name, "mode": "tcp"}))).await?;
        Ok(id)
    }

    async fn commit(&self, stage: &dyn Stage) {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(id) = begun else { return };
        let line = match self.call(stage, Method::PUT, &format!("transactions/{id}"), None).await {
            Ok(_) => format!("committed transaction {id}"),
            Err(error) => format!("could not commit transaction {id}: {error}"),
        };
        administrator(stage, "dataplane-client", line);
    }

    async fn call(&self, stage: &dyn Stage, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/v2/services/haproxy/{path}"))
            .header(header::HOST, &self.access.endpoint)
            .header(header::AUTHORIZATION, &self.access.authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default())
            .map_err(|error| error.to_string())?;
        let exchange = Exchange::Http(HttpExchange {
            endpoint: self.access.endpoint.clone(),
            tls: Some(self.access.tls.clone()),
            request,
            timeout: Duration::from_secs(15),
        });
        let answer = stage.wire().call(Actor::Administrator, exchange).await.map_err(|error| error.to_string())?;
        let Answer::Http(response) = answer else { return Err("a shell answered".to_owned()) };
        let value: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        if response.status().is_success() {
            return Ok(value);
        }
        let message = value["message"].as_str().unwrap_or("no message");
        Err(format!("HTTP status {}: {message}", response.status().as_u16()))
    }
}
