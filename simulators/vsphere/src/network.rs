//! Network: one for every segment.

use crate::inventory::{HOST, Inventory};
use crate::moref::MoRef;
use crate::value::{Data, Value};

pub(crate) const PROPERTIES: &[&str] = &["summary", "host", "vm"];

pub(crate) fn property(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    let own = inventory.network_name(&mo.id)?;
    match name {
        "summary" => Some(
            Data::new("NetworkSummary")
                .with("network", mo.clone())
                .with("name", own)
                .with("accessible", true)
                .with("ipPoolName", "")
                .unset(&["ipPoolId"])
                .into(),
        ),
        "host" => Some(Value::refs([HOST])),
        "vm" => Some(Value::refs(inventory.machines_on(own))),
        _ => None,
    }
}
