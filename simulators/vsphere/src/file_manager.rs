//! FileManager.

use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome};
use crate::datastore::{files, path};
use crate::fault::Fault;
use crate::inventory::{DATASTORE, Inventory};
use crate::task::{NewTask, Work};

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "DeleteDatastoreFile_Task" => delete(sim, call, host),
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
    if inventory.sim.files.iter().any(|(file, _)| file == path || file.starts_with(&below)) {
        Ok(())
    } else {
        Err(Fault::file_not_found(&path::render(path)))
    }
}
