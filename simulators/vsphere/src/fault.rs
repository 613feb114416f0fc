//! Faults.

use grenadier_fleet::OperationError;

use crate::moref::MoRef;
use crate::value::{Data, Value, long};

/// Processor speed of the one host: what the API says in MHz is cores times this.
pub(crate) const CPU_MHZ: i64 = 2_400;

/// A fault: thrown by a call, or the end of a task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// Its type.
    pub(crate) kind: &'static str,
    /// What it says to people.
    pub(crate) message: String,
    /// Its own fields in the order of the schema.
    fields: Vec<(&'static str, Value)>,
}

impl Fault {
    /// A fault without fields of its own.
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Fault {
        Fault { kind, message: message.into(), fields: Vec::new() }
    }

    /// Adds a field.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Fault {
        self.fields.push((name, value.into()));
        self
    }

    /// The fault's data object.
    pub(crate) fn data(&self) -> Data {
        self.fields.iter().fold(Data::derived(self.kind), |data, (name, value)| data.with(name, value.clone()))
    }

    /// The fault as `LocalizedMethodFault`, as tasks, leases and missing sets carry it.
    pub(crate) fn localized(&self) -> Data {
        Data::new("LocalizedMethodFault").with("fault", self.data()).with("localizedMessage", self.message.as_str())
    }

    /// The caller has no session, or it is over.
    pub(crate) fn not_authenticated(object: &MoRef) -> Fault {
        Fault::new("NotAuthenticated", "The session is not authenticated.")
            .with("object", object.clone())
            .with("privilegeId", "System.View")
    }

    /// The caller lacks a privilege.
    pub(crate) fn no_permission(object: &MoRef, privilege: &str) -> Fault {
        Fault::new("NoPermission", format!("Permission to perform this operation was denied: {privilege} is missing."))
            .with("object", object.clone())
            .with("privilegeId", privilege)
    }

    /// No such object (any more).
    pub(crate) fn not_found(object: &MoRef) -> Fault {
        let message =
            format!("The object '{}:{}' has already been deleted or has not been created", object.kind, object.id);
        Fault::new("ManagedObjectNotFound", message).with("obj", object.clone())
    }

    /// The object's type has no such method here.
    pub(crate) fn method_not_found(receiver: &MoRef, method: &str) -> Fault {
        Fault::new("MethodNotFound", format!("{} does not implement: {method}", receiver.kind))
            .with("receiver", receiver.clone())
            .with("method", method)
    }

    /// The request cannot be understood.
    pub(crate) fn invalid_request(message: &str) -> Fault {
        Fault::new("InvalidRequest", message)
    }

    /// An argument is not one that the method takes.
    pub(crate) fn invalid_argument(property: &str, why: &str) -> Fault {
        Fault::new("InvalidArgument", format!("A specified parameter was not correct: {property}: {why}"))
            .with("invalidProperty", property)
    }

    /// A property path that the type does not have.
    pub(crate) fn invalid_property(path: &str) -> Fault {
        Fault::new("InvalidProperty", format!("The property {path} does not exist")).with("name", path)
    }

    /// Something inside failed.
    pub(crate) fn system(reason: &str) -> Fault {
        Fault::new("SystemError", format!("A general system error occurred: {reason}")).with("reason", reason)
    }

    /// What the object is asked for cannot be done in its present state.
    pub(crate) fn invalid_state(message: &str) -> Fault {
        Fault::new("InvalidState", message)
    }

    /// We know what is meant and do not model it.
    pub(crate) fn not_supported(what: &str) -> Fault {
        Fault::new("NotSupported", format!("The operation is not supported on the object: {what}"))
    }

    /// The machine's power is not what the method needs.
    pub(crate) fn power_state(requested: Option<&'static str>, existing: &'static str) -> Fault {
        let words = if existing == "poweredOn" { "Powered on" } else { "Powered off" };
        let message = format!("The attempted operation cannot be performed in the current state ({words}).");
        let mut fault = Fault::new("InvalidPowerState", message);
        if let Some(requested) = requested {
            fault = fault.with("requestedState", Value::Enum("VirtualMachinePowerState", requested));
        }
        fault.with("existingState", Value::Enum("VirtualMachinePowerState", existing))
    }

    /// Another task works on the object.
    pub(crate) fn task_in_progress(task: Option<&MoRef>) -> Fault {
        let unknown = MoRef::fixed("Task", "task-0");
        Fault::new("TaskInProgress", "Another task is already in progress.")
            .with("task", task.cloned().unwrap_or(unknown))
    }

    /// The name is taken.
    pub(crate) fn duplicate_name(name: &str, object: MoRef) -> Fault {
        Fault::new("DuplicateName", format!("The name '{name}' already exists."))
            .with("name", name)
            .with("object", object)
    }

    /// No such file.
    pub(crate) fn file_not_found(file: &str) -> Fault {
        Fault::new("FileNotFound", format!("File {file} was not found")).with("file", file)
    }

    /// Why an operation of the fleet failed, in the words of the API. `machine` is the object it was about.
    pub(crate) fn of_operation(error: &OperationError, machine: &MoRef, datastore: &str) -> Fault {
        match error {
            OperationError::NoSuchMachine(_) => Fault::not_found(machine),
            OperationError::NameTaken(name) => Fault::duplicate_name(name, machine.clone()),
            OperationError::WrongPower { actual, .. } => {
                let (existing, requested) =
                    if *actual == "on" { ("poweredOn", "poweredOff") } else { ("poweredOff", "poweredOn") };
                Fault::power_state(Some(requested), existing)
            }
            OperationError::Busy(_) => Fault::task_in_progress(None),
            OperationError::Insufficient { resource, wanted, free } => {
                insufficient(resource, *wanted, *free, datastore)
            }
            OperationError::NotFound(what) => Fault::invalid_argument("spec", &format!("{what} does not exist")),
            OperationError::NoGuest => tools_unavailable(),
            OperationError::Unsupported(what) => Fault::not_supported(what),
            OperationError::Engine(reason) => Fault::system(reason),
        }
    }
}

/// The guest's tools do not run.
pub(crate) fn tools_unavailable() -> Fault {
    Fault::new(
        "ToolsUnavailable",
        "Cannot complete operation because VMware Tools is not running in this virtual machine.",
    )
}

fn insufficient(resource: &str, wanted: u64, free: u64, datastore: &str) -> Fault {
    match resource {
        "cpus" => {
            let mhz = |cores: u64| long(i64::try_from(cores).unwrap_or(i64::MAX).saturating_mul(CPU_MHZ));
            Fault::new("InsufficientCpuResourcesFault", "The host does not have sufficient CPU resources.")
                .with("unreserved", mhz(free))
                .with("requested", mhz(wanted))
        }
        "memory_mib" => {
            let bytes = |mib: u64| long(mib.saturating_mul(1 << 20));
            Fault::new("InsufficientMemoryResourcesFault", "The host does not have sufficient memory resources.")
                .with("unreserved", bytes(free))
                .with("requested", bytes(wanted))
        }
        _ => no_disk_space("", datastore),
    }
}

/// The datastore is full.
pub(crate) fn no_disk_space(file: &str, datastore: &str) -> Fault {
    Fault::new("NoDiskSpace", format!("Insufficient disk space on datastore '{datastore}'."))
        .with("file", file)
        .with("datastore", datastore)
}
