//! FileManager.

use grenadier_clock::Time;
use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::datastore::{files, path};
use crate::fault::Fault;
use crate::inventory::{DATASTORE, Inventory};
use crate::task::{NewTask, Work};

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "DeleteDatastoreFile_Task" => delete(sim, call, host),
        "MoveDatastoreFile_Task" => transfer(sim, call, host, true),
        "CopyDatastoreFile_Task" => transfer(sim, call, host, false),
        "MakeDirectory" => make_directory(sim, call, host),
        _ => return None,
    })
}

fn delete(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let path = path::parse(call.args.required("name")?)?;
    if path.is_empty() {
        return Err(Fault::invalid_argument("name", "the datastore itself cannot be deleted"));
    }
    let work = Work::DeleteFile(path);
    sim.begin_task(call, host, NewTask { entity: DATASTORE, description: "FileManager.deleteFile", work })
}

/// What is moved or copied where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transfer {
    from: String,
    to: String,
    moves: bool,
    force: bool,
}

fn transfer(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost, moves: bool) -> Outcome {
    let from = path::parse(call.args.required("sourceName")?)?;
    let to = path::parse(call.args.required("destinationName")?)?;
    let is_within = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}/"));
    // What stands at the destination is removed first: the source must not be part of it.
    if from.is_empty() || to.is_empty() || is_within(&to, &from) || is_within(&from, &to) {
        return Err(Fault::invalid_argument("destinationName", "a file or directory does not go into itself"));
    }
    let description = if moves { "FileManager.move" } else { "FileManager.copy" };
    let work = Work::Transfer(Transfer { from, to, moves, force: call.args.flag_of("force")? });
    sim.begin_task(call, host, NewTask { entity: DATASTORE, description, work })
}

/// Whether a transfer can be made: the source is there and no machine's, the destination is free or may be written over.
pub(crate) fn check_transfer(inventory: Inventory<'_>, transfer: &Transfer) -> Result<(), Fault> {
    check(inventory, &transfer.from)?;
    if is_there(inventory, &transfer.to) {
        if !transfer.force {
            return Err(already_exists(&transfer.to));
        }
        check(inventory, &transfer.to)?;
    }
    match transfer.to.rsplit_once('/') {
        Some((parent, _)) if !is_there(inventory, parent) => Err(Fault::file_not_found(&path::render(parent))),
        _ => Ok(()),
    }
}

fn is_there(inventory: Inventory<'_>, path: &str) -> bool {
    let below = format!("{path}/");
    let mut own = inventory.machines().flat_map(|(_, machine)| files::of_machine(inventory, machine));
    inventory.sim.files.is_there(path) || own.any(|file| file.path == path || file.path.starts_with(&below))
}

fn already_exists(path: &str) -> Fault {
    let file = path::render(path);
    Fault::new("FileAlreadyExists", format!("The file {file} already exists.")).with("file", file)
}

fn make_directory(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let path = path::parse(call.args.required("name")?)?;
    let inventory = sim.inventory(host, call.session.as_deref());
    if path.is_empty() || is_there(inventory, &path) {
        return Err(already_exists(&path));
    }
    if let Some((parent, _)) = path.rsplit_once('/')
        && !is_there(inventory, parent)
        && !call.args.flag_of("createParentDirectories")?
    {
        return Err(Fault::file_not_found(&path::render(parent)));
    }
    sim.files.make_directory(&path);
    Ok(Reply::Void)
}

impl VSphere {
    /// Moves or copies files.
    pub(crate) fn transfer_files(&mut self, transfer: &Transfer, now: Time) {
        self.files.remove(&transfer.to);
        self.files.copy(&transfer.from, &transfer.to, now);
        if transfer.moves {
            self.files.remove(&transfer.from);
        }
    }
}

/// Whether the file or directory may go: files of machines stay (assumed: a real datastore locks those in use).
pub(crate) fn check(inventory: Inventory<'_>, path: &str) -> Result<(), Fault> {
    let below = format!("{path}/");
    let mut own = inventory.machines().flat_map(|(_, machine)| files::of_machine(inventory, machine));
    if own.any(|file| file.path == path || file.path.starts_with(&below)) {
        let file = path::render(path);
        return Err(
            Fault::new("FileLocked", format!("Unable to access file {file} since it is locked")).with("file", file)
        );
    }
    if inventory.sim.files.is_there(path) { Ok(()) } else { Err(Fault::file_not_found(&path::render(path))) }
}
