//! Which guest runs on a machine: the first disk's image says.

use grenadier_backend::Backend;
use grenadier_clock::Seed;
use grenadier_guest::Guest;
use grenadier_haproxy_appliance::{Appliance, BootTiming, Facts};
use grenadier_operator::{Client, Operator};

use crate::haproxy::RealHaproxy;
use crate::kernel::WithKernel;
use crate::protocol::GuestRecord;
use crate::{Disk, Outbox};

/// What a guest is made with beside its image.
#[derive(Debug)]
pub struct GuestContext<'a> {
    /// The machine's name.
    pub machine: &'a str,
    /// The run's seed.
    pub seed: Seed,
    /// Where real processes of the guest tell about themselves.
    pub outbox: &'a Outbox,
    /// What real processes of the guest write to.
    pub disk: &'a Disk,
}

/// Makes the guest that a machine's image asks for.
///
/// # Errors
/// There is no image, no guest of that name, or its image does not say what it needs to know: a sentence for the report that the boot
/// failed.
pub fn make_guest(record: &GuestRecord, context: &GuestContext<'_>) -> Result<Box<dyn Guest>, String> {
    Ok(match record.product.as_str() {
        "haproxy-appliance" => {
            let facts = Facts::from_header(&record.facts).map_err(|error| format!("the image's facts: {error}"))?;
            let haproxy = RealHaproxy::new(&facts.haproxy, context.outbox.clone(), context.disk.clone());
            let appliance = Appliance::new(&record.version, facts, context.seed, BootTiming::immediate(), haproxy);
            Box::new(WithKernel(Box::new(appliance)))
        }
        "backend" => Box::new(Backend::new()),
        "operator" => Box::new(Operator::new()),
        "client" => Box::new(Client::new()),
        "" => return Err("the disk holds no bootable image".to_owned()),
        other => return Err(format!("no guest is called {other:?}")),
    })
}
