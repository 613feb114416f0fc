//! OvfManager.

use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::fault::Fault;
use crate::ovf::descriptor::Descriptor;
use crate::ovf::import::{self, Choices};
use crate::value::{Data, Value};

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "CreateImportSpec" => create_import_spec(sim, call, host),
        _ => return None,
    })
}

/// What is wrong with the descriptor or the choices stands in the result; what is wrong with the call is a fault.
fn create_import_spec(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    for (argument, kind) in [("resourcePool", "ResourcePool"), ("datastore", "Datastore")] {
        let mo = call.args.required_moref(argument)?;
        if !inventory.resolve(&mo.id).is_some_and(|found| found.is_a(kind)) {
            return Err(Fault::not_found(&mo));
        }
    }
    let choices = Choices::parse(call.args.required_child("cisp")?)?;
    let result = match Descriptor::parse(call.args.required("ovfDescriptor")?) {
        Ok(descriptor) => import::result(inventory, &descriptor, &choices),
        Err(fault) => Data::new("OvfCreateImportSpecResult")
            .with("error", Value::list("LocalizedMethodFault", [fault.localized()])),
    };
    Ok(Reply::One(result.into()))
}
