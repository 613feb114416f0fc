//! Method calls: who may make them, and which file answers them.

use grenadier_fleet::CloudHost;
use grenadier_wire::{FaultKind, ReplyTo};

use crate::fault::Fault;
use crate::moref::MoRef;
use crate::soap::decode::Node;
use crate::value::Value;
use crate::{
    VSphere, authorization_manager, coverage, datastore_browser, file_manager, folder, guest_operations, history,
    http_nfc_lease, ovf_manager, privilege, property_collector, resource_pool, search_index, service_instance,
    session_manager, task, view_manager, virtual_machine, virtual_machine_snapshot,
};

/// A method call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Whom the answer goes to.
    pub(crate) reply: ReplyTo,
    /// The method: `PowerOnVM_Task`.
    pub(crate) method: &'a str,
    /// The object it is called on.
    pub(crate) target: MoRef,
    /// Its arguments.
    pub(crate) args: Node<'a>,
    /// The caller's session, by its secret token.
    pub(crate) session: Option<String>,
    /// The caller's name; empty without a session.
    pub(crate) user: String,
    /// What the wire asks of the task that this call begins: to fail, or never to end.
    pub(crate) asked: Option<FaultKind>,
}

impl Call<'_> {
    /// The caller's session. Only methods that need one may ask.
    pub(crate) fn session(&self) -> Result<&str, Fault> {
        self.session.as_deref().ok_or_else(|| Fault::not_authenticated(&self.target))
    }
}

/// What a method gives.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Nothing.
    Void,
    /// A value.
    One(Value),
    /// An array, which may be empty.
    Many(Vec<Value>),
    /// A value and a session cookie.
    LoggedIn {
        /// The value.
        value: Value,
        /// The session's token.
        token: String,
    },
    /// It will answer later.
    Later,
}

/// How a call ended.
pub(crate) type Outcome = Result<Reply, Fault>;

/// Makes a call: session, object, method, privileges, then the method itself.
pub(crate) fn dispatch(sim: &mut VSphere, call: &mut Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    if call.session.is_none() && !anonymous(call) {
        return Err(Fault::not_authenticated(&call.target));
    }
    let inventory = sim.inventory(host, call.session.as_deref());
    call.target = inventory.resolve(&call.target.id).ok_or_else(|| Fault::not_found(&call.target))?;
    if !coverage::is_there(&call.target.kind, call.method) {
        return Err(Fault::method_not_found(&call.target, call.method));
    }
    privilege::check(sim, call)?;
    let handler = match &*call.target.kind {
        "ServiceInstance" => service_instance::call,
        "SessionManager" => session_manager::call,
        "PropertyCollector" | "PropertyFilter" => property_collector::call,
        "ViewManager" | "ContainerView" | "ListView" => view_manager::call,
        "Folder" => folder::call,
        "EventManager" | "TaskManager" | "EventHistoryCollector" | "TaskHistoryCollector" => history::call,
        "GuestProcessManager" | "GuestFileManager" => guest_operations::call,
        "SearchIndex" => search_index::call,
        "OvfManager" => ovf_manager::call,
        "ResourcePool" => resource_pool::call,
        "HttpNfcLease" => http_nfc_lease::call,
        "VirtualMachine" => virtual_machine::call,
        "VirtualMachineSnapshot" => virtual_machine_snapshot::call,
        "FileManager" => file_manager::call,
        "HostDatastoreBrowser" => datastore_browser::call,
        "AuthorizationManager" => authorization_manager::call,
        "Task" => task::call,
        _ => nothing,
    };
    let outcome = if call.method == "Fetch" {
        Some(property_collector::fetch(sim, call, host))
    } else {
        handler(sim, call, host)
    };
    outcome.unwrap_or_else(|| Err(Fault::method_not_found(&call.target, call.method)))
}

/// A type without methods.
fn nothing(_: &mut VSphere, _: &Call<'_>, _: &mut dyn CloudHost) -> Option<Outcome> {
    None
}

/// What may be called before login: finding out what the server is, and logging in.
fn anonymous(call: &Call<'_>) -> bool {
    match call.method {
        "RetrieveServiceContent" | "CurrentTime" | "Login" => true,
        "Fetch" => matches!(&*call.target.id, "ServiceInstance" | "SessionManager"),
        "RetrieveProperties" | "RetrievePropertiesEx" => {
            let mut objects = call
                .args
                .children("specSet")
                .flat_map(|spec| spec.children("objectSet"))
                .map(|set| set.moref_of("obj"));
            objects.all(|object| object.is_some_and(|mo| matches!(&*mo.id, "ServiceInstance" | "SessionManager")))
        }
        _ => false,
    }
}
